// SPDX-License-Identifier: Apache-2.0
// A board whose FPGA is itself the USB device, without its PLL: clocks in (clk48 is
// 48 MHz), D+, D-, the pull-up's pin and LEDs (1: on). i_locked: the clocks run.
`default_nettype none
`include "flx_board.vh"

module flx_board_usb (
    input  wire clk48,
    input  wire clk,
    input  wire clk_lanes,
    input  wire i_locked,
    inout  wire io_dp,
    inout  wire io_dn,
    output wire o_pullup,
    output wire o_busy,
    output wire o_active
);
    wire       rst, rst48, link_reset, rx_valid, rx_ready, tx_valid, tx_ready;
    wire       dp, dn, oe;
    wire [7:0] rx_data, tx_data;

    assign io_dp = oe ? dp : 1'bz;
    assign io_dn = oe ? dn : 1'bz;

    flx_board_reset u_reset (
        .clk(clk), .clk_io(clk48), .i_locked(i_locked), .o_rst(rst), .o_rst_io(rst48)
    );

    flx_usb_device #(.PRODUCT(`FLX_BOARD_PRODUCT)) u_usb (
        .clk48(clk48), .rst48(rst48), .i_serial(`FLX_BOARD_SERIAL), .i_dp(io_dp), .i_dn(io_dn),
        .o_dp(dp), .o_dn(dn), .o_oe(oe), .o_pullup(o_pullup), .o_configured(), .o_suspended(),
        .clk(clk), .rst(rst), .o_link_reset(link_reset), .o_rx_valid(rx_valid),
        .o_rx_data(rx_data), .i_rx_ready(rx_ready), .i_tx_valid(tx_valid), .i_tx_data(tx_data),
        .i_tx_last(1'b0), .o_tx_ready(tx_ready)
    );

    flx_board_core u_core (
        .clk(clk), .rst(rst), .clk_lanes(clk_lanes), .i_link_reset(link_reset),
        .i_rx_valid(rx_valid), .i_rx_data(rx_data), .o_rx_ready(rx_ready),
        .o_tx_valid(tx_valid), .o_tx_data(tx_data), .i_tx_ready(tx_ready), .o_busy(o_busy), .o_active(o_active)
    );
endmodule

`default_nettype wire
