// SPDX-License-Identifier: Apache-2.0
// flx_array_code: flx_lanes_code for an array whose bits are in the order of flx_decrypt_array.
//
//   K, T, N_OUT   as in flx_core; LANES, FAN   as in flx_lanes, LANES = 1 or 2
//
//   i_code, o_code   in that order; times as in flx_lanes_code
`default_nettype none
module flx_array_code #(
    parameter K     = 8,
    parameter T     = 8,
    parameter N_OUT = 32,
    parameter LANES = 2,
    parameter FAN   = 0
) (
    input  wire           clk,
    input  wire [K*T-1:0] i_code,
    output wire [K*T-1:0] o_code
);
    localparam S  = K * T / N_OUT;
    localparam T0 = N_OUT / 4;

    wire [K*T-1:0] in_order, code; // lane k of channel t at t*K + k

    genvar t, k;
    generate
        for (t = 0; t < T; t = t + 1) begin : g_ch
            for (k = 0; k < K; k = k + 1) begin : g_lane
                localparam AT = ((k % 4) * T0 + t % T0) * S + k / 4 + (K / 4) * (t / T0);
                assign in_order[t*K + k] = i_code[AT];
                assign o_code[AT]        = code[t*K + k];
            end
        end
    endgenerate

    flx_lanes_code #(
        .LANES(LANES),
        .N    (K * T),
        .REG  (FAN != 0 ? 1 : 0)
    ) u_code (
        .clk   (clk),
        .i_code(in_order),
        .o_code(code)
    );
endmodule
`default_nettype wire
