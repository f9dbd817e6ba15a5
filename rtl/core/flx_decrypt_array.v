// SPDX-License-Identifier: Apache-2.0
// flx_decrypt_array: one weight word -> the K*T signs of a cycle, one clock later.
//
// A weight word holds S = K*T/N_OUT slices, plane-major (docs/link.md). The signs
// leave in the order of the decryptor, bit r*S + s: row r = kk*t0 + tt of slice
// s = kc + (K/4)*tc belongs to lane 4*kc + kk and channel t0*tc + tt, t0 = N_OUT/4.
// flx_lanes wires them to their places.
//
//   K, T, N_OUT, NIN_MAX   as in flx_core
//   NB                     bytes of the widest weight word
//   i_word                 weight word; planes at or above n_in may hold anything
//   i_direct               see flx_decryptor
//   o_sign                 1 = weight +1
`default_nettype none
module flx_decrypt_array #(
    parameter K       = 8,
    parameter T       = 8,
    parameter N_OUT   = 32,
    parameter NIN_MAX = 32,
    parameter NB      = 8
) (
    input  wire             clk,
    input  wire [NB*8-1:0]  i_word,
    input  wire [N_OUT-1:0] i_direct,
    output reg  [K*T-1:0]   o_sign
);
    localparam S           = K * T / N_OUT;
    localparam PACKED      = (S == 1) || (S == 2) || (S == 4);
    localparam PLANE_PITCH = PACKED ? S : 8 * ((S + 7) / 8);

    wire [NIN_MAX*S-1:0] x;
    wire [N_OUT*S-1:0]   y;

    genvar p;
    generate
        for (p = 0; p < NIN_MAX; p = p + 1) begin : g_plane
            assign x[p*S +: S] = i_word[p*PLANE_PITCH +: S];
        end
    endgenerate

    flx_decryptor #(
        .N_OUT  (N_OUT),
        .NIN_MAX(NIN_MAX),
        .S      (S)
    ) u_decryptor (
        .i_x     (x),
        .i_direct(i_direct),
        .o_y     (y)
    );

    always @(posedge clk) o_sign <= y;
endmodule
`default_nettype wire
