// SPDX-License-Identifier: Apache-2.0
// flx_delay: W bits, N clocks later (N >= 1). With `rst` the bits in flight become 0.
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
    reg [N*W-1:0] line;

    assign o = line[(N-1)*W +: W];

    generate
        if (N == 1) begin : g_one
            always @(posedge clk) line <= rst ? {W{1'b0}} : i;
        end else begin : g_many
            always @(posedge clk) line <= rst ? {N*W{1'b0}} : {line[(N-1)*W-1:0], i};
        end
    endgenerate
endmodule
`default_nettype wire
