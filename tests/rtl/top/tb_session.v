// SPDX-License-Identifier: Apache-2.0
// Plays the bytes of a session into flx_top and compares every byte of the answer.
// +file=F: F.tx goes in, F.rx must come out; +gap=N: per cent of idle or refusing cycles;
// +seed=S. TOP_PIXELS: PIXELS among TOP_PARAMETERS. Without parameters of its own it also
// drives a synthesised netlist.
`default_nettype none
`timescale 1ns / 1ns

module tb_session;
    reg clk = 0, clk_lanes = 0, rst = 1;
`ifdef TOP_PIXELS
    localparam PIXELS = `TOP_PIXELS;
`else
    localparam PIXELS = 1;
`endif

    // An edge of clk that rises is one of clk_lanes too, in the same step of time.
    integer half;
    always
        for (half = 0; half < 2 * PIXELS; half = half + 1) begin
            #5;
            clk_lanes = !half[0];
            if (half == 0) clk = 1;
            if (half == PIXELS) clk = 0;
        end

    reg         rx_valid = 0, tx_ready = 0;
    reg  [7:0]  rx_data = 0;
    wire        rx_ready, tx_valid, busy;
    wire [7:0]  tx_data;

`ifdef NETLIST
    flx_top dut (
`else
    flx_top #(`TOP_PARAMETERS) dut (
`endif
        .clk(clk), .rst(rst), .clk_lanes(clk_lanes), .i_link_reset(1'b0),
        .i_rx_valid(rx_valid), .i_rx_data(rx_data), .o_rx_ready(rx_ready),
        .o_tx_valid(tx_valid), .o_tx_data(tx_data), .i_tx_ready(tx_ready), .o_busy(busy));

    localparam IDLE_MAX = 200000;
    reg [8*256-1:0] file;
    integer tx, rx, next, want, seed, gap, received, idle;
    integer cycles = 0;
    always @(posedge clk) cycles = cycles + 1;

    initial begin
        if (!$value$plusargs("file=%s", file)) file = "session";
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("gap=%d", gap)) gap = 0;
        tx = $fopen({file, ".tx"}, "rb");
        rx = $fopen({file, ".rx"}, "rb");
        if (tx == 0 || rx == 0) begin
            $display("FAIL: cannot open the session");
            $finish;
        end
        next = $fgetc(tx);
        want = $fgetc(rx);
        received = 0;
        idle = 0;
        repeat (8) @(posedge clk);
        rst <= 0;
        repeat (8) @(posedge clk);
        while (want != -1 && idle < IDLE_MAX) begin
            @(negedge clk);
            // Decide what to offer in this cycle, before the edge that takes it.
            if (!rx_valid && next != -1 && $unsigned($random(seed)) % 100 >= gap) begin
                rx_valid = 1;
                rx_data = next;
            end
            tx_ready = $unsigned($random(seed)) % 100 >= gap;
            #1 idle = idle + 1;
            if (rx_valid && rx_ready) begin
                next = $fgetc(tx);
                idle = 0;
                @(posedge clk) #1 rx_valid = 0;
            end
            else @(posedge clk) #1;
        end
        if (want != -1) $display("FAIL: silent after %0d bytes", received);
        else $display("PASS %0d bytes, %0d cycles", received, cycles);
        $finish;
    end

    always @(posedge clk)
        if (tx_valid === 1'b1 && tx_ready && !rst && want != -1) begin
            if (tx_data !== want[7:0]) begin
                $display("FAIL: byte %0d is %02x, expected %02x", received, tx_data, want[7:0]);
                $finish;
            end
            received = received + 1;
            idle = 0;
            want = $fgetc(rx);
        end
endmodule
`default_nettype wire
