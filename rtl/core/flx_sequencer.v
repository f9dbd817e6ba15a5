// SPDX-License-Identifier: Apache-2.0
// flx_sequencer: runs the program. For every layer: loads its fields, issues its words,
// waits until the last write of the layer, counts.
//
// A word is issued in every cycle unless (a) it has not arrived in the ring yet, (b) it
// completes a set of sums and the requantiser would still hold the set before, or (c) the
// memory's read port fetches the codes that a residual layer adds. The time from issue to
// capture is fixed, so (b) needs no feedback: the last words of two sets are issued at least
// as far apart as the requantiser takes for a set. (c) comes at a fixed time after the last
// word of a set, so that the codes arrive when the set is captured.
//
//   K, T, RQ, PROG_LAYERS, SKIP, WINDOWS, SCALED   as in flx_core
//   DOUBLE      1: the lanes double, so that all binary planes are one set; 0: each is a set
//   PIXELS      as in flx_addr_gen
//   AW, BW, PAW   bits of an activation word address, a bank number, a program address
//   WAW, RPW    bits of a weight word address, of a parameter row
//
//   AMEM_KIND   1: o_aaddr reads a cache of rows, (c) takes another port, and a word waits until
//               its row is there
//
//   i_run …     pulse while o_busy = 0; i_run_last: last layer, counted from 0
//   o_paddr, i_pdata   program memory, one clock
//   i_layers, i_image_base   from the program header; the image buffer of this run
//   LATENCY     clocks from a word at the lanes to its sums (flx_lanes)
//   o_layer_start   o_logits … o_param_row are valid and stay until i_layer_done. o_skip: codes
//               are added; o_scaled: planes have parameters of their own; o_pool_sum,
//               o_pool_shift: pooling
//   o_direct    bit r: r < n_in of the layer (flx_decryptor)
//   i_level, i_tail, o_release …   the ring of the weight buffer
//   o_valid     a word is issued: o_aaddr, o_mask (granules that count), o_waddr
//   o_first, o_double, o_set_last …   with o_valid: first word of a set; double the sums before;
//               last word of a set, and what the set is: first and last of its position, of a
//               position that does not exist, with codes to be added
//   o_skip_read   in the place of a word: o_aaddr is read for the requantiser, it is word
//               o_skip_word of its granules, which begin in bank o_skip_bank
//   o_map_…, i_map_rows   flx_act_fill: input map of the layer, again: i_again; rows that are there
//   o_col, o_at_col, o_live, o_win_step, o_skip_step, o_row_words, o_last_col   for flx_pixels: column
//               of the word and of its position, windows that exist, words between them in the
//               input map and in the map that is added, ends of rows
//   o_joined    the positions of a round are those of one window (flx_pixels)
//   o_skip_now  the cycle before o_skip_read: o_skip_at will be read
//   o_ev_…      events for the counters
`default_nettype none
`include "flx_proto.vh"
module flx_sequencer #(
    parameter K           = 8,
    parameter T           = 8,
    parameter RQ          = 4,
    parameter N_OUT       = 32,
    parameter PROG_LAYERS = 16,
    parameter SKIP        = 1,
    parameter WINDOWS     = 1,
    parameter SCALED      = 0,
    parameter DOUBLE      = 1,
    parameter LATENCY     = 4,
    parameter PIXELS      = 1,
    parameter AW          = 10,
    parameter BW          = 1,
    parameter PAW         = 9,
    parameter WAW         = 8,
    parameter RPW         = 8,
    parameter AMEM_KIND   = 0,
    parameter LW          = (PROG_LAYERS > 1) ? $clog2(PROG_LAYERS) : 1,
    parameter CW          = (AW < 16) ? AW + 2 : 17
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             i_run,
    input  wire             i_run_stream,
    input  wire [7:0]       i_run_last,
    output wire             o_busy,
    output reg  [PAW-1:0]   o_paddr,
    input  wire [31:0]      i_pdata,
    input  wire [7:0]       i_layers,
    input  wire [AW-1:0]    i_image_base,
    output wire             o_layer_start,
    output reg              o_logits,
    output wire             o_skip,
    output wire             o_scaled,
    output reg              o_pool_sum,
    output reg  [3:0]       o_pool_shift,
    output reg  [4:0]       o_shift,
    output reg  [15:0]      o_skip_m,
    output reg  [N_OUT-1:0] o_direct,
    output reg  [AW-1:0]    o_out_base,
    output reg  [AW-1:0]    o_out_pitch,
    output reg  [RPW-1:0]   o_param_row,
    input  wire             i_layer_done,
    input  wire [WAW:0]     i_level,
    input  wire [WAW-1:0]   i_tail,
    output wire             o_release,
    output wire [WAW:0]     o_release_words,
    output reg              o_valid,
    output reg  [AW-1:0]    o_aaddr,
    output reg  [K/4-1:0]   o_mask,
    output reg  [WAW-1:0]   o_waddr,
    output reg              o_first,
    output reg              o_double,
    output reg              o_skip_read,
    output reg  [4:0]       o_skip_word,
    output reg  [BW-1:0]    o_skip_bank,
    output reg              o_set_last,
    output reg              o_set_first,
    output reg              o_pos_last,
    output reg              o_null,
    output reg              o_adds,
    output reg              o_win_first,
    output reg              o_win_last,
    output reg              o_group_last,
    output reg              o_layer_last,
    output reg  [LW-1:0]    o_layer,
    output reg  [CW-1:0]    o_col,
    output reg  [CW-1:0]    o_at_col,
    output reg  [2:0]       o_live,
    output wire [15:0]      o_win_step,
    output wire [15:0]      o_skip_step,
    output wire [15:0]      o_last_col,
    output reg              o_map_whole,
    output reg  [AW-1:0]    o_map_base,
    output wire [15:0]      o_map_row_words,
    output wire [15:0]      o_map_rows,
    output wire [AW-1:0]    o_map_oldest,
    output wire             o_map_again,
    input  wire [15:0]      i_map_rows,
    output wire             o_skip_now,
    output wire [AW-1:0]    o_skip_at,
    output wire             o_ev_cycle,
    output wire             o_joined,
    output wire [2:0]       o_ev_busy,
    output wire             o_ev_stall_weights,
    output wire             o_ev_stall_requant,
    output wire             o_ev_stall_skip
);
    localparam [4:0] LAST_WORD = `FLX_PROG_LAYER_WORDS;
    localparam LRQ  = $clog2(RQ);
    localparam GW   = (RPW < 16) ? RPW + 1 : 16; // every channel group has parameters
    localparam KB   = K / 4;
    // Words that hold T codes, and cycles from the last word of a set to the last of them.
    localparam READS = (T / 4 % KB == 0) ? T / 4 / KB
                     : (KB % (T / 4) == 0) ? 1 : (T / 4 + KB - 2) / KB + 1;
    // With PIXELS the codes come a cycle after the last word, and early enough when those of the set
    // before have all been taken, which is LATENCY + 1 clocks of the lanes after its last step.
    localparam AFTER = (PIXELS > 1) ? READS : LATENCY + 1;
    localparam LAG   = (PIXELS > 1) ? max((LATENCY + 1) / PIXELS - (SKIP == 2 ? 0 : 1), 0) : 0;
    localparam TIMES = (SKIP == 2) ? 1 : 2; // the multipliers are needed for a channel with a code
    // Cycles of a set in the requantiser: codes, codes with additions, and the same for logits.
    // A plane must have left it before the next one needs its values: sums of binary planes are
    // there 2 clocks after (6 of the lanes with PIXELS), V of scaled ones 5 (13).
    localparam STEPS      = T / RQ;
    localparam PLANE_MIN  = max(5, (PIXELS > 1) ? 13 / PIXELS + 1 : 0);
    localparam HOLD_SUM   = max(STEPS, (PIXELS > 1) ? 6 / PIXELS + 1 : 2);
    localparam HOLD_CODE  = STEPS;
    localparam HOLD_PLANE = (STEPS > PLANE_MIN) ? STEPS : PLANE_MIN;
    localparam HOLD_V     = (SCALED != 0 && T < PLANE_MIN) ? PLANE_MIN : T;
    localparam HOLD_ADD   = max(TIMES * STEPS + READS - 1 + LAG, AFTER + 1);
    localparam HOLD_ADD_V = max(((RQ == 1) ? TIMES * T : T) + READS - 1 + LAG, AFTER + 1);
    localparam [2:0] S_IDLE = 3'd0, S_LOAD = 3'd1, S_SETUP = 3'd2, S_START = 3'd3,
                     S_ISSUE = 3'd4, S_DRAIN = 3'd5;

    function integer max(input integer a, input integer b);
        max = (a > b) ? a : b;
    endfunction

    reg [2:0]  state;
    reg [4:0]  count;
    reg        ring;
    reg [7:0]  layer, last_layer;

    // Fields of the layer.
    reg         scaled, skip, image_input, joined;
    reg [3:0]   planes;
    wire        split = SCALED != 0 && planes != 4'd1 && (scaled || DOUBLE == 0); // a set is a plane
    reg [15:0]  row0, top, left, pitch, out_pitch, win_pitch, win_stride, last_row, run, col_step;
    reg [15:0]  win_step, pad_words, last_col, cols, rows, groups, in_rows, row_words;
    reg [15:0]  pixel_words;
    reg [7:0]   kh, pad_rows, pool, pool_x, stride, hold_set;
    reg [K/4-1:0] granules;
    reg [WAW-1:0] weight_base;

    assign o_skip   = SKIP != 0 && skip;
    assign o_joined = PIXELS > 1 && joined;
    assign o_scaled = SCALED != 0 && scaled;

    wire        loading = state == S_LOAD && count != 5'd0;
    wire [4:0]  word    = count - 5'd1;
    wire [31:0] f       = i_pdata;

    integer i;
    always @(posedge clk) begin
        if (loading) begin
            case (word)
            5'd0: begin
                o_logits     <= f[0];
                image_input  <= f[1];
                scaled       <= f[3];
                o_pool_sum   <= f[4];
                skip         <= f[5];
                joined       <= f[7];
                o_map_whole  <= f[6];
                planes       <= f[19:16];
                o_pool_shift <= f[23:20];
                o_shift      <= f[28:24];
                for (i = 0; i < N_OUT; i = i + 1)
                    o_direct[i] <= {24'd0, f[15:8]} > i;
            end
            5'd1: {o_out_base, row0} <= {f[16 +: AW], f[15:0]};
            5'd2: {out_pitch, pitch} <= f;
            5'd3: {stride, kh, run} <= f;
            5'd4: {pad_words, col_step} <= f;
            5'd5: {rows, cols} <= f;
            5'd6: {groups, pad_rows, pool} <= f;
            5'd7: {row_words, in_rows} <= f;
            5'd8: {o_out_pitch, pixel_words} <= {f[16 +: AW], f[15:0]};
            5'd9: begin
                granules <= f[K/4-1:0];
                pool_x   <= o_joined ? f[31:24] : pool;
            end
            5'd10: weight_base <= ring ? i_tail : f[WAW-1:0];
            5'd11: o_map_base <= f[16 +: AW];
            5'd12: o_param_row <= f[LRQ +: RPW];
            5'd13: {left, top} <= f;
            5'd14: {win_pitch, win_step} <= f;
            5'd15: {win_stride, o_skip_m} <= f;
            5'd16: {last_row, last_col} <= f;
            default: ;
            endcase
        end
        if (state == S_SETUP) begin
            if (image_input) row0 <= row0 + {{(16-AW){1'b0}}, i_image_base};
            if (image_input) o_map_base <= o_map_base + i_image_base;
            hold_set <= o_logits ? (o_skip ? HOLD_ADD_V[7:0] : HOLD_V[7:0])
                      : o_skip   ? HOLD_ADD[7:0]
                      : !split   ? HOLD_CODE[7:0]
                      : scaled   ? HOLD_PLANE[7:0] : HOLD_SUM[7:0];
        end
    end

    // States.
    wire go, layer_last;
    wire last = layer == last_layer || layer + 8'd1 >= i_layers;

    assign o_busy        = state != S_IDLE;
    assign o_layer_start = state == S_START;

    always @(posedge clk) begin
        case (state)
        S_IDLE:
            if (i_run && i_layers != 8'd0) begin
                state      <= S_LOAD;
                count      <= 5'd0;
                ring       <= i_run_stream;
                layer      <= 8'd0;
                last_layer <= i_run_last;
                o_paddr    <= `FLX_PROG_HDR_WORDS;
            end
        S_LOAD: begin
            count <= count + 5'd1;
            if (count == LAST_WORD) state <= S_SETUP;
            else o_paddr <= o_paddr + 1'b1;
        end
        S_SETUP: state <= S_START;
        S_START: state <= S_ISSUE;
        S_ISSUE: if (go && layer_last) state <= S_DRAIN;
        S_DRAIN:
            if (i_layer_done) begin
                state <= last ? S_IDLE : S_LOAD;
                count <= 5'd0;
                layer <= layer + 8'd1;
            end
        default: state <= S_IDLE;
        endcase
        if (rst) state <= S_IDLE;
    end

    // Issue.
    wire [15:0]    row_number;
    wire [AW-1:0]  row, row_window;
    wire [CW-1:0]  col, at_col;
    wire [2:0]     live;
    wire           in_map, pixel_last, first, double, set_first, set_last, pos_last, absent;
    wire           win_first, end_dx, win_last, end_px, group_last;
    wire [WAW:0]   index;
    wire [WAW-1:0] waddr;

    flx_addr_gen #(
        .AW     (AW),
        .GW     (GW),
        .WAW    (WAW),
        .WINDOWS(WINDOWS),
        .PIXELS (PIXELS)
    ) u_addr_gen (
        .clk          (clk),
        .i_start      (o_layer_start),
        .i_step       (go),
        .i_row0       (row0),
        .i_top        (top),
        .i_left       (left),
        .i_pad_rows   (pad_rows),
        .i_pitch      (pitch),
        .i_out_pitch  (out_pitch),
        .i_win_pitch  (win_pitch),
        .i_stride     (stride),
        .i_win_stride (win_stride),
        .i_last_row   (last_row),
        .i_in_rows    (in_rows),
        .i_row_words  (row_words),
        .i_run        (run),
        .i_kh         (kh),
        .i_planes     (planes),
        .i_split      (split),
        .i_col_step   (col_step),
        .i_win_step   (win_step),
        .i_pad_words  (pad_words),
        .i_last_col   (last_col),
        .i_pixel_words(pixel_words),
        .i_cols       (cols),
        .i_rows       (rows),
        .i_pool       (pool),
        .i_pool_x     (pool_x),
        .i_groups     (groups),
        .i_wbase      (weight_base),
        .o_row        (row),
        .o_row_number (row_number),
        .o_row_window (row_window),
        .o_col        (col),
        .o_at_col     (at_col),
        .o_live       (live),
        .o_inside     (in_map),
        .o_pixel_last (pixel_last),
        .o_index      (index),
        .o_waddr      (waddr),
        .o_first      (first),
        .o_double     (double),
        .o_set_last   (set_last),
        .o_set_first  (set_first),
        .o_pos_last   (pos_last),
        .o_null       (absent),
        .o_win_first  (win_first),
        .o_end_dx     (end_dx),
        .o_win_last   (win_last),
        .o_end_px     (end_px),
        .o_group_last (group_last),
        .o_layer_last (layer_last)
    );

    reg  [7:0]  hold; // cycles until the next set may be completed
    wire        issuing = state == S_ISSUE;
    wire        arrived = !ring || index < i_level;
    wire        blocked = set_last && hold != 8'd0;
    wire        reading, adds; // (c) above, the set is added to
    wire [AW-1:0] skip_addr;
    wire [4:0]    skip_word;
    wire [BW-1:0] skip_bank;
    wire [AW-1:0] aaddr = row + col[AW-1:0];

    wire        there   = AMEM_KIND == 0 || !in_map || row_number < i_map_rows;
    wire        stolen  = AMEM_KIND == 0 && reading;

    assign o_map_row_words    = row_words;
    assign o_map_rows         = in_rows;
    assign o_map_oldest       = row_window;
    assign o_map_again        = go && group_last;
    assign o_skip_now         = reading;
    assign o_skip_at          = skip_addr;
    assign go                 = issuing && arrived && there && !blocked && !stolen;
    assign o_release          = go && group_last && ring;
    assign o_release_words    = index + 1'b1;
    assign o_ev_cycle         = o_busy;
    assign o_ev_busy          = (o_joined ? PIXELS[2:0] : live) & {3{go}};
    assign o_win_step         = win_step;
    assign o_last_col         = last_col;
    assign o_ev_stall_weights = issuing && !arrived;
    assign o_ev_stall_requant = issuing && arrived && blocked;
    assign o_ev_stall_skip    = issuing && arrived && !blocked && (stolen || !there);

    always @(posedge clk) begin
        if (hold != 8'd0) hold <= hold - 8'd1;
        if (go && set_last) hold <= hold_set - 8'd1;
        o_valid      <= go;
        o_aaddr      <= stolen ? skip_addr : aaddr;
        o_mask       <= !in_map ? {(K/4){1'b0}} : pixel_last ? granules : {(K/4){1'b1}};
        o_col        <= col;
        o_at_col     <= at_col;
        o_live       <= live;
        o_waddr      <= waddr;
        o_first      <= first;
        o_double     <= double;
        o_skip_read  <= reading;
        o_skip_word  <= skip_word;
        o_skip_bank  <= skip_bank;
        o_set_last   <= go && set_last;
        o_set_first  <= set_first;
        o_pos_last   <= pos_last;
        o_null       <= absent;
        o_adds       <= adds;
        o_win_first  <= win_first;
        o_win_last   <= win_last;
        o_group_last <= group_last;
        o_layer_last <= layer_last;
        o_layer      <= layer[LW-1:0];
        if (rst) begin
            hold       <= 8'd0;
            o_valid    <= 1'b0;
            o_set_last <= 1'b0;
        end
    end

    // Codes to be added.
    generate
        if (SKIP != 0) begin : g_skip
            reg  [15:0]   base, col_add, row_add, col_win, row_win, exist;
            wire          exists;

            // V of a scaled plane takes their place in the later sets.
            assign o_skip_step = col_win;
            assign adds = o_skip && exists && (scaled ? set_first : pos_last);

            flx_skip_read #(
                .K(K), .T(T), .AW(AW), .BW(BW), .WINDOWS(WINDOWS), .PIXELS(PIXELS), .READS(READS),
                .AFTER(AFTER)
            ) u_skip_read (
                .clk(clk), .rst(rst), .i_start(o_layer_start), .i_step(go && pos_last),
                .i_note(go && set_last && adds), .i_end_dx(end_dx), .i_end_win(win_last),
                .i_end_px(end_px), .i_end_group(group_last), .i_base(base[AW-1:0]),
                .i_col_step(col_add[AW-1:0]), .i_row_step(row_add[AW-1:0]),
                .i_win_col_step(col_win[AW-1:0]), .i_win_row_step(row_win[AW-1:0]),
                .i_groups(exist), .o_exists(exists), .o_read(reading), .o_addr(skip_addr),
                .o_word(skip_word), .o_bank(skip_bank)
            );

            always @(posedge clk) begin
                if (loading && word == 5'd17) {exist, base} <= f;
                if (loading && word == 5'd18) {row_add, col_add} <= f;
                if (loading && word == 5'd19) {row_win, col_win} <= f;
            end
        end else begin : g_no_skip
            assign adds        = 1'b0;
            assign o_skip_step = 16'd0;
            assign reading   = 1'b0;
            assign skip_addr = {AW{1'b0}};
            assign skip_word = 5'd0;
            assign skip_bank = {BW{1'b0}};
        end
    endgenerate

`ifdef FORMAL
    // The last words of two positions are as far apart as the requantiser needs, a word of
    // the ring is issued only when it is there, nothing is issued outside a layer, and a block
    // that leaves the ring has been in it.
    reg       f_started = 1'b0;
    reg [7:0] f_since = 8'd255;
    always @(posedge clk) begin
        f_started <= 1'b1;
        if (go && set_last) f_since <= 8'd1;
        else if (f_since != 8'd255) f_since <= f_since + 8'd1;
        if (rst) f_since <= 8'd255;
    end

    always @* begin
        assume (f_started || rst);
        if (f_started) begin
            if (go) assert (issuing && (!ring || index < i_level));
            if (go && set_last) assert (f_since >= f_apart);
            if (o_release) assert (o_release_words <= i_level);
            assert (hold <= F_MOST);
            assert (state <= S_DRAIN);
            assert (f_since == 8'd255 || hold == ((f_since >= f_apart) ? 0 : f_apart - f_since));
            if (f_since == 8'd255) assert (hold == 0);
            // A read meets no word, and comes when the codes are due.
            assert (AMEM_KIND != 0 || !(o_skip_read && o_valid));
            if (reading) assert ((!go || AMEM_KIND != 0) && f_since != 8'd255 && f_since <= AFTER
                                 && f_since + READS > AFTER);
            if (f_adds) assert (f_since >= AFTER || (reading == (f_since + READS > AFTER)));
            if (reading) assert (skip_word == f_since + READS - AFTER - 8'd1);
        end
    end

    // What the latest set takes in the requantiser, by the latest layer's fields.
    localparam F_MOST = max(max(HOLD_ADD, HOLD_ADD_V), max(HOLD_V, HOLD_PLANE));
    reg [7:0] f_apart = 8'd1;
    reg       f_adds = 1'b0;
    always @(posedge clk) begin
        if (go && set_last) begin
            f_apart <= hold_set;
            f_adds  <= adds;
        end
        if (rst) begin
            f_apart <= 8'd1;
            f_adds  <= 1'b0;
        end
    end
    always @* if (f_started) begin
        assert (f_apart >= 8'd1 && f_apart <= F_MOST);
        if (state == S_START || state == S_ISSUE || state == S_DRAIN) begin
            assert (hold_set >= (o_logits ? T : STEPS));
            assert (!split || hold_set >= (STEPS > 2 ? STEPS : 2));
            assert (!split || !scaled || hold_set >= 5);
            assert (!o_skip || (hold_set >= TIMES * STEPS + READS - 1 && hold_set > AFTER));
        end
    end
`endif
endmodule
`default_nettype wire
