// SPDX-License-Identifier: Apache-2.0
// Command processor (docs/link.md): takes complete frames in order, checks them,
// drives the core's ports (docs/architecture.md) and answers each frame.
//
// K ... MAX_PAYLOAD  as in flx_request
// WATCHDOG           clocks after which a wait for the core ends, >= 16
// TICK               i_tick comes every 2^TICK clocks, 0: in every one; a wait ends up to two of them
//                    later
//
// i_frame_*, o_take, o_buf_*, i_buf_data: the receiver, flx_frame_rx.
// o_tx_*, i_tx_*: the sender, flx_frame_tx.
// o_desc_index, i_desc_byte: flx_description, same cycle.
// o_core_rst: reset of the core, several cycles long.
// The others are the core's ports. A load that ends with an error stops offering bytes
// in the middle; the next o_ld_start begins a new one.
`default_nettype none
`include "flx_proto.vh"

module flx_command #(
    parameter K           = 16,
    parameter P           = 1,
    parameter NIN_MIN     = 1,
    parameter NIN_MAX     = 32,
    parameter SLICES      = 8,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 8,
    parameter RES_WORDS   = 16,
    parameter MAX_PAYLOAD = 1024,
    parameter WATCHDOG    = 16777216,
    parameter TICK        = 0,
    parameter AB          = $clog2(MAX_PAYLOAD)
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_tick,
    // receiver
    input  wire          i_frame_valid,
    input  wire [3:0]    i_frame_type,
    input  wire [7:0]    i_frame_seq,
    input  wire [AB:0]   i_frame_len,
    input  wire          i_frame_crc_ok,
    output wire          o_take,
    output wire          o_buf_en,
    output wire [AB-1:0] o_buf_addr,
    input  wire [7:0]    i_buf_data,
    // sender
    output wire          o_tx_start,
    output wire [7:0]    o_tx_type,
    output wire [7:0]    o_tx_seq,
    output wire [AB:0]   o_tx_len,
    output reg           o_tx_poison,
    output reg           o_tx_valid,
    output reg  [7:0]    o_tx_data,
    input  wire          i_tx_ready,
    input  wire          i_tx_idle,
    // description
    output wire [5:0]    o_desc_index,
    input  wire [7:0]    i_desc_byte,
    // core
    output wire          o_core_rst,
    output wire          o_ld_start,
    output wire [2:0]    o_ld_target,
    output wire [7:0]    o_ld_arg,
    output wire [31:0]   o_ld_addr,
    output reg           o_ld_valid,
    output wire [7:0]    o_ld_data,
    input  wire          i_ld_ready,
    input  wire          i_ld_idle,
    output wire          o_run,
    output wire [7:0]    o_run_flags,
    output wire [7:0]    o_run_last,
    input  wire          i_busy,
    output wire          o_rd_en,
    output wire [1:0]    o_rd_target,
    output wire [7:0]    o_rd_arg,
    output wire [31:0]   o_rd_addr,
    input  wire          i_rd_valid,
    input  wire [31:0]   i_rd_data
);
    localparam CB        = $clog2((MAX_PAYLOAD - 2) / 4 + 1);
    localparam TICKS     = (TICK == 0) ? WATCHDOG : ((WATCHDOG - 1) >> TICK) + 2;
    localparam WB        = $clog2(TICKS + 1);
    localparam BEGIN = (1 << WB) - TICKS;
    localparam HELLO_LEN = 2 + `FLX_DESC_BYTES;
    localparam PING_LEN  = 5;

    localparam [3:0] S_IDLE = 4'd0, S_CHECK = 4'd1, S_FIELDS = 4'd2, S_SUM = 4'd3, S_JUDGE = 4'd4,
                     S_WAIT = 4'd5, S_GO = 4'd6, S_WRITE = 4'd7, S_READ = 4'd8, S_READ_WAIT = 4'd9,
                     S_RESET = 4'd10, S_START = 4'd11, S_SEND = 4'd12, S_LOOK = 4'd13;

    generate
        if (`FLX_WR_HDR_BYTES != 6)
            flx_error_more_than_6_takes_fields_of_6_bytes u_error ();
        if (WATCHDOG < 16)
            flx_error_watchdog_must_be_at_least_16 u_error ();
    endgenerate

    reg  [3:0]    state;
    reg  [7:0]    seq, expected;
    reg  [2:0]    kind;      // type of the request, whose upper bits are 0 if it is a known one
    reg           odd_kind;
    reg           crc_ok, seq_ok, len_ok, nak;
    reg  [2:0]    status;
    reg  [AB:0]   ptr;       // byte of the buffer that is fetched next
    reg  [AB:0]   len;       // bytes of the payload
    reg           all_used;  // no byte of them is left
    reg  [5:0]    index;     // byte of the fields or of the answer; READ: 2 ... 5 for its words
    reg  [31:0]   word;      // answer of the core, next byte low
    reg  [7:0]    runs, failures;
    reg  [WB:0]   watch;
    wire          expired = watch[WB];
    reg           may_go, progress;
    reg           strange;   // no HELLO since the reset: the host may not know of it

    // Kind of the request
    wire hello = kind == `FLX_REQ_HELLO && !odd_kind;
    wire write = kind == `FLX_REQ_WRITE && !odd_kind;
    wire run   = kind == `FLX_REQ_RUN && !odd_kind;
    wire read  = kind == `FLX_REQ_READ && !odd_kind;
    wire reset = kind == `FLX_REQ_RESET && !odd_kind;
    wire ping  = kind == `FLX_REQ_PING && !odd_kind;
    wire any_seq = hello || reset || ping;
    wire known   = any_seq || write || run || read;
    wire [AB:0] fields_len = write ? `FLX_WR_HDR_BYTES : read ? `FLX_RD_HDR_BYTES :
                             run ? `FLX_RUN_BYTES : 0;
    wire only_fields = len == fields_len;
    wire more_than_6 = len[AB:3] != 0 || &len[2:0];

    // Its fields
    wire [2:0]    target;
    wire [CB-1:0] words;
    wire [2:0]    fields_status;
    wire          full, pause, partial, needs_idle, needs_load;

    wire accept   = o_ld_valid && i_ld_ready;
    wire fetched  = state == S_READ_WAIT && i_rd_valid;
    wire sent     = o_tx_valid && i_tx_ready;
    wire word_end = read && index == 6'd5;
    wire waiting  = (state == S_WAIT || state == S_READ_WAIT || state == S_WRITE) && !progress;
    wire fields_done = run ? index[0] : index[2] && index[0] && (write || index[1]);
    wire more_words  = sent && word_end && !full && !o_tx_poison;

    flx_request #(
        .K(K), .P(P), .NIN_MIN(NIN_MIN), .NIN_MAX(NIN_MAX), .SLICES(SLICES),
        .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS), .PMEM_CH(PMEM_CH),
        .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .MAX_PAYLOAD(MAX_PAYLOAD)
    ) u_request (
        .clk(clk), .i_write(write), .i_read(read), .i_run(run),
        .i_clear(state == S_CHECK), .i_take(state == S_FIELDS), .i_index(index[2:0]),
        .i_byte(i_buf_data), .i_sum(state == S_SUM),
        .i_step(accept || fetched),
        .o_target(target), .o_arg(o_ld_arg), .o_addr(o_ld_addr),
        .o_rd_addr(o_rd_addr), .o_words(words), .o_status(fields_status), .o_full(full), .o_pause(pause),
        .o_partial(partial), .o_needs_idle(needs_idle), .o_needs_load(needs_load)
    );

    assign o_take       = state == S_IDLE && i_frame_valid;
    assign o_buf_en     = state == S_CHECK || state == S_FIELDS || accept;
    assign o_buf_addr   = ptr[AB-1:0];

    assign o_tx_start   = state == S_START;
    assign o_tx_type    = {1'b1, {4{nak}}, kind | {3{nak}}};
    assign o_tx_seq     = seq;
    assign o_desc_index = index;

    assign o_core_rst   = state == S_RESET;
    assign o_ld_start   = state == S_GO && write;
    assign o_ld_target  = target;
    assign o_ld_data    = i_buf_data;
    assign o_run        = state == S_GO && run;
    assign o_run_flags  = {5'b0, target};
    assign o_run_last   = o_ld_arg;
    assign o_rd_en      = state == S_READ;
    assign o_rd_target  = target[1:0];
    assign o_rd_arg     = o_ld_arg;

    assign o_tx_len = status != `FLX_ST_OK ? 2 : hello ? HELLO_LEN[AB:0] : ping ? PING_LEN[AB:0] :
                      read ? {{(AB - 1 - CB) {1'b0}}, words, 2'b10} : 2;

    wire [7:0] answer = index == 6'd0 ? {5'b0, status} :
                        index == 6'd1 ? expected :
                        read          ? word[7:0] :
                        !ping         ? i_desc_byte :
                        index[2]      ? failures :
                        index[0]      ? runs : {strange, 6'b0, i_busy};

    always @(posedge clk) begin
        if (state == S_IDLE) begin
            kind     <= i_frame_type[2:0];
            odd_kind <= i_frame_type[3];
            seq      <= i_frame_seq;
            crc_ok   <= i_frame_crc_ok;
            seq_ok   <= i_frame_seq == expected && !strange;
            len      <= i_frame_len;
        end
        if (state == S_IDLE)
            ptr <= {(AB + 1) {1'b0}};
        else if (o_buf_en)
            ptr <= ptr + 1'b1;

        if (fetched)
            word <= i_rd_data;
        else if (sent && index[5:1] != 5'd0)
            word <= {8'b0, word[31:8]};

        may_go   <= !(needs_idle && i_busy) && !(needs_load && !i_ld_idle);
        progress <= accept;
        if (!waiting)
            watch <= BEGIN[WB:0];
        else if (TICK == 0 || i_tick)
            watch <= watch + 1'b1;

        if (!o_tx_valid)
            o_tx_data <= answer;
        o_tx_valid <= state == S_SEND && !sent;

        case (state)
            S_FIELDS, S_RESET:   index <= index + 1'b1;
            S_SEND:              index <= !sent ? index : word_end ? 6'd2 : index + 1'b1;
            S_READ, S_READ_WAIT: index <= index;
            default:             index <= 6'd0;
        endcase
    end

    // Verdict on the header
    wire [2:0] verdict = !crc_ok             ? `FLX_ST_CRC :
                         !any_seq && !seq_ok ? `FLX_ST_SEQ :
                         !known              ? `FLX_ST_TYPE :
                         !len_ok             ? `FLX_ST_LENGTH : `FLX_ST_OK;
    wire executed = crc_ok && known && (any_seq || seq_ok);

    always @(posedge clk) begin
        case (state)
            S_IDLE: begin
                status      <= `FLX_ST_OK;
                o_tx_poison <= 1'b0;
                if (i_frame_valid)
                    state <= S_LOOK;
            end
            S_LOOK: begin
                all_used <= only_fields;
                len_ok   <= only_fields || write && more_than_6;
                state    <= S_CHECK;
            end
            S_CHECK: begin
                nak    <= !executed;
                status <= verdict;
                if (executed && !ping)
                    expected <= seq + 1'b1;
                if (executed && hello)
                    strange <= 1'b0;
                state <= verdict != `FLX_ST_OK || hello || ping ? S_START : reset ? S_RESET : S_FIELDS;
            end
            S_FIELDS: if (fields_done) state <= S_SUM;
            S_SUM:   state <= S_JUDGE;
            S_JUDGE: state <= S_WAIT;
            S_WAIT: begin
                if (fields_status != `FLX_ST_OK) begin
                    status <= fields_status;
                    state  <= S_START;
                end else if (may_go) begin
                    state <= S_GO;
                end else if (expired) begin
                    status <= `FLX_ST_TIMEOUT;
                    state  <= S_START;
                end
            end
            S_GO: begin
                if (run)
                    runs <= runs + 1'b1;
                state <= write ? S_WRITE : read && !full ? S_READ : S_START;
            end
            S_WRITE: begin
                if (accept) begin
                    o_ld_valid <= !pause && ptr != len;
                    all_used   <= ptr == len;
                end else if (expired && !progress) begin
                    o_ld_valid <= 1'b0;
                    status     <= `FLX_ST_TIMEOUT;
                    state      <= S_START;
                end else if (!o_ld_valid && !progress) begin
                    o_ld_valid <= !all_used && !full;
                    if (all_used || full) begin
                        status <= !all_used ? `FLX_ST_RANGE : partial ? `FLX_ST_LENGTH : `FLX_ST_OK;
                        state  <= S_START;
                    end
                end
            end
            S_READ: state <= S_READ_WAIT;
            S_READ_WAIT: begin
                if (fetched || expired)
                    state <= index == 6'd0 ? S_START : S_SEND;
                if (!fetched && expired && index == 6'd0)
                    status <= `FLX_ST_TIMEOUT;
                if (!fetched && expired && index != 6'd0)
                    o_tx_poison <= 1'b1;
            end
            S_RESET: begin
                runs <= 8'd0;
                if (index[2:0] == 3'd7)
                    state <= S_START;
            end
            S_START: begin
                if (!nak && status != `FLX_ST_OK)
                    failures <= failures + 1'b1;
                else if (!nak && (hello || reset))
                    failures <= 8'd0;
                state <= S_SEND;
            end
            default: begin
                if (i_tx_idle)
                    state <= S_IDLE;
                else if (more_words)
                    state <= S_READ;
            end
        endcase
        if (rst) begin
            state      <= S_IDLE;
            o_ld_valid <= 1'b0;
            expected   <= 8'd0;
            strange    <= 1'b1;
            runs       <= 8'd0;
            failures   <= 8'd0;
        end
    end

`ifdef FORMAL
    // Environment: a frame waits until it is taken; the buffer holds its byte; the sender is
    // busy from o_tx_start until it has taken o_tx_len bytes; a run begins with o_run only.
    reg         f_past = 1'b0;
    reg         f_rst, f_frame_held, f_busy, f_run, f_tx_held, f_ld_held, f_buf_en, f_started;
    reg  [7:0]  f_buf, f_tx_data;
    reg  [AB:0] f_frame_len, f_tx_len, f_left;
    reg         f_sending;
    reg  [WB:0] f_wait;   // clocks of waiting for the core
    reg         f_reading;

    always @(posedge clk) begin
        f_past       <= 1'b1;
        f_rst        <= rst;
        f_frame_held <= i_frame_valid && !o_take;
        f_frame_len  <= i_frame_len;
        f_busy       <= i_busy;
        f_run        <= o_run;
        f_tx_held    <= o_tx_valid && !i_tx_ready && !i_tx_idle;
        f_tx_data    <= o_tx_data;
        f_tx_len     <= o_tx_len;
        f_ld_held    <= o_ld_valid && !i_ld_ready;
        f_buf        <= i_buf_data;
        f_buf_en     <= o_buf_en;
        f_started    <= o_tx_start;
        f_sending    <= !rst && (o_tx_start || f_sending && !i_tx_idle);
        f_left       <= f_started ? o_tx_len - sent : f_left - sent;
        f_wait       <= !rst && waiting && !accept ? f_wait + 1'b1 : 0;
        f_reading    <= !rst && (o_rd_en || f_reading && state == S_READ_WAIT && !i_rd_valid);
    end

    always @* begin
        assume (f_past || rst);
        assume (i_frame_len <= MAX_PAYLOAD);
        assume (!f_past || !f_frame_held || (i_frame_valid && i_frame_len == f_frame_len));
        assume (!f_past || f_rst || f_busy || f_run || !i_busy);
        assume (f_buf_en || i_buf_data == f_buf);
        assume (i_tx_idle == !f_sending || f_sending && !f_started && f_left == 0);
        assume (!i_tx_ready || f_sending && !f_started && f_left != 0);
        if (f_past && !f_rst && !rst) begin
            // One answer a frame, and only while the sender is free
            assert (!o_tx_start || i_tx_idle);
            assert (f_started || !f_sending || i_tx_idle || o_tx_len == f_tx_len || f_left == f_tx_len);
            assert (o_tx_len <= MAX_PAYLOAD);
            assert (!f_tx_held || !f_sending || o_tx_valid && o_tx_data == f_tx_data);
            // Bytes for the core hold until they are taken or the watchdog ends the load,
            // come after the start, and are those of the payload.
            assert (!f_ld_held || state != S_WRITE || o_ld_valid && o_ld_data == f_buf);
            assert (!o_ld_valid || state == S_WRITE && !o_ld_start);
            assert (!o_ld_valid || ptr <= len);
            // The core is started and its memories are written only while it is idle.
            assert (!o_run || !i_busy);
            assert (!o_ld_start || target > `FLX_WR_WEIGHTS || !i_busy);
            assert (!o_rd_en || !f_reading);
            // Every wait ends.
            assert (f_wait <= WATCHDOG + 1);
        end
    end
`endif
endmodule

`default_nettype wire
