// SPDX-License-Identifier: Apache-2.0
// CRC-8 of the frame header, one byte a step: polynomial 0x07, most significant
// bit first, initial value 0, no final inversion. Combinational; the register is
// the user's. Feeding the CRC itself as the last byte gives 0.
`default_nettype none

module flx_crc8 (
    input  wire [7:0] i_crc,
    input  wire [7:0] i_data,
    output wire [7:0] o_crc
);
    function [7:0] step;
        input [7:0] crc;
        integer i;
        begin
            step = crc;
            for (i = 0; i < 8; i = i + 1)
                step = {step[6:0], 1'b0} ^ (step[7] ? 8'h07 : 8'h00);
        end
    endfunction

    assign o_crc = step(i_crc ^ i_data);
endmodule

`default_nettype wire
