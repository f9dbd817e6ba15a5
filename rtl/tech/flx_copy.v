// SPDX-License-Identifier: Apache-2.0
// flx_copy: flip-flops that synthesis does not merge with others of the same input. For
// signals with too many readers for one driver. FLX_ECP5 or FLX_ICE40 chooses the cell;
// without either, synthesis may merge them.
//
//   W   bits
//
//   o   i, one clock later
`default_nettype none
module flx_copy #(
    parameter W = 1
) (
    input  wire         clk,
    input  wire [W-1:0] i,
    output wire [W-1:0] o
);
`ifdef FLX_ECP5
    genvar b;
    generate
        for (b = 0; b < W; b = b + 1) begin : g_bit
            (* keep *)
            TRELLIS_FF #(
                .GSR("DISABLED"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .REGSET("RESET")
            ) u_ff (
                .CLK(clk), .LSR(1'b0), .CE(1'b1), .DI(i[b]), .Q(o[b])
            );
        end
    endgenerate
`elsif FLX_ICE40
    genvar b;
    generate
        for (b = 0; b < W; b = b + 1) begin : g_bit
            (* keep *)
            SB_DFF u_ff (.C(clk), .D(i[b]), .Q(o[b]));
        end
    endgenerate
`else
    reg [W-1:0] q;
    always @(posedge clk) q <= i;
    assign o = q;
`endif
endmodule
`default_nettype wire
