// SPDX-License-Identifier: Apache-2.0
// Frame sender (docs/link.md): header, payload from a byte stream, CRC.
//
// MAX_PAYLOAD  largest payload in bytes, a power of two
//
// i_start: pulse while o_idle begins a frame; i_type, i_seq and i_len hold until
//   o_idle is 1 again.
// i_valid/i_data/o_ready: exactly i_len payload bytes are taken.
// i_poison: while the CRC is sent: sends a wrong one, so that the host drops a
//   frame whose payload could not be completed.
// o_tx_*: byte stream out, stable while o_tx_valid and not i_tx_ready.
`default_nettype none
`include "flx_proto.vh"

module flx_frame_tx #(
    parameter MAX_PAYLOAD = 1024,
    parameter AB          = $clog2(MAX_PAYLOAD)
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        i_start,
    input  wire [7:0]  i_type,
    input  wire [7:0]  i_seq,
    input  wire [AB:0] i_len,
    input  wire        i_poison,
    input  wire        i_valid,
    input  wire [7:0]  i_data,
    output wire        o_ready,
    output wire        o_idle,
    output reg         o_tx_valid,
    output reg  [7:0]  o_tx_data,
    input  wire        i_tx_ready
);
    // S_BODY: payload, then CRC
    localparam [2:0] S_IDLE = 3'd0, S_SOF = 3'd1, S_TYPE = 3'd2, S_SEQ = 3'd3, S_LEN0 = 3'd4,
                     S_LEN1 = 3'd5, S_HCS = 3'd6, S_BODY = 3'd7;

    reg  [2:0]  state;
    reg  [AB+1:0] left;    // payload bytes that are left, in S_BODY less one
    wire        crc_turn = left[AB+1];  // none
    reg  [1:0]  crcs;      // CRC bytes sent
    reg  [7:0]  crc8;
    reg  [31:0] crc32;
    reg  [7:0]  next;

    wire [15:0] len = {{(15 - AB) {1'b0}}, i_len};
    wire        free = !o_tx_valid || i_tx_ready;
    wire        have = state != S_IDLE && (state != S_BODY || crc_turn || i_valid);
    wire        step = free && have;
    wire [7:0]  crc8_next;
    wire [31:0] crc32_next;

    // A byte that equals the CRC's low byte shifts the CRC by a byte.
    flx_crc8  u_crc8 (.i_crc(crc8), .i_data(next), .o_crc(crc8_next));
    flx_crc32 u_crc32 (
        .i_crc(crc32), .i_data(state == S_BODY && crc_turn ? crc32[7:0] : next), .o_crc(crc32_next)
    );

    wire        down = state[2];  // S_HCS and S_BODY

    assign o_idle  = state == S_IDLE;
    assign o_ready = free && state == S_BODY && !crc_turn;

    always @* begin
        case (state)
            S_TYPE:  next = i_type;
            S_SEQ:   next = i_seq;
            S_LEN0:  next = len[7:0];
            S_LEN1:  next = len[15:8];
            S_HCS:   next = crc8;
            S_BODY:  next = crc_turn ? crc32[7:0] ^ {8{!i_poison}} : i_data;
            default: next = `FLX_SOF;
        endcase
    end

    always @(posedge clk) begin
        if (rst)
            o_tx_valid <= 1'b0;
        else if (free)
            o_tx_valid <= have;
        if (step)
            o_tx_data <= next;

        if (state == S_IDLE || state == S_SOF) begin
            crc8  <= 8'h00;
            crc32 <= 32'hFFFFFFFF;
            crcs  <= 2'd0;
        end else if (step) begin
            crc8 <= crc8_next;
            if (state != S_HCS)
                crc32 <= crc32_next;
            if (state == S_BODY && crc_turn)
                crcs <= crcs + 1'b1;
        end
        // Counts down. One cell a bit: the carry's second input is also what selects.
        if (state == S_TYPE || step && (state == S_HCS || o_ready))
            left <= down ? left + {(AB + 2) {down}} : {1'b0, i_len};

        if (rst)
            state <= S_IDLE;
        else if (state == S_IDLE)
            state <= i_start ? S_SOF : S_IDLE;
        else if (step && state == S_BODY)
            state <= crc_turn && crcs == 2'd3 ? S_IDLE : S_BODY;
        else if (step)
            state <= state + 1'b1;
    end

`ifdef FORMAL
    reg          f_past = 1'b0;
    reg          f_rst, f_held, f_idle;  // previous clock: rst, a byte was not taken, idle
    reg [7:0]    f_data;
    reg [AB:0]   f_len;
    reg [AB+2:0] f_bytes;  // bytes of this frame that went to the output
    reg [AB:0]   f_taken;  // payload bytes taken
    wire [31:0]  f_all = i_len + `FLX_HDR_BYTES + `FLX_CRC_BYTES;

    always @(posedge clk) begin
        f_past <= 1'b1;
        f_rst  <= rst;
        f_held <= o_tx_valid && !i_tx_ready;
        f_idle <= o_idle;
        f_data <= o_tx_data;
        f_len  <= i_len;
        if (state == S_IDLE) begin
            f_bytes <= 0;
            f_taken <= 0;
        end else begin
            f_bytes <= f_bytes + step;
            f_taken <= f_taken + (i_valid && o_ready);
        end
    end

    always @* begin
        assume (f_past || rst);
        assume (i_len <= MAX_PAYLOAD);
        assume (!i_start || o_idle);
        assume (!f_past || f_idle || i_len == f_len);
        if (f_past) begin
            // Never more than announced, neither in nor out, and never less.
            assert (!o_ready || f_taken < i_len);
            assert (o_idle || f_bytes < f_all);
            assert (f_rst || !o_idle || f_idle || f_bytes == f_all);
            // A byte stays until it is taken.
            assert (f_rst || !f_held || (o_tx_valid && o_tx_data == f_data));
            // What makes the above inductive
            assert (o_idle || f_taken <= i_len);
            assert (o_idle || state == S_BODY || (f_bytes == state - 1 && f_taken == 0));
            assert (state != S_BODY || f_bytes == `FLX_HDR_BYTES + f_taken + crcs);
            assert (state != S_BODY || left == {1'b0, i_len} - f_taken - 1'b1);
            assert (state != S_SEQ && state != S_LEN0 && state != S_LEN1 && state != S_HCS || left == i_len);
            assert (o_idle || crcs == 0 || (state == S_BODY && crc_turn));
        end
    end
`endif
endmodule

`default_nettype wire
