// SPDX-License-Identifier: Apache-2.0
// flx_prog_mem: program memory and the header words that the core needs at all times.
//
//   PROG_LAYERS   layers that fit
//
//   i_start       a load begins at 32-bit word i_addr
//   i_valid       bytes, little-endian; always taken. A word of which not all bytes came holds
//                 anything.
//   o_idle        no byte is on its way
//   i_raddr       word to read, o_rdata one clock later
//   o_layers      layers of the program, 0 while no valid header has been loaded
//   o_hdr1 …      header words 1 to 4 (docs/architecture.md)
`default_nettype none
`include "flx_proto.vh"
module flx_prog_mem #(
    parameter PROG_LAYERS = 16,
    parameter WORDS       = `FLX_PROG_HDR_WORDS + `FLX_PROG_LAYER_WORDS * PROG_LAYERS,
    parameter AW          = $clog2(WORDS)
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_start,
    input  wire [AW-1:0] i_addr,
    input  wire          i_valid,
    input  wire [7:0]    i_data,
    output wire          o_idle,
    input  wire [AW-1:0] i_raddr,
    output wire [31:0]   o_rdata,
    output wire [7:0]    o_layers,
    output reg  [31:0]   o_hdr1,
    output reg  [31:0]   o_hdr2,
    output reg  [31:0]   o_hdr3,
    output reg  [31:0]   o_hdr4
);
    localparam [15:0] MAGIC = 16'hF1E0;

    // Bytes are written as they come: no word is put together.
    reg  [AW+1:0] place; // byte of the memory
    wire [AW-1:0] word = place[AW+1:2];
    wire [1:0]    part = place[1:0];
    wire [3:0]    mine = {part == 2'd3, part == 2'd2, part == 2'd1, part == 2'd0};
    reg  [7:0]    layers;
    reg           known; // the bytes of word 0 were right so far
    reg           valid;

    assign o_idle   = 1'b1;
    assign o_layers = layers & {8{valid}};

    flx_ram #(
        .W    (32),
        .DEPTH(WORDS),
        .PARTS(4)
    ) u_ram (
        .clk    (clk),
        .i_we   ({4{i_valid}} & mine),
        .i_waddr(word),
        .i_wdata({4{i_data}}),
        .i_raddr(i_raddr),
        .o_rdata(o_rdata)
    );

    always @(posedge clk) begin
        // Counts up. One cell a bit: the carry's second input is also what selects.
        if (i_start || i_valid)
            place <= i_start ? {i_addr, 2'd0} : place - {(AW+2){!i_start}};
        if (i_valid && word == 0) begin
            if (mine[0]) layers <= i_data;
            known <= i_data == (mine[1] ? `FLX_PROG_VERSION : MAGIC[7:0]) && (mine[1] || known);
            valid <= mine[3] && known && i_data == MAGIC[15:8];
        end
        if (i_valid && word == 1) o_hdr1 <= {i_data, o_hdr1[31:8]};
        if (i_valid && word == 2) o_hdr2 <= {i_data, o_hdr2[31:8]};
        if (i_valid && word == 3) o_hdr3 <= {i_data, o_hdr3[31:8]};
        if (i_valid && word == 4) o_hdr4 <= {i_data, o_hdr4[31:8]};
        if (rst) valid <= 1'b0;
    end
endmodule
`default_nettype wire
