// SPDX-License-Identifier: Apache-2.0
// Line transmitter: bit stuffing, NRZI, SE0 and the drivers' enable.
//
// i_tick   one cycle in four: the next bit begins
// i_mode   what to send from this tick on: IDLE (drivers off), BIT (i_bit), SE0, J
// o_take   with i_tick: i_mode was sent. 0 when a stuffed bit goes first.
// o_dp/o_dn/o_oe  registers, for the pins
`default_nettype none

module flx_usb_line_tx (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_tick,
    input  wire [1:0] i_mode,
    input  wire       i_bit,
    output wire       o_take,
    output reg        o_dp,
    output reg        o_dn,
    output reg        o_oe
);
    localparam [1:0] IDLE = 2'd0, BIT = 2'd1, SE0 = 2'd2;

    reg       j;     // NRZI state
    reg [2:0] ones;

    wire stuff = ones == 3'd6;
    wire bits  = i_mode == BIT || stuff;
    wire one   = i_bit && !stuff;
    // The state that this tick gives to the line; J when there are no bits.
    wire j_next = !bits || (j == one);

    assign o_take = !stuff;

    always @(posedge clk) begin
        if (rst) begin
            o_oe <= 1'b0;
            ones <= 3'd0;
            j    <= 1'b1;
            o_dp <= 1'b1;
            o_dn <= 1'b0;
        end else if (i_tick) begin
            o_oe <= i_mode != IDLE || stuff;
            ones <= bits && one ? ones + 1'b1 : 3'd0;
            j    <= j_next;
            o_dp <= j_next && (bits || i_mode != SE0);
            o_dn <= !j_next && (bits || i_mode != SE0);
        end
    end
endmodule

`default_nettype wire
