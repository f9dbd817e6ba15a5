// SPDX-License-Identifier: Apache-2.0
// flx_pixels: the engines' clock is PIXELS times the core's. What the core says in a cycle becomes a
// round of PIXELS clocks, one for each of PIXELS neighbouring windows of a row: same weights,
// same control, but addresses a step further each time. In a joined layer the positions of a round are
// neighbours in one pool window, whose sums the requantiser adds up at the window's end. Here every
// signal gets its place in time:
//
//   time        clocks of the lanes after the word leaves the sequencer; position c at time + c
//   AT_ADDRESS  a clock before the address
//   AT_MASK     masks and codes to be added, AT_WORD signs and flags of the word
//   AT_SUM      LATENCY later: sums; capture and steps
//   AT_PARAM    parameters and what goes with them, AT_KEPT sums of planes, AT_V values V, AT_CODE codes, AT_GRANULE
//
//   K … ACT_W, RQ, SKIP, LANES, FAN   as in flx_core
//   LATENCY    of flx_lanes
//   SUMS       POOL_BITS > 0
//   AW, BW, RAW, SW   bits of an activation address, a bank, a result address, a step
//   MEM        cycles of the core's memories
//   HOP        1: signs need a clock less than all else from here to the lanes (flx_station)
//
//   clk_lanes  PIXELS times as fast as clk, rising edges aligned. Registers of clk are looked at in
//              the last clock of their cycle, PIXELS - 1 clocks after they changed
//   i_…        the core's signals: words as they leave the sequencer, signs MEM + 1 cycles after
//              them; events of flx_requant_ctl (EVENTS = 1), whose i_done is i_set_last one cycle
//              after the sequencer's; parameters MEM cycles after the event
//   o_bus      what passes the engines (flx_station); its clock is clk_lanes
//   o_rst      i_rst, in that clock
//   o_set_pitch   output words of the windows of the latest set, for flx_requant_ctl
//   o_rq_we    the requantiser's granule goes on in this cycle; an image's granule must wait
`default_nettype none
module flx_pixels #(
    parameter K       = 16,
    parameter T       = 16,
    parameter ACT_W   = 8,
    parameter LANES   = 2,
    parameter FAN     = 0,
    parameter RQ      = 4,
    parameter SKIP    = 1,
    parameter PIXELS  = 2,
    parameter LATENCY = 5,
    parameter SUMS    = 1,
    parameter MEM     = 1,
    parameter HOP     = 0,
    parameter AW      = 10,
    parameter BW      = 1,
    parameter RAW     = 4,
    parameter SW      = 2,
    parameter BUS_W   = 1,
    parameter CW      = (AW < 16) ? AW + 2 : 17,
    parameter KB      = K / 4,
    parameter G       = 4 * ACT_W
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             clk_lanes,
    output wire             o_rst,
    output wire [BUS_W-1:0] o_bus,
    // words
    input  wire             i_running,
    input  wire             i_valid,
    input  wire             i_first,
    input  wire             i_double,
    input  wire [AW-1:0]    i_aaddr,
    input  wire [KB-1:0]    i_mask,
    input  wire [CW-1:0]    i_col,
    input  wire             i_skip_read,
    input  wire [BW-1:0]    i_skip_bank,
    input  wire [K*T-1:0]   i_sign,
    input  wire [6:0]       i_rd_engine,
    input  wire             i_rd_result,
    input  wire [RAW:0]     i_rd_res,
    // sets
    input  wire             i_done,
    input  wire [CW-1:0]    i_at_col,
    input  wire [2:0]       i_live,
    // fields of the layer
    input  wire [CW-1:0]    i_row_words,
    input  wire [CW-1:0]    i_last_col,
    input  wire [AW-1:0]    i_out_pitch,
    input  wire [CW-1:0]    i_win_step,
    input  wire [AW-1:0]    i_skip_step,
    input  wire             i_scaled,
    input  wire             i_joined,
    input  wire [4:0]       i_shift,
    input  wire             i_pool_sum,
    input  wire [3:0]       i_pool_shift,
    input  wire [15:0]      i_skip_m,
    input  wire [48*RQ-1:0] i_param,
    input  wire             i_parity,
    // events
    input  wire             i_capture,
    input  wire             i_fire_add,
    input  wire             i_fire,
    input  wire [SW-1:0]    i_step,
    input  wire             i_add_code,
    input  wire             i_add_v,
    input  wire             i_code_en,
    input  wire             i_null,
    input  wire             i_pool_first,
    input  wire             i_v_load,
    input  wire             i_v_next,
    input  wire             i_we,
    input  wire [AW-1:0]    i_waddr,
    input  wire [BW-1:0]    i_wbank,
    input  wire             i_res_we,
    input  wire [RAW:0]     i_res_waddr,
    // image
    output reg  [AW-1:0]    o_set_pitch,
    output wire             o_rq_we,
    input  wire             i_img_we,
    input  wire [6:0]       i_img_engine,
    input  wire [AW-1:0]    i_img_waddr,
    input  wire [BW-1:0]    i_img_wbank,
    input  wire [G-1:0]     i_img_wdata
);
    localparam XW         = $clog2(PIXELS);
    localparam WORD       = PIXELS * (MEM + 1); // until signs and parameters leave the memories
    localparam EVENT      = PIXELS;             // events leave flx_requant_ctl that much after a word
    // Signs are many: they wait for whole cycles of the core, in its registers, or not at all.
    localparam SIGN       = 7 + HOP + ((LANES == 2 && FAN != 0) ? 1 : 0); // after AT_ADDRESS
    localparam WAIT       = (SIGN > WORD) ? (SIGN - WORD + PIXELS - 1) / PIXELS * PIXELS : 0;
    localparam AT_ADDRESS = WORD + WAIT - SIGN;
    localparam AT_MASK    = AT_ADDRESS + 6;
    localparam AT_WORD    = AT_ADDRESS + 7;
    localparam AT_SUM     = AT_WORD + LATENCY;
    localparam AT_PARAM   = AT_SUM + 2;
    localparam AT_KEPT    = AT_SUM + 3;
    localparam AT_V       = AT_SUM + 7;
    localparam AT_CODE    = AT_SUM + 11;
    localparam AT_GRANULE = AT_CODE + ((SUMS != 0) ? 7 : 2);
    // A write waits WRITE cycles, where it is in step with an image's, then REST clocks.
    localparam WRITE      = (AT_GRANULE - EVENT - 1) / PIXELS;
    localparam REST       = AT_GRANULE - EVENT - WRITE * PIXELS;

    // Where the lanes' clock is in the core's cycle: `beat` changes in its first clock. Whoever looks
    // at the core's registers does so a clock after `take`, in the cycle's last clock.
    localparam [31:0]    ENDS = PIXELS - 1;
    localparam [XW-1:0]  LAST = ENDS[XW-1:0];
    reg                  beat, seen;
    wire                 take;
    reg  [PIXELS-1:0]    firsts; // bit r: r clocks ago was the first position of a round
    reg  [PIXELS*XW-1:0] turns;  // position of the round, r clocks ago
    wire                 taken;

    always @(posedge clk) beat <= rst ? 1'b0 : !beat;
    always @(posedge clk_lanes) seen <= beat;

    flx_delay #(.W(1), .N((2 * PIXELS - 3) % PIXELS)) u_take (
        .clk(clk_lanes), .rst(1'b0), .i(beat != seen), .o(take)
    );
    flx_copy u_taken (.clk(clk_lanes), .i(take), .o(taken));
    always @(posedge clk_lanes) begin
        firsts <= {firsts[PIXELS-2:0], taken};
        turns  <= {turns[(PIXELS-1)*XW-1:0], taken ? {XW{1'b0}} : turns[XW-1:0] + 1'b1};
    end

    reg reset, reset2;
    always @(posedge clk_lanes) {reset2, reset} <= {reset, rst};
    assign o_rst = reset2;

    // ---------------------------------------------------------------- words
    wire          running0, skip0, joined;
    wire [AW-1:0] aaddr0, skip_step0;
    wire [CW-1:0] col0, row_words0, win_step0, last_col0;
    wire [AW-1:0] out_pitch0;
    wire [KB-1:0] mask1;
    wire          running1, running, rd_result, skip_load, valid, first, double;
    wire [6:0]    rd_engine;
    wire [BW-1:0] skip_bank;
    wire [K*T-1:0] raw_sign, sign;

    flx_late #(.W(2 + AW + CW), .PIXELS(PIXELS), .D(AT_ADDRESS)) u_address (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_running, i_skip_read, i_aaddr, i_col}), .o({running0, skip0, aaddr0, col0})
    );
    flx_late #(.W(KB + 1), .PIXELS(PIXELS), .D(AT_MASK - 1)) u_mask (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_mask, i_running}),
        .o({mask1, running1})
    );
    flx_late #(.W(9), .PIXELS(PIXELS), .D(AT_MASK)) u_read (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_running, i_rd_engine, i_rd_result}), .o({running, rd_engine, rd_result})
    );
    flx_late #(.W(1 + BW), .PIXELS(PIXELS), .D(AT_MASK - 2)) u_skip_read (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_skip_read, i_skip_bank}),
        .o({skip_load, skip_bank})
    );
    flx_late #(.W(3), .PIXELS(PIXELS), .D(AT_WORD)) u_word (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_valid, i_first, i_double}),
        .o({valid, first, double})
    );
    flx_late #(.W(K * T), .PIXELS(PIXELS), .D(WAIT)) u_sign (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(i_sign), .o(raw_sign)
    );
    flx_late #(.W(3 * CW + 2 * AW + 1), .PIXELS(PIXELS)) u_fields (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_row_words, i_win_step, i_last_col, i_out_pitch, i_skip_step, i_joined}),
        .o({row_words0, win_step0, last_col0, out_pitch0, skip_step0, joined})
    );

    flx_lanes_code #(.LANES(LANES), .N(K * T)) u_code (
        .clk(clk_lanes), .i_sign(raw_sign), .o_code(sign)
    );

    reg [AW-1:0] aaddr, astep;
    reg [CW-1:0] col;
    reg [CW:0]   beyond; // negative in the map: a carry chain, where a comparison would be LUTs
    wire         in_map;
    reg [KB-1:0] mask;

    always @(posedge clk_lanes) begin
        aaddr  <= firsts[AT_ADDRESS%PIXELS] ? aaddr0 : aaddr + astep;
        col    <= firsts[AT_ADDRESS%PIXELS] ? col0 : col + win_step0;
        astep  <= !running0 ? {AW{1'b0}} : skip0 ? skip_step0 : win_step0[AW-1:0];
        beyond <= {1'b0, col} - {1'b0, row_words0};
        mask   <= mask1 & {KB{in_map || !running1}};
    end

    flx_delay #(.W(1), .N(AT_MASK - AT_ADDRESS - 3)) u_in_map (
        .clk(clk_lanes), .rst(1'b0), .i(beyond[CW]), .o(in_map)
    );

    // ---------------------------------------------------------------- steps of the requantiser
    wire             capture, fire_add, fire, add_code, add_v, fire_v, fire_s, v_load, v_next, res_we;
    wire             code_en, pool_first, absent, multiply_skip;
    wire [SW-1:0]    step, step_v, step_s;
    wire [RAW:0]     res_waddr;
    wire [48*RQ-1:0] param;

    flx_late #(.W(SW), .PIXELS(PIXELS), .D(AT_SUM - 3 - EVENT)) u_step (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(i_step), .o(step)
    );
    flx_late #(.W(3), .PIXELS(PIXELS), .D(AT_SUM - 2 - EVENT)) u_fire (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_capture, i_fire_add, i_fire}),
        .o({capture, fire_add, fire})
    );
    flx_late #(.W(1), .PIXELS(PIXELS), .D(AT_SUM + 1 - EVENT)) u_add_v (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(i_add_v), .o(add_v)
    );
    flx_late #(.W(1), .PIXELS(PIXELS), .D((SKIP == 2 ? AT_SUM + 1 : AT_PARAM) - EVENT)) u_add_code (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(i_add_code), .o(add_code)
    );
    flx_late #(.W(1 + SW), .PIXELS(PIXELS), .D(AT_KEPT - EVENT)) u_kept (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_fire, i_step}),
        .o({fire_s, step_s})
    );
    flx_late #(.W(5 + SW + RAW), .PIXELS(PIXELS), .D(AT_V - EVENT)) u_value (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_fire, i_step, i_v_load, i_v_next, i_res_we, i_res_waddr}),
        .o({fire_v, step_v, v_load, v_next, res_we, res_waddr})
    );
    flx_late #(.W(2), .PIXELS(PIXELS), .D(AT_CODE - EVENT)) u_codes (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({i_code_en, i_pool_first}),
        .o({code_en, pool_first})
    );
    flx_delay #(.W(1), .N(MEM)) u_skip (
        .clk(clk), .rst(1'b0), .i(i_fire_add), .o(multiply_skip)
    );

    genvar r;
    generate
        for (r = 0; r < RQ; r = r + 1) begin : g_param
            flx_late #(.W(48), .PIXELS(PIXELS), .D(AT_PARAM - WORD)) u_param (
                .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
                .i({i_param[48*r+16 +: 32], (SKIP == 1 && multiply_skip) ? i_skip_m : i_param[48*r +: 16]}),
                .o(param[48*r +: 48])
            );
        end
    endgenerate

    // Does the position exist? Its column and the number of those that do, from the set's end on.
    reg  [CW-1:0] at_col;
    reg  [2:0]    live;
    wire [CW-1:0] set_col, column0;
    wire [2:0]    set_live;
    reg  [CW-1:0] column;
    reg  [CW:0]   left;
    reg           is_null;

    flx_delay #(.W(CW + 3), .N(1)) u_set (
        .clk(clk), .rst(1'b0), .i({i_at_col, i_live}), .o({set_col, set_live})
    );
    always @(posedge clk) if (i_done) begin
        {at_col, live} <= {set_col, set_live};
        o_set_pitch    <= i_out_pitch * {{(AW-3){1'b0}}, set_live};
    end

    flx_late #(.W(CW), .PIXELS(PIXELS), .D(AT_CODE - 3 - EVENT)) u_column (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(at_col), .o(column0)
    );
    flx_late #(.W(1), .PIXELS(PIXELS), .D(AT_CODE - 1 - EVENT)) u_absent (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i(i_null), .o(absent)
    );
    always @(posedge clk_lanes) begin
        column  <= firsts[(AT_CODE-3)%PIXELS] ? column0 : column + win_step0;
        left    <= {1'b0, last_col0} - {1'b0, column};
        is_null <= absent || left[CW];
    end

    // ---------------------------------------------------------------- writes
    wire          rq_we, we0, img_we, img_we0;
    wire [AW-1:0] rq_waddr, waddr0, waddr, img_waddr, img_waddr0;
    wire [BW-1:0] rq_wbank, wbank, wbank0, img_wbank, img_wbank0;
    wire [2:0]    rq_live, live0;
    wire [6:0]    img_engine, img_engine0;
    wire [G-1:0]  img_wdata, img_wdata0;
    wire          we;
    reg  [AW-1:0] waddr1;
    reg           we1;

    assign o_rq_we = rq_we;

    flx_delay #(.W(AW + BW + 4), .N(WRITE - 1)) u_write (
        .clk(clk), .rst(rst), .i({i_we, i_waddr, i_wbank, live}),
        .o({rq_we, rq_waddr, rq_wbank, rq_live})
    );
    flx_late #(.W(AW + 4), .PIXELS(PIXELS), .D(PIXELS)) u_write_address (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take), .i({rq_we, rq_waddr, rq_live}),
        .o({we0, waddr0, live0})
    );
    flx_late #(.W(8 + AW + 2 * BW + G), .PIXELS(PIXELS), .D(PIXELS)) u_image (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_img_we && !rq_we, i_img_engine, i_img_waddr, i_img_wbank, i_img_wdata, rq_wbank}),
        .o({img_we0, img_engine0, img_waddr0, img_wbank0, img_wdata0, wbank0})
    );

    always @(posedge clk_lanes) begin
        waddr1 <= (firsts[0] || joined) ? waddr0 : waddr1 + out_pitch0;
        we1    <= we0 && (joined ? turns[XW-1:0] == LAST : {{(3-XW){1'b0}}, turns[XW-1:0]} < live0);
    end
    flx_delay #(.W(AW + 1), .N(REST - 1)) u_write_rest (
        .clk(clk_lanes), .rst(1'b0), .i({we1, waddr1}), .o({we, waddr})
    );
    flx_delay #(.W(8 + AW + 2 * BW + G), .N(REST)) u_image_rest (
        .clk(clk_lanes), .rst(1'b0),
        .i({img_we0, img_engine0, img_waddr0, img_wbank0, img_wdata0, wbank0}),
        .o({img_we, img_engine, img_waddr, img_wbank, img_wdata, wbank})
    );

    // ---------------------------------------------------------------- fields, and all together
    wire         scaled, pool_sum, parity;
    wire [4:0]   shift;
    wire [15:0]  skip_m;
    wire [3:0]   pool_shift;
    wire [RAW:0] rd_res;

    flx_late #(.W(29 + RAW), .PIXELS(PIXELS), .D(PIXELS)) u_constants (
        .clk(clk), .clk_lanes(clk_lanes), .i_take(take),
        .i({i_skip_m, i_scaled, i_shift, i_pool_sum, i_pool_shift, i_parity, i_rd_res}),
        .o({skip_m, scaled, shift, pool_sum, pool_shift, parity, rd_res})
    );

    // Logits are those of the first position.
    wire             once    = firsts[AT_V%PIXELS];
    wire [XW-1:0]    turn_v  = turns[(AT_V%PIXELS)*XW +: XW];
    wire [XW-1:0]    turn_s  = turns[(AT_KEPT%PIXELS)*XW +: XW];
    wire [XW-1:0]    turn    = turns[((AT_SUM-3)%PIXELS)*XW +: XW];
    wire [SW+XW-1:0] v_waddr = scaled ? {step_v, turn_v} : {step_s, turn_s};

    assign o_bus = {sign, param, skip_m, aaddr, mask, running, rd_engine, rd_result, valid, first, double,
                    skip_load, 5'd0, skip_bank, capture, fire_add, fire, step, turn, add_code, add_v,
                    !scaled, scaled ? fire_v : fire_s, v_waddr, shift, pool_sum, pool_shift,
                    !joined || firsts[(AT_CODE+2)%PIXELS], code_en,
                    is_null, pool_first, v_load && once, v_next && once, we, waddr, wbank, img_we,
                    img_engine, img_waddr, img_wbank, img_wdata, res_we && once && !res_waddr[RAW],
                    parity, res_waddr[RAW-1:0], rd_res};
endmodule
`default_nettype wire
