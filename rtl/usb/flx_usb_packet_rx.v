// SPDX-License-Identifier: Apache-2.0
// Packet receiver: finds SYNC, collects bytes, checks PID, length and CRCs.
//
// i_en/i_bit/i_err  bits of the line (flx_usb_unstuff)
// i_se0    end of packet
// i_abort  level: there is no packet (a gap on the line, or the own transmission)
// i_crc16_ok, o_crc16_*  the CRC-16 unit, which the transmitter uses too
// o_start  pulse: SYNC was seen
// o_byte_en/o_byte  a byte after the PID, CRCs included
// o_count  bytes after the PID, minus 2, modulo 128: at the end of a data packet its
//          payload's length. Counts o_byte from the cycle after o_byte_en; stays at 65.
// o_end    pulse, some clocks after the start of SE0; o_ok and o_pid hold from
//          then to the next o_start
// o_ok     with o_end: token, data packet or handshake without any error
`default_nettype none

module flx_usb_packet_rx (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_en,
    input  wire       i_bit,
    input  wire       i_err,
    input  wire       i_se0,
    input  wire       i_abort,
    output wire       o_crc16_clear,
    output wire       o_crc16_en,
    input  wire       i_crc16_ok,
    output wire       o_start,
    output wire       o_byte_en,
    output wire [7:0] o_byte,
    output reg  [6:0] o_count,
    output reg        o_end,
    output reg        o_ok,
    output reg  [3:0] o_pid
);
    localparam [6:0] COUNT_0 = 7'd126, COUNT_MOST = 7'd65;

    reg  [1:0] se0_late;  // the last bit is through all checks before the end is seen
    wire       se0 = se0_late[1];
    reg  [7:0] shift;
    reg        active;    // SYNC was seen
    reg        has_pid;
    reg        bad;       // PID or bit stuffing
    reg  [2:0] bits;      // of the byte
    reg        byte_done; // shift is a byte
    reg        crc5_ok, crc16_ok;
    wire [4:0] crc5;

    // Hubs may eat the first bits of SYNC, and after an idle line the next one looks like
    // a stuffed bit, so its last five are enough.
    wire sync = i_en && i_bit && shift[7:4] == 4'd0 && !active;
    wire in_body = active && has_pid;

    reg whole;            // length and CRC fit the kind of packet
    always @* begin
        case (o_pid[1:0])
            2'b01:   whole = crc5_ok && o_count == 7'd0;
            2'b11:   whole = crc16_ok && o_count != COUNT_MOST && o_count[6:1] != COUNT_0[6:1];
            2'b10:   whole = o_count == COUNT_0;
            default: whole = 1'b0;
        endcase
    end

    assign o_start       = sync && !i_abort;
    assign o_byte        = shift;
    assign o_byte_en     = byte_done && in_body;
    assign o_crc16_clear = !has_pid;
    assign o_crc16_en    = i_en && in_body;

    flx_usb_crc5 u_crc5 (
        .clk(clk), .i_clear(!has_pid), .i_en(o_crc16_en), .i_bit(i_bit), .o_crc(crc5)
    );

    always @(posedge clk) begin
        // Ones, so that the idle line after the packet does not complete a SYNC.
        se0_late <= {se0_late[0], i_se0};
        if (se0)
            shift <= 8'hFF;
        else if (i_en)
            shift <= {i_bit, shift[7:1]};

        if (rst || i_abort || se0)
            active <= 1'b0;
        else if (sync)
            active <= 1'b1;

        if (sync) begin
            bits    <= 3'd0;
            has_pid <= 1'b0;
            bad     <= 1'b0;
            o_count <= COUNT_0;
        end else if (active) begin
            if (i_en)
                bits <= bits + 1'b1;
            if (i_err)
                bad <= 1'b1;
            if (byte_done) begin
                has_pid <= 1'b1;
                if (!has_pid && shift[3:0] != ~shift[7:4])
                    bad <= 1'b1;
                if (has_pid && o_count != COUNT_MOST)
                    o_count <= o_count + 1'b1;
            end
        end
        if (byte_done && !has_pid)
            o_pid <= shift[3:0];

        byte_done <= active && i_en && bits == 3'd7;
        // At byte borders only: hubs may double the last bit of a packet.
        if (byte_done) begin
            crc5_ok  <= crc5 == 5'h0C;
            crc16_ok <= i_crc16_ok;
        end

        o_end <= active && se0 && !i_abort && !rst;
        if (active)
            o_ok <= has_pid && !bad && bits[2:1] == 2'd0 && whole;
    end
endmodule

`default_nettype wire
