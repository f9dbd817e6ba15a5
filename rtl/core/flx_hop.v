// SPDX-License-Identifier: Apache-2.0
// flx_hop: where signals pass an engine of a chain. A register passes them on, and the engine
// has its own copy, one clock later: the passing register can lie halfway to the next engine.
//
//   W         bits
//   DIRECT    1: no chain, wires
//
//   o_next    i, one clock later
//   o_here    i, two clocks later
`default_nettype none
module flx_hop #(
    parameter W      = 8,
    parameter DIRECT = 0
) (
    input  wire         clk,
    input  wire [W-1:0] i,
    output wire [W-1:0] o_next,
    output wire [W-1:0] o_here
);
    generate
        if (DIRECT != 0) begin : g_wires
            assign o_next = i;
            assign o_here = i;
        end else begin : g_registers
            reg [W-1:0] passed;
            always @(posedge clk) passed <= i;
            assign o_next = passed;
            flx_copy #(.W(W)) u_copy (.clk(clk), .i(passed), .o(o_here));
        end
    endgenerate
endmodule
`default_nettype wire
