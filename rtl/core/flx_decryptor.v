// SPDX-License-Identifier: Apache-2.0
// flx_decryptor: the XOR network y = M x over GF(2), for S slices side by side.
//
// Combinational. M comes from the generated flx_xornet.vh. The bits lie by rows,
// so that one vector operation serves all slices:
//
//   i_x       bit n*S + s: stored bit n of slice s
//   i_direct  nested network: row r passes stored bit r through (r < n_in of the layer);
//             one register for all slices. Not looked at for a fixed network.
//   o_y       bit r*S + s: weight r of slice s
//
//   N_OUT     weights of a slice
//   NIN_MAX   stored bits of a slice that the weight buffer delivers
//   S         slices
//
// A nested row is one LUT4: direct ? x_r : x_a ^ x_b. Rows below n_min are wires, rows
// from NIN_MAX on are always x_a ^ x_b. Stored bits at or above n_in reach no
// output: the taps a and b are below n_min <= n_in.
`default_nettype none
`include "flx_xornet.vh"
module flx_decryptor #(
    parameter N_OUT   = 32,
    parameter NIN_MAX = 32,
    parameter S       = 1
) (
    input  wire [NIN_MAX*S-1:0] i_x,
    input  wire [N_OUT-1:0]     i_direct,
    output wire [N_OUT*S-1:0]   o_y
);
    localparam [1023:0] ROWS   = `FLX_XOR_ROWS;
    localparam          NESTED = (`FLX_XOR_KIND == 0);
    localparam          N_MIN  = `FLX_XOR_NMIN;

    genvar r;
    generate
        for (r = 0; r < N_OUT; r = r + 1) begin : g_row
            if (NESTED && r < N_MIN) begin : g_wire
                assign o_y[r*S +: S] = i_x[r*S +: S];
            end else begin : g_xor
                localparam [31:0] TAPS = ROWS[32*r +: 32];
                reg [S-1:0] sum;
                integer     n;
                always @* begin
                    sum = {S{1'b0}};
                    for (n = 0; n < NIN_MAX; n = n + 1)
                        if (TAPS[n]) sum = sum ^ i_x[n*S +: S];
                end
                if (NESTED && r < NIN_MAX) begin : g_select
                    assign o_y[r*S +: S] = i_direct[r] ? i_x[r*S +: S] : sum;
                end else begin : g_sum
                    assign o_y[r*S +: S] = sum;
                end
            end
        end
    endgenerate

`ifdef FORMAL
    // For every n_in that the network takes, y is M x, for all x; bits of x at or above
    // n_in do not matter. M is written here a second time, row by row.
    (* anyconst *) reg [5:0] f_nin;
    integer i, j, s;
    reg     f_bit;
    always @* begin
        assume (f_nin >= `FLX_XOR_NMIN && f_nin <= NIN_MAX && f_nin <= `FLX_XOR_NMAX);
        for (i = 0; i < N_OUT; i = i + 1)
            assume (i_direct[i] == (i < f_nin));
        for (s = 0; s < S; s = s + 1)
            for (i = 0; i < N_OUT; i = i + 1) begin
                f_bit = 1'b0;
                for (j = 0; j < NIN_MAX; j = j + 1)
                    if (j < f_nin && ((NESTED && i < f_nin) ? (j == i) : ROWS[32*i + j]))
                        f_bit = f_bit ^ i_x[j*S + s];
                assert (o_y[i*S + s] == f_bit);
            end
    end
`endif
endmodule
`default_nettype wire
