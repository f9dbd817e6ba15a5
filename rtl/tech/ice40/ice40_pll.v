// SPDX-License-Identifier: Apache-2.0
// PLL of iCE40: two global clocks, one at half the rate of the other, or both the same.
//
//   DIVR, DIVF, DIVQ, FILTER_RANGE  as icepll(1) prints them
//   PAD   1: i_clk is a pin that feeds the PLL only (UP5K-SG48: 35); 0: any clock pin
//   HALF  1: o_clk has half the rate of o_clk_io; 0: both the same
`default_nettype none

module ice40_pll #(
    parameter DIVR         = 0,
    parameter DIVF         = 63,
    parameter DIVQ         = 4,
    parameter FILTER_RANGE = 1,
    parameter PAD          = 0,
    parameter HALF         = 1
) (
    input  wire i_clk,
    output wire o_clk_io,
    output wire o_clk,
    output wire o_locked
);
    localparam [3:0] R     = DIVR;
    localparam [6:0] F     = DIVF;
    localparam [2:0] Q     = DIVQ;
    localparam [2:0] RANGE = FILTER_RANGE;

    generate
        if (PAD != 0 && HALF != 0) begin : g_pad_half
            SB_PLL40_2F_PAD #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("GENCLK_HALF")
            ) u_pll (
                .PACKAGEPIN(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(o_clk_io), .PLLOUTGLOBALB(o_clk)
            );
        end else if (PAD != 0) begin : g_pad
            SB_PLL40_PAD #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT("GENCLK")
            ) u_pll (
                .PACKAGEPIN(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBAL(o_clk_io)
            );
            assign o_clk = o_clk_io;
        end else if (HALF != 0) begin : g_core_half
            SB_PLL40_2F_CORE #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("GENCLK_HALF")
            ) u_pll (
                .REFERENCECLK(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(o_clk_io), .PLLOUTGLOBALB(o_clk)
            );
        end else begin : g_core
            SB_PLL40_CORE #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT("GENCLK")
            ) u_pll (
                .REFERENCECLK(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBAL(o_clk_io)
            );
            assign o_clk = o_clk_io;
        end
    endgenerate
endmodule

`default_nettype wire
