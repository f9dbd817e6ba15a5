// SPDX-License-Identifier: Apache-2.0
// PLL of ECP5: two or three clocks from one oscillator, with their rising edges aligned.
//
//   CLKI_DIV, CLKFB_DIV, CLKOP_DIV  oscillator = i_clk * CLKFB_DIV / CLKI_DIV * CLKOP_DIV,
//                                   400 ... 800 MHz
//   IO_DIV, CORE_DIV, LANES_DIV     o_clk_io, o_clk and o_clk_lanes = oscillator / this;
//                                   LANES_DIV 0: o_clk_lanes is o_clk
`default_nettype none

module ecp5_pll #(
    parameter CLKI_DIV  = 5,
    parameter CLKFB_DIV = 12,
    parameter CLKOP_DIV = 8,
    parameter IO_DIV    = 10,
    parameter CORE_DIV  = 8,
    parameter LANES_DIV = 0
) (
    input  wire i_clk,
    output wire o_clk_io,
    output wire o_clk,
    output wire o_clk_lanes,
    output wire o_locked
);
    // The same for all outputs, which is what aligns them.
    localparam PHASE = (CLKOP_DIV - 1) / 2;

    wire feedback;

    generate
        if (LANES_DIV != 0 && CORE_DIV % LANES_DIV != 0)
            flx_error_core_div_must_be_a_multiple_of_lanes_div u_error ();

        if (LANES_DIV != 0) begin : g_lanes
            EHXPLLL #(
                .CLKI_DIV(CLKI_DIV), .CLKFB_DIV(CLKFB_DIV), .FEEDBK_PATH("CLKOP"),
                .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(CLKOP_DIV), .CLKOP_CPHASE(PHASE),
                .CLKOP_FPHASE(0), .CLKOS_ENABLE("ENABLED"), .CLKOS_DIV(IO_DIV),
                .CLKOS_CPHASE(PHASE), .CLKOS_FPHASE(0), .CLKOS2_ENABLE("ENABLED"),
                .CLKOS2_DIV(CORE_DIV), .CLKOS2_CPHASE(PHASE), .CLKOS2_FPHASE(0),
                .CLKOS3_ENABLE("ENABLED"), .CLKOS3_DIV(LANES_DIV), .CLKOS3_CPHASE(PHASE),
                .CLKOS3_FPHASE(0), .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"),
                .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"), .PLLRST_ENA("DISABLED"),
                .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"), .DPHASE_SOURCE("DISABLED")
            ) u_pll (
                .CLKI(i_clk), .CLKFB(feedback), .CLKOP(feedback), .CLKOS(o_clk_io),
                .CLKOS2(o_clk), .CLKOS3(o_clk_lanes), .LOCK(o_locked), .RST(1'b0), .STDBY(1'b0),
                .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1),
                .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .ENCLKOS(1'b0),
                .ENCLKOS2(1'b0), .ENCLKOS3(1'b0)
            );
        end else begin : g_two
            EHXPLLL #(
                .CLKI_DIV(CLKI_DIV), .CLKFB_DIV(CLKFB_DIV), .FEEDBK_PATH("CLKOP"),
                .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(CLKOP_DIV), .CLKOP_CPHASE(PHASE),
                .CLKOP_FPHASE(0), .CLKOS_ENABLE("ENABLED"), .CLKOS_DIV(IO_DIV),
                .CLKOS_CPHASE(PHASE), .CLKOS_FPHASE(0), .CLKOS2_ENABLE("ENABLED"),
                .CLKOS2_DIV(CORE_DIV), .CLKOS2_CPHASE(PHASE), .CLKOS2_FPHASE(0),
                .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"),
                .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"),
                .DPHASE_SOURCE("DISABLED")
            ) u_pll (
                .CLKI(i_clk), .CLKFB(feedback), .CLKOP(feedback), .CLKOS(o_clk_io),
                .CLKOS2(o_clk), .CLKOS3(), .LOCK(o_locked), .RST(1'b0), .STDBY(1'b0),
                .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1),
                .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .ENCLKOS(1'b0),
                .ENCLKOS2(1'b0), .ENCLKOS3(1'b0)
            );
            assign o_clk_lanes = o_clk;
        end
    endgenerate
endmodule

`default_nettype wire
