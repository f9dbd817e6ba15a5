// SPDX-License-Identifier: Apache-2.0
// flx_lanes_pairs: lanes in pairs that share their sums (LANES = 1, for the iCE40).
//
// For activations a0, a1 of a pair all channels share P = a0 + a1 and M = a0 + ~a1, unsigned
// numbers of ACT_W + 1 bits, both less 2^ACT_W: the top bit inverted and taken as a sign. A
// channel's leaf is (w0 ^ w1 ? M : P) ^ ~w0: one LUT4 a bit. Its four values are
//
//   w0 w1   1 1  a0 + a1 - 2^ACT_W   1 0  a0 - a1 - 1
//           0 1  a1 - a0             0 0  -a0 - a1 - 1 + 2^ACT_W
//
// the sum of the two, too small by 1 if w1 is -1, and by 2^(ACT_W - 1) for each weight +1, too
// large by that for each -1. A missing pair is 0. Together:
//
//   o_sum = sum of w*a - (number of -1 in odd lanes) - 2^(ACT_W - 1) * (sum of w)
//
// All adders extend signs: the top bit is a LUT of its own with its flip-flop, where a bare
// carry out would take a cell to leave the chain and another for the flip-flop.
// Every level is registered: LATENCY = clog2(K) + 2.
//
//   K, T, ACT_W, ACC_W, PIXELS   as in flx_lanes
//
//   i_sign    bit t*K + k: lane k of channel t, one clock after its i_act
//   the rest as in flx_lanes
`default_nettype none
module flx_lanes_pairs #(
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
    output wire [T*ACC_W-1:0] o_sum
);
    localparam LEVELS = $clog2(K);
    localparam LEAVES = 1 << (LEVELS - 1);
    localparam SUM_W  = ACT_W + LEVELS;

    wire valid, first, early_valid;

    flx_delay #(
        .W(2),
        .N(LEVELS)
    ) u_delay (
        .clk(clk),
        .rst(rst),
        .i  ({i_valid, i_first}),
        .o  ({early_valid, first})
    );
    flx_delay #(
        .W(1),
        .N(1)
    ) u_delay_valid (
        .clk(clk),
        .rst(rst),
        .i  (early_valid),
        .o  (valid)
    );

    reg [K/2*(ACT_W+1)-1:0] plus, minus;

    genvar t, p, l, j;
    generate
        for (p = 0; p < K / 2; p = p + 1) begin : g_pair
            wire [ACT_W-1:0] a0 = i_act[2*p*ACT_W +: ACT_W];
            wire [ACT_W-1:0] a1 = i_act[(2*p+1)*ACT_W +: ACT_W];
            always @(posedge clk) begin
                plus[p*(ACT_W+1) +: ACT_W+1]  <= {1'b1, a0} + {1'b0, a1};
                minus[p*(ACT_W+1) +: ACT_W+1] <= {1'b1, a0} + {1'b0, ~a1};
            end
        end

        for (t = 0; t < T; t = t + 1) begin : g_ch
            for (l = 1; l <= LEVELS; l = l + 1) begin : g_level
                for (j = 0; j < (LEAVES << 1 >> l); j = j + 1) begin : g_node
                    reg signed [ACT_W+l-1:0] sum;
                    if (l == 1 && j < K / 2) begin : g_leaf
                        wire w0 = i_sign[t*K + 2*j];
                        wire w1 = i_sign[t*K + 2*j + 1];
                        always @(posedge clk)
                            sum <= ((w0 != w1) ? minus[j*(ACT_W+1) +: ACT_W+1]
                                               : plus[j*(ACT_W+1) +: ACT_W+1])
                                 ^ {(ACT_W+1){~w0}};
                    end else if (l == 1) begin : g_none
                        always @(posedge clk) sum <= {(ACT_W+1){1'b0}};
                    end else begin : g_add
                        wire signed [ACT_W+l-2:0] x = g_level[l-1].g_node[2*j].sum;
                        wire signed [ACT_W+l-2:0] y = g_level[l-1].g_node[2*j+1].sum;
                        always @(posedge clk) sum <= x + y;
                    end
                end
            end

            flx_lanes_acc #(
                .W     (SUM_W),
                .ACC_W (ACC_W),
                .PIXELS(PIXELS)
            ) u_acc (
                .clk    (clk),
                .i_valid(valid),
                .i_first(first),
                .i_term (g_level[LEVELS].g_node[0].sum),
                .o_acc  (o_sum[t*ACC_W +: ACC_W])
            );
        end
    endgenerate
endmodule
`default_nettype wire
