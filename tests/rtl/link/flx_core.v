// SPDX-License-Identifier: Apache-2.0
// Stand-in for rtl/core/flx_core.v in the tests of the link: same ports, no array.
// It folds everything that arrives (loads, runs) into a digest and answers reads
// with values that a test can predict (expected values: tests/rtl/link/model.h).
//
// Results word 0 is the digest, word 1 the number of runs; the others, activation
// granules and counters are a hash of target, arg and addr. Provoked faults:
//   image that begins with 0xDD   the loader takes no byte any more
//   run with last layer 0xFE      never ends
//   result word 7                 the read is never answered
// violations counts broken promises of the command processor.
`default_nettype none

module flx_core #(
    parameter K           = 16,
    parameter T           = 16,
    parameter P           = 1,
    parameter PIXELS      = 1,
    parameter N_OUT       = 32,
    parameter NIN_MAX     = 32,
    parameter ACT_W       = 8,
    parameter ACC_W       = 22,
    parameter RQ          = 1,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 8,
    parameter RES_WORDS   = 16,
    parameter WIN_MAX     = 32,
    parameter SKIP        = 1,
    parameter WINDOWS     = 1,
    parameter SCALED      = 0,
    parameter POOL_BITS   = 6
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
    output wire        o_ld_idle,
    input  wire        i_run,
    input  wire [7:0]  i_run_flags,
    input  wire [7:0]  i_run_last,
    output wire        o_busy,
    input  wire        i_rd_en,
    input  wire [1:0]  i_rd_target,
    input  wire [7:0]  i_rd_arg,
    input  wire [31:0] i_rd_addr,
    output wire        o_rd_valid,
    output wire [31:0] o_rd_data
);
    localparam READ_LATENCY = 3;
    localparam [7:0] CODE_MASK = (1 << ACT_W) - 1;

    integer seed = 1;
    integer violations = 0;

    reg [31:0] digest, runs;
    reg [15:0] run_left;
    reg        forever_busy, stuck, first, open;
    reg [2:0]  target;
    reg        ready;
    reg [3:0]  settle;
    reg [READ_LATENCY-1:0] rd_valid;
    reg [31:0] rd_data [0:READ_LATENCY-1];

    wire accept = i_ld_valid && o_ld_ready;

    function [31:0] fold;
        input [31:0] h, v;
        fold = h * 32'd33 + v;
    endfunction

    function [31:0] answer;
        input [1:0]  tgt;
        input [7:0]  arg;
        input [31:0] addr;
        answer = (addr + {6'd0, tgt, 16'd0, arg} + 32'd1) * 32'h9E3779B1;
    endfunction

    assign o_busy     = run_left != 0 || forever_busy;
    assign o_ld_idle  = settle == 0 && !stuck;
    assign o_ld_ready = ready && !stuck && open;
    assign o_rd_valid = rd_valid[READ_LATENCY-1];
    assign o_rd_data  = rd_data[READ_LATENCY-1];

    task violation;
        input [8*40-1:0] what;
        begin
            violations = violations + 1;
            $display("FAIL stand-in: %0s at %0t", what, $time);
        end
    endtask

    integer i;
    always @(posedge clk) begin
        ready <= $random(seed) % 4 != 0;
        if (accept)
            settle <= $random(seed);
        else if (settle != 0)
            settle <= settle - 1;
        if (run_left != 0)
            run_left <= run_left - 1;
        rd_valid <= {rd_valid[READ_LATENCY-2:0], i_rd_en && !(i_rd_target == 0 && i_rd_addr == 7)};
        for (i = 1; i < READ_LATENCY; i = i + 1)
            rd_data[i] <= rd_data[i-1];
        rd_data[0] <= i_rd_target == 0 && i_rd_addr == 0 ? digest :
                      i_rd_target == 0 && i_rd_addr == 1 ? runs :
                      answer(i_rd_target, i_rd_arg, i_rd_addr) &
                      (i_rd_target == 1 ? {4{CODE_MASK}} : 32'hFFFFFFFF);

        if (i_ld_start) begin
            digest <= fold(fold(fold(digest, i_ld_target), i_ld_arg), i_ld_addr);
            target <= i_ld_target;
            first  <= 1;
            stuck  <= 0;
            open   <= 1;
            if (o_busy && i_ld_target <= 2)
                violation("load into a memory that runs");
        end
        if (accept) begin
            digest <= fold(digest, i_ld_data);
            first  <= 0;
            if (first && target == 3 && i_ld_data == 8'hDD)
                stuck <= 1;
        end
        if (i_ld_valid && i_ld_start)
            violation("byte in the cycle of the start");
        if (i_run) begin
            digest       <= fold(fold(digest, i_run_flags), i_run_last);
            runs         <= runs + 1;
            run_left     <= 20 + ($random(seed) & 127);
            forever_busy <= i_run_last == 8'hFE;
            if (o_busy || !o_ld_idle)
                violation("run while busy or loading");
        end
        if (i_rd_en && i_rd_target == 1 && (o_busy || !o_ld_idle))
            violation("activation read while busy");
        if (i_rd_en && i_rd_target == 2 && o_busy)
            violation("counter read while busy");
        if (i_rd_en && i_rd_target == 0 && !i_rd_arg[7] && o_busy)
            violation("result read while busy");

        if (rst) begin
            digest       <= 32'd1;
            runs         <= 0;
            run_left     <= 0;
            forever_busy <= 0;
            stuck        <= 0;
            open         <= 0;
            settle       <= 0;
            rd_valid     <= 0;
        end
    end
endmodule

`default_nettype wire
