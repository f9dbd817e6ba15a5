// SPDX-License-Identifier: Apache-2.0
// flx_station: an engine at its place in the chain: what passes it (flx_hop) is taken apart here,
// in the order in which flx_core puts it together.
//
//   K … AMEM_KIND, PIPE, PIXELS   as in flx_engine
//   BUS_W        bits that pass
//
//   i_index        number of the engine, constant: a port, so that all engines are one module
//   i_bus, o_bus   from the station before, to the next one
//   the rest     as in flx_engine
`default_nettype none
module flx_station #(
    parameter K          = 8,
    parameter T          = 8,
    parameter N_OUT      = 32,
    parameter ACT_W      = 8,
    parameter ACC_W      = 22,
    parameter LANES      = 0,
    parameter FAN        = 0,
    parameter RQ         = 4,
    parameter AMEM_WORDS = 1024,
    parameter SKIP       = 1,
    parameter SCALED     = 0,
    parameter POOL_BITS  = 6,
    parameter RAW        = 4,
    parameter AMEM_KIND  = 0,
    parameter PIPE       = 0,
    parameter PIXELS     = 1,
    parameter BUS_W      = 512
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [6:0]         i_index,
    input  wire [BUS_W-1:0]   i_bus,
    output wire [BUS_W-1:0]   o_bus,
    output wire [K*ACT_W-1:0] o_raw,
    input  wire [K*ACT_W-1:0] i_act,
    input  wire [K*ACT_W-1:0] i_raw,
    output wire [4*ACT_W-1:0] o_granule,
    output wire [31:0]        o_result,
    input  wire [31:0]        i_answer,
    output wire [31:0]        o_answer
);
    localparam KB = K / 4;
    localparam BW = (KB > 1) ? $clog2(KB) : 1;
    localparam G  = 4 * ACT_W;
    localparam AW = $clog2(AMEM_WORDS);
    localparam SW = ((T / RQ > 1) ? $clog2(T / RQ) : 1) + $clog2(PIXELS);

    wire [K*T-1:0]     e_sign;
    wire [48*RQ-1:0]   e_param;
    wire [15:0]        e_skip_m;
    wire [AW-1:0]      e_raddr, e_waddr, e_img_waddr;
    wire [KB-1:0]      e_mask;
    wire [14:0]        unused_engines;
    wire               e_running, e_valid, e_first, e_double, e_skip_load;
    wire               e_capture, e_fire_add, e_fire, e_add_code, e_add_v, e_combine, e_v_we;
    wire               e_fresh, e_pool_sum, e_code_en, e_null, e_pool_first, e_v_load, e_v_next;
    wire               e_we, e_img_we, e_res_we;
    wire [4:0]         e_skip_word, e_shift;
    wire [BW-1:0]      e_skip_bank, e_wbank, e_img_wbank;
    wire [SW-1:0]      e_step, e_v_waddr;
    wire [3:0]         e_pool_shift;
    wire [G-1:0]       e_img_wdata;
    wire [RAW:0]       e_res_waddr, e_res_raddr;

    // Which engine an image's granule or the host's read is for: looked at in the word that comes,
    // so that the answer is two registers away from where it is needed when the word is here.
    localparam IMG_ENGINE = 2 * (RAW + 1) + 1 + G + BW + AW;
    localparam RD_ENGINE  = BUS_W - (K * T + 48 * RQ + 16 + AW + KB + 1 + 7);
    wire img_mine, rd_result, rd_act;
    wire rd_mine = i_bus[RD_ENGINE +: 7] == i_index;
    flx_delay #(.W(3), .N(PIPE != 0 ? 2 : 0)) u_mine (
        .clk(clk), .rst(1'b0), .o({img_mine, rd_result, rd_act}),
        .i({i_bus[IMG_ENGINE +: 7] == i_index, rd_mine && i_bus[RD_ENGINE-1],
            rd_mine && !i_bus[RD_ENGINE-1]})
    );

    // Signs: each has few readers in the engine, so that the passing register serves it too.
    localparam REST = BUS_W - K * T;
    flx_delay #(.W(K * T), .N(PIPE != 0 ? 1 : 0)) u_sign (
        .clk(clk), .rst(1'b0), .i(i_bus[REST +: K*T]), .o(e_sign)
    );
    assign o_bus[REST +: K*T] = e_sign;

    flx_hop #(.W(REST), .DIRECT(PIPE == 0)) u_hop (
        .clk(clk), .i(i_bus[REST-1:0]), .o_next(o_bus[REST-1:0]),
        .o_here({e_param, e_skip_m, e_raddr, e_mask, e_running, unused_engines[14:7],
                 e_valid, e_first, e_double, e_skip_load, e_skip_word, e_skip_bank,
                 e_capture, e_fire_add, e_fire, e_step, e_add_code, e_add_v, e_combine, e_v_we,
                 e_v_waddr, e_shift, e_pool_sum, e_pool_shift, e_fresh, e_code_en, e_null,
                 e_pool_first, e_v_load, e_v_next, e_we, e_waddr, e_wbank, e_img_we,
                 unused_engines[6:0], e_img_waddr, e_img_wbank, e_img_wdata, e_res_we,
                 e_res_waddr, e_res_raddr})
    );

    flx_engine #(
        .K(K), .T(T), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES), .FAN(FAN),
        .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .SKIP(SKIP), .SCALED(SCALED),
        .POOL_BITS(POOL_BITS), .RAW(RAW), .AMEM_KIND(AMEM_KIND), .PIPE(PIPE), .PIXELS(PIXELS)
    ) u_engine (
        .clk(clk), .rst(rst), .i_raddr(e_raddr), .i_mask(e_mask),
        .o_raw(o_raw), .i_act(i_act), .i_raw(i_raw),
        .o_granule(o_granule), .i_sign(e_sign), .i_valid(e_valid),
        .i_first(e_first), .i_double(e_double), .i_skip_load(e_skip_load),
        .i_skip_word(e_skip_word), .i_skip_bank(e_skip_bank), .i_capture(e_capture),
        .i_fire_add(e_fire_add), .i_fire(e_fire), .i_step(e_step), .i_param(e_param),
        .i_skip_m(e_skip_m), .i_add_code(e_add_code),
        .i_add_v(e_add_v), .i_combine(e_combine), .i_v_we(e_v_we), .i_v_waddr(e_v_waddr),
        .i_shift(e_shift), .i_pool_sum(e_pool_sum), .i_pool_shift(e_pool_shift),
        .i_fresh(e_fresh),
        .i_code_en(e_code_en), .i_null(e_null), .i_pool_first(e_pool_first),
        .i_v_load(e_v_load), .i_v_next(e_v_next), .i_we(e_we), .i_waddr(e_waddr),
        .i_wbank(e_wbank), .i_img_we(e_img_we && img_mine),
        .i_img_waddr(e_img_waddr), .i_img_wbank(e_img_wbank), .i_img_wdata(e_img_wdata),
        .i_res_we(e_res_we), .i_res_waddr(e_res_waddr), .i_res_raddr(e_res_raddr),
        .o_result(o_result), .i_running(e_running), .i_rd_act(rd_act),
        .i_rd_result(rd_result), .i_answer(i_answer),
        .o_answer(o_answer)
    );
endmodule
`default_nettype wire
