// SPDX-License-Identifier: Apache-2.0
// flx_multiply: signed A x B bits, registered.
//
//   A, B   bits of the factors, at most 18
//   REG    1: the factors have registers too; 2: and the product a flip-flop behind the multiplier, which
//          may lie far from what takes it
//
//   o_p    1 + REG clocks later
//
// With FLX_ECP5 and REG the registers are those of the multiplier block, which Yosys 0.23 does not
// infer: without them the block alone takes more than the lanes' clock.
`default_nettype none
module flx_multiply #(
    parameter A   = 16,
    parameter B   = 12,
    parameter REG = 0
) (
    input  wire           clk,
    input  wire [A-1:0]   i_a,
    input  wire [B-1:0]   i_b,
    output wire [A+B-1:0] o_p
);
    wire [A+B-1:0] product;

    flx_delay #(.W(A + B), .N(REG == 2 ? 1 : 0)) u_behind (
        .clk(clk), .rst(1'b0), .i(product), .o(o_p)
    );

    generate
`ifdef FLX_ECP5
        if (REG != 0) begin : g_block
            wire [17:0] a = {{(18-A){i_a[A-1]}}, i_a};
            wire [17:0] b = {{(18-B){i_b[B-1]}}, i_b};
            wire [35:0] p;
            assign product = p[A+B-1:0];
            MULT18X18D #(
                .REG_INPUTA_CLK("CLK0"), .REG_INPUTA_CE("CE0"), .REG_INPUTA_RST("RST0"),
                .REG_INPUTB_CLK("CLK0"), .REG_INPUTB_CE("CE0"), .REG_INPUTB_RST("RST0"),
                .REG_OUTPUT_CLK("CLK0"), .REG_OUTPUT_CE("CE0"), .REG_OUTPUT_RST("RST0"),
                .GSR("DISABLED"), .RESETMODE("SYNC"), .SOURCEB_MODE("B_SHIFT")
            ) u_mult (
                .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]),
                .A6(a[6]), .A7(a[7]), .A8(a[8]), .A9(a[9]), .A10(a[10]), .A11(a[11]),
                .A12(a[12]), .A13(a[13]), .A14(a[14]), .A15(a[15]), .A16(a[16]), .A17(a[17]),
                .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]),
                .B6(b[6]), .B7(b[7]), .B8(b[8]), .B9(b[9]), .B10(b[10]), .B11(b[11]),
                .B12(b[12]), .B13(b[13]), .B14(b[14]), .B15(b[15]), .B16(b[16]), .B17(b[17]),
                .P0(p[0]), .P1(p[1]), .P2(p[2]), .P3(p[3]), .P4(p[4]), .P5(p[5]),
                .P6(p[6]), .P7(p[7]), .P8(p[8]), .P9(p[9]), .P10(p[10]), .P11(p[11]),
                .P12(p[12]), .P13(p[13]), .P14(p[14]), .P15(p[15]), .P16(p[16]), .P17(p[17]),
                .P18(p[18]), .P19(p[19]), .P20(p[20]), .P21(p[21]), .P22(p[22]), .P23(p[23]),
                .P24(p[24]), .P25(p[25]), .P26(p[26]), .P27(p[27]), .P28(p[28]), .P29(p[29]),
                .P30(p[30]), .P31(p[31]), .P32(p[32]), .P33(p[33]), .P34(p[34]), .P35(p[35]),
                .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
                .CLK0(clk), .CE0(1'b1), .RST0(1'b0)
            );
        end else begin : g_inferred
`else
        if (1) begin : g_inferred
`endif
            wire signed [A-1:0] a;
            wire signed [B-1:0] b;
            // `keep`: Yosys 0.23 crashes when it moves this register into an SB_MAC16.
            (* keep *) reg signed [A+B-1:0] p;

            flx_delay #(.W(A + B), .N(REG != 0 ? 1 : 0)) u_delay (
                .clk(clk), .rst(1'b0), .i({i_a, i_b}), .o({a, b})
            );
            always @(posedge clk) p <= a * b;
            assign product = p;
        end
    endgenerate
endmodule
`default_nettype wire
