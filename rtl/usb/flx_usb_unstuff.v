// SPDX-License-Identifier: Apache-2.0
// NRZI decoder and remover of stuffed bits: after six ones the next bit carries
// nothing and must be a zero.
//
// i_strobe/i_line  a bit of the line: 1 J, 0 K
// o_en/o_bit       one cycle later: a bit of the packet
// o_err            pulse: the seventh one in a row. An idle line makes these too.
`default_nettype none

module flx_usb_unstuff (
    input  wire clk,
    input  wire i_strobe,
    input  wire i_line,
    output reg  o_en,
    output reg  o_bit,
    output reg  o_err
);
    reg       line_was;
    reg [2:0] ones;

    wire one = i_line == line_was;
    wire six = ones == 3'd6;

    always @(posedge clk) begin
        o_en  <= i_strobe && !six;
        o_err <= i_strobe && six && one;
        o_bit <= one;
        if (i_strobe) begin
            line_was <= i_line;
            if (!one)
                ones <= 3'd0;
            else if (!six)
                ones <= ones + 1'b1;
        end
    end
endmodule

`default_nettype wire
