// SPDX-License-Identifier: Apache-2.0
// flx_lanes_code: signs -> what the lanes of a kind take, each bit at its time. One for all
// engines.
//
//   LANES   1 pairs: the signs one clock later
//           2 rows: see flx_lanes_rows, which names the bits; group of four with signs w:
//             lane 0 and 1: w ^ w2, at once; lane 3: w3 ^ w2, one clock later;
//             lane 2: ~w2, two clocks later
//   N       lanes of all channels, a multiple of 4
//   REG     1: all one clock later still, out of registers (LANES = 2)
//
//   i_sign  lanes of a channel in order
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
    genvar g;
    generate
        if (LANES == 1) begin : g_pairs
            reg [N-1:0] code;
            always @(posedge clk) code <= i_sign;
            assign o_code = code;
        end else begin : g_rows
            for (g = 0; g < N / 4; g = g + 1) begin : g_group
                wire [3:0] w = i_sign[4*g +: 4];
                wire [3:0] now;
                reg        r, n, n1;

                if (REG != 0) begin : g_reg
                    reg [3:0] code;
                    always @(posedge clk) code <= {w[3] ^ w[2], ~w[2], w[1] ^ w[2], w[0] ^ w[2]};
                    assign now = code;
                end else begin : g_wire
                    assign now = {w[3] ^ w[2], ~w[2], w[1] ^ w[2], w[0] ^ w[2]};
                end
                always @(posedge clk) begin
                    r  <= now[3];
                    n1 <= now[2];
                    n  <= n1;
                end
                assign o_code[4*g +: 4] = {r, n, now[1:0]};
            end
        end
    endgenerate
endmodule
`default_nettype wire
