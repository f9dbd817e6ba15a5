// SPDX-License-Identifier: Apache-2.0
// flx_act_cache: ring of 256 activation words of 16 codes in front of the store, which the array
// reads word by word in any order.
//
//   i_raddr    place to read; with the word, one clock later, i_mask: granules that count
//   o_act      one more clock later: the word, the other granules zero
//   i_we …     half a word: 8 codes
`default_nettype none
module flx_act_cache (
    input  wire         clk,
    input  wire [7:0]   i_raddr,
    input  wire [3:0]   i_mask,
    output reg  [127:0] o_act,
    input  wire         i_we,
    input  wire [7:0]   i_waddr,
    input  wire         i_whalf,
    input  wire [63:0]  i_wdata
);
    genvar b;
    generate
        for (b = 0; b < 4; b = b + 1) begin : g_bank
            wire [31:0] word;
            flx_ram #(
                .W    (32),
                .DEPTH(256)
            ) u_ram (
                .clk    (clk),
                .i_we   (i_we && i_whalf == (b >= 2)),
                .i_waddr(i_waddr),
                .i_wdata(i_wdata[32*(b%2) +: 32]),
                .i_raddr(i_raddr),
                .o_rdata(word)
            );
            always @(posedge clk) o_act[32*b +: 32] <= word & {32{i_mask[b]}};
        end
    endgenerate
endmodule
`default_nettype wire
