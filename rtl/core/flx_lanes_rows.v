// SPDX-License-Identifier: Apache-2.0
// flx_lanes_rows: lanes in rows of adder cells that also negate or select (LANES = 2, for
// the ECP5; rtl/tech/flx_carry_row.v).
//
// Four lanes up to a common sign, that of lane 2, are two rows. Shared by all channels
// are P = a2 + a3 and M = a2 - a3 + 2^ACT_W. With s the sign of lane 2 (+1, -1):
//
//   row 1   X = (a0 ^ n0) + (a1 ^ n1)   n0, n1: lanes 0 and 1 differ from lane 2
//   row 2   Y = X + (r ? M : P)         r: lane 3 differs from lane 2
//   row 3   (Y ^ n) + (Y' ^ n')         n: s is -1; two groups of four, full sign
//
// and plain rows add the groups of eight. All numbers are unsigned, a negation is a NOT.
// With N_i = 1 for a weight -1 in lane i, Y ^ n is
//   sum of w*a + 2^ACT_W * (N0 + N1 + N2 + N3) - N0 - N1 + N2,
// and the last row subtracts half its range by a carry out that leaves inverted. A missing
// group of four counts as 2^(ACT_W + 1). Together
//
//   o_sum = sum of w*a - (N0 + N1 - N2 over all groups) - 2^(ACT_W - 1) * (sum of w)
//
// Every row is registered: LATENCY = clog2(K) + 1, and not below 4; one more with FAN > 0.
//
//   K, T, ACT_W, ACC_W, FAN, PIXELS   as in flx_lanes
//
//   i_code    bit t*K + k, made by flx_lanes_code: lanes 0 and 1 of a group of four (n0, n1)
//             with i_act, lane 3 (r) one clock later, lane 2 (n) two clocks later
//   the rest as in flx_lanes
`default_nettype none
module flx_lanes_rows #(
    parameter K     = 8,
    parameter T     = 8,
    parameter ACT_W = 8,
    parameter ACC_W = 22,
    parameter FAN   = 0,
    parameter PIXELS = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [K*ACT_W-1:0] i_act,
    input  wire [K*T-1:0]     i_code,
    input  wire               i_valid,
    input  wire               i_first,
    output wire [T*ACC_W-1:0] o_sum
);
    localparam LEVELS = (K <= 8) ? 3 : $clog2(K);
    localparam GROUPS = 1 << (LEVELS - 2); // of four
    localparam A1     = ACT_W + 1;
    localparam A2     = ACT_W + 2;
    localparam SUM_W  = ACT_W + LEVELS;
    localparam COPIES = (FAN == 0) ? 1 : (T + FAN - 1) / FAN;
    localparam ROW_W  = K / 4 * 2 * ACT_W; // activations of lanes 0 and 1
    localparam PM_W   = K / 4 * 2 * A1;
    localparam SEEN_W = ROW_W + PM_W;

    wire valid, first;

    flx_delay #(
        .W(2),
        .N(LEVELS - 1 + (FAN != 0 ? 1 : 0))
    ) u_delay (
        .clk(clk),
        .rst(rst),
        .i  ({i_valid, i_first}),
        .o  ({valid, first})
    );

    reg [K/4*A1-1:0] plus, minus;

    // What the channels see: rows 1 their activations, rows 2 P and M of a clock before.
    wire [SEEN_W-1:0]        source;
    wire [COPIES*SEEN_W-1:0] seen;

    assign source[ROW_W +: PM_W] = {minus, plus};

    genvar t, g, l, j;
    generate
        for (g = 0; g < K / 4; g = g + 1) begin : g_row_acts
            assign source[2*g*ACT_W +: 2*ACT_W] = i_act[4*g*ACT_W +: 2*ACT_W];
        end
        for (t = 0; t < COPIES; t = t + 1) begin : g_copy
            if (FAN == 0) begin : g_wire
                assign seen = source;
            end else begin : g_regs
                flx_copy #(.W(SEEN_W)) u_copy (.clk(clk), .i(source), .o(seen[t*SEEN_W +: SEEN_W]));
            end
        end

        for (g = 0; g < K / 4; g = g + 1) begin : g_shared
            wire [ACT_W-1:0] a2 = i_act[(4*g+2)*ACT_W +: ACT_W];
            wire [ACT_W-1:0] a3 = i_act[(4*g+3)*ACT_W +: ACT_W];
            wire [ACT_W:0]   p;
            wire [ACT_W:0]   m;

            flx_carry_row #(.W(ACT_W), .KIND(3), .TOP(1)) u_plus (
                .i_a(a2), .i_b(a3), .i_c({ACT_W{1'b0}}), .i_d({ACT_W{1'b0}}), .o(p)
            );
            flx_carry_row #(.W(ACT_W), .KIND(4), .TOP(1)) u_minus (
                .i_a(a2), .i_b(a3), .i_c({ACT_W{1'b0}}), .i_d({ACT_W{1'b0}}), .o(m)
            );
            always @(posedge clk) begin
                plus[g*A1 +: A1]  <= p;
                minus[g*A1 +: A1] <= m;
            end
        end

        for (t = 0; t < T; t = t + 1) begin : g_ch
            wire [ROW_W-1:0]  act;
            wire [K/4*A1-1:0] p;
            wire [K/4*A1-1:0] m;
            assign {m, p, act} = seen[(FAN == 0 ? 0 : t / FAN)*SEEN_W +: SEEN_W];

            for (g = 0; g < GROUPS; g = g + 1) begin : g_group
                reg  [A2-1:0] y;
                wire          n;
                if (g < K / 4) begin : g_lanes
                    reg  [ACT_W:0]   x;
                    wire [ACT_W:0]   row1;
                    wire [A1:0]      row2;
                    wire [3:0]       code = i_code[t*K + 4*g +: 4];

                    flx_carry_row #(.W(ACT_W), .KIND(0), .TOP(1)) u_signs (
                        .i_a(act[2*g*ACT_W +: ACT_W]),
                        .i_b({ACT_W{code[0]}}),
                        .i_c(act[(2*g+1)*ACT_W +: ACT_W]),
                        .i_d({ACT_W{code[1]}}),
                        .o  (row1)
                    );
                    flx_carry_row #(.W(A1), .KIND(1), .TOP(1)) u_select (
                        .i_a(x),
                        .i_b(m[g*A1 +: A1]),
                        .i_c(p[g*A1 +: A1]),
                        .i_d({A1{code[3]}}),
                        .o  (row2)
                    );
                    assign n = code[2];
                    always @(posedge clk) begin
                        x <= row1;
                        y <= row2;
                    end
                end else begin : g_none
                    assign n = 1'b0;
                    always @(posedge clk) y <= {1'b1, {A1{1'b0}}};
                end
            end

            for (l = 3; l <= LEVELS; l = l + 1) begin : g_level
                for (j = 0; j < (1 << (LEVELS - l)); j = j + 1) begin : g_node
                    localparam W = ACT_W + l - 1;
                    reg  [W:0] sum;
                    wire [W:0] row;
                    if (l == 3) begin : g_join
                        flx_carry_row #(.W(W), .KIND(0), .TOP(l == LEVELS ? 2 : 1)) u_row (
                            .i_a(g_group[2*j].y), .i_b({W{g_group[2*j].n}}),
                            .i_c(g_group[2*j+1].y), .i_d({W{g_group[2*j+1].n}}), .o(row)
                        );
                    end else begin : g_add
                        flx_carry_row #(.W(W), .KIND(3), .TOP(l == LEVELS ? 2 : 1)) u_row (
                            .i_a(g_level[l-1].g_node[2*j].sum),
                            .i_b(g_level[l-1].g_node[2*j+1].sum),
                            .i_c({W{1'b0}}), .i_d({W{1'b0}}), .o(row)
                        );
                    end
                    always @(posedge clk) sum <= row;
                end
            end

            wire [SUM_W-1:0] word = g_level[LEVELS].g_node[0].sum;
            wire [ACC_W:0]   next;
            wire [ACC_W-1:0] acc;
            // Copies, as in flx_lanes_acc.
            wire             first_here, valid_here;

            flx_copy u_first (.clk(clk), .i(first), .o(first_here));
            flx_copy u_valid (.clk(clk), .i(valid), .o(valid_here));

            flx_carry_row #(.W(ACC_W), .KIND(2), .TOP(0)) u_acc (
                .i_a({{(ACC_W-SUM_W){word[SUM_W-1]}}, word}), .i_b(acc),
                .i_c({ACC_W{first_here}}), .i_d({ACC_W{1'b0}}), .o(next)
            );
            flx_ring #(.W(ACC_W), .N(PIXELS)) u_ring (
                .clk(clk), .i_move(valid_here), .i(next[ACC_W-1:0]),
                .o_new(o_sum[t*ACC_W +: ACC_W]), .o_old(acc)
            );
        end
    endgenerate
endmodule
`default_nettype wire
