// SPDX-License-Identifier: Apache-2.0
// flx_lanes: the K x T lanes of one engine and its T accumulators.
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
//   K, T, N_OUT, ACT_W, ACC_W   as in flx_core
//
//   i_act     K codes, lane k at k*ACT_W
//   i_sign    in the order of flx_decrypt_array
//   i_valid   this cycle's word counts
//   i_first   first word of an output position: the accumulators start anew
//   i_double  the accumulators double before this word is added (binary planes)
//   o_sum     T sums; LATENCY = clog2(K) + 1 clocks after a word, they contain it
`default_nettype none
module flx_lanes #(
    parameter K     = 8,
    parameter T     = 8,
    parameter N_OUT = 32,
    parameter ACT_W = 8,
    parameter ACC_W = 22
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
    localparam S      = K * T / N_OUT;
    localparam T0     = N_OUT / 4;
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
                    wire s = i_sign[((k % 4) * T0 + t % T0) * S + k / 4 + (K / 4) * (t / T0)];
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
            reg  [ACC_W-1:0] acc;

            always @(posedge clk)
                if (valid)
                    acc <= (first ? {ACC_W{1'b0}} : double ? {acc[ACC_W-2:0], 1'b0} : acc) + term;

            assign o_sum[t*ACC_W +: ACC_W] = acc;
        end
    endgenerate

`ifdef FORMAL
    // Every channel adds the terms a or ~a of the word that came LEVELS clocks before, and
    // accumulates them as the flags of that word say.
    localparam TW = T * ACC_W;
    reg  [3:0]       f_age = 4'd0;
    reg  [ACC_W-1:0] f_acc_before;
    wire [TW-1:0]    f_terms, f_terms_late;
    wire             f_valid, f_first, f_double;
    reg              f_held;

    always @(posedge clk) if (f_age != 4'd15) f_age <= f_age + 4'd1;

    flx_delay #(.W(TW + 3), .N(LEVELS)) f_delay (
        .clk(clk), .rst(1'b0),
        .i({i_valid && !rst, i_first && !rst, i_double && !rst, f_terms}),
        .o({f_valid, f_first, f_double, f_terms_late})
    );

    genvar ft;
    generate
        for (ft = 0; ft < T; ft = ft + 1) begin : g_formal
            reg [ACC_W-1:0] f_sum, f_old, f_expected;
            integer         fk;
            always @* begin
                f_sum = {ACC_W{1'b0}};
                for (fk = 0; fk < K; fk = fk + 1)
                    f_sum = i_sign[((fk % 4) * T0 + ft % T0) * S + fk / 4 + (K / 4) * (ft / T0)]
                          ? f_sum + i_act[fk*ACT_W +: ACT_W]
                          : f_sum - i_act[fk*ACT_W +: ACT_W] - 1'b1;
            end
            assign f_terms[ft*ACC_W +: ACC_W] = f_sum;

            always @(posedge clk) begin
                f_old      <= o_sum[ft*ACC_W +: ACC_W];
                f_expected <= !f_valid ? o_sum[ft*ACC_W +: ACC_W]
                            : f_terms_late[ft*ACC_W +: ACC_W]
                              + (f_first ? {ACC_W{1'b0}}
                                 : f_double ? o_sum[ft*ACC_W +: ACC_W] << 1
                                            : o_sum[ft*ACC_W +: ACC_W]);
                assume (f_age != 4'd0 || rst);
                assume (f_age == 4'd0 || !rst);
                if (f_age > LEVELS + 1)
                    assert (o_sum[ft*ACC_W +: ACC_W] == f_expected);
            end
        end
    endgenerate
`endif
endmodule
`default_nettype wire
