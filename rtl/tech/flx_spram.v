// SPDX-License-Identifier: Apache-2.0
// flx_spram: single-port memory of 64-bit words, a write enable for each 4 bits.
//
//   AW   bits of an address; with FLX_UP5K 14, the four SPRAMs side by side
//
// A read answers one clock after its address. After a write o_rdata holds anything: unknown in
// simulation, so that a user who looks is found.
`default_nettype none
module flx_spram #(
    parameter AW = 14
) (
    input  wire          clk,
    input  wire [AW-1:0] i_addr,
    input  wire          i_we,
    input  wire [15:0]   i_mask,
    input  wire [63:0]   i_wdata,
    output wire [63:0]   o_rdata
);
`ifdef FLX_UP5K
    genvar r;
    generate
        if (AW != 14) begin : g_error
            flx_error_AW_must_be_14_on_UP5K u_error ();
        end
        for (r = 0; r < 4; r = r + 1) begin : g_ram
            ice40_spram u_ram (
                .clk(clk), .i_addr(i_addr), .i_we(i_we), .i_mask(i_mask[4*r +: 4]),
                .i_wdata(i_wdata[16*r +: 16]), .o_rdata(o_rdata[16*r +: 16])
            );
        end
    endgenerate
`else
    (* no_rw_check *) reg [63:0] mem [0:(1<<AW)-1];
    reg [63:0] q;
    assign o_rdata = q;

    integer n;
    always @(posedge clk)
        if (i_we) begin
            for (n = 0; n < 16; n = n + 1)
                if (i_mask[n]) mem[i_addr][4*n +: 4] <= i_wdata[4*n +: 4];
            q <= 64'bx;
        end else q <= mem[i_addr];
`endif
endmodule
`default_nettype wire
