// SPDX-License-Identifier: Apache-2.0
// Resets of a board: active for 64 cycles of clk after the PLL has locked, at both clocks
// together; clk_io has at least a quarter of clk's rate.
`default_nettype none

module flx_board_reset (
    input  wire clk,
    input  wire clk_io,
    input  wire i_locked,
    output wire o_rst,
    output reg  o_rst_io
);
    reg [1:0] locked = 2'b00;
    reg [6:0] count  = 7'd0;
    reg       rst_io = 1'b0;

    assign o_rst = !count[6];

    always @(posedge clk) begin
        locked <= {locked[0], i_locked};
        if (!locked[1])
            count <= 7'd0;
        else if (!count[6])
            count <= count + 7'd1;
    end

    always @(posedge clk_io) begin
        rst_io   <= o_rst;
        o_rst_io <= rst_io;
    end
endmodule

`default_nettype wire
