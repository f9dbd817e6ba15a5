// SPDX-License-Identifier: Apache-2.0
// flx_core: the accelerator without its link. docs/architecture.md describes data flow,
// memory layout, program and ports.
//
// Parameters
//   K            activations a cycle, a multiple of 4, 4 to 64
//   T            output channels in parallel, 4 to 64; a multiple of 4, N_OUT/4 and RQ
//   P            engines: images in parallel
//   N_OUT        weights of a slice; must be that of flx_xornet.vh
//   NIN_MAX      largest n_in of a layer that the weight buffer delivers
//   ACT_W        bits of an activation code, at most 8
//   ACC_W        bits of an accumulator
//   LANES, FAN   structure of the lanes, copies of activations (flx_lanes)
//   RQ           requantiser lanes an engine: 1, 2 or 4
//   AMEM_WORDS   activation words (K codes) an engine, at most 65536
//   WMEM_WORDS   weight words, a power of two, at most 65536
//   PMEM_CH      channel entries of the parameter memory, a multiple of RQ, at most 65536
//   PROG_LAYERS  layers that the program memory holds, at most 64
//   RES_WORDS    results an engine; a logits layer drops what does not fit
//   WIN_MAX      largest image window in bytes, a multiple of 4
//   SKIP         1: residual layers (codes of an earlier layer are added); 2: the same, with
//                multipliers of their own, so that such a layer needs no more steps than others
//   WINDOWS      1: pool windows that overlap or stick out of the map
//   SCALED       1: layers of several planes; 2: only planes that weigh 2, 1 … (binary codes)
//   AMEM_KIND    0: memories of their own for activations and weights; 1: flx_store holds both
//                (AMEM_WORDS words of K codes altogether), with a cache of rows, and WMEM_WORDS is
//                the ring in front of the array
//   PIPE         1: for clocks above 140 MHz on the ECP5: memories with output registers, and
//                control passes from engine to engine, each one clock after the one before
//   PIXELS       windows of a row at once: the engines' clock is so many times the core's (flx_pixels), 1 to
//                4; more than 1 with PIPE = 1 and WINDOWS = 1, and K a multiple of T
//   POOL_BITS    sums of pool windows below 2^(ACT_W + POOL_BITS); 0: maxima only, at most 8
//   LOADER       1: flx_image_loader_narrow, for links whose bytes come 7 clocks or more apart
//   COUNTERS     0: counters read as zero
//
// Timing of the ports
//   clk_lanes    with PIXELS > 1: PIXELS times clk, rising edges aligned; else not used
//   i_ld_start   samples target, arg and address. Bytes follow, from the next cycle on, while
//                o_ld_ready. Loads of different targets may follow each other at once.
//   i_run        one cycle, only while o_busy = 0. A run without a valid program is over at once.
//   o_ld_idle    looked at from the cycle after the last byte on
//   i_rd_en      one cycle; o_rd_valid and o_rd_data 3 clocks later, one read a cycle; with PIPE
//                P + 4 clocks more, one read at a time.
//                Activations: 4 codes, one byte each. Counters too only while o_busy = 0.
//
// With PIXELS > 1 reads take P + 12 clocks more.
//
// From the issue of a word to its sums: MEM clocks memories, 1 decryption and masks, LATENCY of
// flx_lanes. With PIPE two more into the chain, and one for every engine.
`default_nettype none
`include "flx_proto.vh"
`include "flx_xornet.vh"
module flx_core #(
    parameter K           = 8,
    parameter T           = 8,
    parameter P           = 1,
    parameter PIXELS      = 1,
    parameter N_OUT       = 32,
    parameter NIN_MAX     = 32,
    parameter ACT_W       = 8,
    parameter ACC_W       = 22,
    parameter LANES       = 0,
    parameter FAN         = 0,
    parameter RQ          = 4,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 16,
    parameter RES_WORDS   = 16,
    parameter WIN_MAX     = 32,
    parameter SKIP        = 1,
    parameter WINDOWS     = 1,
    parameter SCALED      = 0,
    parameter POOL_BITS   = 6,
    parameter AMEM_KIND   = 0,
    parameter LOADER      = 0,
    parameter PIPE        = 0,
    parameter COUNTERS    = 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        clk_lanes,
    input  wire        i_ld_start,
    input  wire [2:0]  i_ld_target,
    input  wire [7:0]  i_ld_arg,
    input  wire [31:0] i_ld_addr,
    input  wire        i_ld_valid,
    input  wire [7:0]  i_ld_data,
    output wire        o_ld_ready,
    input  wire        i_run,
    input  wire [7:0]  i_run_flags,
    input  wire [7:0]  i_run_last,
    output wire        o_busy,
    output wire        o_ld_idle,
    input  wire        i_rd_en,
    input  wire [1:0]  i_rd_target,
    input  wire [7:0]  i_rd_arg,
    input  wire [31:0] i_rd_addr,
    output wire        o_rd_valid,
    output wire [31:0] o_rd_data
);
    localparam KB         = K / 4;
    localparam BW         = (KB > 1) ? $clog2(KB) : 1;
    localparam G          = 4 * ACT_W;
    localparam S          = K * T / N_OUT;
    localparam PACKED     = (S == 1) || (S == 2) || (S == 4);
    localparam NB         = PACKED ? (NIN_MAX * S + 7) / 8 : NIN_MAX * ((S + 7) / 8);
    localparam AW         = $clog2(AMEM_WORDS);
    localparam WAW        = $clog2(WMEM_WORDS);
    localparam PCW        = $clog2(PMEM_CH);
    localparam RPW        = $clog2(PMEM_CH / RQ);
    localparam PROG_WORDS = `FLX_PROG_HDR_WORDS + `FLX_PROG_LAYER_WORDS * PROG_LAYERS;
    localparam PAW        = $clog2(PROG_WORDS);
    localparam LW         = (PROG_LAYERS > 1) ? $clog2(PROG_LAYERS) : 1;
    localparam RAW        = (RES_WORDS > 1) ? $clog2(RES_WORDS) : 1;
    localparam LEVELS     = $clog2(K);
    localparam LATENCY    = (LANES == 0) ? LEVELS + 1 : (LANES == 1) ? LEVELS + 2
                          : (LEVELS < 3 ? 3 : LEVELS) + ((FAN != 0) ? 2 : 1);
    localparam REG        = PIPE != 0 && PIXELS < 4; // output registers of the core's memories
    localparam MEM        = (REG != 0) ? 2 : 1;
    localparam SW         = (T / RQ > 1) ? $clog2(T / RQ) : 1;
    localparam XW         = $clog2(PIXELS);
    localparam CW         = (AW < 16) ? AW + 2 : 17;

    flx_param_check #(
        .K(K), .T(T), .P(P), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX), .ACT_W(ACT_W), .ACC_W(ACC_W),
        .LANES(LANES), .FAN(FAN), .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS),
        .PMEM_CH(PMEM_CH), .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .WIN_MAX(WIN_MAX),
        .SKIP(SKIP), .WINDOWS(WINDOWS), .SCALED(SCALED), .POOL_BITS(POOL_BITS),
        .AMEM_KIND(AMEM_KIND), .LOADER(LOADER), .PIPE(PIPE), .PIXELS(PIXELS),
        .COUNTERS(COUNTERS)
    ) u_param_check ();

    // ---------------------------------------------------------------- loading
    localparam STORE = AMEM_KIND != 0;

    reg  [2:0] target;
    wire       ld_prog    = target == `FLX_WR_PROGRAM;
    wire       ld_params  = target == `FLX_WR_PARAMS;
    wire       ld_weights = target == `FLX_WR_WEIGHTS || target == `FLX_WR_STREAM;
    wire       ld_image   = target == `FLX_WR_IMAGE;
    wire       st_weights = i_ld_start && (i_ld_target == `FLX_WR_WEIGHTS ||
                                           i_ld_target == `FLX_WR_STREAM);
    wire       to_store   = STORE && target == `FLX_WR_WEIGHTS; // the bytes of a load
    wire       st_store   = STORE && i_ld_start && i_ld_target == `FLX_WR_WEIGHTS;
    wire       st_replay  = STORE && i_run && !o_busy && !i_run_flags[0];
    wire       st_image   = i_ld_start && i_ld_target == `FLX_WR_IMAGE && !i_ld_arg[7];
    wire       buf_ready, store_ready, store_idle, img_grant;
    wire       w_ready    = to_store ? store_ready : buf_ready;
    wire       img_ready, prog_idle, param_idle, w_idle, img_idle;

    assign o_ld_ready = ld_weights ? w_ready : ld_image ? img_ready : 1'b1;
    assign o_ld_idle  = prog_idle && param_idle && w_idle && store_idle && img_idle;

    always @(posedge clk) begin
        if (i_ld_start) target <= i_ld_target;
        if (rst) target <= 3'd0;
    end

    // ---------------------------------------------------------------- program
    wire [PAW-1:0] paddr;
    wire [31:0]    pdata, hdr1, hdr2, hdr3, hdr4;
    wire [7:0]     layers;

    flx_prog_mem #(
        .PROG_LAYERS(PROG_LAYERS)
    ) u_prog_mem (
        .clk(clk), .rst(rst), .i_start(i_ld_start && i_ld_target == `FLX_WR_PROGRAM),
        .i_addr(i_ld_addr[PAW-1:0]), .i_valid(i_ld_valid && ld_prog), .i_data(i_ld_data),
        .o_idle(prog_idle), .i_raddr(paddr), .o_rdata(pdata), .o_layers(layers), .o_hdr1(hdr1),
        .o_hdr2(hdr2), .o_hdr3(hdr3), .o_hdr4(hdr4)
    );

    // Images and results are double-buffered: a run uses one half, the next run the other.
    reg parity;      // of the latest run
    reg next_parity; // of the next run

    always @(posedge clk) begin
        if (i_run && !o_busy) begin
            parity      <= next_parity;
            next_parity <= !next_parity;
        end
        if (rst) begin
            parity      <= 1'b1;
            next_parity <= 1'b0;
        end
    end

    // ---------------------------------------------------------------- sequencer
    wire               seq_busy, layer_start, layer_done, logits, skip, scaled, release_block;
    wire               pool_sum, joined;
    wire [3:0]         pool_shift;
    wire [4:0]         shift, skip_word;
    wire [15:0]        skip_m;
    wire [N_OUT-1:0]   direct;
    wire [AW-1:0]      out_base, out_pitch, seq_aaddr;
    wire [RPW-1:0]     param_row;
    wire [WAW:0]       level, release_words;
    wire [WAW-1:0]     tail, waddr;
    wire [KB-1:0]      seq_mask;
    wire [BW-1:0]      skip_bank;
    wire               valid, first, double, skip_read, set_last, set_first, pos_last, absent, adds;
    wire               win_first, win_last, group_last, layer_last;
    wire [LW-1:0]      layer;
    wire               map_whole, map_again, skip_now;
    wire [AW-1:0]      map_base, map_oldest, skip_at;
    wire [15:0]        map_row_words, map_rows, rows_there;
    wire [2:0]         ev_busy, live;
    wire [15:0]        win_step, add_step, last_col;
    wire [CW-1:0]      col, at_col;
    wire               ev_cycle, ev_stall_weights, ev_stall_requant, ev_stall_skip;

    flx_sequencer #(
        .K(K), .T(T), .RQ(RQ), .N_OUT(N_OUT), .PROG_LAYERS(PROG_LAYERS), .SKIP(SKIP),
        .WINDOWS(WINDOWS), .SCALED(SCALED), .DOUBLE(LANES == 0), .LATENCY(LATENCY), .PIXELS(PIXELS),
        .AW(AW), .BW(BW), .PAW(PAW), .WAW(WAW), .RPW(RPW), .AMEM_KIND(AMEM_KIND)
    ) u_sequencer (
        .clk(clk), .rst(rst), .i_run(i_run && !o_busy), .i_run_stream(STORE || i_run_flags[0]),
        .i_run_last(i_run_last), .o_busy(seq_busy), .o_paddr(paddr), .i_pdata(pdata),
        .i_layers(layers), .i_image_base(parity ? hdr4[16 +: AW] : hdr4[AW-1:0]),
        .o_layer_start(layer_start), .o_logits(logits), .o_skip(skip),
        .o_scaled(scaled), .o_pool_sum(pool_sum), .o_pool_shift(pool_shift), .o_shift(shift),
        .o_skip_m(skip_m),
        .o_direct(direct), .o_out_base(out_base), .o_out_pitch(out_pitch),
        .o_param_row(param_row), .i_layer_done(layer_done), .i_level(level), .i_tail(tail),
        .o_release(release_block), .o_release_words(release_words), .o_valid(valid),
        .o_aaddr(seq_aaddr), .o_mask(seq_mask), .o_waddr(waddr), .o_first(first), .o_double(double),
        .o_skip_read(skip_read), .o_skip_word(skip_word),
        .o_skip_bank(skip_bank), .o_set_last(set_last), .o_set_first(set_first),
        .o_pos_last(pos_last), .o_null(absent), .o_adds(adds), .o_win_first(win_first),
        .o_win_last(win_last), .o_group_last(group_last), .o_layer_last(layer_last),
        .o_col(col), .o_at_col(at_col), .o_live(live), .o_win_step(win_step),
        .o_skip_step(add_step), .o_last_col(last_col), .o_joined(joined),
        .o_map_whole(map_whole), .o_map_base(map_base), .o_map_row_words(map_row_words),
        .o_map_rows(map_rows), .o_map_oldest(map_oldest), .o_map_again(map_again),
        .i_map_rows(rows_there), .o_skip_now(skip_now), .o_skip_at(skip_at),
        .o_layer(layer), .o_ev_cycle(ev_cycle), .o_ev_busy(ev_busy),
        .o_ev_stall_weights(ev_stall_weights), .o_ev_stall_requant(ev_stall_requant),
        .o_ev_stall_skip(ev_stall_skip)
    );

    // ---------------------------------------------------------------- weights
    wire [NB*8-1:0] weight_word;
    wire [WAW-1:0]  weight_addr;
    wire            replay_start, replay_valid;
    wire [5:0]      replay_nin;
    wire [7:0]      replay_data;
    wire [K*T-1:0]  sign;

    generate
        if (LANES == 1 && PIXELS == 1) begin : g_late // pairs take weights a clock after activations
            reg [WAW-1:0] late;
            always @(posedge clk) late <= waddr;
            assign weight_addr = late;
        end else begin : g_in_time
            assign weight_addr = waddr;
        end
    endgenerate

    flx_weight_buf #(
        .K(K), .T(T), .N_OUT(N_OUT), .NB(NB), .WMEM_WORDS(WMEM_WORDS),
        .LATE(LANES == 1 && PIXELS == 1), .PAIR_WORDS(PIXELS > 1 ? 1024 : 256),
        .REG(REG)
    ) u_weight_buf (
        .clk(clk), .rst(rst || st_replay), .i_start((st_weights && !st_store) || replay_start),
        .i_ring(STORE || i_ld_target == `FLX_WR_STREAM),
        .i_nin(replay_start ? replay_nin : i_ld_arg[5:0]), .i_addr(i_ld_addr[WAW-1:0]),
        .i_valid((i_ld_valid && ld_weights && !to_store) || replay_valid),
        .i_data(replay_valid ? replay_data : i_ld_data), .o_ready(buf_ready), .o_idle(w_idle),
        .i_raddr(weight_addr),
        .o_word(weight_word), .o_level(level), .o_tail(tail), .i_release(release_block),
        .i_release_words(release_words)
    );

    flx_decrypt_array #(
        .K(K), .T(T), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX), .NB(NB)
    ) u_decrypt_array (
        .clk(clk), .i_word(weight_word), .i_direct(direct), .o_sign(sign)
    );

    // ---------------------------------------------------------------- image
    wire          img_we, rq_we;
    wire [6:0]    img_engine;
    wire [AW-1:0] img_waddr, rq_waddr;
    wire [BW-1:0] img_wbank, rq_wbank;
    wire [G-1:0]  img_wdata;

    wire [AW-1:0] img_base  = next_parity ? hdr4[16 +: AW] : hdr4[AW-1:0];
    wire          img_taken = STORE ? img_grant : !rq_we;
    wire          img_valid = i_ld_valid && ld_image;
    wire [6:0]    img_to    = P > 1 ? i_ld_arg[6:0] : 7'd0;

    generate
        if (LOADER == 0) begin : g_loader
            flx_image_loader #(
                .K(K), .ACT_W(ACT_W), .WIN_MAX(WIN_MAX), .AW(AW), .BW(BW)
            ) u_image_loader (
                .clk(clk), .rst(rst), .i_win(hdr1[7:0]), .i_step(hdr1[15:8]),
                .i_row_bytes(hdr1[31:16]), .i_rows(hdr2[15:0]), .i_pad_rows(hdr2[23:16]),
                .i_pad_code(hdr2[31:24]), .i_pad_bytes(hdr3[15:0]), .i_pixel_words(hdr3[31:16]),
                .i_base(img_base), .i_start(st_image), .i_engine(img_to),
                .i_valid(img_valid), .i_data(i_ld_data), .o_ready(img_ready), .o_idle(img_idle),
                .o_we(img_we), .i_grant(img_taken), .o_engine(img_engine), .o_waddr(img_waddr),
                .o_wbank(img_wbank), .o_wdata(img_wdata)
            );
        end else begin : g_loader_narrow
            flx_image_loader_narrow #(
                .K(K), .ACT_W(ACT_W), .WIN_MAX(WIN_MAX), .AW(AW), .BW(BW)
            ) u_image_loader (
                .clk(clk), .rst(rst), .i_win(hdr1[7:0]), .i_step(hdr1[15:8]),
                .i_row_bytes(hdr1[31:16]), .i_rows(hdr2[15:0]), .i_pad_rows(hdr2[23:16]),
                .i_pad_code(hdr2[31:24]), .i_pad_bytes(hdr3[15:0]), .i_base(img_base),
                .i_start(st_image), .i_engine(img_to), .i_valid(img_valid),
                .i_data(i_ld_data), .o_ready(img_ready), .o_idle(img_idle), .o_we(img_we),
                .i_grant(img_taken), .o_engine(img_engine), .o_waddr(img_waddr),
                .o_wbank(img_wbank), .o_wdata(img_wdata)
            );
        end
    endgenerate

    // ---------------------------------------------------------------- requantiser control
    // Cycles after issue (o_valid): 0 addresses, MEM memory outputs, MEM + 1 signs and masked
    // activations, MEM + 1 + LATENCY sums. Requantiser control is MEM - 1 clocks ahead, since the
    // parameters are read by it. With PIXELS > 1 it is told of a set as soon as signs and
    // parameters can be in step, and flx_pixels does the rest.
    localparam AT_DONE   = (PIXELS > 1) ? 1 : LATENCY + 2;
    localparam WRITE_LAG = (PIXELS > 1) ? (LATENCY + 26) / PIXELS + 6 : 0;

    wire [KB-1:0] rd_bank, mask;
    wire [6:0]    rd_engine;
    wire [1:0]    rd_what;
    wire          done, done_first, done_last, done_null, done_adds, done_win_first;
    wire          done_win_last, done_group_last, done_layer_last;

    assign mask = seq_busy ? seq_mask : rd_what[1] ? rd_bank : {KB{1'b0}};

    flx_delay #(.W(9), .N(AT_DONE)) u_delay_done (
        .clk(clk), .rst(rst),
        .i({set_last, set_first, pos_last, absent, adds, win_first, win_last, group_last,
            layer_last}),
        .o({done, done_first, done_last, done_null, done_adds, done_win_first, done_win_last,
            done_group_last, done_layer_last})
    );

    wire [RPW-1:0]   prow;
    wire [48*RQ-1:0] stored_param;
    wire             c_capture, c_fire_add, c_fire, c_add_code, c_add_v, c_v_we, c_code_en;
    wire             c_code_null, c_pool_first, c_v_load, c_v_next, c_rq_we, c_res_we;
    wire [SW-1:0]    c_step, c_v_waddr;
    wire [AW-1:0]    c_rq_waddr, set_pitch;
    wire [BW-1:0]    c_rq_wbank;
    wire [RAW:0]     c_res_waddr;

    flx_requant_ctl #(
        .K(K), .T(T), .RQ(RQ), .SUMS(POOL_BITS != 0), .SKIP(SKIP), .EVENTS(PIXELS > 1), .LAG(WRITE_LAG),
        .AW(AW), .BW(BW), .PAW(RPW), .RAW(RAW)
    ) u_requant_ctl (
        .clk(clk), .rst(rst), .i_start(layer_start), .i_logits(logits), .i_skip(skip),
        .i_scaled(scaled), .i_out_base(out_base), .i_out_pitch(set_pitch), .i_param(param_row),
        .i_done(done),
        .i_set_first(done_first), .i_set_last(done_last), .i_adds(done_adds),
        .i_null(done_null), .i_win_first(done_win_first), .i_win_last(done_win_last),
        .i_group_last(done_group_last), .i_layer_last(done_layer_last), .o_capture(c_capture),
        .o_fire_add(c_fire_add), .o_fire(c_fire), .o_prow(prow), .o_step(c_step),
        .o_add_code(c_add_code), .o_add_v(c_add_v), .o_v_we(c_v_we), .o_v_waddr(c_v_waddr),
        .o_code_en(c_code_en), .o_null(c_code_null), .o_pool_first(c_pool_first),
        .o_v_load(c_v_load), .o_v_next(c_v_next), .o_we(c_rq_we), .o_waddr(c_rq_waddr),
        .o_wbank(c_rq_wbank), .o_res_we(c_res_we), .o_res_addr(c_res_waddr), .o_layer_done(layer_done)
    );

    flx_param_mem #(
        .RQ(RQ), .PMEM_CH(PMEM_CH), .REG(REG)
    ) u_param_mem (
        .clk(clk), .rst(rst), .i_start(i_ld_start && i_ld_target == `FLX_WR_PARAMS),
        .i_addr(i_ld_addr[PCW-1:0]), .i_valid(i_ld_valid && ld_params), .i_data(i_ld_data),
        .o_idle(param_idle), .i_raddr(prow), .o_param(stored_param)
    );

    // ---------------------------------------------------------------- engines
    // What passes the engines, in the order of flx_station.
    localparam BUS_W = K * T + 48 * RQ + 3 * AW + KB + 3 * BW + 2 * (SW + XW) + G + 2 * (RAW + 1) + 67;

    wire [BUS_W-1:0]     bus;
    wire [P*K*ACT_W-1:0] raw;     // memory outputs, for the host
    wire [P*32-1:0]      results;
    wire [31:0]          answer;
    wire [AW-1:0]        rd_word;
    wire [RAW:0]         rd_res;
    wire                 rd_act, skip_load;
    wire [K*ACT_W-1:0]   store_act, store_raw;
    wire [P*G-1:0]       granules;
    wire [KB-1:0]        mask1;
    wire [AW-1:0]        araddr = seq_busy ? seq_aaddr : rd_word;

    // Two chains in the text, since a clock that is assigned comes late in a simulation.
    generate
        if (PIXELS > 1) begin : g_pixels
            wire rst_lanes;

            flx_pixels #(
                .K(K), .T(T), .ACT_W(ACT_W), .LANES(LANES), .FAN(FAN), .RQ(RQ),
                .SKIP(SKIP), .PIXELS(PIXELS), .LATENCY(LATENCY), .SUMS(POOL_BITS != 0), .MEM(MEM),
                .HOP(PIPE), .AW(AW), .BW(BW), .RAW(RAW), .SW(SW), .BUS_W(BUS_W)
            ) u_pixels (
                .clk(clk), .rst(rst), .clk_lanes(clk_lanes), .o_rst(rst_lanes), .o_bus(bus),
                .i_running(seq_busy), .i_valid(valid), .i_first(first), .i_double(double),
                .i_aaddr(araddr), .i_mask(mask), .i_col(col), .i_skip_read(skip_read),
                .i_skip_bank(skip_bank), .i_sign(sign), .i_rd_engine(rd_engine),
                .i_rd_result(rd_what[0]), .i_rd_res(rd_res), .i_done(done), .i_at_col(at_col),
                .i_live(live), .i_row_words(map_row_words[CW-1:0]), .i_last_col(last_col[CW-1:0]),
                .i_out_pitch(out_pitch), .i_win_step(win_step[CW-1:0]),
                .i_skip_step(add_step[AW-1:0]), .i_joined(joined), .i_scaled(scaled), .i_shift(shift),
                .i_pool_sum(pool_sum), .i_pool_shift(pool_shift), .i_skip_m(skip_m),
                .i_param(stored_param), .i_parity(parity), .i_capture(c_capture),
                .i_fire_add(c_fire_add), .i_fire(c_fire), .i_step(c_step), .i_add_code(c_add_code),
                .i_add_v(c_add_v), .i_code_en(c_code_en), .i_null(c_code_null),
                .i_pool_first(c_pool_first), .i_v_load(c_v_load), .i_v_next(c_v_next),
                .i_we(c_rq_we), .i_waddr(c_rq_waddr), .i_wbank(c_rq_wbank), .i_res_we(c_res_we),
                .i_res_waddr(c_res_waddr), .o_set_pitch(set_pitch), .o_rq_we(rq_we), .i_img_we(img_we),
                .i_img_engine(img_engine), .i_img_waddr(img_waddr), .i_img_wbank(img_wbank),
                .i_img_wdata(img_wdata)
            );
            flx_chain #(
                .K(K), .T(T), .P(P), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES),
                .FAN(FAN), .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .SKIP(SKIP), .SCALED(SCALED),
                .POOL_BITS(POOL_BITS), .RAW(RAW), .AMEM_KIND(AMEM_KIND), .PIPE(PIPE),
                .PIXELS(PIXELS), .BUS_W(BUS_W)
            ) u_chain (
                .clk(clk_lanes), .rst(rst_lanes), .i_bus(bus), .i_act(store_act),
                .i_raw(store_raw), .o_granules(granules), .o_raw(raw), .o_results(results),
                .o_answer(answer)
            );
            assign mask1     = {KB{1'b0}};
            assign skip_load = 1'b0;
            assign rq_waddr  = {AW{1'b0}};
            assign rq_wbank  = {BW{1'b0}};
        end else begin : g_step
            assign set_pitch = out_pitch;
            flx_in_step #(
                .K(K), .T(T), .ACT_W(ACT_W), .LANES(LANES), .FAN(FAN), .RQ(RQ), .SKIP(SKIP), .MEM(MEM),
                .HOP(PIPE), .AW(AW), .BW(BW), .RAW(RAW), .SW(SW), .BUS_W(BUS_W)
            ) u_in_step (
                .clk(clk), .rst(rst), .o_bus(bus), .o_mask(mask1), .o_skip_load(skip_load),
                .i_running(seq_busy), .i_valid(valid), .i_first(first), .i_double(double),
                .i_aaddr(araddr), .i_mask(mask), .i_skip_read(skip_read), .i_skip_word(skip_word),
                .i_skip_bank(skip_bank), .i_sign(sign), .i_rd_engine(rd_engine),
                .i_rd_result(rd_what[0]), .i_rd_res(rd_res), .i_scaled(scaled), .i_shift(shift),
                .i_pool_sum(pool_sum), .i_pool_shift(pool_shift), .i_skip_m(skip_m),
                .i_param(stored_param), .i_parity(parity), .i_capture(c_capture),
                .i_fire_add(c_fire_add), .i_fire(c_fire), .i_step(c_step), .i_add_code(c_add_code),
                .i_add_v(c_add_v), .i_v_we(c_v_we), .i_v_waddr(c_v_waddr), .i_code_en(c_code_en),
                .i_null(c_code_null), .i_pool_first(c_pool_first), .i_v_load(c_v_load),
                .i_v_next(c_v_next), .i_we(c_rq_we), .i_waddr(c_rq_waddr), .i_wbank(c_rq_wbank),
                .i_res_we(c_res_we), .i_res_waddr(c_res_waddr), .o_we(rq_we), .o_waddr(rq_waddr),
                .o_wbank(rq_wbank), .i_img_we(img_we), .i_img_engine(img_engine),
                .i_img_waddr(img_waddr), .i_img_wbank(img_wbank), .i_img_wdata(img_wdata)
            );
            flx_chain #(
                .K(K), .T(T), .P(P), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES),
                .FAN(FAN), .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .SKIP(SKIP), .SCALED(SCALED),
                .POOL_BITS(POOL_BITS), .RAW(RAW), .AMEM_KIND(AMEM_KIND), .PIPE(PIPE),
                .BUS_W(BUS_W)
            ) u_chain (
                .clk(clk), .rst(rst), .i_bus(bus), .i_act(store_act), .i_raw(store_raw),
                .o_granules(granules), .o_raw(raw), .o_results(results), .o_answer(answer)
            );
        end
    endgenerate

    generate
        if (STORE) begin : g_store
            flx_store #(
                .K(K), .T(T), .P(P), .ACT_W(ACT_W), .AMEM_WORDS(AMEM_WORDS)
            ) u_store (
                .clk(clk), .rst(rst), .i_map_start(layer_start), .i_map_again(map_again),
                .i_map_whole(map_whole), .i_map_base(map_base), .i_map_row_words(map_row_words),
                .i_map_rows(map_rows), .i_map_oldest(map_oldest), .o_map_rows(rows_there),
                .i_raddr(seq_aaddr), .i_mask(mask1), .o_act(store_act), .i_skip_now(skip_now),
                .i_skip_addr(skip_at), .i_skip_load(skip_load), .i_rd(rd_act), .i_rd_word(rd_word),
                .i_rd_half(rd_bank[3] || rd_bank[2]), .o_raw(store_raw), .i_we(rq_we), .i_waddr(rq_waddr),
                .i_wbank(rq_wbank), .i_wdata(granules), .i_img_we(img_we),
                .i_img_waddr(img_waddr), .i_img_wbank(img_wbank), .i_img_wdata(img_wdata),
                .o_img_grant(img_grant), .i_ld_start(st_store), .i_ld_first(i_ld_addr == 32'd0),
                .i_ld_valid(i_ld_valid && to_store), .i_ld_data(i_ld_data),
                .o_ld_ready(store_ready), .o_ld_idle(store_idle), .i_run(st_replay),
                .o_buf_start(replay_start), .o_buf_nin(replay_nin), .o_buf_valid(replay_valid),
                .o_buf_data(replay_data), .i_buf_ready(buf_ready)
            );
        end else begin : g_no_store
            assign store_act    = {K*ACT_W{1'b0}};
            assign store_raw    = {K*ACT_W{1'b0}};
            assign rows_there   = 16'd0;
            assign img_grant    = 1'b0;
            assign store_ready  = 1'b0;
            assign store_idle   = 1'b1;
            assign replay_start = 1'b0;
            assign replay_nin   = 6'd0;
            assign replay_valid = 1'b0;
            assign replay_data  = 8'd0;
        end
    endgenerate

    // ---------------------------------------------------------------- counters and reading
    wire [31:0]   counter;
    wire          counters_active;
    wire [LW+2:0] rd_counter;

    generate
        if (COUNTERS != 0) begin : g_counters
            flx_counters #(
                .PROG_LAYERS(PROG_LAYERS), .PIXELS(PIXELS)
            ) u_counters (
                .clk(clk), .rst(rst), .i_clear(i_run && !o_busy && i_run_flags[1]),
                .i_layer(layer), .i_cycle(ev_cycle), .i_busy(ev_busy),
                .i_stall_weights(ev_stall_weights), .i_stall_requant(ev_stall_requant),
                .i_stall_skip(ev_stall_skip), .i_layer_end(layer_done),
                .o_active(counters_active), .i_raddr(rd_counter), .o_rdata(counter)
            );
        end else begin : g_no_counters
            assign counters_active = 1'b0;
            assign counter         = 32'd0;
        end
    endgenerate

    assign o_busy = seq_busy || counters_active;

    flx_readout #(
        .K(K), .P(P), .ACT_W(ACT_W), .AW(AW), .LW(LW), .RAW(RAW),
        .WAIT(PIXELS > 1 ? P + 12 : PIPE != 0 ? P + 4 : 0)
    ) u_readout (
        .clk(clk), .rst(rst), .i_en(i_rd_en), .i_target(i_rd_target), .i_arg(i_rd_arg),
        .i_addr(i_rd_addr), .i_parity(parity), .o_word(rd_word), .o_act(rd_act), .o_res(rd_res),
        .o_counter(rd_counter), .i_raw(raw),
        .i_results(PIPE != 0 ? {P{answer}} : results), .o_engine(rd_engine),
        .o_bank(rd_bank), .o_what(rd_what), .i_counter(counter),
        .o_valid(o_rd_valid), .o_data(o_rd_data)
    );
endmodule
`default_nettype wire
