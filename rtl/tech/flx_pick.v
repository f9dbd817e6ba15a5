// SPDX-License-Identifier: Apache-2.0
// flx_pick: one of N bits. Combinational.
//
//   N      a power of two, 4 to 16
//   i_sel  which bit
//
// With FLX_ECP5: a LUT4 for two bits, and the multiplexers of the slices (PFUMX, L6MUX21) for
// the rest; Yosys 0.23 does not find this by itself and takes twice the LUTs.
`default_nettype none
module flx_pick #(
    parameter N = 16,
    parameter W = $clog2(N)
) (
    input  wire [N-1:0] i,
    input  wire [W-1:0] i_sel,
    output wire         o
);
`ifdef FLX_ECP5
    genvar l, j;
    generate
        for (l = 0; l < W; l = l + 1) begin : g_level
            wire [(N >> (l + 1))-1:0] y;
            for (j = 0; j < (N >> (l + 1)); j = j + 1) begin : g_mux
                if (l == 0) begin : g_lut
                    LUT4 #(.INIT(16'hCACA)) u_lut (
                        .A(i[2*j]), .B(i[2*j+1]), .C(i_sel[0]), .D(1'b0), .Z(y[j])
                    );
                end else if (l == 1) begin : g_pfumx
                    PFUMX u_mux (
                        .ALUT(g_level[0].y[2*j+1]), .BLUT(g_level[0].y[2*j]), .C0(i_sel[1]),
                        .Z(y[j])
                    );
                end else begin : g_l6mux
                    L6MUX21 u_mux (
                        .D0(g_level[l-1].y[2*j]), .D1(g_level[l-1].y[2*j+1]), .SD(i_sel[l]),
                        .Z(y[j])
                    );
                end
            end
        end
    endgenerate
    assign o = g_level[W-1].y[0];
`else
    assign o = i[i_sel];
`endif
endmodule
`default_nettype wire
