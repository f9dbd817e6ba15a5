// SPDX-License-Identifier: Apache-2.0
// A register in a byte stream: behind a FIFO, so that the time of its block RAM is not part of what
// decodes the bytes.
//
// i_valid/i_data/o_ready, o_valid/o_data/i_ready  a byte moves in a cycle with valid and ready; one
//                 a cycle, each one cycle late
`default_nettype none

module flx_slice (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_valid,
    input  wire [7:0] i_data,
    output wire       o_ready,
    output reg        o_valid,
    output reg  [7:0] o_data,
    input  wire       i_ready
);
    assign o_ready = !o_valid || i_ready;

    always @(posedge clk) begin
        if (o_ready) {o_valid, o_data} <= {i_valid, i_data};
        if (rst) o_valid <= 1'b0;
    end
endmodule

`default_nettype wire
