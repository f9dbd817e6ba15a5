// SPDX-License-Identifier: Apache-2.0
// Full-speed USB device in the FPGA (docs/usb.md, docs/usb-core.md): control endpoint 0,
// bulk OUT 1 and bulk IN 1 as byte streams at another clock.
//
//   VID, PID, BCD_DEVICE  ids of the device descriptor
//   MAX_POWER             in units of 2 mA
//   MANUFACTURER, PRODUCT strings of at most 15 and 30 characters
//   PAUSE                 cycles of clk48 without a byte after which a short IN packet is
//                         sent, 2 ... 65535
//   FIFO_LOG2             the FIFOs between the clocks hold 2^FIFO_LOG2 bytes
//
// clk48, rst48   48 MHz +-0.25 %; reset synchronous to it. Must run at least four cycles
//                together with rst.
// i_serial       serial number, sent as eight hexadecimal digits: constant, or stable
//                before the host asks
// i_dp, i_dn     the pins, asynchronous, also while this device drives them
// o_dp, o_dn     registers; drive the pins while o_oe
// o_pullup       1: 1.5 kOhm at D+, the device is connected
// o_configured   the host has chosen the configuration
// o_suspended    the bus is suspended
// clk, rst       clock of the streams; reset synchronous to it
// o_link_reset   at clk: drop frames and reset the core; bytes on their way are dropped
// o_rx_*         bytes from the host: moved in a cycle with o_rx_valid and i_rx_ready
// i_tx_*         bytes to the host: moved in a cycle with i_tx_valid and o_tx_ready;
//                with i_tx_last (may be constant 0) it is sent at once
`default_nettype none
`include "flx_proto.vh"

module flx_usb_device #(
    parameter [15:0]     VID          = `FLX_USB_VID,
    parameter [15:0]     PID          = `FLX_USB_PID,
    parameter [15:0]     BCD_DEVICE   = 16'h0100,
    parameter [7:0]      MAX_POWER    = 8'd250,
    parameter [8*15-1:0] MANUFACTURER = "flexor",
    parameter [8*30-1:0] PRODUCT      = "flexor",
    parameter            PAUSE        = 240,
    parameter            FIFO_LOG2    = 3
) (
    input  wire        clk48,
    input  wire        rst48,
    input  wire [31:0] i_serial,
    input  wire        i_dp,
    input  wire        i_dn,
    output wire        o_dp,
    output wire        o_dn,
    output wire        o_oe,
    output reg         o_pullup,
    output wire        o_configured,
    output wire        o_suspended,
    input  wire        clk,
    input  wire        rst,
    output wire        o_link_reset,
    output wire        o_rx_valid,
    output wire [7:0]  o_rx_data,
    input  wire        i_rx_ready,
    input  wire        i_tx_valid,
    input  wire [7:0]  i_tx_data,
    input  wire        i_tx_last,
    output wire        o_tx_ready
);
    wire        line_j, line_se0, line_change, line_strobe, line_bit;
    wire        bit_en, bit_data, bit_err;
    wire        gap, turn, timeout, bus_reset;
    wire        rx_start, rx_byte_en, rx_end, rx_ok;
    wire [7:0]  rx_byte;
    wire [6:0]  rx_count;
    wire [3:0]  rx_pid;
    wire        tx_start, tx_ep, tx_next, tx_busy;
    wire [3:0]  tx_pid;
    wire        rx_crc_clear, rx_crc_en, tx_crc_clear, tx_crc_en, tx_crc_bit, tx_crc_out;
    wire [15:0] crc16;
    wire [6:0]  addr;
    wire        setup, setup_ok, ctl_in, ctl_out, ctl_acked, ctl_status, ctl_more;
    wire [7:0]  ctl_byte;
    wire        out_room, out_data, out_ok, out_valid, out_ready;
    wire [7:0]  out_byte;
    wire        in_full, in_acked, in_more, in_valid, in_ready, in_last;
    wire [7:0]  in_byte, in_fifo_byte;
    wire        ep_reset, flush_request, flush, halt_set, halt_clear, halt_in;
    wire [1:0]  halted;

    always @(posedge clk48)
        o_pullup <= !rst48;

    flx_usb_line_rx u_line_rx (
        .clk(clk48), .i_dp(i_dp), .i_dn(i_dn), .o_j(line_j), .o_se0(line_se0),
        .o_change(line_change), .o_strobe(line_strobe), .o_bit(line_bit)
    );

    flx_usb_unstuff u_unstuff (
        .clk(clk48), .i_strobe(line_strobe), .i_line(line_bit),
        .o_en(bit_en), .o_bit(bit_data), .o_err(bit_err)
    );

    flx_usb_timer u_timer (
        .clk(clk48), .rst(rst48), .i_j(line_j), .i_se0(line_se0), .i_change(line_change),
        .i_busy(tx_busy), .o_gap(gap), .o_turn(turn), .o_timeout(timeout), .o_reset(bus_reset),
        .o_suspended(o_suspended)
    );

    flx_usb_packet_rx u_packet_rx (
        .clk(clk48), .rst(rst48), .i_en(bit_en), .i_bit(bit_data), .i_err(bit_err),
        .i_se0(line_se0), .i_abort(gap || tx_busy), .o_crc16_clear(rx_crc_clear),
        .o_crc16_en(rx_crc_en), .i_crc16_ok(crc16 == 16'h800D), .o_start(rx_start),
        .o_byte_en(rx_byte_en), .o_byte(rx_byte), .o_count(rx_count), .o_end(rx_end),
        .o_ok(rx_ok), .o_pid(rx_pid)
    );

    flx_usb_crc16 u_crc16 (
        .clk(clk48), .i_clear(tx_busy ? tx_crc_clear : rx_crc_clear),
        .i_en(tx_busy ? tx_crc_en : rx_crc_en), .i_bit(tx_busy ? tx_crc_bit : bit_data),
        .i_out(tx_busy && tx_crc_out), .o_crc(crc16)
    );

    flx_usb_packet_tx u_packet_tx (
        .clk(clk48), .rst(rst48), .i_start(tx_start), .i_pid(tx_pid),
        .i_more(tx_ep ? in_more : ctl_more), .i_byte(tx_ep ? in_byte : ctl_byte),
        .o_next(tx_next), .o_busy(tx_busy), .o_crc16_clear(tx_crc_clear),
        .o_crc16_en(tx_crc_en), .o_crc16_bit(tx_crc_bit), .o_crc16_out(tx_crc_out),
        .i_crc16_top(crc16[15]), .o_dp(o_dp), .o_dn(o_dn), .o_oe(o_oe)
    );

    flx_usb_engine u_engine (
        .clk(clk48), .rst(rst48), .i_bus_reset(bus_reset), .i_start(rx_start),
        .i_byte_en(rx_byte_en), .i_byte(rx_byte), .i_count(rx_count), .i_end(rx_end),
        .i_ok(rx_ok), .i_pid(rx_pid), .i_turn(turn), .i_timeout(timeout),
        .o_tx_start(tx_start), .o_tx_pid(tx_pid), .o_tx_ep(tx_ep), .i_tx_busy(tx_busy),
        .i_addr(addr), .i_configured(o_configured), .o_setup(setup), .o_setup_ok(setup_ok),
        .i_ctl_in(ctl_in), .i_ctl_out(ctl_out), .o_ctl_acked(ctl_acked),
        .o_ctl_status(ctl_status), .i_out_room(out_room), .o_out_data(out_data),
        .o_out_ok(out_ok), .i_in_full(in_full), .o_in_acked(in_acked), .i_ep_reset(ep_reset),
        .i_halt_set(halt_set), .i_halt_clear(halt_clear), .i_halt_in(halt_in),
        .o_halted(halted)
    );

    flx_usb_control #(
        .VID(VID), .PID(PID), .BCD_DEVICE(BCD_DEVICE), .MAX_POWER(MAX_POWER),
        .MANUFACTURER(MANUFACTURER), .PRODUCT(PRODUCT)
    ) u_control (
        .clk(clk48), .rst(rst48), .i_serial(i_serial), .i_bus_reset(bus_reset),
        .i_setup(setup), .i_byte_en(rx_byte_en), .i_byte(rx_byte), .i_count(rx_count),
        .i_setup_ok(setup_ok), .i_acked(ctl_acked), .i_status(ctl_status), .o_in(ctl_in),
        .o_out(ctl_out), .i_tx_start(tx_start), .i_next(tx_next), .o_more(ctl_more),
        .o_byte(ctl_byte), .o_addr(addr), .o_configured(o_configured),
        .o_ep_reset(ep_reset), .o_flush(flush_request), .o_halt_set(halt_set),
        .o_halt_clear(halt_clear), .o_halt_in(halt_in), .i_halted(halted)
    );

    flx_link_reset u_link_reset (
        .clk_io(clk48), .rst_io(rst48), .i_request(flush_request), .o_flush(flush),
        .clk(clk), .rst(rst), .o_reset(o_link_reset)
    );

    flx_usb_out_buffer u_out_buffer (
        .clk(clk48), .i_flush(flush), .o_room(out_room), .i_data(out_data),
        .i_byte_en(rx_byte_en), .i_byte(rx_byte), .i_count(rx_count), .i_ok(out_ok),
        .o_valid(out_valid), .o_byte(out_byte), .i_ready(out_ready)
    );

    flx_async_fifo #(.W(8), .LOG2(FIFO_LOG2)) u_out_fifo (
        .i_wclk(clk48), .i_wrst(flush), .i_wvalid(out_valid), .i_wdata(out_byte),
        .o_wready(out_ready), .o_wmany(), .i_rclk(clk), .i_rrst(rst || o_link_reset),
        .o_rvalid(o_rx_valid), .o_rdata(o_rx_data), .i_rready(i_rx_ready)
    );

    flx_async_fifo #(.W(9), .LOG2(FIFO_LOG2)) u_in_fifo (
        .i_wclk(clk), .i_wrst(rst || o_link_reset), .i_wvalid(i_tx_valid),
        .i_wdata({i_tx_last, i_tx_data}), .o_wready(o_tx_ready), .o_wmany(), .i_rclk(clk48),
        .i_rrst(flush), .o_rvalid(in_valid), .o_rdata({in_last, in_fifo_byte}),
        .i_rready(in_ready)
    );

    flx_usb_in_buffer #(.PAUSE(PAUSE)) u_in_buffer (
        .clk(clk48), .i_flush(flush), .i_valid(in_valid), .i_byte(in_fifo_byte),
        .i_last(in_last), .o_ready(in_ready), .o_full(in_full), .i_start(tx_start),
        .i_next(tx_next), .o_more(in_more), .o_byte(in_byte), .i_acked(in_acked)
    );
endmodule

`default_nettype wire
