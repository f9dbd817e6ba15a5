// SPDX-License-Identifier: Apache-2.0
// flx_lanes: the K x T lanes of one engine and its T accumulators, in one of three
// structures (docs/lanes.md has their sizes and clocks).
//
// o_sum is the sum of sign * activation over lanes and words, less a constant that depends
// on the signs alone, N in docs/numerics.md. A word adds to it, per channel,
//   c[k mod 4] for each weight -1 in lane k, and H * (number of +1 less number of -1),
// lanes without an input (activation 0) counting as well:
//
//   LANES                                        c           H               LATENCY
//   0 plain   any family                         1  1  1  1  0               LEVELS + 1
//   1 pairs   iCE40                              0  1  0  1  2^(ACT_W - 1)   LEVELS + 2
//   2 rows    ECP5, with FLX_ECP5 defined        1  1 -1  0  2^(ACT_W - 1)   max(LEVELS, 3) + 1
//
// LEVELS = clog2(K). LATENCY clocks after a word, o_sum contains it.
//
//   K, T, N_OUT, ACT_W, ACC_W   as in flx_core; ACC_W at least ACT_W + LEVELS + 1
//   LANES    above
//   CODED    1: i_sign is what flx_lanes_code makes of the signs, bit by bit at its time
//            (LANES = 0: no difference; 1: the signs, one clock after i_act)
//   FAN      rows: channels that share one copy of the activations, P and M; 0: no copies.
//            Copies are flip-flops, no LUTs; LATENCY and the clocks of the codes are one more
//   PIXELS   sums a channel: words come in rounds of PIXELS, one for each sum, with the same signs
//            and flags; i_valid stays for whole rounds
//
//   i_act     K codes, lane k at k*ACT_W
//   i_sign    in the order of flx_decrypt_array
//   i_valid   this cycle's word counts
//   i_first   first word of a set: the accumulators start anew
//   i_double  LANES = 0: the accumulators double before this word is added; others do not look
//   o_sum     T sums: those that the word was added to
`default_nettype none
module flx_lanes #(
    parameter K      = 8,
    parameter T      = 8,
    parameter N_OUT  = 32,
    parameter ACT_W  = 8,
    parameter ACC_W  = 22,
    parameter LANES  = 0,
    parameter CODED  = 0,
    parameter FAN    = 0,
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
    localparam S  = K * T / N_OUT;
    localparam T0 = N_OUT / 4;

    wire [K*T-1:0] bits;
    wire [K*T-1:0] placed, code; // lane k of channel t at t*K + k

    genvar t, k;
    generate
        for (t = 0; t < T; t = t + 1) begin : g_ch
            for (k = 0; k < K; k = k + 1) begin : g_lane
                assign placed[t*K + k] =
                    bits[((k % 4) * T0 + t % T0) * S + k / 4 + (K / 4) * (t / T0)];
            end
        end

        // In one piece: Icarus wakes readers for every bit that is assigned alone.
        assign code = placed;

        if (CODED != 0) begin : g_coded
            assign bits = i_sign;
        end else begin : g_code
            flx_lanes_code #(.LANES(LANES), .N(K * T), .REG(FAN != 0 ? 1 : 0)) u_code (
                .clk(clk), .i_sign(i_sign), .o_code(bits)
            );
        end

        if (LANES == 0) begin : g_plain
            flx_lanes_plain #(.K(K), .T(T), .ACT_W(ACT_W), .ACC_W(ACC_W), .PIXELS(PIXELS)) u_lanes (
                .clk(clk), .rst(rst), .i_act(i_act), .i_sign(code), .i_valid(i_valid),
                .i_first(i_first), .i_double(i_double), .o_sum(o_sum)
            );
        end else if (LANES == 1) begin : g_pairs
            flx_lanes_pairs #(.K(K), .T(T), .ACT_W(ACT_W), .ACC_W(ACC_W), .PIXELS(PIXELS)) u_lanes (
                .clk(clk), .rst(rst), .i_act(i_act), .i_sign(code), .i_valid(i_valid),
                .i_first(i_first), .o_sum(o_sum)
            );
        end else if (LANES == 2) begin : g_rows
            flx_lanes_rows #(
                .K(K), .T(T), .ACT_W(ACT_W), .ACC_W(ACC_W), .FAN(FAN), .PIXELS(PIXELS)
            ) u_lanes (
                .clk(clk), .rst(rst), .i_act(i_act), .i_code(code), .i_valid(i_valid),
                .i_first(i_first), .o_sum(o_sum)
            );
        end else begin : g_error
            // No such module: elaboration stops and says why.
            flx_error_LANES_must_be_0_1_or_2 u_error ();
        end
    endgenerate

`ifdef FORMAL
    // Every channel adds the sum of the table for the word that came LATENCY - 1 clocks before,
    // and accumulates as the flags of that word say: on the sum of PIXELS words before.
    localparam LEVELS = $clog2(K);
    localparam DELAY  = (LANES == 1) ? LEVELS + 1 : (LANES == 0) ? LEVELS
                        : (LEVELS < 3 ? 3 : LEVELS) + (FAN != 0);
    localparam TW     = T * ACC_W;
    reg  [3:0]       f_age = 4'd0;
    wire [TW-1:0]    f_terms, f_terms_late;
    wire             f_valid, f_first, f_double;

    // Words until f_earlier knows what a ring held from the beginning.
    reg  [3:0]       f_unknown = PIXELS - 1;
    reg              f_known = 1'b0;
    wire [TW-1:0]    f_earlier;

    always @(posedge clk) begin
        if (f_age != 4'd15) f_age <= f_age + 4'd1;
        if (f_age > DELAY + 1 && f_valid && f_unknown != 4'd0) f_unknown <= f_unknown - 4'd1;
        f_known <= f_unknown == 4'd0;
    end

    flx_delay #(.W(TW + 3), .N(DELAY)) f_delay (
        .clk(clk), .rst(1'b0),
        .i({i_valid && !rst, i_first && !rst, i_double && !rst && LANES == 0, f_terms}),
        .o({f_valid, f_first, f_double, f_terms_late})
    );

    genvar ft, fl;
    generate
        if (PIXELS == 1) begin : g_formal_one
            assign f_earlier = o_sum;
        end else begin : g_formal_ring
            reg [(PIXELS-1)*TW-1:0] f_ring; // the latest sums lowest
            wire [PIXELS*TW-1:0]    f_all = {f_ring, o_sum};
            always @(posedge clk) if (f_valid) f_ring <= f_all[(PIXELS-1)*TW-1:0];
            assign f_earlier = f_all[(PIXELS-1)*TW +: TW];
        end
        for (ft = 0; ft < T; ft = ft + 1) begin : g_formal
            reg [ACC_W-1:0] f_sum, f_expected, f_one;
            wire [K-1:0]    f_sign;
            integer         fk;
            for (fl = 0; fl < K; fl = fl + 1) begin : g_sign
                assign f_sign[fl] =
                    i_sign[((fl % 4) * T0 + ft % T0) * S + fl / 4 + (K / 4) * (ft / T0)];
            end
            always @* begin
                f_sum = {ACC_W{1'b0}};
                for (fk = 0; fk < K; fk = fk + 1) begin
                    f_one = i_act[fk*ACT_W +: ACT_W] - (LANES != 0 ? 1 << (ACT_W - 1) : 0);
                    f_sum = f_sign[fk] ? f_sum + f_one : f_sum - f_one
                          - (LANES == 0 ? 1 : LANES == 1 ? fk % 2
                             : (fk % 4 == 2) ? -1 : (fk % 4 == 3) ? 0 : 1);
                end
            end
            assign f_terms[ft*ACC_W +: ACC_W] = f_sum;

            always @(posedge clk) begin
                f_expected <= !f_valid ? o_sum[ft*ACC_W +: ACC_W]
                            : f_terms_late[ft*ACC_W +: ACC_W]
                              + (f_first ? {ACC_W{1'b0}}
                                 : f_double ? f_earlier[ft*ACC_W +: ACC_W] << 1
                                 : f_earlier[ft*ACC_W +: ACC_W]);
                assume (f_age != 4'd0 || rst);
                assume (f_age == 4'd0 || !rst);
                if (f_age > DELAY + 1 && f_known)
                    assert (o_sum[ft*ACC_W +: ACC_W] == f_expected);
            end
        end
    endgenerate
`endif
endmodule
`default_nettype wire
