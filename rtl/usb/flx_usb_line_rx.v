// SPDX-License-Identifier: Apache-2.0
// Line receiver of the full-speed USB core: synchronises D+ and D-, filters the line
// state and recovers the bit clock from four samples a bit.
//
// J and K differ in both lines; while they are equal (in a transition, or SE0) the last
// of J and K stays. Every transition restarts the phase, and a bit is sampled two samples
// after the first sample that saw it, so two transitions may be wrong by one sample
// (20.8 ns) against each other, which is the whole budget of USB 2.0, 7.1.15.
//
// clk       48 MHz
// i_dp/i_dn the pins, asynchronous
// o_j       filtered line state: 1 J, 0 K; not looked at in SE0
// o_se0     both lines low for at least three samples (41 ... 62 ns)
// o_change  o_j or o_se0 has just changed
// o_strobe  o_j of the *previous* cycle was the middle of a bit, which is o_bit
`default_nettype none

module flx_usb_line_rx (
    input  wire clk,
    input  wire i_dp,
    input  wire i_dn,
    output reg  o_j,
    output reg  o_se0,
    output wire o_change,
    output reg  o_strobe,
    output reg  o_bit
);
    reg [1:0] dp, dn;  // synchronisers
    reg [1:0] low;     // both lines were low one and two samples before o_j's
    reg       j_was, se0_was;
    reg [1:0] phase;   // samples since a transition

    wire low_now = !dp[1] && !dn[1];

    assign o_change = o_j != j_was || o_se0 != se0_was;

    always @(posedge clk) begin
        dp  <= {dp[0], i_dp};
        dn  <= {dn[0], i_dn};
        low <= {low[0], low_now};
        if (dp[1] != dn[1])
            o_j <= dp[1];
        o_se0   <= low_now && low == 2'b11;
        j_was   <= o_j;
        se0_was <= o_se0;
        phase   <= o_j != j_was ? 2'd0 : phase + 1'b1;
        // The end of a packet is no bit, also in the samples before o_se0.
        o_strobe <= phase == 2'd1 && !low[0];
        o_bit    <= o_j;
    end
endmodule

`default_nettype wire
