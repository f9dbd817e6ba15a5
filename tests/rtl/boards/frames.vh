// SPDX-License-Identifier: Apache-2.0
// A HELLO and the check of its answer, from docs/link.md.
reg [7:0] hello  [0:9];
reg [7:0] answer [0:63];
integer   answered = 0, failed = 0;

function [7:0] crc8;
    input [7:0] crc, value;
    integer k;
    begin
        crc8 = crc ^ value;
        for (k = 0; k < 8; k = k + 1)
            crc8 = {crc8[6:0], 1'b0} ^ (crc8[7] ? 8'h07 : 8'h00);
    end
endfunction

function [31:0] crc32;
    input [31:0] crc;
    input [7:0]  value;
    integer k;
    begin
        crc32 = crc ^ {24'd0, value};
        for (k = 0; k < 8; k = k + 1)
            crc32 = {1'b0, crc32[31:1]} ^ (crc32[0] ? 32'hEDB88320 : 32'd0);
    end
endfunction

task make_hello;
    input [7:0] seq;
    reg [31:0] crc;
    integer    i;
    begin
        {hello[0], hello[1], hello[2], hello[3], hello[4]} = {8'hA5, 8'h01, seq, 16'd0};
        hello[5] = 0;
        crc = 32'hFFFFFFFF;
        for (i = 1; i < 5; i = i + 1) begin
            hello[5] = crc8(hello[5], hello[i]);
            crc = crc32(crc, hello[i]);
        end
        {hello[9], hello[8], hello[7], hello[6]} = ~crc;
    end
endtask

task check;
    input         ok;
    input [255:0] what;
    if (!ok) begin
        failed = failed + 1;
        $display("FAIL: %0s", what);
    end
endtask

task check_answer;  // 6 + 2 + 49 + 4 bytes
    input [7:0]  seq;
    input [15:0] k, t;
    reg [31:0] crc;
    integer    i;
    begin
        check(answered == 61, "length of the answer");
        check(answer[0] == 8'hA5 && answer[1] == 8'h81 && answer[2] == seq && answer[3] == 51,
              "header of the answer");
        check(answer[6] == 0 && answer[7] == seq + 8'd1, "status and next seq");
        check({answer[11], answer[10]} == k && {answer[13], answer[12]} == t, "shape");
        crc = 32'hFFFFFFFF;
        for (i = 1; i < 57; i = i + 1)
            if (i != 5) crc = crc32(crc, answer[i]);
        check(~crc == {answer[60], answer[59], answer[58], answer[57]}, "crc of the answer");
    end
endtask
