// SPDX-License-Identifier: Apache-2.0
// Sender of an asynchronous line, 8N1; bytes follow each other without a gap.
//
//   CLK_KHZ, BAUD  as in flx_uart_rx
//
// i_valid/i_data/o_ready  a byte is taken in a cycle with i_valid and o_ready; o_ready is 1
//                at the end of the stop bit and while the line is idle, if i_clear is
// i_clear        1: the other end takes bytes (synchronous to clk)
// o_tx           the line, a register without an enable: the pin may be far away
`default_nettype none

module flx_uart_tx #(
    parameter CLK_KHZ = 48000,
    parameter BAUD    = 12000000
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_valid,
    input  wire [7:0] i_data,
    output wire       o_ready,
    input  wire       i_clear,
    output reg        o_tx
);
    localparam FRAC   = (CLK_KHZ * 1000 % BAUD == 0) ? 0 : 4;
    localparam ONE    = 1 << FRAC;
    localparam PERIOD = (CLK_KHZ * ONE * 1000 + BAUD / 2) / BAUD;
    localparam LW     = $clog2(2 * PERIOD);
    localparam [LW-1:0] UNIT = ONE[LW-1:0];
    localparam [LW-1:0] STEP = PERIOD[LW-1:0] - UNIT;

    reg  [3:0]    bits;   // bits not yet over
    reg           idle, last; // none is, one is
    reg  [LW-1:0] left;   // time to the end of the bit
    reg  [7:0]    shift;
    reg           line;
    wire          over = left < UNIT;
    wire          load = i_valid && o_ready;

    assign o_ready = i_clear && (idle || (last && over));

    always @(posedge clk) begin
        o_tx <= line || rst;
        if (load) begin
            bits  <= 4'd10;
            idle  <= 1'b0;
            last  <= 1'b0;
            shift <= i_data;
            line  <= 1'b0;
        end else if (over && !idle) begin
            bits  <= bits - 4'd1;
            idle  <= last;
            last  <= bits == 4'd2;
            shift <= {1'b1, shift[7:1]};
            line  <= shift[0] || last;
        end
        if (load || (over && !idle && !last))
            left <= left + STEP;
        else if (!over)
            left <= left - UNIT;
        if (rst) begin
            idle <= 1'b1;
            last <= 1'b0;
            left <= {LW{1'b0}};
            line <= 1'b1;
        end
    end
endmodule

`default_nettype wire
