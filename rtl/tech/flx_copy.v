// SPDX-License-Identifier: Apache-2.0
// flx_copy: a flip-flop that synthesis does not merge with others of the same input. For
// signals with too many readers for one driver. FLX_ECP5 or FLX_ICE40 chooses the cell;
// without either, synthesis may merge it.
`default_nettype none
module flx_copy (
    input  wire clk,
    input  wire i,
    output wire o
);
`ifdef FLX_ECP5
    (* keep *)
    TRELLIS_FF #(
        .GSR("DISABLED"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .REGSET("RESET")
    ) u_ff (
        .CLK(clk), .LSR(1'b0), .CE(1'b1), .DI(i), .Q(o)
    );
`elsif FLX_ICE40
    (* keep *)
    SB_DFF u_ff (.C(clk), .D(i), .Q(o));
`else
    reg q;
    always @(posedge clk) q <= i;
    assign o = q;
`endif
endmodule
`default_nettype wire
