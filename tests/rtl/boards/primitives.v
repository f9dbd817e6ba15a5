// SPDX-License-Identifier: Apache-2.0
// Models of the vendors' PLLs: rates from the parameters and the measured input clock. For
// lint (Verilator) only their ports.
`timescale 1ps / 1ps
`default_nettype none
/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off PINCONNECTEMPTY */
/* verilator lint_off WIDTH */

module rate_model #(
    parameter MUL = 1,
    parameter DIV = 1
) (
    input  wire i_ref,
    output wire o_clk,
    output wire o_locked
);
`ifdef VERILATOR
    assign o_clk    = i_ref;
    assign o_locked = 1'b1;
`else
    real first, period;
    reg  clk = 1'b0, locked = 1'b0;
    assign o_clk    = clk;
    assign o_locked = locked;
    initial begin
        @(posedge i_ref) first = $realtime;
        @(posedge i_ref) period = ($realtime - first) * DIV / MUL;
        locked = 1'b1;
        forever #(period / 2) clk = !clk;
    end
`endif
endmodule

module SB_PLL40_2F_PAD #(
    parameter FEEDBACK_PATH = "", parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0, parameter [2:0] FILTER_RANGE = 0,
    parameter [1:0] SHIFTREG_DIV_MODE = 0,
    parameter PLLOUT_SELECT_PORTA = "GENCLK", parameter PLLOUT_SELECT_PORTB = "GENCLK_HALF"
) (
    input wire PACKAGEPIN, input wire RESETB, input wire BYPASS,
    output wire PLLOUTGLOBALA, output wire PLLOUTGLOBALB, output wire LOCK
);
    localparam SHIFTREG = PLLOUT_SELECT_PORTB == "SHIFTREG_0deg";
    rate_model #(
        .MUL(SHIFTREG ? 4 * (DIVF + 1) : DIVF + 1), .DIV(SHIFTREG ? DIVR + 1 : (DIVR + 1) << DIVQ)
    ) u_a (
        .i_ref(PACKAGEPIN), .o_clk(PLLOUTGLOBALA), .o_locked(LOCK)
    );
    rate_model #(
        .MUL(DIVF + 1), .DIV(SHIFTREG ? DIVR + 1 : (DIVR + 1) << (DIVQ + 1))
    ) u_b (
        .i_ref(PACKAGEPIN), .o_clk(PLLOUTGLOBALB), .o_locked()
    );
endmodule

module SB_PLL40_2F_CORE #(
    parameter FEEDBACK_PATH = "", parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0, parameter [2:0] FILTER_RANGE = 0,
    parameter [1:0] SHIFTREG_DIV_MODE = 0,
    parameter PLLOUT_SELECT_PORTA = "GENCLK", parameter PLLOUT_SELECT_PORTB = "GENCLK_HALF"
) (
    input wire REFERENCECLK, input wire RESETB, input wire BYPASS,
    output wire PLLOUTGLOBALA, output wire PLLOUTGLOBALB, output wire LOCK
);
    SB_PLL40_2F_PAD #(
        .DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ), .PLLOUT_SELECT_PORTB(PLLOUT_SELECT_PORTB)
    ) u_pll (
        .PACKAGEPIN(REFERENCECLK), .RESETB(RESETB), .BYPASS(BYPASS),
        .PLLOUTGLOBALA(PLLOUTGLOBALA), .PLLOUTGLOBALB(PLLOUTGLOBALB), .LOCK(LOCK)
    );
endmodule

module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "", parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0, parameter [2:0] FILTER_RANGE = 0, parameter PLLOUT_SELECT = ""
) (
    input wire PACKAGEPIN, input wire RESETB, input wire BYPASS,
    output wire PLLOUTGLOBAL, output wire LOCK
);
    SB_PLL40_2F_PAD #(.DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ)) u_pll (
        .PACKAGEPIN(PACKAGEPIN), .RESETB(RESETB), .BYPASS(BYPASS),
        .PLLOUTGLOBALA(PLLOUTGLOBAL), .PLLOUTGLOBALB(), .LOCK(LOCK)
    );
endmodule

module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "", parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0, parameter [2:0] FILTER_RANGE = 0, parameter PLLOUT_SELECT = ""
) (
    input wire REFERENCECLK, input wire RESETB, input wire BYPASS,
    output wire PLLOUTGLOBAL, output wire LOCK
);
    SB_PLL40_2F_PAD #(.DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ)) u_pll (
        .PACKAGEPIN(REFERENCECLK), .RESETB(RESETB), .BYPASS(BYPASS),
        .PLLOUTGLOBALA(PLLOUTGLOBAL), .PLLOUTGLOBALB(), .LOCK(LOCK)
    );
endmodule

module EHXPLLL #(
    parameter CLKI_DIV = 1, parameter CLKFB_DIV = 1, parameter FEEDBK_PATH = "",
    parameter CLKOP_ENABLE = "", parameter CLKOP_DIV = 1, parameter CLKOP_CPHASE = 0,
    parameter CLKOP_FPHASE = 0, parameter CLKOS_ENABLE = "", parameter CLKOS_DIV = 1,
    parameter CLKOS_CPHASE = 0, parameter CLKOS_FPHASE = 0, parameter CLKOS2_ENABLE = "",
    parameter CLKOS2_DIV = 1, parameter CLKOS2_CPHASE = 0, parameter CLKOS2_FPHASE = 0,
    parameter CLKOS3_ENABLE = "DISABLED", parameter CLKOS3_DIV = 1, parameter CLKOS3_CPHASE = 0,
    parameter CLKOS3_FPHASE = 0, parameter OUTDIVIDER_MUXA = "", parameter OUTDIVIDER_MUXB = "",
    parameter OUTDIVIDER_MUXC = "", parameter OUTDIVIDER_MUXD = "",
    parameter PLLRST_ENA = "", parameter INTFB_WAKE = "", parameter STDBY_ENABLE = "",
    parameter DPHASE_SOURCE = ""
) (
    input wire CLKI, input wire CLKFB, input wire RST, input wire STDBY, input wire PHASESEL0,
    input wire PHASESEL1, input wire PHASEDIR, input wire PHASESTEP, input wire PHASELOADREG,
    input wire PLLWAKESYNC, input wire ENCLKOP, input wire ENCLKOS, input wire ENCLKOS2,
    input wire ENCLKOS3, output wire CLKOP, output wire CLKOS, output wire CLKOS2,
    output wire CLKOS3, output wire LOCK
);
    rate_model #(.MUL(CLKFB_DIV), .DIV(CLKI_DIV)) u_op (
        .i_ref(CLKI), .o_clk(CLKOP), .o_locked(LOCK)
    );
    rate_model #(.MUL(CLKFB_DIV * CLKOP_DIV), .DIV(CLKI_DIV * CLKOS_DIV)) u_os (
        .i_ref(CLKI), .o_clk(CLKOS), .o_locked()
    );
    rate_model #(.MUL(CLKFB_DIV * CLKOP_DIV), .DIV(CLKI_DIV * CLKOS2_DIV)) u_os2 (
        .i_ref(CLKI), .o_clk(CLKOS2), .o_locked()
    );
    rate_model #(.MUL(CLKFB_DIV * CLKOP_DIV), .DIV(CLKI_DIV * CLKOS3_DIV)) u_os3 (
        .i_ref(CLKI), .o_clk(CLKOS3), .o_locked()
    );
endmodule

`default_nettype wire
