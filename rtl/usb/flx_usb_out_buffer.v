// SPDX-License-Identifier: Apache-2.0
// Bulk OUT: two packets of up to 64 bytes, from the packet receiver to a byte stream.
//
// i_flush   level: drops everything; no room
// o_room    a whole packet can come
// i_data    level: the packet that comes in is for this buffer (only with room)
// i_byte_en, i_byte, i_count  its bytes, CRC included (flx_usb_packet_rx)
// i_ok      pulse: it counts; otherwise the next one takes its place
// o_valid/o_byte/i_ready  the stream
`default_nettype none

module flx_usb_out_buffer (
    input  wire       clk,
    input  wire       i_flush,
    output wire       o_room,
    input  wire       i_data,
    input  wire       i_byte_en,
    input  wire [7:0] i_byte,
    input  wire [6:0] i_count,
    input  wire       i_ok,
    output reg        o_valid,
    output wire [7:0] o_byte,
    input  wire       i_ready
);
    localparam [6:0] FIRST = 7'd126;  // i_count of the first byte

    reg        fill, drain;           // banks of 128 bytes
    reg  [1:0] full;
    reg  [6:0] end_0, end_1;          // address behind the last byte
    reg  [6:0] at;
    wire [6:0] last = drain ? end_1 : end_0;
    wire       done = full[drain] && !o_valid && at == last;

    assign o_room = !full[fill] && !i_flush;

    flx_ram #(.W(8), .DEPTH(256)) u_mem (
        .clk(clk), .i_we(i_data && i_byte_en), .i_waddr({fill, i_count}), .i_wdata(i_byte),
        .i_raddr({drain, at}), .o_rdata(o_byte)
    );

    always @(posedge clk) begin
        if (i_ok && i_count != 7'd0) begin
            full[fill] <= 1'b1;
            fill       <= !fill;
            // The CRC is not payload.
            if (fill)
                end_1 <= i_count - 7'd2;
            else
                end_0 <= i_count - 7'd2;
        end
        o_valid <= full[drain] && (o_valid ? !i_ready : at != last);
        if (o_valid && i_ready)
            at <= at + 1'b1;
        if (done) begin
            full[drain] <= 1'b0;
            drain       <= !drain;
            at          <= FIRST;
        end
        if (i_flush) begin
            full    <= 2'b00;
            fill    <= 1'b0;
            drain   <= 1'b0;
            o_valid <= 1'b0;
            at      <= FIRST;
        end
    end
endmodule

`default_nettype wire
