// SPDX-License-Identifier: Apache-2.0
// flx_lanes_code: what the lanes of a kind take, each bit at its time. One for all engines.
//
//   LANES   1 pairs: the signs, one clock later
//           2 rows: see flx_lanes_rows, which names the bits of a group of four with signs w:
//             lane 0 and 1: w ^ w2, at once; lane 3: w3 ^ w2, one clock later;
//             lane 2: ~w2, two clocks later
//   N       lanes of all channels, a multiple of 4
//   REG     1: all one clock later still (LANES = 2)
//
//   i_code  those bits, lanes of a channel in order, all at once
`default_nettype none
module flx_lanes_code #(
    parameter LANES = 2,
    parameter N     = 64,
    parameter REG   = 0
) (
    input  wire         clk,
    input  wire [N-1:0] i_code,
    output wire [N-1:0] o_code
);
    genvar g;
    generate
        if (LANES == 1) begin : g_pairs
            reg [N-1:0] code;
            always @(posedge clk) code <= i_code;
            assign o_code = code;
        end else begin : g_rows
            for (g = 0; g < N / 4; g = g + 1) begin : g_group
                wire [3:0] now;
                reg        r, n, n1;

                flx_delay #(.W(4), .N(REG)) u_reg (.clk(clk), .rst(1'b0), .i(i_code[4*g +: 4]), .o(now));
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
