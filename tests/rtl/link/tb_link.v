// SPDX-License-Identifier: Apache-2.0
// Bench of flx_top with the stand-in core: plays a stimulus written by gen_link and
// compares every byte that comes back, with random gaps and back-pressure.
//
// +dir=D        reads D/stimulus.hex and D/expected.hex
// +seed=N       of gaps and back-pressure
// +stall=N      per cent of cycles in which each side does not move
// Stimulus words, {op[7:0], arg[23:0]}:
//   0 send byte arg · 1 keep the line idle for arg clocks · 2 wait until arg answer bytes
//   have come · 3 pulse rst (arg 0) or i_link_reset (arg 1) · 4 go on comparing at expected
//   byte arg · 5 take no answer byte for arg clocks · 255 end
// Expected words: 0...255 this byte, 256 any byte, 511 end.
`default_nettype none
`timescale 1ns / 1ns

module tb_link #(
    parameter K             = 16,
    parameter T             = 16,
    parameter P             = 1,
    parameter PIXELS        = 1,
    parameter ACT_W         = 8,
    parameter AMEM_WORDS    = 512,
    parameter WMEM_WORDS    = 512,
    parameter PMEM_CH       = 256,
    parameter PROG_LAYERS   = 8,
    parameter RES_WORDS     = 16,
    parameter MAX_PAYLOAD   = 256,
    parameter FRAME_TIMEOUT = 300,
    parameter WATCHDOG      = 500
);
    localparam DEPTH = 1 << 19;

    reg        clk = 0, rst = 1, link_reset = 0;
    reg        rx_valid = 0, tx_ready = 0;
    reg  [7:0] rx_data = 0;
    wire       rx_ready, tx_valid, busy;
    wire [7:0] tx_data;

    flx_top #(
        .K(K), .T(T), .P(P), .PIXELS(PIXELS), .ACT_W(ACT_W), .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS),
        .PMEM_CH(PMEM_CH), .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS),
        .MAX_PAYLOAD(MAX_PAYLOAD), .FRAME_TIMEOUT(FRAME_TIMEOUT), .WATCHDOG(WATCHDOG),
        .CLK_KHZ(48000), .BUILD_ID(32'h12345678)
    ) dut (
        .clk(clk), .rst(rst), .clk_lanes(clk), .i_link_reset(link_reset),
        .i_rx_valid(rx_valid), .i_rx_data(rx_data), .o_rx_ready(rx_ready),
        .o_tx_valid(tx_valid), .o_tx_data(tx_data), .i_tx_ready(tx_ready), .o_busy(busy)
    );

    always #5 clk = !clk;

    reg [31:0] stimulus [0:DEPTH-1];
    reg [15:0] expected [0:DEPTH-1];
    integer    file, got, i;
    reg [8*256-1:0] dir;
    integer seed, stall, stim_seed, errors = 0;
    integer next = 0, pause = 0, deaf = 0, at = 0, quiet = 0, resets = 0;
    wire [7:0]  op  = stimulus[next][31:24];
    wire [23:0] arg = stimulus[next][23:0];

    task fail;
        input [8*48-1:0] what;
        begin
            errors = errors + 1;
            $display("FAIL %0s: stimulus %0d, expected byte %0d (%h), got %h, time %0t", what, next, at,
                     expected[at], tx_data, $time);
        end
    endtask

    task verdict;
        begin
            if (expected[at] != 16'd511)
                fail("answers are missing");
            if (errors + dut.u_core.violations == 0)
                $display("PASS seed %0d, %0d answer bytes", stim_seed, at);
            else
                $display("FAIL seed %0d", stim_seed);
            $finish;
        end
    endtask

    initial begin
        if (!$value$plusargs("dir=%s", dir) || !$value$plusargs("seed=%d", seed) ||
            !$value$plusargs("stall=%d", stall)) begin
            $display("FAIL usage: +dir=D +seed=N +stall=N");
            $finish;
        end
        stim_seed = seed;
        file = $fopen({dir, "/stimulus.hex"}, "r");
        got = 1;
        for (i = 0; i < DEPTH && got == 1; i = i + 1)
            got = $fscanf(file, "%h", stimulus[i]);
        $fclose(file);
        if (i == DEPTH)
            fail("the stimulus is too long for the bench");
        file = $fopen({dir, "/expected.hex"}, "r");
        got = 1;
        for (i = 0; i < DEPTH && got == 1; i = i + 1)
            got = $fscanf(file, "%h", expected[i]);
        $fclose(file);
        if (i == DEPTH)
            fail("the stimulus is too long for the bench");
        dut.u_core.seed = seed;
        repeat (4) @(posedge clk);
        rst <= 0;
        repeat (4) @(posedge clk);
        resets = 1;
    end

    // Sending side
    always @(posedge clk) if (resets != 0) begin
        if (rx_valid && rx_ready)
            rx_valid <= 0;
        rst        <= 0;
        link_reset <= 0;
        if (pause != 0) begin
            pause = pause - 1;
        end else if (!rx_valid || rx_ready) begin
            case (op)
                0: if ($unsigned($random(seed)) % 100 >= stall) begin
                    rx_valid <= 1;
                    rx_data  <= arg[7:0];
                    next      = next + 1;
                end
                1: begin
                    pause = arg;
                    next  = next + 1;
                end
                2: if (at >= arg) next = next + 1;
                3: begin
                    rst        <= !arg[0];
                    link_reset <= arg[0];
                    pause       = 8;
                    next        = next + 1;
                end
                4: begin
                    at   = arg;
                    next = next + 1;
                end
                5: begin
                    deaf = arg;
                    next = next + 1;
                end
                default: ;
            endcase
        end
    end

    // Answering side: stability and content
    reg       held = 0;
    reg [7:0] held_data;
    always @(posedge clk) if (resets != 0) begin
        if (held && !rst && !link_reset && (!tx_valid || tx_data != held_data) && pause == 0)
            fail("byte changed before it was taken");
        held      <= tx_valid && !tx_ready;
        held_data <= tx_data;
        if (deaf != 0) begin
            deaf = deaf - 1;
            tx_ready <= 0;
        end else begin
            tx_ready <= $unsigned($random(seed)) % 100 >= stall;
        end
        if (tx_valid && tx_ready) begin
            quiet = 0;
            if (expected[at] == 16'd511)
                fail("more answers than expected");
            else if (expected[at] != 16'd256 && expected[at] != {8'd0, tx_data})
                fail("wrong answer");
            if (expected[at] != 16'd511)
                at = at + 1;
        end else begin
            quiet = quiet + 1;
        end
        if (errors > 4 || quiet > 8 * WATCHDOG + 4 * FRAME_TIMEOUT + 4096 + arg * (op == 1 || op == 5) ||
            op == 8'd255 && expected[at] == 16'd511 && quiet > 2 * WATCHDOG)
            verdict;
    end
endmodule

`default_nettype wire
