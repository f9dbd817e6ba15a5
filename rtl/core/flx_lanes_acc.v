// SPDX-License-Identifier: Apache-2.0
// flx_lanes_acc: the accumulator of one channel, from adders that every family has.
//
//   W, ACC_W   bits of a term and of the accumulator
//   PIXELS     sums that take turns (flx_lanes)
//
//   i_valid    i_term counts
//   i_first    one clock before: it starts a new sum
//   i_term     signed
//   o_acc      one clock after i_term: the sum that it was added to
//
// i_first has its last register here, a copy a channel: one for all bits of all channels
// would be the slowest net of the array.
// `first ? term : acc + term` is one iCE40 cell a bit.
`default_nettype none
module flx_lanes_acc #(
    parameter W     = 12,
    parameter ACC_W = 22,
    parameter PIXELS = 1
) (
    input  wire             clk,
    input  wire             i_valid,
    input  wire             i_first,
    input  wire [W-1:0]     i_term,
    output wire [ACC_W-1:0] o_acc
);
    wire             first;
    wire [ACC_W-1:0] term = {{(ACC_W-W){i_term[W-1]}}, i_term};

    flx_copy u_first (
        .clk(clk),
        .i  (i_first),
        .o  (first)
    );

    wire [ACC_W-1:0] acc;

    flx_ring #(.W(ACC_W), .N(PIXELS)) u_acc (
        .clk(clk), .i_move(i_valid), .i(first ? term : acc + term), .o_new(o_acc), .o_old(acc)
    );
endmodule
`default_nettype wire
