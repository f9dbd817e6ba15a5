// SPDX-License-Identifier: Apache-2.0
// flx_requant: requantiser and pool of one engine (data path).
//
// Captures T sums and works on RQ of them at a time:
//   V = m*S + beta + skip_m*e, code = clamp(V >> shift, 0, 2^ACT_W - 1), maximum or sum of the
// codes over the pool window. Rounding is in beta. All control comes from flx_requant_ctl,
// which the engines share.
//
//   T, RQ, ACT_W, ACC_W, K   as in flx_core
//   SKIP        1: codes e can be added; 2: their multipliers are not those of the sums
//   PICK        how captured sums are chosen: 0: they move down (one LUT4 a bit and channel, in
//               the cell of the flip-flop); 1: flx_pick
//   SCALED      1: a position can have several sets, one a plane; 2: but only i_combine
//   POOL_BITS   bits beyond ACT_W for the sum of a pool window; 0: maxima only
//   PIXELS      positions that take turns: every signal comes in rounds of PIXELS clocks, one for each
//               position, control the same in all of a round; whatever keeps values is a flx_ring.
//               K must be a multiple of T then, and i_skip_bank of T/4
//
//   i_capture    load i_sum
//   i_skip_load  i_raw holds word i_skip_word of the T/4 granules of e, which begin in bank
//                i_skip_bank of word 0; complete with i_capture at the latest
//   i_fire_add   SKIP = 1: the cycle before i_fire: the codes e of its channels are multiplied
//   i_fire       the captured sums of channels RQ*i_step to RQ*i_step + RQ - 1 enter the pipeline
//   i_param      one clock after i_fire_add and i_fire: RQ times {beta, m or skip_m}; beta is the
//                same both times, and 0 where V of the planes before is added
//   i_skip_m     SKIP = 2: skip_m, constant while a layer runs
//   i_add_code   one clock after i_fire: skip_m*e counts; it and i_add_v are 0 one clock after
//                i_fire_add
//   i_step       with i_fire: its number, with PIXELS > 1 the position below it
//   i_add_v      one clock later: what i_v_we wrote there counts:
//   i_combine    0: V of the planes before is added; 1: twice their sum is added to this sum
//   i_v_we       four clocks after i_fire, with i_combine one clock after it: keeps it at i_v_waddr
//   i_shift      constant while a layer runs, as are i_pool_sum and i_pool_shift
//   i_fresh      1; in a joined layer, where the sums of the round's positions are one window's and the
//                last position has it, only with the first position of a round, 2 clocks after i_code_en
//   i_code_en    7 clocks after i_fire: its codes go to the pool register;
//   i_pool_first, i_null   with it: first position of the pool window; the code is 0
//   o_granule    the 4 codes that entered the pool register last, or with POOL_BITS the clock
//                before
//   i_v_load     4 clocks after i_fire: keep its RQ values V;
//   i_v_next     the next of them
//   o_v          V to be written (logits)
// With PIXELS > 1, for the lanes' fast clock, there are more registers: i_capture, i_fire,
// i_fire_add and i_skip_load come two clocks before what is said above, i_step three clocks. After i_fire
// (as above) i_add_v and with SKIP = 2 i_add_code come 1 clock, i_param and else i_add_code 2, i_v_we 3
// with i_combine, else 7, i_v_load 7, i_code_en 11 clocks; the granule is there 2 clocks after that, or with POOL_BITS 7.
`default_nettype none
module flx_requant #(
    parameter K         = 8,
    parameter T         = 8,
    parameter RQ        = 4,
    parameter ACT_W     = 8,
    parameter ACC_W     = 22,
    parameter PICK      = 0,
    parameter SKIP      = 1,
    parameter SCALED    = 0,
    parameter POOL_BITS = 6,
    parameter PIXELS    = 1,
    parameter BW        = (K / 4 > 1) ? $clog2(K / 4) : 1,
    parameter SW        = ((T / RQ > 1) ? $clog2(T / RQ) : 1) + $clog2(PIXELS)
) (
    input  wire               clk,
    input  wire [T*ACC_W-1:0] i_sum,
    input  wire               i_capture,
    input  wire [K*ACT_W-1:0] i_raw,
    input  wire               i_skip_load,
    input  wire [4:0]         i_skip_word,
    input  wire [BW-1:0]      i_skip_bank,
    input  wire               i_fire_add,
    input  wire               i_fire,
    input  wire [SW-1:0]      i_step,
    input  wire [48*RQ-1:0]   i_param,
    input  wire [15:0]        i_skip_m,
    input  wire               i_add_code,
    input  wire               i_add_v,
    input  wire               i_combine,
    input  wire               i_v_we,
    input  wire [SW-1:0]      i_v_waddr,
    input  wire [4:0]         i_shift,
    input  wire               i_pool_sum,
    input  wire [3:0]         i_pool_shift,
    input  wire               i_fresh,
    input  wire               i_code_en,
    input  wire               i_null,
    input  wire               i_pool_first,
    output wire [4*ACT_W-1:0] o_granule,
    input  wire               i_v_load,
    input  wire               i_v_next,
    output wire [31:0]        o_v
);
    localparam G = 4 * ACT_W;

    localparam STEPS  = T / RQ;
    localparam DEPTH  = STEPS * PIXELS; // of rings
    localparam LATE   = (PIXELS > 1) ? 1 : 0;
    // What flx_pick takes.
    localparam PICKED = PIXELS == 1 && PICK != 0 && (STEPS == 4 || STEPS == 8 || STEPS == 16);

    wire [RQ*ACC_W-1:0] sum_a, sum_b; // the sums and codes e of this step: a | b
    wire [RQ*ACT_W-1:0] code_a, code_b;
    reg  [32*RQ-1:0]    kept;
    wire [32*RQ-1:0]    v, v_before, s_wide;
    wire [RQ*ACT_W-1:0] code, early;
    wire [RQ-1:0]       none;

    assign o_v = kept[31:0];

    always @(posedge clk) begin
        if (i_v_load) kept <= v;
        else if (i_v_next) kept <= kept >> 32;
    end

    // SKIP = 1: codes take the place of sums.
    wire fire_add;
    flx_delay #(.W(1), .N(LATE)) u_delay_add (
        .clk(clk), .rst(1'b0), .i(i_fire_add), .o(fire_add)
    );

    genvar c, b;
    generate
        if (PIXELS > 1) begin : g_ring
            flx_step_rings #(.W(RQ * ACC_W), .STEPS(STEPS), .PIXELS(PIXELS)) u_sums (
                .clk(clk), .i_load(i_capture), .i_step(i_step[SW-1:$clog2(PIXELS)]),
                .i_move(i_fire), .i_hide(SKIP == 1 && fire_add), .i_all(i_sum), .o_a(sum_a),
                .o_b(sum_b)
            );
        end else if (PICKED) begin : g_pick
            assign sum_b = {RQ*ACC_W{1'b0}};
            reg [T*ACC_W-1:0] captured;
            always @(posedge clk) if (i_capture) captured <= i_sum;
            for (b = 0; b < RQ * ACC_W; b = b + 1) begin : g_bit
                wire [STEPS-1:0] column;
                for (c = 0; c < STEPS; c = c + 1) begin : g_row
                    assign column[c] = captured[c*RQ*ACC_W + b];
                end
                flx_pick #(.N(STEPS)) u_pick (.i(column), .i_sel(i_step), .o(sum_a[b]));
            end
        end else begin : g_move
            reg [T*ACC_W-1:0] captured;
            always @(posedge clk)
                if (i_capture) captured <= i_sum;
                else if (i_fire) captured <= captured >> (RQ * ACC_W);
            assign sum_a = captured[RQ*ACC_W-1:0];
            assign sum_b = {RQ*ACC_W{1'b0}};
        end
    endgenerate

    // Codes to be added.
    generate
        if (SKIP != 0 && PIXELS > 1) begin : g_skip_ring
            // A code leaves when it is multiplied.
            wire [T*ACT_W-1:0] loaded;
            if (T == K) begin : g_whole
                assign loaded = i_raw;
            end else begin : g_part
                // Sets lie one after another in the word.
                localparam [31:0]   OF_A_SET = T / 4;
                localparam [BW-1:0] BANKS    = OF_A_SET[BW-1:0];
                reg  [BW-1:0]      set, set_next;
                wire [K*ACT_W-1:0] from_set = i_raw >> (T * ACT_W * set);
                assign loaded = from_set[T*ACT_W-1:0];
                always @(posedge clk) {set, set_next} <= {set_next, i_skip_bank / BANKS};
            end
            flx_step_rings #(.W(RQ * ACT_W), .STEPS(STEPS), .PIXELS(PIXELS)) u_codes (
                .clk(clk), .i_load(i_skip_load), .i_step(i_step[SW-1:$clog2(PIXELS)]),
                .i_move(SKIP == 2 ? i_fire : i_fire_add), .i_hide(SKIP == 1 && !fire_add),
                .i_all(loaded), .o_a(code_a), .o_b(code_b)
            );
        end else if (SKIP != 0) begin : g_skip
            assign code_b = {RQ*ACT_W{1'b0}};
            localparam KB = K / 4;
            reg  [T*ACT_W-1:0] codes;
            wire [T*ACT_W-1:0] moved = codes >> (RQ * ACT_W);
            genvar i;
            for (i = 0; i < T / 4; i = i + 1) begin : g_granule
                localparam [7:0] NTH = i;
                // Banks from the beginning of the word.
                wire [7:0] place = NTH + {{(8-BW){1'b0}}, i_skip_bank} - KB[7:0] * {3'd0, i_skip_word};
                always @(posedge clk)
                    if (i_skip_load && place < KB[7:0]) codes[i*G +: G] <= i_raw[place*G +: G];
                    else if (i_fire && !PICKED) codes[i*G +: G] <= moved[i*G +: G];
            end
            if (PICKED) begin : g_pick_code
                for (b = 0; b < RQ * ACT_W; b = b + 1) begin : g_bit
                    wire [STEPS-1:0] column;
                    for (c = 0; c < STEPS; c = c + 1) begin : g_row
                        assign column[c] = codes[c*RQ*ACT_W + b];
                    end
                    flx_pick #(.N(STEPS)) u_pick (.i(column), .i_sel(i_step), .o(code_a[b]));
                end
            end else begin : g_move_code
                assign code_a = codes[RQ*ACT_W-1:0];
            end
        end else begin : g_no_skip
            assign {code_a, code_b} = {2*RQ*ACT_W{1'b0}};
        end
    endgenerate

    // What the planes before have left.
    generate
        if (SCALED != 0) begin : g_scaled
            localparam VW = (SCALED == 2) ? ACC_W : 32;
            // In block RAM, where a small memory would be flip-flops.
            localparam PLANES_W = (PIXELS > 1) ? SW : 6;
            wire [RQ*VW-1:0] kept_v, read_v;
            for (b = 0; b < RQ; b = b + 1) begin : g_value
                wire [31:0] value = (SCALED == 2 || i_combine) ? s_wide[32*b +: 32] : v[32*b +: 32];
                assign kept_v[VW*b +: VW] = value[VW-1:0];
                flx_delay #(.W(32), .N(2 * LATE)) u_delay (
                    .clk(clk), .rst(1'b0), .i({{(32-VW){1'b0}}, read_v[VW*b +: VW]}),
                    .o(v_before[32*b +: 32])
                );
            end
            flx_ram #(
                .W    (VW * RQ),
                .DEPTH(1 << PLANES_W),
                .REG  (PIXELS > 1)
            ) u_planes (
                .clk    (clk),
                .i_we   (i_v_we),
                .i_waddr({{(PLANES_W-SW){1'b0}}, i_v_waddr}),
                .i_wdata(kept_v),
                .i_raddr({{(PLANES_W-SW){1'b0}}, i_step}),
                .o_rdata(read_v)
            );
        end else begin : g_no_scaled
            assign v_before = {32*RQ{1'b0}};
        end
    endgenerate

    flx_pool #(
        .RQ       (RQ),
        .ACT_W    (ACT_W),
        .POOL_BITS(POOL_BITS),
        .DEPTH    (DEPTH),
        .PIXELS   (PIXELS)
    ) u_pool (
        .clk         (clk),
        .i_pool_sum  (i_pool_sum),
        .i_pool_shift(i_pool_shift),
        .i_fresh     (i_fresh),
        .i_code_en   (i_code_en),
        .i_pool_first(i_pool_first),
        .i_code      (code),
        .i_early     (early),
        .i_none      (none),
        .o_granule   (o_granule)
    );

    genvar r;
    generate
        for (r = 0; r < RQ; r = r + 1) begin : g_lane
            wire [ACC_W-1:0] sum_before = v_before[32*r +: ACC_W];
            wire             add_sum    = SCALED != 0 && i_add_v && (SCALED == 2 || i_combine);
            wire [ACC_W-1:0] combined;
            wire [ACT_W-1:0] e;
            wire [ACC_W-1:0] sum, sum_late;
            wire [ACT_W-1:0] e_late;
            wire [31:0]      v_late;
            wire             add_v;
            wire [31:0]      v4;

            wire [ACC_W-1:0] part_a = sum_a[r*ACC_W +: ACC_W], part_b = sum_b[r*ACC_W +: ACC_W];
            wire [ACT_W-1:0] taken  = code_a[r*ACT_W +: ACT_W] | code_b[r*ACT_W +: ACT_W];
            wire [ACC_W-1:0] wide   = {{(ACC_W-ACT_W){1'b0}}, taken};

            if (LATE != 0) begin : g_taken
                wire [ACC_W-1:0] with_e = (SKIP == 1) ? part_a | wide : part_a;
                wire [ACC_W:0]   row;
                flx_carry_row #(.W(ACC_W), .KIND(5), .TOP(0)) u_row (
                    .i_a({sum_before[ACC_W-2:0], 1'b0}), .i_b({ACC_W{add_sum}}), .i_c(with_e),
                    .i_d(part_b), .o(row)
                );
                assign e        = taken;
                assign combined = (SCALED != 0) ? row[ACC_W-1:0] : with_e | part_b;
            end else begin : g_first
                reg [ACC_W-1:0] first;
                reg [ACT_W-1:0] e_first;
                always @(posedge clk) begin
                    e_first <= taken;
                    first   <= (SKIP == 1 && fire_add) ? wide : part_a | part_b;
                end
                assign e        = e_first;
                assign combined = add_sum ? first + {sum_before[ACC_W-2:0], 1'b0} : first;
            end

            flx_delay #(.W(ACC_W + ACT_W + 33), .N(LATE)) u_delay_sum (
                .clk(clk), .rst(1'b0), .i({combined, e & {ACT_W{i_add_code}}, v_before[32*r +: 32], i_add_v}),
                .o({sum, e_late, v_late, add_v})
            );
            flx_delay #(.W(ACC_W), .N(LATE)) u_delay_kept (
                .clk(clk), .rst(1'b0), .i(sum), .o(sum_late)
            );

            flx_mac #(
                .ACC_W (ACC_W),
                .CODE_W(SKIP == 2 ? ACT_W : 0),
                .EW    (ACT_W),
                .PIXELS(PIXELS)
            ) u_mac (
                .clk          (clk),
                .i_s          (sum),
                .i_m          (i_param[48*r +: 16]),
                .i_beta       (i_param[48*r+16 +: 32]),
                .i_v          (v_late),
                .i_add_v      (SCALED == 1 && add_v && !i_combine),
                .i_add_product(SKIP != 0 && i_add_code),
                .i_code       (e_late),
                .i_code_m     (i_skip_m),
                .o_v          (v4)
            );
            flx_clamp #(.ACT_W(ACT_W), .PIXELS(PIXELS)) u_clamp (
                .clk    (clk),
                .i_v    (v4),
                .i_shift(i_shift),
                .i_null (i_null),
                .o_code (code[r*ACT_W +: ACT_W]),
                .o_early(early[r*ACT_W +: ACT_W]),
                .o_none (none[r])
            );

            assign v[32*r +: 32]      = v4;
            assign s_wide[32*r +: 32] = {{(32-ACC_W){1'b0}}, sum_late};
        end
    endgenerate
endmodule
`default_nettype wire
