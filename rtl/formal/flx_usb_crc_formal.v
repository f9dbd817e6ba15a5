// SPDX-License-Identifier: Apache-2.0
// Proof that the bit-serial CRCs of USB are those of software, which works on mirrored
// registers and whole bytes (11 bits for tokens), and that data with their CRC leave the
// constants that the receiver looks for. CRC-16: one byte, and the CRC after it, from any
// value of the register, so it holds for messages of any length.
`default_nettype none

module flx_usb_crc_formal (
    input wire clk,
    input wire i_bit,
    input wire i_stop   // after the first byte the CRC comes
);
    // As in C: crc ^= byte; eight times crc = crc >> 1 ^ (crc & 1 ? 0xA001 : 0).
    function [15:0] bytewise;
        input [15:0] crc;
        input [7:0]  data;
        integer i;
        begin
            bytewise = crc ^ {8'd0, data};
            for (i = 0; i < 8; i = i + 1)
                bytewise = {1'b0, bytewise[15:1]} ^ (bytewise[0] ? 16'hA001 : 16'h0000);
        end
    endfunction

    function [4:0] tokenwise;
        input [10:0] data;
        integer i;
        reg [10:0] rest;
        begin
            rest = data ^ 11'h01F;
            for (i = 0; i < 11; i = i + 1)
                rest = {1'b0, rest[10:1]} ^ (rest[0] ? 11'h014 : 11'h000);
            tokenwise = rest[4:0];
        end
    endfunction

    function [15:0] mirror;
        input [15:0] v;
        integer i;
        for (i = 0; i < 16; i = i + 1)
            mirror[i] = v[15-i];
    endfunction

    reg         f_past = 1'b0;
    reg  [15:0] ref16;
    reg  [10:0] shift;      // bits of the byte or the token, the first one lowest
    reg  [2:0]  n;
    reg  [4:0]  m;          // bits of the token, then of its CRC
    reg  [4:0]  out;        // bits of the CRC that have come
    reg         sending;
    wire [15:0] crc16, check16;
    wire [4:0]  crc5, check5;
    wire [7:0]  byte_now = {i_bit, shift[10:4]};
    wire        line16 = sending ? !crc16[15] : i_bit;
    wire        line5 = m >= 5'd11 ? !crc5_sent[15-m] : i_bit;
    reg  [4:0]  crc5_sent;
    wire        data5 = m < 5'd11;

    flx_usb_crc16 u_tx (
        .clk(clk), .i_clear(1'b0), .i_en(f_past), .i_bit(i_bit), .i_out(sending), .o_crc(crc16)
    );
    flx_usb_crc16 u_rx (
        .clk(clk), .i_clear(1'b0), .i_en(f_past), .i_bit(line16), .i_out(1'b0), .o_crc(check16)
    );
    flx_usb_crc5 u_token (
        .clk(clk), .i_clear(!f_past), .i_en(data5), .i_bit(i_bit), .o_crc(crc5)
    );
    flx_usb_crc5 u_check (
        .clk(clk), .i_clear(!f_past), .i_en(m < 5'd16), .i_bit(line5), .o_crc(check5)
    );

    // After the token its CRC register stands still, and goes out highest bit first.
    always @* crc5_sent = crc5;

    always @(posedge clk) begin
        f_past <= 1'b1;
        shift  <= {i_bit, shift[10:1]};
        n      <= n + 1'b1;
        if (f_past && n == 3'd7 && !sending) begin
            ref16   <= bytewise(ref16, byte_now);
            sending <= i_stop;
        end
        if (sending && out != 5'd31)
            out <= out + 1'b1;
        if (m != 5'd31)
            m <= m + 1'b1;
        if (!f_past) begin
            n       <= 3'd0;
            m       <= 5'd0;
            out     <= 5'd0;
            sending <= 1'b0;
        end
    end

    always @* begin
        if (!f_past) begin
            assume (crc16 == mirror(ref16) && check16 == crc16);
        end else begin
            assert (n != 3'd0 || sending || crc16 == mirror(ref16));
            assert (out != 5'd16 || check16 == 16'h800D);
            assert (sending || crc16 == check16);
            assert (m != 5'd11 || crc5 == mirror({tokenwise(shift), 11'd0}));
            assert (m != 5'd16 || check5 == 5'h0C);
        end
    end
endmodule

`default_nettype wire
