// SPDX-License-Identifier: Apache-2.0
// PLL of iCE40: one global clock, or a fast and a slow one with their rising edges aligned.
// o_clk is the slow one.
//
//   DIVR, DIVF, DIVQ, FILTER_RANGE  as icepll(1) prints them for the fast clock; with RATIO 4
//                                   feedback comes from the slow one, so it is that which has
//                                   i_clk * (DIVF + 1) / (DIVR + 1); oscillator = the fast
//                                   clock * 2^DIVQ, 533 ... 1066 MHz
//   PAD         1: i_clk is a pin that feeds the PLL only (UP5K-SG48: 35); 0: any clock pin
//   RATIO       1, 2 or 4: rate of the fast clock, in o_clk's
//   IO_FAST     1: o_clk_io is the fast clock; 0: it is o_clk
//   LANES_FAST  1: o_clk_lanes is the fast clock; 0: it is o_clk
`default_nettype none

module ice40_pll #(
    parameter DIVR         = 0,
    parameter DIVF         = 63,
    parameter DIVQ         = 4,
    parameter FILTER_RANGE = 1,
    parameter PAD          = 0,
    parameter RATIO        = 1,
    parameter IO_FAST      = 0,
    parameter LANES_FAST   = 0
) (
    input  wire i_clk,
    output wire o_clk_io,
    output wire o_clk,
    output wire o_clk_lanes,
    output wire o_locked
);
    localparam [3:0] R     = DIVR;
    localparam [6:0] F     = DIVF;
    localparam [2:0] Q     = DIVQ;
    localparam [2:0] RANGE = FILTER_RANGE;

    wire fast;

    generate
        if (RATIO != 1 && RATIO != 2 && RATIO != 4)
            flx_error_ratio_must_be_1_2_or_4 u_error ();

        if (PAD != 0 && RATIO == 4) begin : g_pad_4
            SB_PLL40_2F_PAD #(
                .FEEDBACK_PATH("PHASE_AND_DELAY"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .SHIFTREG_DIV_MODE(2'b00), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("SHIFTREG_0deg")
            ) u_pll (
                .PACKAGEPIN(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(fast), .PLLOUTGLOBALB(o_clk)
            );
        end else if (PAD != 0 && RATIO == 2) begin : g_pad_2
            SB_PLL40_2F_PAD #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("GENCLK_HALF")
            ) u_pll (
                .PACKAGEPIN(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(fast), .PLLOUTGLOBALB(o_clk)
            );
        end else if (PAD != 0) begin : g_pad
            SB_PLL40_PAD #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT("GENCLK")
            ) u_pll (
                .PACKAGEPIN(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBAL(o_clk)
            );
            assign fast = o_clk;
        end else if (RATIO == 4) begin : g_core_4
            SB_PLL40_2F_CORE #(
                .FEEDBACK_PATH("PHASE_AND_DELAY"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .SHIFTREG_DIV_MODE(2'b00), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("SHIFTREG_0deg")
            ) u_pll (
                .REFERENCECLK(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(fast), .PLLOUTGLOBALB(o_clk)
            );
        end else if (RATIO == 2) begin : g_core_2
            SB_PLL40_2F_CORE #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT_PORTA("GENCLK"),
                .PLLOUT_SELECT_PORTB("GENCLK_HALF")
            ) u_pll (
                .REFERENCECLK(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBALA(fast), .PLLOUTGLOBALB(o_clk)
            );
        end else begin : g_core
            SB_PLL40_CORE #(
                .FEEDBACK_PATH("SIMPLE"), .DIVR(R), .DIVF(F), .DIVQ(Q),
                .FILTER_RANGE(RANGE), .PLLOUT_SELECT("GENCLK")
            ) u_pll (
                .REFERENCECLK(i_clk), .RESETB(1'b1), .BYPASS(1'b0), .LOCK(o_locked),
                .PLLOUTGLOBAL(o_clk)
            );
            assign fast = o_clk;
        end
    endgenerate

    assign o_clk_io    = IO_FAST != 0 ? fast : o_clk;
    assign o_clk_lanes = LANES_FAST != 0 ? fast : o_clk;
endmodule

`default_nettype wire
