// SPDX-License-Identifier: Apache-2.0
// flx_store: the memory of a core with one engine and K = 16 whose maps and weights share one
// single-port memory (four SPRAMs of an iCE40UP5K), and a cache of rows in front of it.
//
//   AMEM_WORDS   activation words of 16 codes, a power of two from 1024 on: the whole store, of
//                which resident weights take the top
//
//   i_skip_now …  flx_store_port; o_raw, 2 clocks later: the word
//   i_rd, i_rd_word, i_rd_half   read for the host; o_raw, one clock later: its half in both places
//   i_map_start …  flx_act_fill
//   i_raddr, i_mask, o_act   flx_act_cache
//   i_ld_…, o_buf_…, i_run   flx_weight_replay
`default_nettype none
module flx_store #(
    parameter K          = 16,
    parameter T          = 16,
    parameter P          = 1,
    parameter ACT_W      = 8,
    parameter AMEM_WORDS = 8192,
    parameter AW         = $clog2(AMEM_WORDS)
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_map_start,
    input  wire          i_map_again,
    input  wire          i_map_whole,
    input  wire [AW-1:0] i_map_base,
    input  wire [15:0]   i_map_row_words,
    input  wire [15:0]   i_map_rows,
    input  wire [AW-1:0] i_map_oldest,
    output wire [15:0]   o_map_rows,
    input  wire [AW-1:0] i_raddr,
    input  wire [3:0]    i_mask,
    output wire [127:0]  o_act,
    input  wire          i_skip_now,
    input  wire [AW-1:0] i_skip_addr,
    input  wire          i_skip_load,
    input  wire          i_rd,
    input  wire [AW-1:0] i_rd_word,
    input  wire          i_rd_half,
    output wire [127:0]  o_raw,
    input  wire          i_we,
    input  wire [AW-1:0] i_waddr,
    input  wire [1:0]    i_wbank,
    input  wire [31:0]   i_wdata,
    input  wire          i_img_we,
    input  wire [AW-1:0] i_img_waddr,
    input  wire [1:0]    i_img_wbank,
    input  wire [31:0]   i_img_wdata,
    output wire          o_img_grant,
    input  wire          i_ld_start,
    input  wire          i_ld_first,
    input  wire          i_ld_valid,
    input  wire [7:0]    i_ld_data,
    output wire          o_ld_ready,
    output wire          o_ld_idle,
    input  wire          i_run,
    output wire          o_buf_start,
    output wire [5:0]    o_buf_nin,
    output wire          o_buf_valid,
    output wire [7:0]    o_buf_data,
    input  wire          i_buf_ready
);
    generate
        if (K != 16 || P != 1 || ACT_W != 8 || (T != 8 && T != 16)) begin : g_check_shape
            flx_error_AMEM_KIND_1_needs_K_16_T_8_or_16_P_1_ACT_W_8 stop ();
        end
        if (AMEM_WORDS < 1024 || (1 << AW) != AMEM_WORDS) begin : g_check_words
            flx_error_AMEM_WORDS_must_be_a_power_of_two_from_1024_on stop ();
        end
    endgenerate

    wire          w_req, w_we, w_grant, fill_req, fill_half, fill_grant;
    wire          cache_we, cache_half;
    wire [AW:0]   w_addr;
    wire [AW-1:0] fill_addr;
    wire [7:0]    cache_place;
    wire [63:0]   w_data, low, rdata;

    assign o_raw = {rdata, i_skip_load ? low : rdata};

    flx_store_port #(
        .AW(AW)
    ) u_port (
        .clk(clk), .rst(rst), .i_skip(i_skip_now), .i_skip_addr(i_skip_addr), .i_we(i_we),
        .i_waddr(i_waddr), .i_wbank(i_wbank), .i_wdata(i_wdata), .i_img_we(i_img_we),
        .i_img_waddr(i_img_waddr), .i_img_wbank(i_img_wbank), .i_img_wdata(i_img_wdata),
        .o_img_grant(o_img_grant), .i_w_req(w_req), .i_w_we(w_we), .i_w_addr(w_addr),
        .i_w_data(w_data), .o_w_grant(w_grant), .i_fill_req(fill_req),
        .i_fill_addr({fill_addr, fill_half}), .o_fill_grant(fill_grant),
        .i_rd(i_rd), .i_rd_addr({i_rd_word, i_rd_half}), .o_low(low), .o_rdata(rdata)
    );

    flx_act_fill #(
        .AW(AW)
    ) u_fill (
        .clk(clk), .rst(rst), .i_start(i_map_start), .i_again(i_map_again),
        .i_whole(i_map_whole), .i_base(i_map_base), .i_row_words(i_map_row_words),
        .i_rows(i_map_rows), .i_oldest(i_map_oldest), .o_req(fill_req), .o_addr(fill_addr),
        .o_half(fill_half), .i_grant(fill_grant), .o_we(cache_we), .o_place(cache_place),
        .o_place_half(cache_half), .o_rows(o_map_rows)
    );

    flx_act_cache u_cache (
        .clk(clk), .i_raddr(i_raddr[7:0]), .i_mask(i_mask), .o_act(o_act), .i_we(cache_we),
        .i_waddr(cache_place), .i_whalf(cache_half), .i_wdata(rdata)
    );

    flx_weight_replay #(
        .SW(AW + 1)
    ) u_replay (
        .clk(clk), .rst(rst), .i_load(i_ld_start), .i_first(i_ld_first), .i_valid(i_ld_valid),
        .i_data(i_ld_data), .o_ready(o_ld_ready), .o_idle(o_ld_idle), .i_run(i_run),
        .o_req(w_req), .o_we(w_we), .o_addr(w_addr), .o_wdata(w_data), .i_grant(w_grant),
        .i_rdata(rdata), .o_start(o_buf_start), .o_nin(o_buf_nin), .o_valid(o_buf_valid),
        .o_data(o_buf_data), .i_ready(i_buf_ready)
    );
endmodule
`default_nettype wire
