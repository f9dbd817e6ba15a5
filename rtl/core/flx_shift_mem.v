// SPDX-License-Identifier: Apache-2.0
// flx_shift_mem: a long shift register in a memory: where flx_ring would take N*W flip-flops.
//
//   W, N     bits of a value, values; N at least 4
//
//   i_move   i comes in, all move on
//   o        the oldest: what came in with the N-th i_move before
//
// The memory's own registers are the last two places; they move as all others do.
`default_nettype none
module flx_shift_mem #(
    parameter W = 8,
    parameter N = 16
) (
    input  wire         clk,
    input  wire         i_move,
    input  wire [W-1:0] i,
    output wire [W-1:0] o
);
    localparam          AW   = $clog2(N - 1);
    localparam [31:0]   BACK = N - 2; // from the place that is written to the one that is read
    reg       [AW-1:0]  place = {AW{1'b0}}, oldest;

    always @(posedge clk) if (i_move) begin
        place  <= place + 1'b1;
        oldest <= place + 1'b1 - BACK[AW-1:0];
    end

    flx_ram_reg #(.W(W), .DEPTH(1 << AW)) u_ram (
        .clk(clk), .i_we(i_move), .i_waddr(place), .i_wdata(i), .i_re(i_move), .i_raddr(oldest), .o_rdata(o)
    );
endmodule
`default_nettype wire
