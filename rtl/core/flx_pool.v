// SPDX-License-Identifier: Apache-2.0
// flx_pool: maximum or sum of the codes over a pool window, for the channels and positions of a
// requantiser in turn, and the granules that come out.
//
//   RQ, ACT_W, PIXELS   as in flx_requant
//   DEPTH       codes of a channel that take turns: T / RQ * PIXELS
//   POOL_BITS   bits beyond ACT_W for the sum; 0: maxima only
//
//   i_pool_sum, i_pool_shift   sums instead of maxima, shifted right; constant for many clocks
//   i_code_en, i_pool_first    codes come in; they are the first of their window
//   i_code      RQ codes, with i_code_en; with PIXELS > 1 a clock later
//   i_early, i_none   PIXELS > 1: o_early, o_none of flx_clamp, with i_code_en
//   i_fresh     PIXELS > 1: 2 clocks after i_code_en; else the sum of the clock before is added
//   o_granule   the 4 codes that came in last: a clock after i_code_en, with POOL_BITS 2; with PIXELS > 1
//               2, with POOL_BITS 7
`default_nettype none
module flx_pool #(
    parameter RQ        = 4,
    parameter ACT_W     = 8,
    parameter POOL_BITS = 6,
    parameter DEPTH     = 2,
    parameter PIXELS    = 1
) (
    input  wire                clk,
    input  wire                i_pool_sum,
    input  wire [3:0]          i_pool_shift,
    input  wire                i_fresh,
    input  wire                i_code_en,
    input  wire                i_pool_first,
    input  wire [RQ*ACT_W-1:0] i_code,
    input  wire [RQ*ACT_W-1:0] i_early,
    input  wire [RQ-1:0]       i_none,
    output wire [4*ACT_W-1:0]  o_granule
);
    localparam PW   = ACT_W + POOL_BITS;
    localparam G    = 4 * ACT_W;
    localparam W    = RQ * PW;
    localparam LATE = (PIXELS > 1) ? 1 : 0;
    // Sums that wait lie in a memory, if they are many.
    localparam MEMORY = LATE != 0 && POOL_BITS != 0 && DEPTH >= 16;

    // With what a sum begins, by how much it is shifted.
    reg  [3:0]    pool_shift;
    reg  [15:0]   scale; // 2^(15 - pool_shift)
    wire [15:0]   half;
    wire [PW-1:0] start = half[PW-1:0];
    wire [W-1:0]  best;
    wire [W-1:0]  oldest, second, newest; // codes so far: of this position, of the next, of the one before
    wire          code_en;
    genvar        c, j, r;

    always @(posedge clk) begin
        pool_shift <= i_pool_sum ? i_pool_shift : 4'd0;
        scale      <= 16'h8000 >> pool_shift;
    end
    assign half[15] = 1'b0;
    generate
        for (j = 0; j < 15; j = j + 1) begin : g_half
            assign half[j] = POOL_BITS != 0 && scale[14-j];
        end
    endgenerate

    flx_delay #(.W(1), .N(LATE)) u_delay_en (.clk(clk), .rst(1'b0), .i(i_code_en), .o(code_en));

    generate
        if (MEMORY) begin : g_memory
            reg  [W-1:0] first, next, last;
            wire [W-1:0] far;
            wire         move;
            flx_copy u_move (.clk(clk), .i(i_code_en), .o(move));
            flx_shift_mem #(.W(W), .N(DEPTH - 3)) u_others (
                .clk(clk), .i_move(move), .i(last), .o(far)
            );
            always @(posedge clk) begin
                if (code_en) {first, next, last} <= {next, far, best};
                if (i_code_en && i_pool_first) first <= {W{1'b0}};
            end
            assign {oldest, second, newest} = {first, next, last};
        end else begin : g_flip_flops
            reg  [DEPTH*W-1:0] pool;
            wire [DEPTH*W-1:0] moved;
            if (DEPTH == 1) begin : g_one
                assign moved = best;
            end else begin : g_many
                assign moved = {best, pool[DEPTH*W-1:W]};
            end
            always @(posedge clk) begin
                if (code_en) pool <= moved;
                // What was there does not count: 0 is below every code, and no part of a sum.
                if (LATE != 0 && i_code_en && i_pool_first) pool[W-1:0] <= {W{1'b0}};
            end
            assign oldest = pool[W-1:0];
            assign second = pool[(DEPTH > 1 ? W : 0) +: W];
            assign newest = pool[(DEPTH-1)*W +: W];
        end
        for (r = 0; r < RQ; r = r + 1) begin : g_lane
            wire [PW-1:0] was  = oldest[r*PW +: PW];
            wire [PW-1:0] wide = {{POOL_BITS{1'b0}}, i_code[r*ACT_W +: ACT_W]};
            if (LATE != 0) begin : g_ahead
                // The comparison is a clock ahead of the rest.
                wire [ACT_W:0] less;
                wire           above = less[ACT_W] || i_none[r]; // what is there, for maxima
                reg            use_old, use_new;
                flx_carry_row #(.W(ACT_W), .KIND(7), .TOP(1)) u_less (
                    .i_a(i_early[r*ACT_W +: ACT_W]), .i_b(second[r*PW +: ACT_W]),
                    .i_c(was[ACT_W-1:0]), .i_d({ACT_W{code_en}}), .o(less)
                );
                always @(posedge clk) begin
                    use_old <= i_pool_sum || (above && !i_pool_first);
                    use_new <= i_pool_sum || !above || i_pool_first;
                end
                if (POOL_BITS == 0) begin : g_maximum
                    assign best[r*PW +: PW] = use_old ? was : wide;
                end else begin : g_sum
                    wire [PW:0] row;
                    flx_carry_row #(.W(PW), .KIND(6), .TOP(0)) u_best (
                        .i_a(was), .i_b(wide), .i_c({PW{use_old}}), .i_d({PW{use_new}}), .o(row)
                    );
                    assign best[r*PW +: PW] = row[PW-1:0];
                end
            end else begin : g_now
                wire [PW-1:0] unused_second = second[r*PW +: PW];
                wire [PW-1:0] from = i_pool_first ? start : was;
                if (POOL_BITS == 0) begin : g_maximum
                    assign best[r*PW +: PW] = (wide > from) ? wide : from;
                end else begin : g_sum
                    assign best[r*PW +: PW] = i_pool_sum ? from + wide : (wide > from) ? wide : from;
                end
            end
        end
    endgenerate

    generate
        if (POOL_BITS == 0) begin : g_maximum
            wire [W-1:0] unused_newest = newest;
            for (c = 0; c < 4 / RQ; c = c + 1) begin : g_part
                assign o_granule[c*RQ*ACT_W +: RQ*ACT_W] =
                    g_flip_flops.pool[(DEPTH-1-(4/RQ-1-c)*PIXELS)*W +: W];
            end
        end else begin : g_sum
            // The codes that entered the pool last, shifted and clamped.
            wire [RQ*ACT_W-1:0] done;
            for (j = 0; j < RQ; j = j + 1) begin : g_done
                wire [PW-1:0]    sum = newest[j*PW +: PW];
                wire [ACT_W-1:0] low;
                wire             beyond; // sums above the largest code
                if (LATE != 0) begin : g_join
                    // An odd width: bit 0 is chosen in the row.
                    localparam JW = PW + (PW + 1) % 2;
                    reg  [PW-1:0]    joint;
                    wire [JW:0]      row;
                    wire [PW+17:0]   product;
                    reg  [ACT_W-1:0] low_late;
                    reg              beyond_late;
                    flx_carry_row #(.W(JW), .KIND(1), .TOP(0)) u_joint (
                        .i_a({{(JW-PW){1'b0}}, sum}), .i_b({{(JW-PW){1'b0}}, start}),
                        .i_c({{(JW-PW){1'b0}}, joint}), .i_d({JW{i_fresh}}), .o(row)
                    );
                    flx_multiply #(.A(PW + 1), .B(17), .REG(1)) u_shift (
                        .clk(clk), .i_a({1'b0, joint}), .i_b({1'b0, scale}), .o_p(product)
                    );
                    always @(posedge clk) begin
                        joint       <= row[PW-1:0];
                        low_late    <= product[15 +: ACT_W];
                        beyond_late <= |product[15+PW-1:15+ACT_W];
                    end
                    assign low    = low_late;
                    assign beyond = beyond_late;
                end else begin : g_alone
                    wire [PW-1:0] shifted = sum >> pool_shift;
                    assign low    = shifted[ACT_W-1:0];
                    assign beyond = |shifted[PW-1:ACT_W];
                end
                assign done[j*ACT_W +: ACT_W] = beyond ? {ACT_W{1'b1}} : low;
            end
            if (RQ == 4) begin : g_all
                reg [G-1:0] granule;
                always @(posedge clk) granule <= done;
                assign o_granule = granule;
            end else begin : g_some
                wire         moved;
                wire [G-1:0] before_it; // the granule of the same position so far
                flx_delay #(.W(1), .N(1 + 4 * LATE)) u_delay_moved (
                    .clk(clk), .rst(1'b0), .i(code_en), .o(moved)
                );
                flx_ring #(.W(G), .N(PIXELS)) u_granule (
                    .clk(clk), .i_move(moved), .i({done, before_it[G-1:RQ*ACT_W]}),
                    .o_new(o_granule), .o_old(before_it)
                );
            end
        end
    endgenerate
endmodule
`default_nettype wire
