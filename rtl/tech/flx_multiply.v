// SPDX-License-Identifier: Apache-2.0
// flx_multiply: signed A x B bits, registered.
//
//   A, B   bits of the factors, at most 18
//   REG    1: the factors have registers too
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
`ifdef FLX_ECP5
    localparam BLOCK = REG != 0;
`else
    localparam BLOCK = 0;
`endif
    generate
        if (BLOCK != 0) begin : g_block
            wire [17:0] a = {{(18-A){i_a[A-1]}}, i_a};
            wire [17:0] b = {{(18-B){i_b[B-1]}}, i_b};
            wire [35:0] p;
            assign o_p = p[A+B-1:0];
            flx_multiply_ecp5 u_block (.clk(clk), .i_a(a), .i_b(b), .o_p(p));
        end else begin : g_inferred
            wire signed [A-1:0] a;
            wire signed [B-1:0] b;
            // `keep`: Yosys 0.23 crashes when it moves this register into an SB_MAC16.
            (* keep *) reg signed [A+B-1:0] p;

            flx_delay #(.W(A + B), .N(REG != 0 ? 1 : 0)) u_delay (
                .clk(clk), .rst(1'b0), .i({i_a, i_b}), .o({a, b})
            );
            always @(posedge clk) p <= a * b;
            assign o_p = p;
        end
    endgenerate
endmodule
`default_nettype wire
