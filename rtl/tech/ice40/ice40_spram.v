// SPDX-License-Identifier: Apache-2.0
// One single-port RAM of the UltraPlus: 16K x 16 bits, a write enable for each 4 bits. A read
// answers one clock later; after a write o_rdata holds anything.
`default_nettype none
module ice40_spram (
    input  wire        clk,
    input  wire [13:0] i_addr,
    input  wire        i_we,
    input  wire [3:0]  i_mask,
    input  wire [15:0] i_wdata,
    output wire [15:0] o_rdata
);
    SB_SPRAM256KA u_ram (
        .CLOCK(clk), .ADDRESS(i_addr), .DATAIN(i_wdata), .MASKWREN(i_mask), .WREN(i_we),
        .CHIPSELECT(1'b1), .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(o_rdata)
    );
endmodule
`default_nettype wire
