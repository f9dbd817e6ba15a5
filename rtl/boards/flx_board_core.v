// SPDX-License-Identifier: Apache-2.0
// flx_top in the shape of the board (flx_board.vh, written by scripts/bitstream from
// boards.json), and what LEDs show. Ports as in flx_top.
//
// o_active  1 for at least 2^17 cycles after a byte in or out
`default_nettype none
`include "flx_board.vh"

module flx_board_core (
    input  wire       clk,
    input  wire       rst,
    input  wire       clk_lanes,
    input  wire       i_link_reset,
    input  wire       i_rx_valid,
    input  wire [7:0] i_rx_data,
    output wire       o_rx_ready,
    output wire       o_tx_valid,
    output wire [7:0] o_tx_data,
    input  wire       i_tx_ready,
    output wire       o_busy,
    output wire       o_active
);
    reg [18:0] idle;

    assign o_active = !idle[18];

    always @(posedge clk)
        if (rst)
            idle <= 19'h40000;
        else if ((i_rx_valid && o_rx_ready) || (o_tx_valid && i_tx_ready))
            idle <= 19'h20000;
        else if (o_active)
            idle <= idle + 19'd1;

    wire       taken_valid, taken_ready;
    wire [7:0] taken_data;

    flx_slice u_slice (
        .clk(clk), .rst(rst || i_link_reset), .i_valid(i_rx_valid), .i_data(i_rx_data), .o_ready(o_rx_ready),
        .o_valid(taken_valid), .o_data(taken_data), .i_ready(taken_ready)
    );

    flx_top #(`FLX_BOARD_CORE) u_top (
        .clk(clk), .rst(rst), .clk_lanes(clk_lanes), .i_link_reset(i_link_reset),
        .i_rx_valid(taken_valid), .i_rx_data(taken_data), .o_rx_ready(taken_ready),
        .o_tx_valid(o_tx_valid), .o_tx_data(o_tx_data), .i_tx_ready(i_tx_ready), .o_busy(o_busy)
    );
endmodule

`default_nettype wire
