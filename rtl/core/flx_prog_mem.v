// SPDX-License-Identifier: Apache-2.0
// flx_prog_mem: program memory and the header words that the core needs at all times.
//
//   PROG_LAYERS   layers that fit
//
//   i_start       a load begins at 32-bit word i_addr
//   i_valid       bytes, little-endian; always taken
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
    output reg  [7:0]    o_layers,
    output reg  [31:0]   o_hdr1,
    output reg  [31:0]   o_hdr2,
    output reg  [31:0]   o_hdr3,
    output reg  [31:0]   o_hdr4
);
    reg [31:0]   word;
    reg [1:0]    count;
    reg [AW-1:0] addr;
    reg [AW-1:0] waddr;
    reg          we;

    assign o_idle = !we;

    flx_ram #(
        .W    (32),
        .DEPTH(WORDS)
    ) u_ram (
        .clk    (clk),
        .i_we   (we),
        .i_waddr(waddr),
        .i_wdata(word),
        .i_raddr(i_raddr),
        .o_rdata(o_rdata)
    );

    always @(posedge clk) begin
        we <= 1'b0;
        if (i_start) begin
            count <= 2'd0;
            addr  <= i_addr;
        end else if (i_valid) begin
            word  <= {i_data, word[31:8]};
            count <= count + 2'd1;
            if (count == 2'd3) begin
                we    <= 1'b1;
                waddr <= addr;
                addr  <= addr + 1'b1;
            end
        end
        if (we && waddr == 0) o_layers <= (word[31:16] == 16'hF1E0 && word[15:8] == `FLX_PROG_VERSION)
                                        ? word[7:0] : 8'd0;
        if (we && waddr == 1) o_hdr1 <= word;
        if (we && waddr == 2) o_hdr2 <= word;
        if (we && waddr == 3) o_hdr3 <= word;
        if (we && waddr == 4) o_hdr4 <= word;
        if (rst) begin
            count    <= 2'd0;
            we       <= 1'b0;
            o_layers <= 8'd0;
        end
    end
endmodule
`default_nettype wire
