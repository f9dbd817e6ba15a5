// SPDX-License-Identifier: Apache-2.0
// Proof that flx_usb_unstuff gives back every bit that flx_usb_line_tx has sent, whatever
// the bits are, and that there are never seven ones in a row. One bit a clock.
`default_nettype none

module flx_usb_stuff_formal (
    input wire clk,
    input wire i_bit
);
    localparam [1:0] BIT = 2'd1;

    reg  f_past = 1'b0;
    wire rst = !f_past;
    wire take, dp, dn, oe, en, data, err;
    reg  [1:0] f_taken, f_bit;  // bits on their way through the line
    reg  f_zero;                // a zero was on the line: from there on both sides agree
    reg  f_zero_1, f_zero_2;

    flx_usb_line_tx u_tx (
        .clk(clk), .rst(rst), .i_tick(1'b1), .i_mode(BIT), .i_bit(i_bit), .o_take(take),
        .o_dp(dp), .o_dn(dn), .o_oe(oe)
    );
    flx_usb_unstuff u_rx (
        .clk(clk), .i_strobe(1'b1), .i_line(dp), .o_en(en), .o_bit(data), .o_err(err)
    );

    always @(posedge clk) begin
        f_past   <= 1'b1;
        f_taken  <= rst ? 2'b00 : {f_taken[0], take};
        f_bit    <= {f_bit[0], i_bit};
        f_zero   <= !rst && (f_zero || (take && !i_bit));
        f_zero_1 <= !rst && f_zero;
        f_zero_2 <= !rst && f_zero_1;
    end

    always @* begin
        if (f_past && f_zero_2) begin
            assert (oe && dn == !dp);
            assert (!err);
            assert (en == f_taken[1]);
            assert (!en || data == f_bit[1]);
        end
    end
endmodule

`default_nettype wire
