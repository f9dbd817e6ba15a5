// SPDX-License-Identifier: Apache-2.0
// How long the line has been as it is, and what that means.
//
// clk         48 MHz, 4 clocks a bit
// i_j, i_se0, i_change  filtered line state (flx_usb_line_rx)
// i_busy      level: the own transmission; the time begins after it
// o_gap       level: J for more than 8 bits. No packet has that.
// o_turn      level from 8 to 15 clocks after the end of a packet: time to answer
//             (2 to 6.5 bits, of which the pipelines take some)
// o_timeout   level from about 17 bits on: an answer that has not begun is lost
// o_reset     level: SE0 for more than 2.6 us
// o_suspended level: J for 3.07 ms, until the line leaves J
`default_nettype none

module flx_usb_timer (
    input  wire clk,
    input  wire rst,
    input  wire i_j,
    input  wire i_se0,
    input  wire i_change,
    input  wire i_busy,
    output wire o_gap,
    output wire o_turn,
    output wire o_timeout,
    output reg  o_reset,
    output reg  o_suspended
);
    reg [17:0] clocks;
    reg        idle, gap, late;

    assign o_gap     = gap;
    assign o_turn    = idle && clocks[3];
    assign o_timeout = late;

    always @(posedge clk) begin
        if (rst || i_change || i_busy)
            clocks <= 18'd0;
        else
            clocks <= clocks + 1'b1;
        idle <= i_j && !i_se0;
        gap  <= idle && clocks[5];
        late <= clocks[6];
        if (rst || !i_se0)
            o_reset <= 1'b0;
        else if (clocks[7] && !i_change)
            o_reset <= 1'b1;
        if (rst || !idle)
            o_suspended <= 1'b0;
        else if (clocks[17] && clocks[14])
            o_suspended <= 1'b1;
    end
endmodule

`default_nettype wire
