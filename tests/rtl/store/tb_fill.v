// SPDX-License-Identifier: Apache-2.0
// tb_fill: random maps, grants and windows; every word that may be issued is in the ring in the
// next cycle, and every map is walked to its end. +seed=N
`timescale 1ns / 1ps
`default_nettype none
module tb_fill;
    parameter AW = 12, RW = 8;
    reg           clk = 0, rst = 1, start = 0, again = 0, whole = 0, grant = 0;
    reg  [AW-1:0] base = 0, oldest = 0;
    reg  [15:0]   row_words = 1, rows = 1;
    wire          req, half, we, phalf;
    wire [AW-1:0] addr;
    wire [RW-1:0] place;
    wire [15:0]   there;
    flx_act_fill #(.AW(AW), .RW(RW)) dut (
        .clk(clk), .rst(rst), .i_start(start), .i_again(again), .i_whole(whole), .i_base(base),
        .i_row_words(row_words), .i_rows(rows), .i_oldest(oldest), .o_req(req), .o_addr(addr),
        .o_half(half), .i_grant(grant), .o_we(we), .o_place(place), .o_place_half(phalf),
        .o_rows(there)
    );
    always #5 clk = !clk;

    reg [AW-1:0] ring [0:2*(1<<RW)-1], written;
    integer seed, n, group, row, live, w, errors, waited, checks;
    always @(posedge clk) begin
        written <= addr;
        if (we) ring[{place, phalf}] <= written;
    end
    always @(negedge clk) grant = $random(seed);

    // Every word of the rows of the window, as the array would find it one clock after its issue.
    task look;
        for (w = (row < 0 ? 0 : row) * row_words; w < (row + live) * row_words
             && w < rows * row_words; w = w + 1) begin
            checks = checks + 1;
            if (ring[{base + w[AW-1:0], 1'b0} & ((2 << RW) - 1)] !== base + w[AW-1:0] ||
                ring[{base + w[AW-1:0], 1'b1} & ((2 << RW) - 1)] !== base + w[AW-1:0])
                errors = errors + 1;
        end
    endtask

    initial begin
        errors = 0; checks = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        repeat (3) @(negedge clk);
        rst = 0;
        for (n = 0; n < 60; n = n + 1) begin
            live      = 1 + $unsigned($random(seed)) % 5;
            whole     = $random(seed);
            rows      = live + $unsigned($random(seed)) % 12;
            row_words = 1 + $unsigned($random(seed)) % (whole ? 256 / rows : 252 / live);
            base      = $random(seed);
            @(negedge clk) start = 1;
            @(negedge clk) start = 0;
            for (group = 0; group < 3; group = group + 1) begin
                row = -($unsigned($random(seed)) % live);
                while (row + 1 <= rows) begin
                    oldest = base + row * row_words;
                    waited = 0;
                    while (there < (row + live < rows ? row + live : rows) && waited < 9000) begin
                        @(negedge clk);
                        waited = waited + 1;
                    end
                    if (waited == 9000) begin
                        $display("FAIL: row %0d does not come", row);
                        $finish;
                    end
                    repeat ($unsigned($random(seed)) % 300) @(negedge clk);
                    look;
                    row = row + 1 + $unsigned($random(seed)) % 3;
                end
                again = 1;
                @(negedge clk) again = 0;
            end
        end
        if (errors == 0) $display("PASS %0d words", checks);
        else $display("FAIL %0d of %0d words", errors, checks);
        $finish;
    end
endmodule
`default_nettype wire
