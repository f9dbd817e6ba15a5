// SPDX-License-Identifier: Apache-2.0
// flx_act_mem: the activation memory of one engine.
//
// K/4 banks of one granule (4 codes) each. One read port of a whole word, one write port
// of one granule.
//
//   K, ACT_W   as in flx_core
//   WORDS      words of K codes
//   REG        1: o_raw and o_act are one clock later, a write takes effect two clocks later
//   FAR        0, or with REG the number of registers behind a bank's blocks, which has registers of its own for
//              addresses and data then: o_raw and o_act FAR + 1 clocks later still
//
//   i_raddr    word to read
//   o_raw      the word, one clock later
//   i_mask     with o_raw: granules that count, the others read as zero
//   o_act      o_raw, masked and registered
//   i_we …     granule i_wbank of word i_waddr
`default_nettype none
module flx_act_mem #(
    parameter K     = 8,
    parameter ACT_W = 8,
    parameter WORDS = 1024,
    parameter REG   = 0,
    parameter FAR   = 0,
    parameter AW    = $clog2(WORDS),
    parameter KB    = K / 4,
    parameter BW    = (KB > 1) ? $clog2(KB) : 1
) (
    input  wire               clk,
    input  wire [AW-1:0]      i_raddr,
    input  wire [KB-1:0]      i_mask,
    output wire [K*ACT_W-1:0] o_raw,
    output reg  [K*ACT_W-1:0] o_act,
    input  wire               i_we,
    input  wire [AW-1:0]      i_waddr,
    input  wire [BW-1:0]      i_wbank,
    input  wire [4*ACT_W-1:0] i_wdata
);
    localparam G = 4 * ACT_W;

    // Writes, with REG behind two registers: the blocks of a memory lie far apart.
    wire [KB-1:0] we;
    wire [AW-1:0] waddr;
    wire [G-1:0]  wdata;

    flx_delay #(
        .W(AW + G),
        .N(REG == 0 ? 0 : FAR != 0 ? 1 : 2)
    ) u_write (
        .clk(clk),
        .rst(1'b0),
        .i  ({i_waddr, i_wdata}),
        .o  ({waddr, wdata})
    );

    genvar b;
    generate
        for (b = 0; b < KB; b = b + 1) begin : g_bank
            wire [AW-1:0] raddr, waddr_here;
            wire [G-1:0]  wdata_here;

            flx_delay #(
                .W(1),
                .N(REG != 0 ? 2 : 0)
            ) u_we (
                .clk(clk),
                .rst(1'b0),
                .i  (i_we && i_wbank == b),
                .o  (we[b])
            );
            if (FAR != 0) begin : g_far
                flx_copy #(.W(AW)) u_raddr (.clk(clk), .i(i_raddr), .o(raddr));
                flx_copy #(.W(AW)) u_waddr (.clk(clk), .i(waddr), .o(waddr_here));
                flx_copy #(.W(G)) u_wdata (.clk(clk), .i(wdata), .o(wdata_here));
            end else begin : g_near
                assign raddr      = i_raddr;
                assign waddr_here = waddr;
                assign wdata_here = wdata;
            end
            flx_ram #(
                .W    (G),
                .DEPTH(WORDS),
                .REG  (REG),
                .FAR  (FAR)
            ) u_ram (
                .clk    (clk),
                .i_we   (we[b]),
                .i_waddr(waddr_here),
                .i_wdata(wdata_here),
                .i_raddr(raddr),
                .o_rdata(o_raw[b*G +: G])
            );
            // A synchronous reset: no LUT.
            always @(posedge clk)
                if (!i_mask[b]) o_act[b*G +: G] <= {G{1'b0}};
                else o_act[b*G +: G] <= o_raw[b*G +: G];
        end
    endgenerate
endmodule
`default_nettype wire
