// SPDX-License-Identifier: Apache-2.0
// CRC-5 of USB tokens (x^5 + x^2 + 1), a bit a cycle, in the order of the line.
//
// i_clear  the next bit is the first one
// i_en     i_bit is taken; o_crc counts it one cycle later
// o_crc    01100 after a token and its own CRC
`default_nettype none

module flx_usb_crc5 (
    input  wire       clk,
    input  wire       i_clear,
    input  wire       i_en,
    input  wire       i_bit,
    output reg  [4:0] o_crc
);
    wire feedback = i_bit != o_crc[4];

    always @(posedge clk) begin
        if (i_clear)
            o_crc <= 5'h1F;
        else if (i_en)
            o_crc <= {o_crc[3:0], 1'b0} ^ (feedback ? 5'h05 : 5'h00);
    end
endmodule

`default_nettype wire
