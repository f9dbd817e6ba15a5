// SPDX-License-Identifier: Apache-2.0
// flx_decrypt_array: one weight word -> the K*T signs of a cycle, one clock later, as the
// lanes take them.
//
// A weight word holds S = K*T/N_OUT slices, plane-major (docs/link.md). The signs
// leave in the order of the decryptor, bit r*S + s: row r = kk*t0 + tt of slice
// s = kc + (K/4)*tc belongs to lane 4*kc + kk and channel t0*tc + tt, t0 = N_OUT/4.
// flx_lanes wires them to their places.
//
//   K, T, N_OUT, NIN_MAX   as in flx_core
//   LANES, FAN             as in flx_lanes
//   TIMED                  1: bits of LANES = 2 leave at their times (flx_lanes_code); 0: all at once
//   NB                     bytes of the widest weight word
//   i_word                 weight word; planes at or above n_in may hold anything
//   i_direct               see flx_decryptor
//   o_sign                 what flx_lanes takes with CODED = 1; LANES = 0 and 1: 1 = weight +1.
//                          The signs of a word are those of the activations that reach the
//                          lanes in the clock after i_word, with LANES = 1 in the clock before
`default_nettype none
module flx_decrypt_array #(
    parameter K       = 8,
    parameter T       = 8,
    parameter N_OUT   = 32,
    parameter NIN_MAX = 32,
    parameter LANES   = 0,
    parameter FAN     = 0,
    parameter TIMED   = 1,
    parameter NB      = 8
) (
    input  wire             clk,
    input  wire [NB*8-1:0]  i_word,
    input  wire [N_OUT-1:0] i_direct,
    output wire [K*T-1:0]   o_sign
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

    // Lanes k mod 4 of all channels are a quarter of the bits; lane 2 has a group's common sign.
    localparam      Q    = K * T / 4;
    wire [Q-1:0]    n    = y[2*Q +: Q];
    wire [K*T-1:0]  code = (LANES == 2) ? {y[3*Q +: Q] ^ n, ~n, y[Q +: Q] ^ n, y[0 +: Q] ^ n} : y;
    reg  [K*T-1:0]  sign;
    always @(posedge clk) sign <= code;

    generate
        if (LANES == 2 && TIMED != 0) begin : g_code
            flx_array_code #(
                .K(K), .T(T), .N_OUT(N_OUT), .LANES(LANES), .FAN(FAN)
            ) u_code (
                .clk(clk), .i_code(sign), .o_code(o_sign)
            );
        end else begin : g_signs
            assign o_sign = sign;
        end
    endgenerate
endmodule
`default_nettype wire
