// SPDX-License-Identifier: Apache-2.0
// The board whose FPGA is the USB device, at its cable: wires that the host drives, or the
// device, or nobody, and the resistor at D+.
//
// i_drive        the host drives i_dp and i_dn
// o_dp, o_dn     levels of the wires
// o_oe           the device drives
// the others     as in flx_board_usb
`default_nettype none

module flx_pins_usb (
    input  wire clk48,
    input  wire clk,
    input  wire i_locked,
    input  wire i_drive,
    input  wire i_dp,
    input  wire i_dn,
    output wire o_dp,
    output wire o_dn,
    output wire o_oe,
    output wire o_busy
);
    wire dp, dn, pull;

    assign o_oe = u_board.oe;
    assign o_dp = dp;
    assign o_dn = dn;
    assign dp   = i_drive ? i_dp : o_oe ? 1'bz : pull;
    assign dn   = i_drive ? i_dn : o_oe ? 1'bz : 1'b0;

    flx_board_usb u_board (
        .clk48(clk48), .clk(clk), .clk_lanes(clk), .i_locked(i_locked), .io_dp(dp), .io_dn(dn),
        .o_pullup(pull), .o_busy(o_busy), .o_active()
    );
endmodule

`default_nettype wire
