// SPDX-License-Identifier: Apache-2.0
// The link without the core: frame receiver, command processor, frame sender and
// device description. Parameters (OPTIONS: see flx_description) and stream ports as in
// flx_top, core ports as in
// docs/architecture.md seen from the other side.
`default_nettype none

module flx_link #(
    parameter K             = 16,
    parameter T             = 16,
    parameter P             = 1,
    parameter PIXELS        = 1,
    parameter N_OUT         = 32,
    parameter NIN_MAX       = 32,
    parameter ACT_W         = 8,
    parameter ACC_W         = 22,
    parameter RQ            = 1,
    parameter AMEM_WORDS    = 1024,
    parameter WMEM_WORDS    = 1024,
    parameter PMEM_CH       = 1024,
    parameter PROG_LAYERS   = 8,
    parameter RES_WORDS     = 16,
    parameter WIN_MAX       = 32,
    parameter OPTIONS       = 0,
    parameter MAX_PAYLOAD   = 1024,
    parameter FRAME_TIMEOUT = 1048576,
    parameter WATCHDOG      = 16777216,
    parameter CLK_KHZ       = 12000,
    parameter BUILD_ID      = 0,
    parameter XOR_HASH      = 0,
    parameter XOR_NMIN      = 1,
    parameter XOR_NMAX      = 32,
    parameter XOR_KIND      = 0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        i_rx_valid,
    input  wire [7:0]  i_rx_data,
    output wire        o_rx_ready,
    output wire        o_tx_valid,
    output wire [7:0]  o_tx_data,
    input  wire        i_tx_ready,
    output wire        o_core_rst,
    output wire        o_ld_start,
    output wire [2:0]  o_ld_target,
    output wire [7:0]  o_ld_arg,
    output wire [31:0] o_ld_addr,
    output wire        o_ld_valid,
    output wire [7:0]  o_ld_data,
    input  wire        i_ld_ready,
    input  wire        i_ld_idle,
    output wire        o_run,
    output wire [7:0]  o_run_flags,
    output wire [7:0]  o_run_last,
    input  wire        i_busy,
    output wire        o_rd_en,
    output wire [1:0]  o_rd_target,
    output wire [7:0]  o_rd_arg,
    output wire [31:0] o_rd_addr,
    input  wire        i_rd_valid,
    input  wire [31:0] i_rd_data
);
    localparam AB = $clog2(MAX_PAYLOAD);

    generate
        if (MAX_PAYLOAD < 64)
            flx_error_max_payload_must_be_at_least_64 u_error ();
    endgenerate

    // Time-outs count ticks, at least four to eight of which fit into each.
    localparam SHORT = FRAME_TIMEOUT < WATCHDOG ? FRAME_TIMEOUT : WATCHDOG;
    localparam TICK  = SHORT < 32 ? 0 : $clog2(SHORT) - 3;
    reg [TICK:0] clocks;
    wire         tick = clocks[TICK];

    always @(posedge clk)
        clocks <= rst ? {(TICK + 1) {1'b0}} : TICK == 0 ? {(TICK + 1) {1'b1}} :
                  {1'b0, clocks[TICK == 0 ? 0 : TICK - 1:0]} + 1'b1;

    wire          frame_valid, frame_crc_ok, frame_take;
    wire [3:0]    frame_type;
    wire [7:0]    frame_seq;
    wire [AB:0]   frame_len;
    wire          buf_en;
    wire [AB-1:0] buf_addr;
    wire [7:0]    buf_data;
    wire          tx_start, tx_poison, tx_valid, tx_ready, tx_idle;
    wire [7:0]    tx_type, tx_seq, tx_data;
    wire [AB:0]   tx_len;
    wire [5:0]    desc_index;
    wire [7:0]    desc_byte;

    flx_frame_rx #(
        .MAX_PAYLOAD(MAX_PAYLOAD), .FRAME_TIMEOUT(FRAME_TIMEOUT), .TICK(TICK)
    ) u_rx (
        .clk(clk), .rst(rst), .i_tick(tick),
        .i_rx_valid(i_rx_valid), .i_rx_data(i_rx_data), .o_rx_ready(o_rx_ready),
        .o_valid(frame_valid), .o_type(frame_type), .o_seq(frame_seq), .o_len(frame_len),
        .o_crc_ok(frame_crc_ok), .i_take(frame_take),
        .i_buf_en(buf_en), .i_buf_addr(buf_addr), .o_buf_data(buf_data)
    );

    flx_command #(
        .K(K), .P(P), .NIN_MIN(XOR_NMIN), .NIN_MAX(NIN_MAX), .SLICES(K * T / N_OUT),
        .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS), .PMEM_CH(PMEM_CH),
        .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .MAX_PAYLOAD(MAX_PAYLOAD),
        .WATCHDOG(WATCHDOG), .TICK(TICK)
    ) u_command (
        .clk(clk), .rst(rst), .i_tick(tick),
        .i_frame_valid(frame_valid), .i_frame_type(frame_type), .i_frame_seq(frame_seq),
        .i_frame_len(frame_len), .i_frame_crc_ok(frame_crc_ok), .o_take(frame_take),
        .o_buf_en(buf_en), .o_buf_addr(buf_addr), .i_buf_data(buf_data),
        .o_tx_start(tx_start), .o_tx_type(tx_type), .o_tx_seq(tx_seq), .o_tx_len(tx_len),
        .o_tx_poison(tx_poison), .o_tx_valid(tx_valid), .o_tx_data(tx_data),
        .i_tx_ready(tx_ready), .i_tx_idle(tx_idle),
        .o_desc_index(desc_index), .i_desc_byte(desc_byte),
        .o_core_rst(o_core_rst), .o_ld_start(o_ld_start), .o_ld_target(o_ld_target),
        .o_ld_arg(o_ld_arg), .o_ld_addr(o_ld_addr), .o_ld_valid(o_ld_valid),
        .o_ld_data(o_ld_data), .i_ld_ready(i_ld_ready), .i_ld_idle(i_ld_idle),
        .o_run(o_run), .o_run_flags(o_run_flags), .o_run_last(o_run_last), .i_busy(i_busy),
        .o_rd_en(o_rd_en), .o_rd_target(o_rd_target), .o_rd_arg(o_rd_arg), .o_rd_addr(o_rd_addr),
        .i_rd_valid(i_rd_valid), .i_rd_data(i_rd_data)
    );

    flx_frame_tx #(
        .MAX_PAYLOAD(MAX_PAYLOAD)
    ) u_tx (
        .clk(clk), .rst(rst),
        .i_start(tx_start), .i_type(tx_type), .i_seq(tx_seq), .i_len(tx_len),
        .i_poison(tx_poison), .i_valid(tx_valid), .i_data(tx_data), .o_ready(tx_ready),
        .o_idle(tx_idle),
        .o_tx_valid(o_tx_valid), .o_tx_data(o_tx_data), .i_tx_ready(i_tx_ready)
    );

    flx_description #(
        .K(K), .T(T), .P(P), .PIXELS(PIXELS), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX), .ACT_W(ACT_W),
        .ACC_W(ACC_W), .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS), .PMEM_CH(PMEM_CH),
        .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .WIN_MAX(WIN_MAX),
        .OPTIONS(OPTIONS), .MAX_PAYLOAD(MAX_PAYLOAD), .CLK_KHZ(CLK_KHZ), .BUILD_ID(BUILD_ID), .XOR_HASH(XOR_HASH),
        .XOR_NMIN(XOR_NMIN), .XOR_NMAX(XOR_NMAX), .XOR_KIND(XOR_KIND)
    ) u_description (
        .i_index(desc_index), .o_byte(desc_byte)
    );
endmodule

`default_nettype wire
