// SPDX-License-Identifier: Apache-2.0
// flx_in_step: brings what the core says to the engines in step, in the core's own clock (flx_pixels
// does it for PIXELS > 1): a word's masks with its activations, its signs and flags a clock later.
//
//   K … SKIP   as in flx_core
//   MEM        clocks of the memories
//   HOP        1: signs need a clock less than all else from here to the lanes (flx_station)
//   AW, BW, RAW, SW   bits of an activation address, a bank, a result address, a step
//
//   i_…        words as they leave the sequencer, signs MEM + 1 clocks after them (LANES = 1: one more); steps of
//              flx_requant_ctl MEM - 1 clocks before the sums they work on; parameters
//   o_bus      what passes the engines (flx_station)
//   o_mask, o_skip_load, o_we …   for flx_store
`default_nettype none
module flx_in_step #(
    parameter K       = 16,
    parameter T       = 16,
    parameter ACT_W   = 8,
    parameter LANES   = 0,
    parameter FAN     = 0,
    parameter RQ      = 4,
    parameter SKIP    = 1,
    parameter MEM     = 1,
    parameter HOP     = 0,
    parameter AW      = 10,
    parameter BW      = 1,
    parameter RAW     = 4,
    parameter SW      = 2,
    parameter BUS_W   = 1,
    parameter KB      = K / 4,
    parameter G       = 4 * ACT_W
) (
    input  wire             clk,
    input  wire             rst,
    output wire [BUS_W-1:0] o_bus,
    output wire [KB-1:0]    o_mask,
    output wire             o_skip_load,
    input  wire             i_running,
    input  wire             i_valid,
    input  wire             i_first,
    input  wire             i_double,
    input  wire [AW-1:0]    i_aaddr,
    input  wire [KB-1:0]    i_mask,
    input  wire             i_skip_read,
    input  wire [4:0]       i_skip_word,
    input  wire [BW-1:0]    i_skip_bank,
    input  wire [K*T-1:0]   i_sign,
    input  wire [6:0]       i_rd_engine,
    input  wire             i_rd_result,
    input  wire [RAW:0]     i_rd_res,
    input  wire             i_scaled,
    input  wire [4:0]       i_shift,
    input  wire             i_pool_sum,
    input  wire [3:0]       i_pool_shift,
    input  wire [15:0]      i_skip_m,
    input  wire [48*RQ-1:0] i_param,
    input  wire             i_parity,
    input  wire             i_capture,
    input  wire             i_fire_add,
    input  wire             i_fire,
    input  wire [SW-1:0]    i_step,
    input  wire             i_add_code,
    input  wire             i_add_v,
    input  wire             i_v_we,
    input  wire [SW-1:0]    i_v_waddr,
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
    output wire             o_we,
    output wire [AW-1:0]    o_waddr,
    output wire [BW-1:0]    o_wbank,
    input  wire             i_img_we,
    input  wire [6:0]       i_img_engine,
    input  wire [AW-1:0]    i_img_waddr,
    input  wire [BW-1:0]    i_img_wbank,
    input  wire [G-1:0]     i_img_wdata
);
    // ---------------------------------------------------------------- words
    wire          running, rd_result, valid, first, double;
    wire [6:0]    rd_engine;
    wire [4:0]    skip_word;
    wire [BW-1:0] skip_bank;

    flx_delay #(.W(KB + 9), .N(MEM)) u_delay_mask (
        .clk(clk), .rst(rst), .i({i_mask, i_running, i_rd_result, i_rd_engine}),
        .o({o_mask, running, rd_result, rd_engine})
    );
    flx_delay #(.W(BW + 6), .N(MEM)) u_delay_skip (
        .clk(clk), .rst(rst), .i({i_skip_read, i_skip_word, i_skip_bank}),
        .o({o_skip_load, skip_word, skip_bank})
    );
    flx_delay #(.W(3), .N(MEM + 1)) u_delay_word (
        .clk(clk), .rst(rst), .i({i_valid, i_first, i_double}), .o({valid, first, double})
    );

    // ---------------------------------------------------------------- steps of the requantiser
    localparam       CTL_W = 13 + 2 * SW + AW + BW + RAW + 1;
    wire [CTL_W-1:0] ctl;
    wire             capture, fire_add, fire, add_code, add_v, v_we, code_en, code_null;
    wire             pool_first, v_load, v_next, res_we, multiply_skip;
    wire [SW-1:0]    step, v_waddr;
    wire [RAW:0]     res_waddr;
    wire [48*RQ-1:0] param;

    flx_delay #(.W(CTL_W), .N(MEM - 1)) u_delay_ctl (
        .clk(clk), .rst(rst),
        .i({i_capture, i_fire_add, i_fire, i_step, i_add_code, i_add_v, i_v_we, i_v_waddr,
            i_code_en, i_null, i_pool_first, i_v_load, i_v_next, i_we, i_waddr, i_wbank,
            i_res_we, i_res_waddr}),
        .o(ctl)
    );
    assign {capture, fire_add, fire, step, add_code, add_v, v_we, v_waddr, code_en, code_null,
            pool_first, v_load, v_next, o_we, o_waddr, o_wbank, res_we, res_waddr} = ctl;

    // The multiplier takes skip_m for the codes that are added.
    flx_delay #(.W(1), .N(1)) u_delay_add (
        .clk(clk), .rst(rst), .i(fire_add), .o(multiply_skip)
    );

    genvar r;
    generate
        for (r = 0; r < RQ; r = r + 1) begin : g_param
            assign param[48*r +: 48] = {i_param[48*r+16 +: 32],
                (SKIP == 1 && multiply_skip) ? i_skip_m : i_param[48*r +: 16]};
        end
    endgenerate

    // Pairs take their signs a clock after the activations: they come at that time.
    wire [K*T-1:0] code, sign;
    flx_lanes_code #(.LANES(LANES == 2 ? 2 : 0), .N(K * T), .REG(FAN != 0 ? 1 : 0)) u_code (
        .clk(clk), .i_sign(i_sign), .o_code(code)
    );
    flx_delay #(.W(K * T), .N(HOP)) u_delay_sign (.clk(clk), .rst(1'b0), .i(code), .o(sign));

    assign o_bus = {sign, param, i_skip_m, i_aaddr, o_mask, running, rd_engine, rd_result, valid, first,
                    double, o_skip_load, skip_word, skip_bank, capture, fire_add, fire, step,
                    add_code, add_v, !i_scaled, v_we, v_waddr, i_shift, i_pool_sum, i_pool_shift,
                    1'b1, code_en, code_null, pool_first, v_load, v_next, o_we, o_waddr, o_wbank,
                    i_img_we, i_img_engine, i_img_waddr, i_img_wbank, i_img_wdata,
                    res_we && !res_waddr[RAW], i_parity, res_waddr[RAW-1:0], i_rd_res};
endmodule
`default_nettype wire
