// SPDX-License-Identifier: Apache-2.0
// ULX3S: the socket US2, whose D+ and D- are the FPGA's. LED 0: busy, 1: bytes move. The pin
// at D-'s resistor stays open.
`default_nettype none
`include "flx_board.vh"

module flx_ulx3s_usb (
    input  wire       i_clk,
    inout  wire       io_usb_dp,
    inout  wire       io_usb_dn,
    output wire       o_usb_pullup,
    output wire [1:0] o_led
);
    wire clk_io, clk, clk_lanes, locked, busy, active;

    ecp5_pll #(`FLX_BOARD_PLL) u_pll (
        .i_clk(i_clk), .o_clk_io(clk_io), .o_clk(clk), .o_clk_lanes(clk_lanes),
        .o_locked(locked)
    );

    flx_board_usb u_board (
        .clk48(clk_io), .clk(clk), .clk_lanes(clk_lanes), .i_locked(locked), .io_dp(io_usb_dp),
        .io_dn(io_usb_dn), .o_pullup(o_usb_pullup), .o_busy(busy), .o_active(active)
    );

    assign o_led = {active, busy};
endmodule

`default_nettype wire
