// SPDX-License-Identifier: Apache-2.0
// The accelerator behind a byte stream: link and core. The XOR network comes from
// flx_xornet.vh (`flexor xornet --verilog FILE`), link constants from flx_proto.vh.
//
// Parameters of the core (docs/architecture.md)
// K, T, P       inputs x output channels x engines of the array
// PIXELS        outputs of a row that the engines compute in a cycle of clk, one after the other
// N_OUT         weights a slice, must be the XOR network's
// NIN_MAX       largest n_in that the decryptors take
// ACT_W, ACC_W  bits of an activation code and of an accumulator
// LANES, FAN    structure of the lanes (docs/lanes.md)
// RQ            requantiser lanes an engine
// AMEM_WORDS    activation words an engine
// WMEM_WORDS    weight words (a power of two)
// PMEM_CH       channel entries of the parameter memory
// PROG_LAYERS   layers of the program memory
// RES_WORDS     results an engine
// WIN_MAX       largest image window in bytes
// SKIP, WINDOWS, SCALED, POOL_BITS   what layers may do
// AMEM_KIND     1: one store for maps and resident weights, with a cache of rows
// LOADER, COUNTERS   1, 0: the small image loader, no counters (flx_core)
// PIPE          1: for high clocks on the ECP5
// Parameters of the link (docs/link.md)
// MAX_PAYLOAD   largest payload in bytes, a power of two, 64 ... 32768
// FRAME_TIMEOUT clocks of idle line after which an incomplete frame is dropped
// WATCHDOG      clocks after which a wait inside the device ends with ST_TIMEOUT;
//               longer than the longest run
// CLK_KHZ, BUILD_ID, RTS_CTS  for the description only
//
// clk_lanes     clock of the engines: PIXELS times clk, of the same PLL, and every edge of clk
//               that rises is one of clk_lanes; not used when PIXELS is 1
// i_link_reset  while 1: drops frames in both directions and resets the core; both
//               resets act two clocks later, and bytes taken meanwhile are lost
// i_rx_*        byte stream in: taken in a cycle with i_rx_valid and o_rx_ready
// o_tx_*        byte stream out: o_tx_valid and o_tx_data hold until i_tx_ready
// o_busy        a run is under way
`default_nettype none
`include "flx_xornet.vh"

module flx_top #(
    parameter K             = 16,
    parameter T             = 16,
    parameter P             = 1,
    parameter PIXELS        = 1,
    parameter N_OUT         = `FLX_XOR_NOUT,
    parameter NIN_MAX       = `FLX_XOR_NMAX,
    parameter ACT_W         = 8,
    parameter ACC_W         = 22,
    parameter LANES         = 0,
    parameter FAN           = 0,
    parameter RQ            = 1,
    parameter AMEM_WORDS    = 1024,
    parameter WMEM_WORDS    = 1024,
    parameter PMEM_CH       = 1024,
    parameter PROG_LAYERS   = 8,
    parameter RES_WORDS     = 16,
    parameter WIN_MAX       = 32,
    parameter SKIP          = 1,
    parameter WINDOWS       = 1,
    parameter SCALED        = 0,
    parameter POOL_BITS     = 6,
    parameter AMEM_KIND     = 0,
    parameter LOADER        = 0,
    parameter PIPE          = 0,
    parameter COUNTERS      = 1,
    parameter MAX_PAYLOAD   = 1024,
    parameter FRAME_TIMEOUT = 1048576,
    parameter WATCHDOG      = 16777216,
    parameter CLK_KHZ       = 12000,
    parameter BUILD_ID      = 0,
    parameter RTS_CTS       = 0
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       clk_lanes,
    input  wire       i_link_reset,
    input  wire       i_rx_valid,
    input  wire [7:0] i_rx_data,
    output wire       o_rx_ready,
    output wire       o_tx_valid,
    output wire [7:0] o_tx_data,
    input  wire       i_tx_ready,
    output wire       o_busy
);
    generate
        if (N_OUT != `FLX_XOR_NOUT)
            flx_error_n_out_differs_from_the_xor_network u_error ();
        if (NIN_MAX < `FLX_XOR_NMIN || NIN_MAX > `FLX_XOR_NMAX)
            flx_error_nin_max_is_outside_the_range_of_the_xor_network u_error ();
        if (K * T % N_OUT != 0)
            flx_error_k_times_t_must_be_a_multiple_of_n_out u_error ();
    endgenerate

    wire        core_rst_request;
    wire        ld_start, ld_valid, ld_ready, ld_idle, run, rd_en, rd_valid;
    wire [2:0]  ld_target;
    wire [7:0]  ld_arg, ld_data, run_flags, run_last, rd_arg;
    wire [31:0] ld_addr, rd_addr, rd_data;
    wire [1:0]  rd_target;
    reg         link_rst, core_rst;

    always @(posedge clk) begin
        link_rst <= rst || i_link_reset;
        core_rst <= rst || i_link_reset || core_rst_request;
    end

    flx_link #(
        .K(K), .T(T), .P(P), .PIXELS(PIXELS + (SKIP == 2 ? 16 : 0) + (SCALED == 2 ? 32 : 0)), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX),
        .ACT_W(ACT_W), .ACC_W(ACC_W),
        .RQ(128 * AMEM_KIND + 16 * LANES + RQ), .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS), .PMEM_CH(PMEM_CH),
        .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .WIN_MAX(WIN_MAX),
        .OPTIONS(16 * POOL_BITS + 8 * RTS_CTS + 4 * (SCALED != 0 ? 1 : 0) + 2 * WINDOWS + (SKIP != 0 ? 1 : 0)),
        .MAX_PAYLOAD(MAX_PAYLOAD), .FRAME_TIMEOUT(FRAME_TIMEOUT), .WATCHDOG(WATCHDOG),
        .CLK_KHZ(CLK_KHZ), .BUILD_ID(BUILD_ID), .XOR_HASH(`FLX_XOR_HASH),
        .XOR_NMIN(`FLX_XOR_NMIN), .XOR_NMAX(`FLX_XOR_NMAX), .XOR_KIND(`FLX_XOR_KIND)
    ) u_link (
        .clk(clk), .rst(link_rst),
        .i_rx_valid(i_rx_valid), .i_rx_data(i_rx_data), .o_rx_ready(o_rx_ready),
        .o_tx_valid(o_tx_valid), .o_tx_data(o_tx_data), .i_tx_ready(i_tx_ready),
        .o_core_rst(core_rst_request), .o_ld_start(ld_start), .o_ld_target(ld_target),
        .o_ld_arg(ld_arg), .o_ld_addr(ld_addr), .o_ld_valid(ld_valid), .o_ld_data(ld_data),
        .i_ld_ready(ld_ready), .i_ld_idle(ld_idle),
        .o_run(run), .o_run_flags(run_flags), .o_run_last(run_last), .i_busy(o_busy),
        .o_rd_en(rd_en), .o_rd_target(rd_target), .o_rd_arg(rd_arg), .o_rd_addr(rd_addr),
        .i_rd_valid(rd_valid), .i_rd_data(rd_data)
    );

    flx_core #(
        .K(K), .T(T), .P(P), .PIXELS(PIXELS), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX), .ACT_W(ACT_W),
        .ACC_W(ACC_W),
        .LANES(LANES), .FAN(FAN), .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS),
        .PMEM_CH(PMEM_CH), .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .WIN_MAX(WIN_MAX),
        .SKIP(SKIP), .WINDOWS(WINDOWS), .SCALED(SCALED), .POOL_BITS(POOL_BITS),
        .AMEM_KIND(AMEM_KIND), .LOADER(LOADER), .PIPE(PIPE), .COUNTERS(COUNTERS)
    ) u_core (
        .clk(clk), .rst(core_rst), .clk_lanes(clk_lanes),
        .i_ld_start(ld_start), .i_ld_target(ld_target), .i_ld_arg(ld_arg), .i_ld_addr(ld_addr),
        .i_ld_valid(ld_valid), .i_ld_data(ld_data), .o_ld_ready(ld_ready), .o_ld_idle(ld_idle),
        .i_run(run), .i_run_flags(run_flags), .i_run_last(run_last), .o_busy(o_busy),
        .i_rd_en(rd_en), .i_rd_target(rd_target), .i_rd_arg(rd_arg), .i_rd_addr(rd_addr),
        .o_rd_valid(rd_valid), .o_rd_data(rd_data)
    );
endmodule

`default_nettype wire
