// SPDX-License-Identifier: Apache-2.0
// flx_resize: the signed number of I bits in O bits: extended, or its lowest bits.
`default_nettype none
module flx_resize #(
    parameter I = 8,
    parameter O = 32
) (
    input  wire [I-1:0] i,
    output wire [O-1:0] o
);
    generate
        if (I >= O) begin : g_low
            assign o = i[O-1:0];
        end else begin : g_extend
            assign o = {{(O-I){i[I-1]}}, i};
        end
    endgenerate
endmodule
`default_nettype wire
