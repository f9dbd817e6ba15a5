// SPDX-License-Identifier: Apache-2.0
// flx_engine: what one image needs: activation memory, lanes, requantiser, results. All
// engines run in lockstep on the same weights and under the same control.
//
//   K, T, N_OUT, ACT_W, ACC_W, LANES, FAN, RQ, AMEM_WORDS, SKIP, SCALED, POOL_BITS   as in
//                flx_core
//   PIPE         as in flx_core: memories answer a clock later
//   PIXELS       as in flx_requant
//   RAW          bits of a result address within one half of the result memory
//   AMEM_KIND    1: the activation memory is outside: i_act and i_raw are its answers, o_granule
//                goes there, and i_raddr, i_we … are not used
//
//   i_raddr      activation word; o_raw one clock later, with it i_mask; i_sign, i_valid,
//                i_first and i_double one more clock later (flx_lanes with CODED = 1)
//   i_skip_load …  flx_requant, with o_raw; i_capture …  flx_requant
//   i_we …       write of the requantiser's granule; goes before
//   i_img_we …   a granule of the image loader
//   i_res_we …   write of a result; o_result one clock after i_res_raddr
//   i_running    0: the host may read. With i_mask, as the next two
//   i_rd_result, i_rd_act   PIPE: this engine answers, with the result of i_res_raddr or
//                else with the only granule that i_mask lets through
//   i_answer     PIPE: what the engine before passes on; o_answer the same or the answer
`default_nettype none
module flx_engine #(
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
    parameter AW         = $clog2(AMEM_WORDS),
    parameter BW         = (K / 4 > 1) ? $clog2(K / 4) : 1,
    parameter SW         = ((T / RQ > 1) ? $clog2(T / RQ) : 1) + $clog2(PIXELS)
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [AW-1:0]      i_raddr,
    input  wire [K/4-1:0]     i_mask,
    output wire [K*ACT_W-1:0] o_raw,
    input  wire [K*ACT_W-1:0] i_act,
    input  wire [K*ACT_W-1:0] i_raw,
    output wire [4*ACT_W-1:0] o_granule,
    input  wire [K*T-1:0]     i_sign,
    input  wire               i_valid,
    input  wire               i_first,
    input  wire               i_double,
    input  wire               i_skip_load,
    input  wire [4:0]         i_skip_word,
    input  wire [BW-1:0]      i_skip_bank,
    input  wire               i_capture,
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
    input  wire               i_v_load,
    input  wire               i_v_next,
    input  wire               i_we,
    input  wire [AW-1:0]      i_waddr,
    input  wire [BW-1:0]      i_wbank,
    input  wire               i_img_we,
    input  wire [AW-1:0]      i_img_waddr,
    input  wire [BW-1:0]      i_img_wbank,
    input  wire [4*ACT_W-1:0] i_img_wdata,
    input  wire               i_res_we,
    input  wire [RAW:0]       i_res_waddr,
    input  wire [RAW:0]       i_res_raddr,
    output wire [31:0]        o_result,
    input  wire               i_running,
    input  wire               i_rd_result,
    input  wire               i_rd_act,
    input  wire [31:0]        i_answer,
    output wire [31:0]        o_answer
);
    wire [K*ACT_W-1:0] act;
    wire [T*ACC_W-1:0] sum;
    wire [4*ACT_W-1:0] granule;
    wire [31:0]        v;

    assign o_granule = granule;

    generate
        if (AMEM_KIND != 0) begin : g_outside
            assign act   = i_act;
            assign o_raw = i_raw;
        end else begin : g_act_mem
            flx_act_mem #(
                .K    (K),
                .ACT_W(ACT_W),
                .WORDS(AMEM_WORDS),
                .REG  (PIPE),
                .FAR  (PIXELS > 1 ? 2 : 0)
            ) u_act_mem (
                .clk    (clk),
                .i_raddr(i_raddr),
                .i_mask (i_mask),
                .o_raw  (o_raw),
                .o_act  (act),
                .i_we   (i_we || i_img_we),
                .i_waddr(i_we ? i_waddr : i_img_waddr),
                .i_wbank(i_we ? i_wbank : i_img_wbank),
                .i_wdata(i_we ? granule : i_img_wdata)
            );
        end
    endgenerate

    flx_lanes #(
        .K    (K),
        .T    (T),
        .N_OUT(N_OUT),
        .ACT_W(ACT_W),
        .ACC_W(ACC_W),
        .LANES(LANES),
        .CODED(1),
        .FAN  (FAN),
        .PIXELS(PIXELS)
    ) u_lanes (
        .clk    (clk),
        .rst    (rst),
        .i_act  (act),
        .i_sign (i_sign),
        .i_valid(i_valid),
        .i_first(i_first),
        .i_double(i_double),
        .o_sum  (sum)
    );

    flx_requant #(
        .K        (K),
        .T        (T),
        .RQ       (RQ),
        .ACT_W    (ACT_W),
        .ACC_W    (ACC_W),
        .PICK     (LANES == 2),
        .SKIP     (SKIP),
        .SCALED   (SCALED),
        .POOL_BITS(POOL_BITS),
        .PIXELS   (PIXELS)
    ) u_requant (
        .clk         (clk),
        .i_sum       (sum),
        .i_capture   (i_capture),
        .i_raw       (o_raw),
        .i_skip_load (i_skip_load),
        .i_skip_word (i_skip_word),
        .i_skip_bank (i_skip_bank),
        .i_fire_add  (i_fire_add),
        .i_fire      (i_fire),
        .i_step      (i_step),
        .i_param     (i_param),
        .i_skip_m    (i_skip_m),
        .i_add_code  (i_add_code),
        .i_add_v     (i_add_v),
        .i_combine   (i_combine),
        .i_v_we      (i_v_we),
        .i_v_waddr   (i_v_waddr),
        .i_shift     (i_shift),
        .i_pool_sum  (i_pool_sum),
        .i_pool_shift(i_pool_shift),
        .i_fresh     (i_fresh),
        .i_code_en   (i_code_en),
        .i_null      (i_null),
        .i_pool_first(i_pool_first),
        .o_granule   (granule),
        .i_v_load    (i_v_load),
        .i_v_next    (i_v_next),
        .o_v         (v)
    );

    flx_ram #(
        .W    (32),
        .DEPTH(2 << RAW),
        .REG  (PIPE)
    ) u_results (
        .clk    (clk),
        .i_we   (i_res_we),
        .i_waddr(i_res_waddr),
        .i_wdata(v),
        .i_raddr(i_res_raddr),
        .o_rdata(o_result)
    );

    generate
        if (PIPE != 0) begin : g_answer
            // What the host reads stays, so that it may be late.
            localparam         LATE = (PIXELS > 1) ? 1 : 0;
            wire               opens, mute; // act is what the host reads, o_result is not
            reg                open;
            reg  [31:0]        result, answer;
            reg  [4*ACT_W-1:0] granule_read;
            wire [4*ACT_W-1:0] code;
            integer            b;
            always @* begin
                granule_read = {4*ACT_W{1'b0}};
                for (b = 0; b < K / 4; b = b + 1)
                    granule_read = granule_read | act[4*ACT_W*b +: 4*ACT_W];
            end
            flx_delay #(.W(2), .N(LATE)) u_what (
                .clk(clk), .rst(1'b0), .i({!i_rd_result, i_rd_act && !i_running}), .o({mute, opens})
            );
            if (LATE != 0) begin : g_late
                reg [4*ACT_W-1:0] taken;
                always @(posedge clk)
                    if (!open) taken <= {4*ACT_W{1'b0}};
                    else taken <= granule_read;
                assign code = taken;
            end else begin : g_now
                assign code = granule_read & {4*ACT_W{open}};
            end
            always @(posedge clk) begin
                if (mute) result <= 32'd0;
                else result <= o_result;
                open   <= opens;
                answer <= i_answer | result | {{(32-4*ACT_W){1'b0}}, code};
            end
            assign o_answer = answer;
        end else begin : g_no_answer
            assign o_answer = 32'd0;
        end
    endgenerate
endmodule
`default_nettype wire
