// SPDX-License-Identifier: Apache-2.0
// PLL of ECP5: two clocks from one oscillator.
//
//   CLKI_DIV, CLKFB_DIV, CLKOP_DIV  oscillator = i_clk * CLKFB_DIV / CLKI_DIV * CLKOP_DIV,
//                                   400 ... 800 MHz
//   IO_DIV, CORE_DIV                o_clk_io and o_clk = oscillator / this
`default_nettype none

module ecp5_pll #(
    parameter CLKI_DIV  = 5,
    parameter CLKFB_DIV = 12,
    parameter CLKOP_DIV = 8,
    parameter IO_DIV    = 10,
    parameter CORE_DIV  = 8
) (
    input  wire i_clk,
    output wire o_clk_io,
    output wire o_clk,
    output wire o_locked
);
    wire feedback;

    EHXPLLL #(
        .CLKI_DIV(CLKI_DIV), .CLKFB_DIV(CLKFB_DIV), .FEEDBK_PATH("CLKOP"),
        .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(CLKOP_DIV), .CLKOP_CPHASE((CLKOP_DIV - 1) / 2),
        .CLKOP_FPHASE(0), .CLKOS_ENABLE("ENABLED"), .CLKOS_DIV(IO_DIV),
        .CLKOS_CPHASE((CLKOP_DIV - 1) / 2), .CLKOS_FPHASE(0), .CLKOS2_ENABLE("ENABLED"),
        .CLKOS2_DIV(CORE_DIV), .CLKOS2_CPHASE((CLKOP_DIV - 1) / 2), .CLKOS2_FPHASE(0),
        .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"),
        .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"),
        .DPHASE_SOURCE("DISABLED")
    ) u_pll (
        .CLKI(i_clk), .CLKFB(feedback), .CLKOP(feedback), .CLKOS(o_clk_io), .CLKOS2(o_clk),
        .LOCK(o_locked), .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0), .PHASESEL1(1'b0),
        .PHASEDIR(1'b1), .PHASESTEP(1'b1), .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0),
        .ENCLKOP(1'b0), .ENCLKOS(1'b0), .ENCLKOS2(1'b0)
    );
endmodule

`default_nettype wire
