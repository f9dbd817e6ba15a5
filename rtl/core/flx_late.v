// SPDX-License-Identifier: Apache-2.0
// flx_late: W bits of the core's clock, in the lanes' clock at a given time of a round (flx_pixels).
//
//   W        bits
//   PIXELS   clocks of the lanes in one of the core, 2 or more
//   D        clocks of the lanes that the bits wait; time 0 is two clocks after i_take
//
//   clk, clk_lanes   the core's clock; the lanes', PIXELS times as fast, with edges aligned
//   i_take   one clock of the lanes in each of the core: i is looked at one clock later, in the last of the
//            core's cycle
//   i        out of registers
//   o        stays for PIXELS clocks of the lanes
`default_nettype none
module flx_late #(
    parameter W      = 1,
    parameter PIXELS = 2,
    parameter D      = 0
) (
    input  wire         clk,
    input  wire         clk_lanes,
    input  wire         i_take,
    input  wire [W-1:0] i,
    output wire [W-1:0] o
);
    wire [W-1:0] waited;
    reg  [W-1:0] taken;

    flx_delay #(
        .W(W),
        .N(D / PIXELS)
    ) u_delay (
        .clk(clk),
        .rst(1'b0),
        .i  (i),
        .o  (waited)
    );

    // A flip-flop of its own: one for all would be the slowest net.
    wire take;
    flx_copy u_take (.clk(clk_lanes), .i(i_take), .o(take));
    always @(posedge clk_lanes) if (take) taken <= waited;

    flx_delay #(
        .W(W),
        .N(D % PIXELS)
    ) u_delay_lanes (
        .clk(clk_lanes),
        .rst(1'b0),
        .i  (taken),
        .o  (o)
    );
endmodule
`default_nettype wire
