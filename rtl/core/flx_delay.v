// SPDX-License-Identifier: Apache-2.0
// flx_delay: W bits, N clocks later (0: a wire). With `rst` the bits in flight become 0.
`default_nettype none
module flx_delay #(
    parameter W = 1,
    parameter N = 1
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [W-1:0] i,
    output wire [W-1:0] o
);
    generate
        if (N == 0) begin : g_none
            assign o = i;
        end else if (N == 1) begin : g_one
            reg [W-1:0] line;
            assign o = line;
            always @(posedge clk) line <= rst ? {W{1'b0}} : i;
        end else begin : g_many
            reg [N*W-1:0] line;
            assign o = line[(N-1)*W +: W];
            always @(posedge clk) line <= rst ? {N*W{1'b0}} : {line[(N-1)*W-1:0], i};
        end
    endgenerate
endmodule
`default_nettype wire
