// SPDX-License-Identifier: Apache-2.0
// flx_step_rings: what the steps of a requantiser take, for PIXELS positions in turn: a ring for each
// step, which stands still until it is the step's turn.
//
//   W, STEPS, PIXELS   bits of a step, steps of a set, positions
//
//   i_load    i_all comes in two clocks later: the values of one position for all steps
//   i_step    the clock before i_move: the step (without the position); 0 from the last step of a set on
//   i_move    the step takes its value
//   i_hide    a clock after i_move: the value is 0
//   o_a, o_b  three clocks after i_move: the value is o_a | o_b
//
// Sets of rings lie apart, and far from what controls them: each has registers of its own for that.
// Rings that hand their values on would need a multiplexer a bit; here all but one value are 0, so
// that four of them take one LUT4, and reset is a property of the flip-flop. Step 0 can come as
// soon as its value is at the ring's end, so there the end itself is what is reset.
`default_nettype none
module flx_step_rings #(
    parameter W      = 8,
    parameter STEPS  = 2,
    parameter PIXELS = 2,
    parameter SW     = (STEPS > 1) ? $clog2(STEPS) : 1
) (
    input  wire               clk,
    input  wire               i_load,
    input  wire [SW-1:0]      i_step,
    input  wire               i_move,
    input  wire               i_hide,
    input  wire [STEPS*W-1:0] i_all,
    output reg  [W-1:0]       o_a,
    output reg  [W-1:0]       o_b
);
    localparam A = (STEPS > 4) ? 4 : (STEPS > 1) ? STEPS - 1 : 1; // steps of o_a

    wire [STEPS*W-1:0] taken;
    reg                load;
    wire               load_now, move, hide;
    wire [SW-1:0]      step;
    reg [W-1:0]        any_a, any_b;
    integer            n;

    always @* begin
        any_a = {W{1'b0}};
        any_b = {W{1'b0}};
        for (n = 0; n < STEPS; n = n + 1)
            if (n < A) any_a = any_a | taken[n*W +: W];
            else any_b = any_b | taken[n*W +: W];
    end
    always @(posedge clk) begin
        load <= load_now;
        o_a  <= hide ? {W{1'b0}} : any_a;
        o_b  <= hide ? {W{1'b0}} : any_b;
    end

    genvar s;
    flx_copy u_load (.clk(clk), .i(i_load), .o(load_now));
    flx_copy u_move (.clk(clk), .i(i_move), .o(move));
    flx_copy u_hide (.clk(clk), .i(i_hide), .o(hide));
    flx_copy #(.W(SW)) u_step (.clk(clk), .i(i_step), .o(step));
    generate
        for (s = 0; s < STEPS; s = s + 1) begin : g_step
            localparam [31:0] THIS = s;
            wire         others; // it is not the step's turn
            wire [W-1:0] oldest;
            reg  [W-1:0] value;

            assign taken[s*W +: W] = value;
            flx_copy u_others (.clk(clk), .i(STEPS > 1 && step != THIS[SW-1:0]), .o(others));

            if (s == 0) begin : g_first
                reg moves;
                always @(posedge clk) begin
                    moves <= load_now || (move && !others);
                    if (others) value <= {W{1'b0}};
                    else if (moves) value <= oldest;
                end
                flx_ring #(.W(W), .N(PIXELS - 1)) u_ring (
                    .clk(clk), .i_move(moves), .i(i_all[W-1:0]), .o_new(), .o_old(oldest)
                );
            end else begin : g_later
                always @(posedge clk) value <= others ? {W{1'b0}} : oldest;
                flx_ring #(.W(W), .N(PIXELS)) u_ring (
                    .clk(clk), .i_move(load || (move && !others)), .i(i_all[s*W +: W]), .o_new(),
                    .o_old(oldest)
                );
            end
        end
    endgenerate
endmodule
`default_nettype wire
