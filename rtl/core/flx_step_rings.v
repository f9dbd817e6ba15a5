// SPDX-License-Identifier: Apache-2.0
// flx_step_rings: what the steps of a requantiser take, for PIXELS positions in turn: a ring for each
// step, which hands its values on to the ring of the step before.
//
//   W, STEPS, PIXELS   bits of a step, steps of a set, positions
//
//   i_load    i_all comes in a clock later: the values of one position for all steps
//   i_move    a clock later the rings move; after PIXELS moves the values are a step further
//   o_step    the value of this step and position
`default_nettype none
module flx_step_rings #(
    parameter W      = 8,
    parameter STEPS  = 2,
    parameter PIXELS = 2
) (
    input  wire               clk,
    input  wire               i_load,
    input  wire               i_move,
    input  wire [STEPS*W-1:0] i_all,
    output wire [W-1:0]       o_step
);
    wire [(STEPS+1)*W-1:0] leaving;

    assign leaving[STEPS*W +: W] = {W{1'b0}};
    assign o_step                = leaving[W-1:0];

    genvar s;
    generate
        for (s = 0; s < STEPS; s = s + 1) begin : g_step
            // Flip-flops of their own: one for all would be the slowest net.
            wire load, moves;
            flx_copy u_load (.clk(clk), .i(i_load), .o(load));
            flx_copy u_moves (.clk(clk), .i(i_load || i_move), .o(moves));

            flx_ring #(.W(W), .N(PIXELS)) u_ring (
                .clk(clk), .i_move(moves),
                .i(load ? i_all[s*W +: W] : leaving[(s+1)*W +: W]), .o_new(),
                .o_old(leaving[s*W +: W])
            );
        end
    endgenerate
endmodule
`default_nettype wire
