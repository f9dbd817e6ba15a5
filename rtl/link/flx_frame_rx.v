// SPDX-License-Identifier: Apache-2.0
// Frame receiver (docs/link.md): hunts for SOF, checks the header, stores the
// payload in one half of a double buffer and checks the CRC. The other half
// belongs to the frame that is executed at the same time.
//
// MAX_PAYLOAD    largest payload in bytes, a power of two, 8 ... 32768
// FRAME_TIMEOUT  clocks of idle line after which an incomplete frame is dropped, >= 2
// TICK           i_tick comes every 2^TICK clocks, 0: in every one; a frame is dropped up to two of
//                them later
//
// i_rx_*: a byte is taken in a cycle with i_rx_valid and o_rx_ready. o_rx_ready
//   falls only while a complete frame waits for i_take.
// o_type: low 3 bits of the type; bit 3: one of the others is set.
// o_valid: a frame is complete; o_type ... o_crc_ok hold until i_take (one cycle,
//   only while o_valid). From the cycle after i_take its payload is read through
//   the buffer port, and reception goes on into the other half.
// i_buf_en/i_buf_addr: o_buf_data is the byte at i_buf_addr one cycle later and
//   holds while i_buf_en is 0.
`default_nettype none
`include "flx_proto.vh"

module flx_frame_rx #(
    parameter MAX_PAYLOAD   = 1024,
    parameter FRAME_TIMEOUT = 1048576,
    parameter TICK          = 0,
    parameter AB            = $clog2(MAX_PAYLOAD)
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_tick,
    input  wire          i_rx_valid,
    input  wire [7:0]    i_rx_data,
    output wire          o_rx_ready,
    output wire          o_valid,
    output reg  [3:0]    o_type,
    output reg  [7:0]    o_seq,
    output wire [AB:0]   o_len,
    output wire          o_crc_ok,
    input  wire          i_take,
    input  wire          i_buf_en,
    input  wire [AB-1:0] i_buf_addr,
    output reg  [7:0]    o_buf_data
);
    localparam TICKS = (TICK == 0) ? FRAME_TIMEOUT - 1 : ((FRAME_TIMEOUT - 1) >> TICK) + 2;
    localparam TB    = $clog2(TICKS + 1);
    localparam BEGIN = (1 << TB) - TICKS;

    // S_BODY: payload, then CRC
    localparam [2:0] S_HUNT = 3'd0, S_TYPE = 3'd1, S_SEQ = 3'd2, S_LEN0 = 3'd3, S_LEN1 = 3'd4,
                     S_HCS = 3'd5, S_BODY = 3'd6, S_DONE = 3'd7;

    generate
        if (MAX_PAYLOAD < 8 || MAX_PAYLOAD > 32768 || MAX_PAYLOAD != 1 << AB)
            flx_error_max_payload_must_be_a_power_of_two_from_8_to_32768 u_error ();
        if (FRAME_TIMEOUT < 2)
            flx_error_frame_timeout_must_be_at_least_2 u_error ();
    endgenerate

    reg  [2:0]    state;
    reg  [AB:0]   len;
    reg           too_long;
    reg  [AB:0]   pos;   // payload bytes stored
    reg  [1:0]    crcs;  // CRC bytes taken
    reg  [7:0]    crc8;
    reg  [31:0]   crc32;
    reg  [TB:0]   idle;  // the upper bit: too long
    reg           bank;  // half that is being filled
    (* no_rw_check *) reg [7:0] mem [0:2*MAX_PAYLOAD-1];

    wire          take_byte = i_rx_valid && o_rx_ready;
    wire [7:0]    crc8_next;
    wire [31:0]   crc32_next;
    wire          crc_turn = pos == len;
    wire          len_ok = !too_long && !(len[AB] && len[AB-1:0] != {AB{1'b0}});
    wire          header_ok = crc8_next == 8'h00 && len_ok;
    wire          timeout = idle[TB];
    wire          tick = TICK == 0 || i_tick;
    wire          store = take_byte && state == S_BODY && !crc_turn;

    flx_crc8  u_crc8  (.i_crc(crc8), .i_data(i_rx_data), .o_crc(crc8_next));
    flx_crc32 u_crc32 (.i_crc(crc32), .i_data(i_rx_data), .o_crc(crc32_next));

    assign o_rx_ready = state != S_DONE;
    assign o_valid    = state == S_DONE;
    assign o_len      = len;
    assign o_crc_ok   = crc32 == 32'hDEBB20E3;

    always @(posedge clk) begin
        if (store)
            mem[{bank, pos[AB-1:0]}] <= i_rx_data;
        if (i_buf_en)
            o_buf_data <= mem[{!bank, i_buf_addr}];
    end

    always @(posedge clk) begin
        if (take_byte || state == S_HUNT || state == S_DONE)
            idle <= BEGIN[TB:0];
        else if (tick)
            idle <= idle + 1'b1;
    end

    integer i;
    always @(posedge clk) begin
        if (state == S_HUNT) begin
            crc8  <= 8'h00;
            crc32 <= 32'hFFFFFFFF;
            pos   <= {(AB + 1) {1'b0}};
            crcs  <= 2'd0;
        end else if (take_byte) begin
            crc8 <= crc8_next;
            if (state != S_HCS)
                crc32 <= crc32_next;
            if (store)
                pos <= pos + 1'b1;
            if (state == S_BODY && crc_turn)
                crcs <= crcs + 1'b1;
        end
        if (take_byte) begin
            if (state == S_TYPE)
                o_type <= {i_rx_data[7:3] != 5'd0, i_rx_data[2:0]};
            if (state == S_SEQ)
                o_seq <= i_rx_data;
            for (i = 0; i <= AB; i = i + 1)
                if (state == (i < 8 ? S_LEN0 : S_LEN1))
                    len[i] <= i_rx_data[i%8];
            if (state == S_LEN0)
                too_long <= {8'd0, i_rx_data} >> (AB + 1) != 16'd0;
            if (state == S_LEN1)
                too_long <= too_long || {i_rx_data, 8'd0} >> (AB + 1) != 16'd0;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            state <= S_HUNT;
            bank  <= 1'b0;
        end else if (state == S_DONE) begin
            if (i_take) begin
                state <= S_HUNT;
                bank  <= !bank;
            end
        end else if (take_byte) begin
            case (state)
                S_HUNT:  state <= i_rx_data == `FLX_SOF ? S_TYPE : S_HUNT;
                S_HCS:   state <= header_ok ? S_BODY : S_HUNT;
                S_BODY:  state <= crc_turn && crcs == 2'd3 ? S_DONE : S_BODY;
                default: state <= state + 1'b1;
            endcase
        end else if (state != S_HUNT && timeout) begin
            state <= S_HUNT;
        end
    end

`ifdef FORMAL
    reg           f_past = 1'b0;
    reg           f_rst, f_held, f_read;  // previous clock
    reg  [AB+16:0] f_frame;
    reg  [TB:0]   f_idle;     // clocks since a byte was taken
    reg  [AB-1:0] f_addr;     // any, picked while rst
    reg  [7:0]    f_new;      // byte f_addr of the frame that is received
    reg  [7:0]    f_old;      // and of the one that is executed
    reg           f_old_has;
    wire          f_new_has = state != S_HUNT && pos > {1'b0, f_addr};

    always @(posedge clk) begin
        f_past  <= 1'b1;
        f_rst   <= rst;
        f_held  <= o_valid && !i_take;
        f_frame <= {o_type, o_seq, o_len};
        f_read  <= i_buf_en && i_buf_addr == f_addr && f_old_has && !i_take;
        f_idle  <= rst || take_byte || state == S_HUNT || state == S_DONE ? 0 : f_idle + 1'b1;
        if (store && pos[AB-1:0] == f_addr)
            f_new <= i_rx_data;
        if (i_take) begin
            f_old     <= f_new;
            f_old_has <= f_new_has;
        end
        if (rst) begin
            f_addr    <= i_buf_addr;
            f_old_has <= 1'b0;
        end
    end

    always @* begin
        assume (f_past || rst);
        assume (!i_take || o_valid);
        if (f_past) begin
            // Nothing is written behind the buffer, and a frame that waits is whole.
            assert (!store || (pos < len && len <= MAX_PAYLOAD));
            assert (state != S_DONE || (pos == len && len <= MAX_PAYLOAD));
            // A frame keeps its payload while the next one is received.
            assert (!f_new_has || mem[{bank, f_addr}] == f_new);
            assert (!f_old_has || mem[{!bank, f_addr}] == f_old);
            assert (f_rst || !f_read || o_buf_data == f_old);
            // An incomplete frame does not outlive an idle line.
            assert (state == S_HUNT || f_idle < FRAME_TIMEOUT);
            // The line is held only by a frame that waits, and that frame stays.
            assert (o_rx_ready == !o_valid);
            assert (f_rst || !f_held || (o_valid && f_frame == {o_type, o_seq, o_len}));
            // What makes the above inductive
            assert (state < S_BODY || (len <= MAX_PAYLOAD && pos <= len));
            assert (state == S_HUNT || state >= S_BODY || pos == 0);
            assert (state == S_HUNT || idle == BEGIN[TB:0] + f_idle);
        end
    end
`endif
endmodule

`default_nettype wire
