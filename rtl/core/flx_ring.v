// SPDX-License-Identifier: Apache-2.0
// flx_ring: the last N values, for N that take turns in one circuit (flx_pixels).
//
//   W, N     bits of a value, number of values
//
//   i_move   i comes in, the oldest goes
//   o_new    the value that came in last
//   o_old    the oldest: with N = 1 the same
`default_nettype none
module flx_ring #(
    parameter W = 1,
    parameter N = 1
) (
    input  wire         clk,
    input  wire         i_move,
    input  wire [W-1:0] i,
    output wire [W-1:0] o_new,
    output wire [W-1:0] o_old
);
    reg [N*W-1:0] values; // the newest lowest

    assign o_new = values[W-1:0];
    assign o_old = values[(N-1)*W +: W];

    generate
        if (N == 1) begin : g_one
            always @(posedge clk) if (i_move) values <= i;
        end else begin : g_many
            always @(posedge clk) if (i_move) values <= {values[(N-1)*W-1:0], i};
        end
    endgenerate
endmodule
`default_nettype wire
