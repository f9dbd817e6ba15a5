// SPDX-License-Identifier: Apache-2.0
// iCE40-HX8K breakout: UART of FT2232H channel B with RTS/CTS. D2: busy, D3: bytes move. The
// names are the bridge's: its RTS# comes in, its CTS# goes out.
`default_nettype none
`include "flx_board.vh"

module flx_hx8k (
    input  wire       i_clk,
    input  wire       i_rx,
    output wire       o_tx,
    input  wire       i_rts_n,
    output wire       o_cts_n,
    output wire [1:0] o_led
);
    wire clk_io, clk, clk_lanes, locked, busy, active;

    ice40_pll #(`FLX_BOARD_PLL) u_pll (
        .i_clk(i_clk), .o_clk_io(clk_io), .o_clk(clk), .o_clk_lanes(clk_lanes),
        .o_locked(locked)
    );

    flx_board_uart u_board (
        .clk_io(clk_io), .clk(clk), .clk_lanes(clk_lanes), .i_locked(locked), .i_rx(i_rx),
        .o_tx(o_tx), .i_cts_n(i_rts_n), .o_rts_n(o_cts_n), .o_busy(busy), .o_active(active)
    );

    assign o_led = {active, busy};
endmodule

`default_nettype wire
