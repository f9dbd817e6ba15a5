// SPDX-License-Identifier: Apache-2.0
// A board that is reached through a UART, without its PLL: clocks in, lines of the UART and
// LEDs out (1: on). i_locked: the clocks run.
`default_nettype none
`include "flx_board.vh"

module flx_board_uart (
    input  wire clk_io,
    input  wire clk,
    input  wire clk_lanes,
    input  wire i_locked,
    input  wire i_rx,
    output wire o_tx,
    input  wire i_cts_n,
    output wire o_rts_n,
    output wire o_busy,
    output wire o_active
);
    // What a host without RTS/CTS relies on (docs/link.md).
    generate
        if ((1 << `FLX_BOARD_RX_LOG2) < 2 * `FLX_BOARD_MAX_PAYLOAD)
            flx_error_the_fifo_must_hold_two_payloads u_error ();
    endgenerate

    wire       rst, rst_io, link_reset, rx_valid, rx_ready, tx_valid, tx_ready;
    wire [7:0] rx_data, tx_data;

    flx_board_reset u_reset (
        .clk(clk), .clk_io(clk_io), .i_locked(i_locked), .o_rst(rst), .o_rst_io(rst_io)
    );

    flx_uart #(
        .CLK_KHZ(`FLX_BOARD_IO_KHZ), .BAUD(`FLX_BOARD_BAUD), .RX_LOG2(`FLX_BOARD_RX_LOG2)
    ) u_uart (
        .clk_io(clk_io), .rst_io(rst_io), .i_rx(i_rx), .o_tx(o_tx), .i_cts_n(i_cts_n),
        .o_rts_n(o_rts_n), .clk(clk), .rst(rst), .o_link_reset(link_reset),
        .o_rx_valid(rx_valid), .o_rx_data(rx_data), .i_rx_ready(rx_ready),
        .i_tx_valid(tx_valid), .i_tx_data(tx_data), .o_tx_ready(tx_ready)
    );

    flx_board_core u_core (
        .clk(clk), .rst(rst), .clk_lanes(clk_lanes), .i_link_reset(link_reset),
        .i_rx_valid(rx_valid), .i_rx_data(rx_data), .o_rx_ready(rx_ready),
        .o_tx_valid(tx_valid), .o_tx_data(tx_data), .i_tx_ready(tx_ready), .o_busy(o_busy), .o_active(o_active)
    );
endmodule

`default_nettype wire
