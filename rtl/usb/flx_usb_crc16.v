// SPDX-License-Identifier: Apache-2.0
// CRC-16 of USB data packets (x^16 + x^15 + x^2 + 1), a bit a cycle, in the order of
// the line.
//
// i_clear  the next bit is the first one
// i_en     i_bit is taken; o_crc counts it one cycle later
// i_out    with i_en: the CRC moves out instead, ~o_crc[15] first, and i_bit is ignored
// o_crc    0x800D after data and their own CRC
`default_nettype none

module flx_usb_crc16 (
    input  wire        clk,
    input  wire        i_clear,
    input  wire        i_en,
    input  wire        i_bit,
    input  wire        i_out,
    output reg  [15:0] o_crc
);
    wire feedback = i_bit != o_crc[15] && !i_out;

    always @(posedge clk) begin
        if (i_clear)
            o_crc <= 16'hFFFF;
        else if (i_en)
            o_crc <= {o_crc[14:0], 1'b0} ^ (feedback ? 16'h8005 : 16'h0000);
    end
endmodule

`default_nettype wire
