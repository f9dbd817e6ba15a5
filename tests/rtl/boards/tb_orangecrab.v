// SPDX-License-Identifier: Apache-2.0
// The board top of the OrangeCrab at its pins, by a full-speed host of its own: bus reset,
// SET_ADDRESS, SET_CONFIGURATION, HELLO through the OUT endpoint, answer from the IN endpoint.
`timescale 1ps / 1ps
`default_nettype none

module tb_orangecrab #(
    parameter K = 8,
    parameter T = 8
);
    localparam BIT = 83333;

    reg  clk = 0, dp_h = 1, dn_h = 0, drive = 0;
    wire attached, red_n, green_n, dp, dn;

    always #(10417) clk = !clk;

    assign dp = drive ? dp_h : 1'bz;
    assign dn = drive ? dn_h : 1'bz;
    pullup u_idle (dp);  // the 1.5 kOhm resistor
    pulldown u_low (dn);

    flx_orangecrab dut (
        .i_clk(clk), .io_usb_dp(dp), .io_usb_dn(dn), .o_usb_pullup(attached),
        .o_led_red_n(red_n), .o_led_green_n(green_n)
    );

`include "frames.vh"

    integer    ones, i, n, tries;
    reg [7:0]  packet [0:79];  // sent or received, from the PID on
    integer    packet_len;
    reg [15:0] crc;
    reg [4:0]  crc5;
    reg [6:0]  addr;

    task put_bit;
        input value;
        begin
            if (!value) {dp_h, dn_h} = {dn_h, dp_h};
            #(BIT);
            ones = value ? ones + 1 : 0;
            if (ones == 6) begin
                {dp_h, dn_h} = {dn_h, dp_h};
                #(BIT);
                ones = 0;
            end
        end
    endtask

    task put_byte;
        input [7:0] value;
        integer k;
        for (k = 0; k < 8; k = k + 1) put_bit(value[k]);
    endtask

    task put_packet;
        begin
            {dp_h, dn_h} = 2'b10;
            drive = 1;
            #(4 * BIT);
            ones = 0;
            put_byte(8'h80);
            for (i = 0; i < packet_len; i = i + 1) put_byte(packet[i]);
            {dp_h, dn_h} = 2'b00;
            #(2 * BIT) {dp_h, dn_h} = 2'b10;
            #(BIT) drive = 0;
        end
    endtask

    task token;
        input [7:0] pid;
        input [3:0] ep;
        reg [10:0] bits;
        begin
            bits = {ep, addr};
            crc5 = 5'h1F;
            for (i = 0; i < 11; i = i + 1)
                crc5 = {1'b0, crc5[4:1]} ^ (crc5[0] ^ bits[i] ? 5'h14 : 5'h00);
            packet[0] = pid;
            {packet[2], packet[1]} = {~crc5, bits};
            packet_len = 3;
            put_packet;
        end
    endtask

    // packet[1..n] hold the data.
    task data;
        input [7:0] pid;
        input integer n_data;
        begin
            crc = 16'hFFFF;
            for (i = 1; i <= n_data; i = i + 1)
                for (n = 0; n < 8; n = n + 1)
                    crc = {1'b0, crc[15:1]} ^ (crc[0] ^ packet[i][n] ? 16'hA001 : 16'h0000);
            packet[0] = pid;
            {packet[n_data+2], packet[n_data+1]} = ~crc;
            packet_len = n_data + 3;
            put_packet;
        end
    endtask

    // Waits up to 18 bits for an answer; packet_len = 0 if there is none.
    task get_packet;
        reg last, now;
        integer bits, wait_for;
        begin
            packet_len = 0;
            wait_for = 0;
            while (dp && wait_for < 18 * 8) begin
                #(BIT / 8) wait_for = wait_for + 1;
            end
            if (!dp) begin
                last = 1;
                bits = 0;
                ones = 0;
                #(BIT / 2);
                while (dp || dn) begin
                    now = dp;
                    if (ones == 6) ones = 0;
                    else begin
                        if (bits >= 8) packet[bits/8-1][bits%8] = now == last;
                        ones = now == last ? ones + 1 : 0;
                        bits = bits + 1;
                    end
                    last = now;
                    #(BIT);
                end
                packet_len = bits / 8 - 1;
                #(4 * BIT);
            end
        end
    endtask

    task expect_pid;
        input [7:0]   pid;
        input [255:0] what;
        begin
            get_packet;
            check(packet_len > 0 && packet[0] == pid, what);
        end
    endtask

    task handshake;
        begin
            packet[0] = 8'hD2;
            packet_len = 1;
            put_packet;
        end
    endtask

    // A request without data stage
    task request;
        input [7:0]  code;
        input [15:0] value;
        begin
            token(8'h2D, 0);
            {packet[1], packet[2], packet[3], packet[4]} = {8'h00, code, value[7:0], value[15:8]};
            {packet[5], packet[6], packet[7], packet[8]} = 32'd0;
            data(8'hC3, 8);
            expect_pid(8'hD2, "SETUP acknowledged");
            #(4 * BIT) token(8'h69, 0);
            expect_pid(8'h4B, "status stage");
            handshake;
            #(20 * BIT);
        end
    endtask

    initial begin
        addr = 0;
        wait (attached === 1'b1);
        #(1000 * BIT) {dp_h, dn_h} = 2'b00;
        drive = 1;
        #(200 * BIT) drive = 0;
        #(100 * BIT) request(8'd5, 16'd42);
        addr = 42;
        request(8'd9, 16'd1);

        make_hello(8'd9);
        token(8'hE1, 1);
        for (tries = 0; tries < 10; tries = tries + 1) packet[tries+1] = hello[tries];
        data(8'hC3, 10);
        expect_pid(8'hD2, "HELLO acknowledged");

        tries = 0;
        while (answered < 60 && tries < 100) begin
            tries = tries + 1;
            #(50 * BIT) token(8'h69, 1);
            get_packet;
            if (packet_len > 3) begin
                for (n = 1; n < packet_len - 2; n = n + 1) begin
                    answer[answered] = packet[n];
                    answered = answered + 1;
                end
                handshake;
            end else
                check(packet_len == 1 && packet[0] == 8'h5A, "NAK while there is no answer");
        end
        check_answer(8'd9, K, T);
        check(red_n && !green_n, "LEDs");
        if (failed == 0) $display("PASS");
        $finish;
    end

    initial #(64'd200000 * BIT) begin
        $display("FAIL: time is over");
        $finish;
    end
endmodule

`default_nettype wire
