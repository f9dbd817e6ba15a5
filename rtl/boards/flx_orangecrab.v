// SPDX-License-Identifier: Apache-2.0
// OrangeCrab r0.2: USB of the FPGA. Red: busy, green: bytes move.
`default_nettype none
`include "flx_board.vh"

module flx_orangecrab (
    input  wire i_clk,
    inout  wire io_usb_dp,
    inout  wire io_usb_dn,
    output wire o_usb_pullup,
    output wire o_led_red_n,
    output wire o_led_green_n
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

    assign o_led_red_n   = !busy;
    assign o_led_green_n = !active;
endmodule

`default_nettype wire
