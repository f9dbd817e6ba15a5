// SPDX-License-Identifier: Apache-2.0
// flx_ram_piped: flx_ram_reg in what the mapper infers: memory, register, register.
//
//   W, DEPTH   as in flx_ram
//
//   i_re       0: both registers stay
//   o_rdata    two clocks after i_raddr
`default_nettype none
module flx_ram_piped #(
    parameter W     = 8,
    parameter DEPTH = 256,
    parameter AW    = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire          clk,
    input  wire          i_we,
    input  wire [AW-1:0] i_waddr,
    input  wire [W-1:0]  i_wdata,
    input  wire          i_re,
    input  wire [AW-1:0] i_raddr,
    output reg  [W-1:0]  o_rdata
);
`ifdef FLX_ECP5
    (* ram_style = "distributed" *) reg [W-1:0] mem [0:DEPTH-1];
`else
    (* no_rw_check *) reg [W-1:0] mem [0:DEPTH-1];
`endif
    reg [W-1:0] raw;

    always @(posedge clk) begin
        if (i_we) mem[i_waddr] <= i_wdata;
        if (i_re) begin
            raw     <= mem[i_raddr];
            o_rdata <= raw;
        end
    end
endmodule
`default_nettype wire
