// SPDX-License-Identifier: Apache-2.0
// flx_loop: counter of a loop, and whether this pass is its last one, in a register.
//
//   W       bits of the count
//   STEP    what a pass takes off the count, of which at most that much is left in the last pass
//
//   i_start, i_count   the loop begins with this count, at least 1; goes before i_next
//   i_next  the pass is over: the next one, or with i_again the first one, of i_count
//   o_left  what is left of the count, that of this pass included
//   o_last  at most STEP is
`default_nettype none
module flx_loop #(
    parameter W    = 8,
    parameter STEP = 1
) (
    input  wire         clk,
    input  wire         i_start,
    input  wire [W-1:0] i_count,
    input  wire         i_next,
    input  wire         i_again,
    output reg  [W-1:0] o_left,
    output reg          o_last
);
    localparam [W-1:0] ONE = STEP[W-1:0];
    localparam [W:0]   TWO = 2 * STEP;

    // An equality takes fewer LUTs.
    wire one = (STEP == 1) ? i_count == ONE : i_count <= ONE;
    wire two = (STEP == 1) ? {1'b0, o_left} == TWO : {1'b0, o_left} <= TWO;

    always @(posedge clk)
        if (i_start || (i_next && i_again)) begin
            o_left <= i_count;
            o_last <= one;
        end else if (i_next) begin
            o_left <= o_left - ONE;
            o_last <= two;
        end
endmodule
`default_nettype wire
