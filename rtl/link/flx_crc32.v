// SPDX-License-Identifier: Apache-2.0
// CRC-32 of a frame (zlib's), one byte a step: reflected polynomial 0xEDB88320.
// Combinational; the register is the user's, starts at 0xFFFFFFFF and is inverted
// when it is sent, low byte first. Feeding a right CRC as the last four bytes
// leaves 0xDEBB20E3 in the register.
`default_nettype none

module flx_crc32 (
    input  wire [31:0] i_crc,
    input  wire [7:0]  i_data,
    output wire [31:0] o_crc
);
    function [31:0] step;
        input [31:0] crc;
        integer i;
        begin
            step = crc;
            for (i = 0; i < 8; i = i + 1)
                step = {1'b0, step[31:1]} ^ (step[0] ? 32'hEDB88320 : 32'h0);
        end
    endfunction

    assign o_crc = step(i_crc ^ {24'b0, i_data});
endmodule

`default_nettype wire
