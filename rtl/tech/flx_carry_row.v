// SPDX-License-Identifier: Apache-2.0
// flx_carry_row: one row of adder cells that compute more than a sum. Combinational.
//
//   KIND       sum                                         cell on the ECP5
//   0 signs    (a ^ b) + (c ^ d), b and d the same in       INIT 0x6996
//              every bit: two operands, each with a sign
//   1 select   a + (d ? b : c); bit 0 of b and c is equal   INIT 0x665A
//              if W + (TOP != 0) is even
//   2 keep     c ? a : a + b, c the same in every bit       INIT 0xA6AA
//   3 add      a + b                                        INIT 0x666A, c = d = 1
//   4 subtract a - b + 2^W                                  INIT 0x999A, c = d = 1
//   5 gate     (c | d) + (a & b)                            INIT 0x7778
//   6 pool     c and d: a + b; else c: a; else d: b; c and   INIT 0x6CA8
//              d the same in every bit, one of them is 1
//   7 less     (d ? b : c) - a - 1 + 2^W: the carry out     INIT 0x99A5
//              is a < (d ? b : c)
//
//   W          bits of the operands
//   TOP        0: o[W] is 0; 1: o[W] is the carry out; 2: o[W] is its inverse, which turns
//              an unsigned sum into a signed one less 2^W
//
// The ECP5 adds one bit in a LUT4: P(a,b,c,d) ^ carry, and where P is 0 the carry becomes
// G(a,b), the lowest four bits of INIT. A constant or a fabric signal cannot enter or leave
// the chain but through a cell, and nextpnr inserts two LUTs for each such place. So the row
// brings its own: a first half-cell with P = 0 makes the carry of bit 1 (a0 & b0, and one
// LUT4 the lowest sum) or, where that makes the number of half-cells odd or G needs more
// than a and b, a constant in front of bit 0; a last half-cell delivers the carry out.
// Neither CIN of the first cell (the constant here) nor COUT of the last matters:
// scripts/ecp5-open-carries disconnects them, since Yosys cannot express an open port.
//
// FLX_ECP5 chooses the cells; without it the row is what the table says.
`default_nettype none
module flx_carry_row #(
    parameter W    = 8,
    parameter KIND = 0,
    parameter TOP  = 1
) (
    input  wire [W-1:0] i_a,
    input  wire [W-1:0] i_b,
    input  wire [W-1:0] i_c,
    input  wire [W-1:0] i_d,
    output wire [W:0]   o
);
`ifdef FLX_ECP5
    localparam [15:0] ZERO = (KIND == 4) ? 16'h000F : 16'h0000; // P = 0, G = 1 or 0
    localparam [15:0] INIT = (KIND == 0) ? 16'h6996 : (KIND == 1) ? 16'h665A
                           : (KIND == 2) ? 16'hA6AA : (KIND == 3) ? 16'h666A
                           : (KIND == 4) ? 16'h999A : (KIND == 5) ? 16'h7778
                           : (KIND == 6) ? 16'h6CA8 : 16'h99A5;
    localparam LAST  = (TOP != 0);
    localparam ODD   = (W + LAST) % 2 == 0; // half-cells with a constant carry, odd
    localparam GEN   = ODD && (KIND == 1 || KIND == 3);
    localparam BITS  = GEN ? W - 1 : W;     // bits that have a half-cell
    localparam HALF  = 1 + BITS + LAST;
    localparam CELLS = (HALF + 1) / 2;

    wire [2*CELLS-1:0] a, b, c, d, s;
    wire [CELLS:0]     carry;
    wire               top = s[BITS+LAST];

    assign a[0] = GEN ? i_a[0] : 1'b0;
    assign b[0] = GEN ? i_b[0] : 1'b0;
    assign c[0] = 1'b1;
    assign d[0] = 1'b1;
    assign a[BITS:1] = i_a[W-1:W-BITS];
    assign b[BITS:1] = i_b[W-1:W-BITS];
    assign c[BITS:1] = (KIND == 3 || KIND == 4) ? {BITS{1'b1}} : i_c[W-1:W-BITS];
    assign d[BITS:1] = (KIND >= 2 && KIND <= 4) ? {BITS{1'b1}} : i_d[W-1:W-BITS];
    assign o = {LAST && top, s[BITS:1], i_a[0] ^ i_b[0]} >> (GEN ? 0 : 1);

    genvar j;
    generate
        if (2 * CELLS > 1 + BITS) begin : g_rest
            assign a[2*CELLS-1:BITS+1] = 0;
            assign b[2*CELLS-1:BITS+1] = 0;
            assign c[2*CELLS-1:BITS+1] = 0;
            assign d[2*CELLS-1:BITS+1] = 0;
        end
        for (j = 0; j < CELLS; j = j + 1) begin : g_cell
            localparam [15:0] INIT0 = (j == 0) ? (GEN ? 16'h0008 : ZERO)
                                    : (2 * j <= BITS) ? INIT : (TOP == 2) ? 16'hFFFF : 16'h0000;
            localparam [15:0] INIT1 = (2 * j + 1 <= BITS) ? INIT
                                    : (TOP == 2) ? 16'hFFFF : 16'h0000;
            CCU2C #(
                .INIT0(INIT0), .INIT1(INIT1), .INJECT1_0("NO"), .INJECT1_1("NO")
            ) u_cell (
                .CIN(carry[j]), .COUT(carry[j+1]),
                .A0(a[2*j]), .B0(b[2*j]), .C0(c[2*j]), .D0(d[2*j]), .S0(s[2*j]),
                .A1(a[2*j+1]), .B1(b[2*j+1]), .C1(c[2*j+1]), .D1(d[2*j+1]), .S1(s[2*j+1])
            );
        end
    endgenerate
    assign carry[0] = 1'b0;
`else
    wire [W-1:0] x = (KIND == 0) ? i_a ^ i_b : (KIND == 5) ? i_a & i_b : (KIND == 6) ? i_a & i_c
                   : (KIND == 7) ? ~i_a : i_a;
    wire [W-1:0] y = (KIND == 0) ? i_c ^ i_d : (KIND == 1 || KIND == 7) ? (i_b & i_d) | (i_c & ~i_d)
                   : (KIND == 2) ? i_b & ~i_c : (KIND == 3) ? i_b : (KIND == 4) ? ~i_b
                   : (KIND == 5) ? i_c | i_d : i_b & i_d;
    wire [W:0]   sum = {1'b0, x} + {1'b0, y} + {{W{1'b0}}, KIND == 4};

    assign o = {(TOP == 1) ? sum[W] : (TOP == 2) ? !sum[W] : 1'b0, sum[W-1:0]};
`endif
endmodule
`default_nettype wire
