// SPDX-License-Identifier: Apache-2.0
// The board top of the HX8K at its pins: HELLO at 12 Mbaud, answered; again after a break.
`timescale 1ps / 1ps
`default_nettype none

module tb_hx8k #(
    parameter K = 8,
    parameter T = 8
);
    localparam real BIT = 1.0e6 / 12;

    reg        clk = 0, line = 1;
    wire       tx, cts_n;
    wire [1:0] led;

    always #(41667) clk = !clk;

    flx_hx8k dut (
        .i_clk(clk), .i_rx(line), .o_tx(tx), .i_rts_n(1'b0), .o_cts_n(cts_n), .o_led(led)
    );

`include "frames.vh"

    reg [7:0] got;
    integer   i, j, h;

    initial forever begin
        @(negedge tx);
        #(1.5 * BIT);
        for (h = 0; h < 8; h = h + 1) begin
            got[h] = tx;
            #(BIT);
        end
        check(tx, "stop bit");
        answer[answered] = got;
        answered = answered + 1;
    end

    task ask;
        input [7:0] seq;
        begin
            make_hello(seq);
            answered = 0;
            check(!cts_n, "board takes bytes");
            for (i = 0; i < 10; i = i + 1) begin
                line = 0;
                #(BIT);
                for (j = 0; j < 8; j = j + 1) begin
                    line = hello[i][j];
                    #(BIT);
                end
                line = 1;
                #(BIT);
            end
            check(led[1], "LED while bytes move");
            #(720 * BIT);
            check_answer(seq, K, T);
        end
    endtask

    initial begin
        #(10000000);
        ask(8'd7);
        line = 0;
        #(100 * BIT) line = 1;
        #(100 * BIT);
        ask(8'd3);
        check(!led[0], "not busy");
        if (failed == 0) $display("PASS");
        $finish;
    end
endmodule

`default_nettype wire
