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
    localparam [LW-1:0] TWO  = UNIT + UNIT;

    reg  [3:0]    bits;  // bits not yet over
    reg           last;  // one
    reg           over;  // the bit is over with this clock
    reg           free;  // and it is the last one, or the line is idle
    reg  [LW-1:0] left;  // time to the end of the bit
    reg  [7:0]    shift;
    reg           line;
    wire          load = i_valid && o_ready;
    wire          next = over && !free;

    assign o_ready = i_clear && free;

    always @(posedge clk) begin
        o_tx <= line || rst;
        if (load) begin
            bits  <= 4'd10;
            last  <= 1'b0;
            shift <= i_data;
            line  <= 1'b0;
        end else if (next) begin
            bits  <= bits - 4'd1;
            last  <= bits == 4'd2;
            shift <= {1'b1, shift[7:1]};
            line  <= shift[0];
        end
        if (load || next) begin
            left <= left + STEP;
            over <= 1'b0;
        end else if (!over) begin
            left <= left - UNIT;
            over <= left < TWO;
        end
        free <= !load && (free || (last && !over && left < TWO));
        if (rst) begin
            last <= 1'b0;
            over <= 1'b1;
            free <= 1'b1;
            left <= {LW{1'b0}};
            line <= 1'b1;
        end
    end
endmodule

`default_nettype wire
