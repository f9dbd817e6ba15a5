// SPDX-License-Identifier: Apache-2.0
// flx_lanes_plain: one adder a lane (LANES = 0, for any family).
//
// A lane turns an activation a into a (sign 1) or ~a (sign 0); the missing + 1 of the
// negation is a constant of the filter (docs/numerics.md). Each channel adds its K lanes
// in a tree that is registered at every level, and accumulates.
//
// The tree works on unsigned numbers: a lane delivers a + 2^ACT_W or ~a + 2^ACT_W,
// ACT_W + 1 bits without sign. The sum of 2^LEVELS of them is too large by
// 2^(ACT_W + LEVELS), which is the weight of its top bit: inverting that bit makes the sum
// a signed number. Inputs beyond K are the constant for zero.
//
//   K, T, ACT_W, ACC_W, PIXELS   as in flx_lanes
//
//   i_sign    bit t*K + k: lane k of channel t
//   the rest as in flx_lanes; LATENCY = clog2(K) + 1
`default_nettype none
module flx_lanes_plain #(
    parameter K      = 8,
    parameter T      = 8,
    parameter ACT_W  = 8,
    parameter ACC_W  = 22,
    parameter PIXELS = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [K*ACT_W-1:0] i_act,
    input  wire [K*T-1:0]     i_sign,
    input  wire               i_valid,
    input  wire               i_first,
    input  wire               i_double,
    output wire [T*ACC_W-1:0] o_sum
);
    localparam LEVELS = $clog2(K);
    localparam LEAVES = 1 << LEVELS;
    localparam SUM_W  = ACT_W + 1 + LEVELS;

    wire valid, first, double;

    flx_delay #(
        .W(3),
        .N(LEVELS)
    ) u_delay (
        .clk(clk),
        .rst(rst),
        .i  ({i_valid, i_first, i_double}),
        .o  ({valid, first, double})
    );

    genvar t, k, l, j;
    generate
        for (t = 0; t < T; t = t + 1) begin : g_ch
            for (k = 0; k < LEAVES; k = k + 1) begin : g_leaf
                wire [ACT_W:0] v;
                if (k < K) begin : g_lane
                    wire s = i_sign[t*K + k];
                    assign v = {1'b1, i_act[k*ACT_W +: ACT_W]} ^ {(ACT_W+1){~s}};
                end else begin : g_none
                    assign v = {1'b1, {ACT_W{1'b0}}};
                end
            end
            for (l = 1; l <= LEVELS; l = l + 1) begin : g_level
                for (j = 0; j < (LEAVES >> l); j = j + 1) begin : g_node
                    reg [ACT_W+l:0] sum;
                    if (l == 1) begin : g_first
                        always @(posedge clk)
                            sum <= {1'b0, g_leaf[2*j].v} + {1'b0, g_leaf[2*j+1].v};
                    end else begin : g_next
                        always @(posedge clk)
                            sum <= {1'b0, g_level[l-1].g_node[2*j].sum}
                                 + {1'b0, g_level[l-1].g_node[2*j+1].sum};
                    end
                end
            end

            wire [SUM_W-1:0] word = g_level[LEVELS].g_node[0].sum;

            wire [ACC_W-1:0] term = {{(ACC_W-SUM_W+1){~word[SUM_W-1]}}, word[SUM_W-2:0]};
            wire [ACC_W-1:0] acc;
            wire [ACC_W-1:0] base = first ? {ACC_W{1'b0}} : double ? {acc[ACC_W-2:0], 1'b0} : acc;

            flx_ring #(.W(ACC_W), .N(PIXELS)) u_ring (
                .clk(clk), .i_move(valid), .i(base + term), .o_new(o_sum[t*ACC_W +: ACC_W]),
                .o_old(acc)
            );
        end
    endgenerate
endmodule
`default_nettype wire
