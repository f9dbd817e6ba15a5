// SPDX-License-Identifier: Apache-2.0
// The UART against a line that is made and read in picoseconds by its own clock: rate
// errors, jitter, glitches, missing stop bits, breaks, back-pressure on both sides. Plusargs:
// +seed=N.
`timescale 1ps / 1ps
`default_nettype none

module tb_uart #(
    parameter CLK_KHZ = 48000,
    parameter BAUD    = 12000000,
    parameter RX_LOG2 = 9,
    parameter SYS_PS  = 41667   // clock of the streams
);
    localparam real IO_PS  = 1.0e9 / CLK_KHZ;
    localparam real BIT_PS = 1.0e12 / BAUD;
    localparam BYTES = 300;

    reg        clk_io = 0, clk = 0, rst = 1, line = 1, cts_n = 0;
    reg        rx_ready = 0, tx_valid = 0;
    reg  [7:0] tx_data = 0;
    wire       tx, rts_n, link_reset, rx_valid, tx_ready;
    wire [7:0] rx_data;
    reg        rst_io = 1;

    always #(IO_PS / 2) clk_io = !clk_io;
    always #(SYS_PS / 2) clk = !clk;
    always @(posedge clk_io) rst_io <= rst;

    flx_uart #(.CLK_KHZ(CLK_KHZ), .BAUD(BAUD), .RX_LOG2(RX_LOG2)) dut (
        .clk_io(clk_io), .rst_io(rst_io), .i_rx(line), .o_tx(tx), .i_cts_n(cts_n),
        .o_rts_n(rts_n), .clk(clk), .rst(rst), .o_link_reset(link_reset),
        .o_rx_valid(rx_valid), .o_rx_data(rx_data), .i_rx_ready(rx_ready),
        .i_tx_valid(tx_valid), .i_tx_data(tx_data), .o_tx_ready(tx_ready)
    );

    integer seed, failed = 0, i, sent, got, resets, late, stall;
    real    rate, jitter;  // share of a bit
    reg [7:0] expected [0:1023];

    task check;
        input         ok;
        input [511:0] what;
        if (!ok) begin
            failed = failed + 1;
            $display("FAIL: %0s (rate %f, jitter %f, sent %0d, got %0d)", what, rate, jitter, sent, got);
        end
    endtask

    // Edges at multiples of the bit, each moved by up to +-jitter
    task send_bits;
        input [9:0] bits;
        real    at, now;
        integer k;
        begin
            now = 0;
            for (k = 0; k < 10; k = k + 1) begin
                at = k * BIT_PS / rate + jitter * BIT_PS * ($random(seed) % 1000) / 1000.0;
                if (k == 0) at = at < 0 ? 0 : at;
                #(at - now) line = bits[k];
                now = at;
            end
            #(10 * BIT_PS / rate - now);
        end
    endtask

    task send;
        input [7:0] value;
        begin
            expected[sent % 1024] = value;
            sent = sent + 1;
            send_bits({1'b1, value, 1'b0});
        end
    endtask

    always @(posedge clk) begin
        if (!rst && link_reset) resets = resets + 1;
        if (rx_valid && rx_ready) begin
            check(got < sent && rx_data == expected[got % 1024], "byte from the line");
            got <= got + 1;
        end
        rx_ready <= $unsigned($random(seed)) % 100 >= stall;
    end

    // Reader of o_tx: samples the middle of each bit
    integer   heard = 0, told = 0;
    reg [7:0] told_bytes [0:1023];
    reg [9:0] frame;
    time      last_start = 0, shortest = 0;
    integer   h;
    initial forever begin
        @(negedge tx);
        if (heard > 0 && (shortest == 0 || $time - last_start < shortest))
            shortest = $time - last_start;
        last_start = $time;
        #(BIT_PS / 2);
        for (h = 0; h < 10; h = h + 1) begin
            frame[h] = tx;
            if (h < 9) #(BIT_PS);
        end
        check(frame[0] == 0 && frame[9] == 1 && frame[8:1] == told_bytes[heard % 1024],
              "byte on the line");
        heard = heard + 1;
    end

    task tell;
        input [7:0] value;
        begin
            told_bytes[told % 1024] = value;
            told = told + 1;
            tx_data <= value;
            tx_valid <= 1;
            @(posedge clk);
            while (!tx_ready) @(posedge clk);
            tx_valid <= 0;
        end
    endtask

    task settle;
        #(40 * BIT_PS + 40 * SYS_PS);
    endtask

    task fresh;  // what a test begins with
        begin
            stall = 0;
            rate = 1.0;
            jitter = 0.0;
            settle;
            sent = 0;
            got = 0;
            resets = 0;
        end
    endtask

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        sent = 0; got = 0; resets = 0; stall = 0; rate = 1.0; jitter = 0.0;
        #(20 * SYS_PS + 20 * IO_PS) rst = 0;

        // Rates off by up to 2 % with edges off by up to 5 % of a bit, no gaps between bytes
        for (late = -2; late <= 2; late = late + 1) begin
            fresh;
            rate = 1.0 + late * 0.01;
            jitter = 0.05;
            for (i = 0; i < BYTES; i = i + 1) send(i < 8 ? (i[0] ? 8'hff : 8'h00) : $random(seed));
            settle;
            check(got == BYTES && resets == 0, "all bytes at a rate that is off");
        end

        // Start bits at any phase of the clock
        fresh;
        for (i = 0; i < BYTES; i = i + 1) begin
            send($random(seed));
            #($unsigned($random(seed)) % (2 * SYS_PS));
        end
        settle;
        check(got == BYTES, "all bytes with gaps");

        // A pulse shorter than half a bit is no start bit
        fresh;
        line = 0;
        #(BIT_PS * 0.2) line = 1;
        settle;
        check(got == 0, "no byte from a glitch");
        send(8'h5a);
        settle;
        check(got == 1, "the byte after a glitch");

        // A byte without stop bit is dropped, those before and after are not
        fresh;
        send(8'h11);
        send_bits({1'b0, 8'h77, 1'b0});
        line = 1;
        #(BIT_PS) send(8'h22);
        settle;
        check(got == 2 && resets == 0, "only the byte without stop bit is lost");

        // 15 bits of 0 are no break
        fresh;
        line = 0;
        #(15 * BIT_PS) line = 1;
        settle;
        check(got == 0 && resets == 0, "15 bits of 0 do nothing");

        // A break resets the link and drops what waits in the FIFO, also when it is long
        for (i = 20; i <= 2000; i = i * 10) begin
            fresh;
            stall = 100;
            settle;
            send(8'h33);
            settle;
            line = 0;
            #(i * BIT_PS) line = 1;
            settle;
            check(resets >= 4, "break resets the link");
            stall = 0;
            settle;
            check(got == 0 && !link_reset, "break drops what waits");
            sent = 0;
            send(8'h44);
            settle;
            check(got == 1, "the byte after a break");
        end

        // RTS: a sender that stops 252 bytes late loses nothing
        fresh;
        stall = 100;
        settle;
        while (!rts_n) send($random(seed));
        check(sent > (1 << RX_LOG2) / 4 && sent <= (1 << RX_LOG2) / 2 + 4, "RTS taken back in time");
        for (i = 0; i < (1 << RX_LOG2) / 2 - 4; i = i + 1) send($random(seed));
        check(rts_n, "RTS stays away while the FIFO is full");
        stall = 50;
        i = sent;
        while (got < i) @(posedge clk);
        settle;
        check(got == sent && !rts_n, "nothing lost, RTS back");

        // Sender: no gaps, stops for CTS within two bytes, loses nothing
        fresh;
        heard = 0; told = 0; shortest = 0;
        for (i = 0; i < BYTES; i = i + 1) tell($random(seed));
        while (heard < told) #(BIT_PS);
        check(shortest > 10 * BIT_PS - 1.01 * IO_PS && shortest < 10 * BIT_PS + 1.01 * IO_PS,
              "bytes without a gap");
        heard = 0; told = 0;
        fork
            for (i = 0; i < 60; i = i + 1) tell($random(seed));
            begin
                #(95 * BIT_PS) cts_n = 1;
                #(20 * BIT_PS) late = heard;
                #(200 * BIT_PS);
                check(heard == late, "no byte while CTS is away");
                cts_n = 0;
            end
        join
        #(400 * BIT_PS);
        check(heard == 60, "all bytes after CTS came back");

        if (failed == 0) $display("PASS");
        $finish;
    end

    initial #(64'd400000 * BIT_PS) begin
        $display("FAIL: time is over");
        $finish;
    end
endmodule

`default_nettype wire
