// SPDX-License-Identifier: Apache-2.0
// Packet transmitter: SYNC, PID, for data packets payload and CRC-16, EOP.
//
// i_start  pulse while not o_busy: sends a packet with i_pid, which holds until o_busy
//          falls. i_pid[1:0] = 11: data.
// i_more   there is a byte of payload, i_byte
// o_next   pulse: i_byte was taken. i_more and i_byte must be right again four bits later.
// o_busy   from the cycle after i_start until the drivers are off
// o_crc16_*, i_crc16_top  the CRC-16 unit, which the receiver uses too
`default_nettype none

module flx_usb_packet_tx (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_start,
    input  wire [3:0] i_pid,
    input  wire       i_more,
    input  wire [7:0] i_byte,
    output reg        o_next,
    output wire       o_busy,
    output wire       o_crc16_clear,
    output wire       o_crc16_en,
    output wire       o_crc16_bit,
    output wire       o_crc16_out,
    input  wire       i_crc16_top,
    output wire       o_dp,
    output wire       o_dn,
    output wire       o_oe
);
    localparam [2:0] S_IDLE = 3'd0, S_SYNC = 3'd1, S_PID = 3'd2, S_DATA = 3'd3, S_CRC = 3'd4,
                     S_SE0 = 3'd5, S_J = 3'd6;
    localparam [1:0] M_IDLE = 2'd0, M_BIT = 2'd1, M_SE0 = 2'd2, M_J = 2'd3;

    reg [2:0] state;
    reg [1:0] phase;
    reg       tick;
    reg [7:0] shift;
    reg [3:0] count;   // bits of the byte, of the CRC or of SE0
    reg [1:0] mode;
    wire      take;

    wire step = tick && take;
    wire byte_end = count[2:0] == 3'd7;

    assign o_busy        = state != S_IDLE || o_oe;
    assign o_crc16_clear = state == S_SYNC;
    assign o_crc16_en    = step && (state == S_DATA || state == S_CRC);
    assign o_crc16_bit   = shift[0];
    assign o_crc16_out   = state == S_CRC;

    always @* begin
        case (state)
            S_IDLE:  mode = M_IDLE;
            S_SE0:   mode = M_SE0;
            S_J:     mode = M_J;
            default: mode = M_BIT;
        endcase
    end

    flx_usb_line_tx u_line (
        .clk(clk), .rst(rst), .i_tick(tick), .i_mode(mode),
        .i_bit(state == S_CRC ? !i_crc16_top : shift[0]), .o_take(take),
        .o_dp(o_dp), .o_dn(o_dn), .o_oe(o_oe)
    );

    always @(posedge clk) begin
        phase <= rst ? 2'd0 : phase + 1'b1;
        tick  <= !rst && phase == 2'd3;

        o_next <= 1'b0;
        if (step) begin
            shift <= {1'b0, shift[7:1]};
            count <= count + 1'b1;
            case (state)
                S_SYNC: if (byte_end) begin
                    state <= S_PID;
                    shift <= {~i_pid, i_pid};
                end
                S_PID, S_DATA: if (byte_end) begin
                    count <= 4'd0;
                    shift <= i_byte;
                    if (state == S_PID && i_pid[1:0] != 2'b11)
                        state <= S_SE0;
                    else if (i_more)
                        state <= S_DATA;
                    else
                        state <= S_CRC;
                    o_next <= i_more;
                end
                S_CRC: if (count == 4'd15)
                    state <= S_SE0;
                S_SE0: if (count[0])
                    state <= S_J;
                default:
                    state <= S_IDLE;
            endcase
        end
        if (i_start) begin
            state <= S_SYNC;
            shift <= 8'h80;
            count <= 4'd0;
        end
        if (rst)
            state <= S_IDLE;
    end
endmodule

`default_nettype wire
