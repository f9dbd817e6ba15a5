// SPDX-License-Identifier: Apache-2.0
// flx_multiply_ecp5: an 18 x 18 bit multiplier block of the ECP5, signed, with registers in
// front and behind: o_p 2 clocks later. Only with FLX_ECP5.
`default_nettype none
`ifdef FLX_ECP5
module flx_multiply_ecp5 (
    input  wire        clk,
    input  wire [17:0] i_a,
    input  wire [17:0] i_b,
    output wire [35:0] o_p
);
    MULT18X18D #(
        .REG_INPUTA_CLK("CLK0"), .REG_INPUTA_CE("CE0"), .REG_INPUTA_RST("RST0"),
        .REG_INPUTB_CLK("CLK0"), .REG_INPUTB_CE("CE0"), .REG_INPUTB_RST("RST0"),
        .REG_OUTPUT_CLK("CLK0"), .REG_OUTPUT_CE("CE0"), .REG_OUTPUT_RST("RST0"),
        .GSR("DISABLED"), .RESETMODE("SYNC"), .SOURCEB_MODE("B_SHIFT")
    ) u_mult (
        .A0(i_a[0]), .A1(i_a[1]), .A2(i_a[2]), .A3(i_a[3]), .A4(i_a[4]), .A5(i_a[5]),
        .A6(i_a[6]), .A7(i_a[7]), .A8(i_a[8]), .A9(i_a[9]), .A10(i_a[10]), .A11(i_a[11]),
        .A12(i_a[12]), .A13(i_a[13]), .A14(i_a[14]), .A15(i_a[15]), .A16(i_a[16]), .A17(i_a[17]),
        .B0(i_b[0]), .B1(i_b[1]), .B2(i_b[2]), .B3(i_b[3]), .B4(i_b[4]), .B5(i_b[5]),
        .B6(i_b[6]), .B7(i_b[7]), .B8(i_b[8]), .B9(i_b[9]), .B10(i_b[10]), .B11(i_b[11]),
        .B12(i_b[12]), .B13(i_b[13]), .B14(i_b[14]), .B15(i_b[15]), .B16(i_b[16]), .B17(i_b[17]),
        .P0(o_p[0]), .P1(o_p[1]), .P2(o_p[2]), .P3(o_p[3]), .P4(o_p[4]), .P5(o_p[5]),
        .P6(o_p[6]), .P7(o_p[7]), .P8(o_p[8]), .P9(o_p[9]), .P10(o_p[10]), .P11(o_p[11]),
        .P12(o_p[12]), .P13(o_p[13]), .P14(o_p[14]), .P15(o_p[15]), .P16(o_p[16]), .P17(o_p[17]),
        .P18(o_p[18]), .P19(o_p[19]), .P20(o_p[20]), .P21(o_p[21]), .P22(o_p[22]), .P23(o_p[23]),
        .P24(o_p[24]), .P25(o_p[25]), .P26(o_p[26]), .P27(o_p[27]), .P28(o_p[28]), .P29(o_p[29]),
        .P30(o_p[30]), .P31(o_p[31]), .P32(o_p[32]), .P33(o_p[33]), .P34(o_p[34]), .P35(o_p[35]),
        .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
        .CLK0(clk), .CE0(1'b1), .RST0(1'b0)
    );
endmodule
`endif
`default_nettype wire
