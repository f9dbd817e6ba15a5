// SPDX-License-Identifier: Apache-2.0
// flx_lanes_code: what the lanes of a kind take of the signs, each bit at its time. One for all engines.
//
// A quarter of the bits are lanes k mod 4 = 0, 1, 2, 3 of all channels (flx_decrypt_array).
//
//   LANES   0 plain: the signs
//           1 pairs: the signs, one clock later
//           2 rows: see flx_lanes_rows, which names the bits of a group of four with signs w:
//             lane 0 and 1: w ^ w2, at once; lane 3: w3 ^ w2, one clock later;
//             lane 2: ~w2, two clocks later
//   N       lanes of all channels, a multiple of 4
//   REG     1: all one clock later still (LANES = 2)
//
//   i_sign  1 = weight +1, in the order of flx_decrypt_array
//   o_code  in that order
`default_nettype none
module flx_lanes_code #(
    parameter LANES = 2,
    parameter N     = 64,
    parameter REG   = 0
) (
    input  wire         clk,
    input  wire [N-1:0] i_sign,
    output wire [N-1:0] o_code
);
    localparam Q = N / 4;

    generate
        if (LANES == 0) begin : g_plain
            assign o_code = i_sign;
        end else if (LANES == 1) begin : g_pairs
            reg [N-1:0] code;
            always @(posedge clk) code <= i_sign;
            assign o_code = code;
        end else begin : g_rows
            wire [Q-1:0] common = i_sign[2*Q +: Q];
            wire [N-1:0] now;
            reg  [Q-1:0] r, n, n1;

            flx_delay #(.W(N), .N(REG)) u_reg (
                .clk(clk), .rst(1'b0), .i(i_sign ^ {common, {Q{1'b1}}, common, common}), .o(now)
            );
            always @(posedge clk) begin
                r  <= now[3*Q +: Q];
                n1 <= now[2*Q +: Q];
                n  <= n1;
            end
            assign o_code = {r, n, now[0 +: 2*Q]};
        end
    endgenerate
endmodule
`default_nettype wire
