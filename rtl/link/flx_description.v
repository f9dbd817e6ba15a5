// SPDX-License-Identifier: Apache-2.0
// The device description (docs/link.md) as a table of bytes: o_byte is byte
// i_index - 2 of it, since a response's payload begins with two other bytes.
// Combinational. The parameters are those of flx_top; OPTIONS is byte 43, RQ byte 11.
`default_nettype none
`include "flx_proto.vh"

module flx_description #(
    parameter K           = 16,
    parameter T           = 16,
    parameter P           = 1,
    parameter PIXELS      = 1,
    parameter N_OUT       = 32,
    parameter NIN_MAX     = 32,
    parameter ACT_W       = 8,
    parameter ACC_W       = 22,
    parameter RQ          = 1,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 8,
    parameter RES_WORDS   = 16,
    parameter WIN_MAX     = 32,
    parameter OPTIONS     = 0,
    parameter MAX_PAYLOAD = 1024,
    parameter CLK_KHZ     = 12000,
    parameter BUILD_ID    = 0,
    parameter XOR_HASH    = 0,
    parameter XOR_NMIN    = 1,
    parameter XOR_NMAX    = 32,
    parameter XOR_KIND    = 0
) (
    input  wire [5:0] i_index,
    output wire [7:0] o_byte
);
    wire [15:0] version     = `FLX_PROTO_VERSION;
    wire [31:0] build       = BUILD_ID;
    wire [31:0] clock       = CLK_KHZ;
    wire [31:0] channels    = PMEM_CH;
    wire [31:0] weights     = WMEM_WORDS;
    wire [31:0] activations = AMEM_WORDS;
    wire [31:0] hash        = XOR_HASH;

    wire [8*(2+`FLX_DESC_BYTES)-1:0] bytes = {
        PIXELS[7:0],
        build,
        OPTIONS[7:0], XOR_KIND[7:0], XOR_NMAX[7:0], XOR_NMIN[7:0],
        clock,
        WIN_MAX[15:0],
        MAX_PAYLOAD[15:0],
        RES_WORDS[15:0],
        PROG_LAYERS[15:0],
        channels,
        weights,
        activations,
        hash,
        RQ[7:0], ACC_W[7:0], ACT_W[7:0], NIN_MAX[7:0],
        N_OUT[7:0], P[7:0], T[15:0],
        K[15:0], version,
        16'd0
    };

    assign o_byte = bytes[{i_index, 3'b000} +: 8];
endmodule

`default_nettype wire
