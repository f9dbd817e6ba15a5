// SPDX-License-Identifier: Apache-2.0
// Carries a reset of the link from the clock of the line (clk_io) to that of the streams and holds both sides in it together
// (four-phase handshake). Reset of clk_io is one too.
//
// i_request  pulse at clk_io
// o_flush    level at clk_io: from two cycles after the request until the other side is done
// o_reset    level at clk, at least four cycles
`default_nettype none

module flx_link_reset (
    input  wire clk_io,
    input  wire rst_io,
    input  wire i_request,
    output reg  o_flush,
    input  wire clk,
    input  wire rst,
    output wire o_reset
);
    reg       wanted, request;
    reg [1:0] request_clk, done_clk_io;
    wire      done = done_clk_io[1];

    assign o_reset = request_clk[1];

    always @(posedge clk_io) begin
        o_flush    <= wanted || request || done;
        done_clk_io <= {done_clk_io[0], request_clk[1]};
        if (wanted && !done) begin
            wanted  <= 1'b0;
            request <= 1'b1;
        end else if (done) begin
            request <= 1'b0;
        end
        if (i_request || rst_io)
            wanted <= 1'b1;
        if (rst_io)
            request <= 1'b0;
    end

    always @(posedge clk)
        request_clk <= rst ? 2'b00 : {request_clk[0], request};
endmodule

`default_nettype wire
