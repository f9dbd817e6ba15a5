// SPDX-License-Identifier: Apache-2.0
// Byte streams over a UART (8N1, RTS/CTS) whose clock need not be that of the streams. A
// break is the hard reset of the link (docs/link.md).
//
//   CLK_KHZ  clk_io; at least 4 cycles a bit
//   BAUD     bits a second
//   RX_LOG2  the FIFO for received bytes holds 2^RX_LOG2; 9 is one block RAM
//
// clk_io, rst_io  clock of the line; reset synchronous to it. Must run at least four cycles
//                together with rst.
// i_rx, o_tx      the line, i_rx asynchronous; a byte without stop bit is dropped
// i_cts_n         0: the other end takes bytes (asynchronous); constant 0 where it isn't wired
// o_rts_n         0: bytes are taken. It is taken back while at least half of the FIFO less
//                 four bytes is free: 252 bytes with RX_LOG2 = 9. What comes when the
//                 FIFO is full is lost.
// clk, rst        clock of the streams; reset synchronous to it
// o_link_reset    at clk, at least four cycles: at reset and in a break. Bytes on their way
//                 in the FIFOs are dropped.
// o_rx_*, i_tx_*  a byte moves in a cycle with valid and ready; a byte to be sent stays until then.
//                 It takes about 6 cycles of clk and 4 of clk_io, in a byte's time on the line.
`default_nettype none

module flx_uart #(
    parameter CLK_KHZ = 48000,
    parameter BAUD    = 12000000,
    parameter RX_LOG2 = 9
) (
    input  wire       clk_io,
    input  wire       rst_io,
    input  wire       i_rx,
    output wire       o_tx,
    input  wire       i_cts_n,
    output reg        o_rts_n,
    input  wire       clk,
    input  wire       rst,
    output wire       o_link_reset,
    output wire       o_rx_valid,
    output wire [7:0] o_rx_data,
    input  wire       i_rx_ready,
    input  wire       i_tx_valid,
    input  wire [7:0] i_tx_data,
    output wire       o_tx_ready
);
    wire       in_valid, in_many, out_valid, out_ready, line_break, flush;
    wire [7:0] in_data;
    reg  [1:0] cts_n;

    always @(posedge clk_io) begin
        cts_n   <= {cts_n[0], i_cts_n};
        o_rts_n <= in_many || flush;
    end

    flx_uart_rx #(.CLK_KHZ(CLK_KHZ), .BAUD(BAUD)) u_rx (
        .clk(clk_io), .rst(rst_io), .i_rx(i_rx), .o_valid(in_valid), .o_data(in_data),
        .o_error(), .o_break(line_break)
    );

    flx_uart_tx #(.CLK_KHZ(CLK_KHZ), .BAUD(BAUD)) u_tx (
        .clk(clk_io), .rst(rst_io), .i_valid(out_valid && !flush), .i_data(i_tx_data),
        .o_ready(out_ready), .i_clear(!cts_n[1]), .o_tx(o_tx)
    );

    flx_link_reset u_link_reset (
        .clk_io(clk_io), .rst_io(rst_io), .i_request(line_break), .o_flush(flush),
        .clk(clk), .rst(rst), .o_reset(o_link_reset)
    );

    flx_async_fifo #(.W(8), .LOG2(RX_LOG2)) u_rx_fifo (
        .i_wclk(clk_io), .i_wrst(flush), .i_wvalid(in_valid), .i_wdata(in_data), .o_wready(),
        .o_wmany(in_many), .i_rclk(clk), .i_rrst(rst || o_link_reset),
        .o_rvalid(o_rx_valid), .o_rdata(o_rx_data), .i_rready(i_rx_ready)
    );

    // A byte to be sent is offered with a change of `offer` and stays until `taken` follows; the
    // sender's register takes it from the other clock.
    reg       offer, taken, waiting;
    reg [1:0] offer_io, taken_clk;
    wire      pending = offer != taken_clk[1];

    assign o_tx_ready = waiting && !pending;
    assign out_valid  = offer_io[1] != taken;

    always @(posedge clk) begin
        taken_clk <= {taken_clk[0], taken};
        waiting   <= pending;
        if (i_tx_valid && !pending && !waiting)
            offer <= !offer;
        if (rst || o_link_reset) begin
            offer     <= 1'b0;
            taken_clk <= 2'b00;
            waiting   <= 1'b0;
        end
    end

    always @(posedge clk_io) begin
        offer_io <= {offer_io[0], offer};
        if (out_valid && out_ready)
            taken <= !taken;
        if (flush) begin
            offer_io <= 2'b00;
            taken    <= 1'b0;
        end
    end
endmodule

`default_nettype wire
