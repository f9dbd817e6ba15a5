// SPDX-License-Identifier: Apache-2.0
// flx_ram: simple dual-port memory, one clock, inferred as block RAM.
//
// Every memory of the core is made of this module, so that a technology can
// put another one in its place.
//
//   W      bits a word
//   DEPTH  words
//   PARTS  equal parts of a word, each with a write enable of its own; with REG 1
//
//   REG    1: flx_ram_reg, which answers two cycles after the address; FAR as there
//
// A read answers one cycle after its address. A read of the word that is being
// written in the same cycle answers anything: no user of this module does that
// and looks at the answer.
`default_nettype none
module flx_ram #(
    parameter W     = 8,
    parameter DEPTH = 256,
    parameter PARTS = 1,
    parameter REG   = 0,
    parameter FAR   = 0,
    parameter AW    = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire             clk,
    input  wire [PARTS-1:0] i_we,
    input  wire [AW-1:0]    i_waddr,
    input  wire [W-1:0]     i_wdata,
    input  wire [AW-1:0]    i_raddr,
    output wire [W-1:0]     o_rdata
);
    generate
        if (REG != 0) begin : g_reg
            flx_ram_reg #(
                .W    (W),
                .DEPTH(DEPTH),
                .FAR  (FAR)
            ) u_ram (
                .clk    (clk),
                .i_we   (i_we),
                .i_waddr(i_waddr),
                .i_wdata(i_wdata),
                .i_re   (1'b1),
                .i_raddr(i_raddr),
                .o_rdata(o_rdata)
            );
        end else begin : g_plain
            (* no_rw_check *) reg [W-1:0] mem [0:DEPTH-1];
            reg [W-1:0] rdata;
            integer     p;

            assign o_rdata = rdata;
            always @(posedge clk) begin
                for (p = 0; p < PARTS; p = p + 1)
                    if (i_we[p])
                        mem[i_waddr][p*(W/PARTS) +: W/PARTS] <= i_wdata[p*(W/PARTS) +: W/PARTS];
                rdata <= mem[i_raddr];
            end
        end
    endgenerate
endmodule
`default_nettype wire
