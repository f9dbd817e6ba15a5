// SPDX-License-Identifier: Apache-2.0
// Receiver of an asynchronous line, 8N1: two flip-flops of synchroniser, every bit sampled
// once, in its middle.
//
//   CLK_KHZ  clock; at least 4 cycles a bit
//   BAUD     bits a second; where the cycles a bit are no whole number, they are kept in
//            sixteenths
//
// i_rx       the line, 1 when idle
// o_valid    pulse: o_data is a byte
// o_error    pulse: no stop bit; the byte is dropped, and the next start bit counts only after
//            the line was 1
// o_break    1 from 18 bits of 0 without an end (a break lasts 20, docs/usb.md) until the
//            line is 1 again
//
// With 4 cycles a bit, a byte is received right at a rate 2 % off with edges 5 % of a bit off.
`default_nettype none

module flx_uart_rx #(
    parameter CLK_KHZ = 48000,
    parameter BAUD    = 12000000
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_rx,
    output reg        o_valid,
    output wire [7:0] o_data,
    output reg        o_error,
    output wire       o_break
);
    localparam FRAC   = (CLK_KHZ * 1000 % BAUD == 0) ? 0 : 4;
    localparam ONE    = 1 << FRAC;                               // a cycle
    localparam PERIOD = (CLK_KHZ * ONE * 1000 + BAUD / 2) / BAUD;  // a bit
    localparam LW     = $clog2(2 * PERIOD);
    localparam [LW-1:0] UNIT  = ONE[LW-1:0];
    localparam [LW-1:0] STEP  = PERIOD[LW-1:0] - UNIT;
    localparam [LW-1:0] FIRST = (PERIOD[LW-1:0] - 3 * UNIT + 1'b1) / 2;  // see below
    localparam [LW-1:0] TWO   = UNIT + UNIT;
    localparam STOP   = 5'd9, BREAK = 5'd18;

    generate
        if (CLK_KHZ * 1000 / BAUD < 4)
            flx_error_clock_must_be_at_least_four_times_the_rate u_error ();
        if (CLK_KHZ > 134000)
            flx_error_clock_must_be_at_most_134_mhz u_error ();
    endgenerate

    reg  [1:0]    sync;
    reg           busy;
    reg  [4:0]    bits;  // bits sampled, start bit first; from STOP + 1 on: waits for a 1
    reg  [LW-1:0] left;  // time to the next sample
    reg           due;   // the sample is, if busy: left < UNIT
    reg  [7:0]    shift;
    wire          line   = sync[1];
    wire          sample = busy && due;
    wire          stuck  = bits > STOP;

    assign o_data  = shift;
    assign o_break = busy && bits == BREAK;

    // The edge of the start bit lies half a cycle before its first sample, on average, and
    // `left` is used a cycle later: 1.5 cycles less than half a bit.
    always @(posedge clk) begin
        sync    <= {sync[0], i_rx};
        o_valid <= sample && bits == STOP && line;
        o_error <= sample && bits == STOP && !line;
        if (!busy)
            left <= FIRST;
        else if (sample)
            left <= left + STEP;
        else
            left <= left - UNIT;
        due <= !busy ? FIRST < UNIT : !due && left < TWO;
        if (!busy)
            bits <= 5'd0;
        else if (sample && bits != BREAK)
            bits <= bits + 5'd1;
        if (sample && !stuck && bits != STOP)
            shift <= {line, shift[7:1]};
        if (!busy)
            busy <= !line;
        else if (line && (stuck || (sample && (bits == 5'd0 || bits == STOP))))
            busy <= 1'b0;
        if (rst) begin
            sync    <= 2'b11;
            busy    <= 1'b0;
            o_valid <= 1'b0;
            o_error <= 1'b0;
        end
    end
endmodule

`default_nettype wire
