// SPDX-License-Identifier: Apache-2.0
// Carries a reset of the link to the other clock and holds both sides in it together
// (four-phase handshake). Reset of clk48 is one too.
//
// i_request  pulse at clk48
// o_flush    level at clk48: from two cycles after the request until the other side is done
// o_reset    level at clk, at least four cycles
`default_nettype none

module flx_usb_link_reset (
    input  wire clk48,
    input  wire rst48,
    input  wire i_request,
    output reg  o_flush,
    input  wire clk,
    input  wire rst,
    output wire o_reset
);
    reg       wanted, request;
    reg [1:0] request_clk, done_clk48;
    wire      done = done_clk48[1];

    assign o_reset = request_clk[1];

    always @(posedge clk48) begin
        o_flush    <= wanted || request || done;
        done_clk48 <= {done_clk48[0], request_clk[1]};
        if (wanted && !done) begin
            wanted  <= 1'b0;
            request <= 1'b1;
        end else if (done) begin
            request <= 1'b0;
        end
        if (i_request || rst48)
            wanted <= 1'b1;
        if (rst48)
            request <= 1'b0;
    end

    always @(posedge clk)
        request_clk <= rst ? 2'b00 : {request_clk[0], request};
endmodule

`default_nettype wire
