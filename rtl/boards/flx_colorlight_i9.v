// SPDX-License-Identifier: Apache-2.0
// Colorlight i9 v7.2 on the extension board: UART of its CMSIS-DAP controller, without RTS/CTS.
// LED: busy or bytes move.
`default_nettype none
`include "flx_board.vh"

module flx_colorlight_i9 (
    input  wire i_clk,
    input  wire i_rx,
    output wire o_tx,
    output wire o_led_n
);
    wire clk_io, clk, clk_lanes, locked, busy, active;

    ecp5_pll #(`FLX_BOARD_PLL) u_pll (
        .i_clk(i_clk), .o_clk_io(clk_io), .o_clk(clk), .o_clk_lanes(clk_lanes),
        .o_locked(locked)
    );

    flx_board_uart u_board (
        .clk_io(clk_io), .clk(clk), .clk_lanes(clk_lanes), .i_locked(locked), .i_rx(i_rx),
        .o_tx(o_tx), .i_cts_n(1'b0), .o_rts_n(), .o_busy(busy), .o_active(active)
    );

    assign o_led_n = !(busy || active);
endmodule

`default_nettype wire
