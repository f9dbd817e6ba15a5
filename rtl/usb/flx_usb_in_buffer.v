// SPDX-License-Identifier: Apache-2.0
// Bulk IN: two packets of up to 64 bytes, from a byte stream to the packet transmitter.
//
// A packet is complete with 64 bytes, after a byte with i_last, or when the stream has
// paused and no other packet waits. A transfer never ends with a full packet: in the two
// latter cases an empty one follows it.
//
//   PAUSE  clocks without a byte that are a pause, 2 ... 65535
//
// i_flush   level: drops everything, also the bytes that it still takes
// i_valid/i_byte/i_last/o_ready  the stream
// o_full    there is a packet to send
// i_start   pulse: it is sent from its first byte on; i_next: the byte was taken
// o_more/o_byte  its next byte, three cycles after i_start or i_next
// i_acked   pulse: the host has it
`default_nettype none

module flx_usb_in_buffer #(
    parameter PAUSE = 240
) (
    input  wire       clk,
    input  wire       i_flush,
    input  wire       i_valid,
    input  wire [7:0] i_byte,
    input  wire       i_last,
    output wire       o_ready,
    output wire       o_full,
    input  wire       i_start,
    input  wire       i_next,
    output reg        o_more,
    output wire [7:0] o_byte,
    input  wire       i_acked
);
    localparam PB = $clog2(PAUSE + 1);
    localparam [PB-1:0] LAST = PAUSE - 2;

    generate
        if (PAUSE < 2 || PAUSE > 65535)
            flx_error_pause_must_be_2_to_65535 u_error ();
    endgenerate

    reg           fill, send;     // banks of 64 bytes
    reg  [1:0]    full;
    reg  [6:0]    size_0, size_1;
    reg  [6:0]    count, at;
    reg  [PB-1:0] quiet;
    reg           paused;
    reg           ended;          // i_last was seen and its transfer has not ended
    reg           whole;          // the last packet had 64 bytes
    wire          take = i_valid && o_ready;
    wire          short_end = (ended || (paused && full == 2'b00)) && (whole || count != 7'd0);
    wire          close = !full[fill] && (count[6] || short_end);

    assign o_ready = !full[fill] && !count[6] && !ended;
    assign o_full  = full[send];

    flx_ram #(.W(8), .DEPTH(128)) u_mem (
        .clk(clk), .i_we(take), .i_waddr({fill, count[5:0]}), .i_wdata(i_byte),
        .i_raddr({send, at[5:0]}), .o_rdata(o_byte)
    );

    always @(posedge clk) begin
        if (take) begin
            count <= count + 1'b1;
            ended <= i_last;
        end
        quiet  <= take || paused ? {PB{1'b0}} : quiet + 1'b1;
        paused <= !take && (paused || quiet == LAST);
        if (close && !take) begin
            full[fill] <= 1'b1;
            fill       <= !fill;
            count      <= 7'd0;
            whole      <= count[6];
            if (!count[6])
                ended <= 1'b0;
            if (fill)
                size_1 <= count;
            else
                size_0 <= count;
        end
        if (i_start)
            at <= 7'd0;
        else if (i_next)
            at <= at + 1'b1;
        o_more <= at != (send ? size_1 : size_0);
        if (i_acked) begin
            full[send] <= 1'b0;
            send       <= !send;
        end
        if (i_flush) begin
            full   <= 2'b00;
            fill   <= 1'b0;
            send   <= 1'b0;
            count  <= 7'd0;
            ended  <= 1'b0;
            whole  <= 1'b0;
            quiet  <= {PB{1'b0}};
            paused <= 1'b0;
        end
    end
endmodule

`default_nettype wire
