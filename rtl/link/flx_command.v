// SPDX-License-Identifier: Apache-2.0
// Command processor (docs/link.md): takes complete frames in order, checks them,
// drives the core's ports (docs/architecture.md) and answers each frame.
//
// K, P, ACT_W, AMEM_WORDS, WMEM_WORDS, PMEM_CH, PROG_LAYERS, RES_WORDS, NIN_MAX
//               as in the core
// NIN_MIN       smallest n_in of the XOR network
// SLICES        slices of a weight word, K*T/N_OUT
// MAX_PAYLOAD   as in flx_frame_rx
// WATCHDOG      clocks after which a wait for the core ends, >= 16
//
// i_frame_*, o_take, o_buf_*, i_buf_data: the receiver, flx_frame_rx.
// o_tx_*, i_tx_*: the sender, flx_frame_tx.
// o_desc_index, i_desc_byte: flx_description, same cycle.
// o_core_rst: reset of the core, several cycles long. Core ports without the
//   direction's prefix as in docs/architecture.md; a load that ends with an error
//   stops offering bytes in the middle, the next o_ld_start begins a new one.
`default_nettype none
`include "flx_proto.vh"

module flx_command #(
    parameter K           = 16,
    parameter P           = 1,
    parameter ACT_W       = 8,
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
    parameter AB          = $clog2(MAX_PAYLOAD)
) (
    input  wire          clk,
    input  wire          rst,
    // receiver
    input  wire          i_frame_valid,
    input  wire [7:0]    i_frame_type,
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
    output wire          o_tx_poison,
    output wire          o_tx_valid,
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
    output wire          o_ld_valid,
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
    function integer max2;
        input integer a, b;
        max2 = a > b ? a : b;
    endfunction

    localparam GRANULES   = K / 4;
    localparam PROG_WORDS = `FLX_PROG_HDR_WORDS + PROG_LAYERS * `FLX_PROG_LAYER_WORDS;
    localparam CNT_WORDS  = PROG_LAYERS * `FLX_COUNTER_WORDS;
    localparam LIMIT_MAX  = max2(max2(max2(PROG_WORDS, PMEM_CH), max2(WMEM_WORDS, RES_WORDS)),
                                 max2(AMEM_WORDS * GRANULES, CNT_WORDS));
    localparam ADB        = max2($clog2(LIMIT_MAX + 1), 16);  // bits of an address or a count
    localparam PACKED     = SLICES == 1 || SLICES == 2 || SLICES == 4;
    localparam UNIT_MAX   = PACKED ? (NIN_MAX * SLICES + 7) / 8 : NIN_MAX * ((SLICES + 7) / 8);
    localparam UB         = $clog2(max2(UNIT_MAX, 6) + 1);  // bits of a byte count in a unit
    localparam WB         = $clog2(WATCHDOG);
    localparam READ_WORDS = (MAX_PAYLOAD - 2) / 4;          // most words of an answer
    localparam READ_ACTS  = (MAX_PAYLOAD - 2) / K;
    localparam HELLO_LEN  = 2 + `FLX_DESC_BYTES;
    localparam PING_LEN   = 5;
    localparam [ADB-1:0] NO_COUNT = {ADB{1'b0}};

    generate
        if (K < 4 || K % 4 != 0)
            flx_error_k_must_be_a_multiple_of_4 u_error ();
        if (P < 1 || P > 127)
            flx_error_p_must_be_1_to_127 u_error ();
        if (ACT_W < 1 || ACT_W > 8)
            flx_error_act_w_must_be_1_to_8 u_error ();
        if (SLICES < 1)
            flx_error_k_times_t_must_be_a_multiple_of_n_out u_error ();
        if (WATCHDOG < 16)
            flx_error_watchdog_must_be_at_least_16 u_error ();
        if (AMEM_WORDS > 65536 || RES_WORDS > 65535 || PROG_LAYERS > 255)
            flx_error_memory_too_large_for_the_program_format u_error ();
    endgenerate

    localparam [3:0] S_IDLE = 4'd0, S_CHECK = 4'd1, S_PARSE = 4'd2, S_LIMIT = 4'd3, S_ARGS = 4'd4,
                     S_WAIT = 4'd5, S_GO = 4'd6, S_DATA = 4'd7, S_READ = 4'd8, S_READ_WAIT = 4'd9,
                     S_RESET = 4'd10, S_START = 4'd11, S_SEND = 4'd12;

    reg  [3:0]     state;
    reg  [7:0]     type_r, seq, expect_r;
    reg            crc_ok;
    reg            nak;
    reg  [2:0]     status;
    reg  [AB:0]    left;      // payload bytes that are not yet used
    reg  [AB-1:0]  ptr;       // next byte to read from the buffer
    reg  [5:0]     idx;       // index of the byte that is parsed or sent
    reg  [2:0]     target;    // 7: one that does not exist; RUN: its flags
    reg  [7:0]     arg;       // RUN: its last layer
    reg  [ADB-1:0] addr;
    reg            addr_bad;
    reg  [ADB-1:0] count;     // READ: words to read; WRITE: units to the end of the memory
    reg  [ADB:0]   room;      // limit - addr
    reg  [UB-1:0]  unit;      // bytes of a unit - 1
    reg  [UB-1:0]  unit_pos;
    reg  [AB:0]    tx_len;
    reg  [31:0]    word;
    reg            poison;
    reg  [7:0]     run_number;
    reg  [7:0]     failures;
    reg  [WB-1:0]  watch;

    // Kind of the request
    wire is_hello = type_r == `FLX_REQ_HELLO;
    wire is_write = type_r == `FLX_REQ_WRITE;
    wire is_run   = type_r == `FLX_REQ_RUN;
    wire is_read  = type_r == `FLX_REQ_READ;
    wire is_reset = type_r == `FLX_REQ_RESET;
    wire is_ping  = type_r == `FLX_REQ_PING;
    wire known    = is_hello || is_write || is_run || is_read || is_reset || is_ping;
    wire any_seq  = is_hello || is_reset || is_ping;
    wire len_ok   = is_write ? left >= `FLX_WR_HDR_BYTES :
                    is_read  ? left == `FLX_RD_HDR_BYTES :
                    is_run   ? left == `FLX_RUN_BYTES : left == {(AB + 1) {1'b0}};

    // Target
    wire w_program = is_write && target == `FLX_WR_PROGRAM;
    wire w_params  = is_write && target == `FLX_WR_PARAMS;
    wire w_weights = is_write && target == `FLX_WR_WEIGHTS;
    wire w_image   = is_write && target == `FLX_WR_IMAGE;
    wire w_stream  = is_write && target == `FLX_WR_STREAM;
    wire r_results = is_read && target == `FLX_RD_RESULTS;
    wire r_act     = is_read && target == `FLX_RD_ACT;
    wire r_count   = is_read && target == `FLX_RD_COUNTERS;
    wire bounded   = w_program || w_params || w_weights;
    wire target_ok = bounded || w_image || w_stream || r_results || r_act || r_count;

    wire [ADB-1:0] limit = w_program ? PROG_WORDS[ADB-1:0] :
                           w_params  ? PMEM_CH[ADB-1:0] :
                           w_weights ? WMEM_WORDS[ADB-1:0] :
                           r_results ? RES_WORDS[ADB-1:0] :
                           r_act     ? AMEM_WORDS[ADB-1:0] :
                           r_count   ? CNT_WORDS[ADB-1:0] : {ADB{1'b0}};
    wire nin_ok    = {24'b0, arg} >= NIN_MIN && {24'b0, arg} <= NIN_MAX;
    wire engine_ok = {25'b0, arg[6:0]} < P;
    wire arg_ok    = (w_weights || w_stream) ? nin_ok :
                     (w_image || r_results)  ? engine_ok :
                     r_act                   ? engine_ok && !arg[7] : arg == 8'd0;
    wire count_ok  = room[ADB-1:0] >= count &&
                     (count <= (r_act ? READ_ACTS[ADB-1:0] : READ_WORDS[ADB-1:0]));
    wire range_ok  = arg_ok && !addr_bad && !room[ADB] && (is_write || count_ok);
    wire run_ok    = target <= (`FLX_RUN_STREAM | `FLX_RUN_CLEAR);

    // Bytes of a unit - 1: what the address counts
    wire [15:0] nin = {8'b0, arg};
    wire [15:0] weight_bytes;
    generate
        if (PACKED) begin : g_packed
            wire [15:0] bits = nin * SLICES[15:0] + 16'd7;
            assign weight_bytes = {3'b0, bits[15:3]};
        end else begin : g_planes
            localparam PLANE_BYTES = (SLICES + 7) / 8;
            assign weight_bytes = nin * PLANE_BYTES[15:0];
        end
    endgenerate
    wire [15:0] unit_bytes = w_program ? 16'd4 : w_params ? 16'd6 :
                             (w_weights || w_stream) ? weight_bytes : 16'd1;

    // Waits
    wire needs_idle = is_run || is_read && !(r_results && arg[7]) || bounded;
    wire needs_load = is_run || r_act;
    wire may_go     = !(needs_idle && i_busy) && !(needs_load && !i_ld_idle);
    wire expired    = watch == {WB{1'b0}};

    wire [AB:0] none     = {(AB + 1) {1'b0}};
    wire        data_end = left == none || bounded && count == NO_COUNT;
    wire        accept   = o_ld_valid && i_ld_ready;
    wire        unit_end = unit_pos == unit;
    wire        sent     = o_tx_valid && i_tx_ready;
    wire        word_end = is_read && idx == 6'd5;
    wire        pop      = accept || state == S_PARSE;
    wire        parsed   = is_run ? idx[0] : is_read ? idx[2:0] == 3'd7 : idx[2:0] == 3'd5;
    wire        read_end = state == S_READ_WAIT && (i_rd_valid || expired) || state == S_READ && poison;
    wire        waiting  = state == S_WAIT || state == S_READ_WAIT || state == S_DATA && !accept;

    assign o_take       = state == S_IDLE && i_frame_valid;
    assign o_buf_en     = state == S_CHECK || pop;
    assign o_buf_addr   = ptr;

    assign o_tx_start   = state == S_START;
    assign o_tx_type    = nak ? `FLX_RESP_NAK : type_r | `FLX_RESP_BIT;
    assign o_tx_seq     = seq;
    assign o_tx_len     = tx_len;
    assign o_tx_poison  = poison;
    assign o_tx_valid   = state == S_SEND;
    assign o_desc_index = idx;

    assign o_core_rst   = state == S_RESET;
    assign o_ld_start   = state == S_GO && is_write;
    assign o_ld_target  = target;
    assign o_ld_arg     = arg;
    assign o_ld_addr    = {{(32 - ADB) {1'b0}}, addr};
    assign o_ld_valid   = state == S_DATA && !data_end;
    assign o_ld_data    = i_buf_data;
    assign o_run        = state == S_GO && is_run;
    assign o_run_flags  = {5'b0, target};
    assign o_run_last   = arg;
    assign o_rd_en      = state == S_READ && !poison;
    assign o_rd_target  = target[1:0];
    assign o_rd_arg     = arg;
    assign o_rd_addr    = {{(32 - ADB) {1'b0}}, addr};

    always @* begin
        if (idx == 6'd0)
            o_tx_data = {5'b0, status};
        else if (idx == 6'd1)
            o_tx_data = expect_r;
        else if (is_read)
            o_tx_data = r_act ? {{(8 - ACT_W) {1'b0}}, word[ACT_W-1:0]} : word[7:0];
        else if (is_ping)
            o_tx_data = idx[2] ? failures : idx[0] ? run_number : {7'b0, i_busy};
        else
            o_tx_data = i_desc_byte;
    end

    // One byte of an address at its place
    reg [31:0] addr_byte;
    always @* begin
        case (idx[1:0])
            2'd2:    addr_byte = {24'b0, i_buf_data};
            2'd3:    addr_byte = {16'b0, i_buf_data, 8'b0};
            2'd0:    addr_byte = {8'b0, i_buf_data, 16'b0};
            default: addr_byte = {i_buf_data, 24'b0};
        endcase
    end

    always @(posedge clk) begin
        if (state == S_IDLE) begin
            type_r   <= i_frame_type;
            seq      <= i_frame_seq;
            crc_ok   <= i_frame_crc_ok;
            left     <= i_frame_len;
            ptr      <= {AB{1'b0}};
            addr     <= {ADB{1'b0}};
            count    <= NO_COUNT;
            addr_bad <= 1'b0;
        end
        if (pop)
            left <= left - 1'b1;
        if (o_buf_en)
            ptr <= ptr + 1'b1;

        if (state == S_PARSE) begin
            case (idx[2:0])
                3'd0: target <= i_buf_data > 8'd4 ? 3'd7 : i_buf_data[2:0];
                3'd1: arg <= i_buf_data;
                3'd6: count[7:0] <= i_buf_data;
                3'd7: count[15:8] <= i_buf_data;
                default: begin
                    addr     <= addr | addr_byte[ADB-1:0];
                    addr_bad <= addr_bad || |addr_byte[31:ADB];
                end
            endcase
        end
        if (state == S_LIMIT) begin
            room     <= {1'b0, limit} - {1'b0, addr};
            unit     <= unit_bytes[UB-1:0] - 1'b1;
            unit_pos <= {UB{1'b0}};
        end
        if (state == S_ARGS) begin
            if (is_write)
                count <= room[ADB-1:0];
            else if (r_act)
                count <= count * GRANULES[ADB-1:0];
            if (r_act)
                addr <= addr * GRANULES[ADB-1:0];
        end
        if (accept) begin
            unit_pos <= unit_end ? {UB{1'b0}} : unit_pos + 1'b1;
            if (unit_end)
                count <= count - 1'b1;
        end
        if (read_end) begin
            addr  <= addr + 1'b1;
            count <= count - 1'b1;
            word  <= i_rd_valid && !poison ? i_rd_data : 32'b0;
        end else if (sent && idx[5:1] != 5'd0) begin
            word <= r_act ? word >> ACT_W : word >> 8;
        end
    end

    // Index of the byte that is parsed or sent
    always @(posedge clk) begin
        case (state)
            S_PARSE, S_RESET: idx <= idx + 1'b1;
            S_SEND:           idx <= !sent ? idx : word_end ? 6'd2 : idx + 1'b1;
            S_READ, S_READ_WAIT: idx <= idx;
            default:          idx <= 6'd0;
        endcase
        watch <= waiting ? watch - 1'b1 : WATCHDOG[WB-1:0] - 1'b1;
    end

    always @(posedge clk) begin
        if (rst) begin
            state      <= S_IDLE;
            expect_r   <= 8'd0;
            run_number <= 8'd0;
            failures   <= 8'd0;
        end else begin
            case (state)
                S_IDLE: begin
                    tx_len <= {{(AB - 1) {1'b0}}, 2'd2};
                    poison <= 1'b0;
                    nak    <= 1'b0;
                    status <= `FLX_ST_OK;
                    if (i_frame_valid)
                        state <= S_CHECK;
                end
                S_CHECK: begin
                    state <= S_START;
                    nak   <= 1'b1;
                    if (!crc_ok) begin
                        status <= `FLX_ST_CRC;
                    end else if (!any_seq && seq != expect_r) begin
                        status <= `FLX_ST_SEQ;
                    end else if (!known) begin
                        status <= `FLX_ST_TYPE;
                    end else begin
                        nak <= 1'b0;
                        if (!is_ping)
                            expect_r <= seq + 1'b1;
                        if (!len_ok) begin
                            status <= `FLX_ST_LENGTH;
                        end else begin
                            if (is_hello)
                                tx_len <= HELLO_LEN[AB:0];
                            if (is_ping)
                                tx_len <= PING_LEN[AB:0];
                            if (is_reset)
                                state <= S_RESET;
                            else if (!is_hello && !is_ping)
                                state <= S_PARSE;
                        end
                    end
                end
                S_PARSE: if (parsed) state <= S_LIMIT;
                S_LIMIT: state <= S_ARGS;
                S_ARGS: begin
                    state <= S_START;
                    if (!is_run && !target_ok)
                        status <= `FLX_ST_TARGET;
                    else if (is_run ? !run_ok : !range_ok)
                        status <= `FLX_ST_RANGE;
                    else
                        state <= S_WAIT;
                end
                S_WAIT: begin
                    if (may_go) begin
                        state <= S_GO;
                    end else if (expired) begin
                        status <= `FLX_ST_TIMEOUT;
                        state  <= S_START;
                    end
                end
                S_GO: begin
                    if (is_read)
                        tx_len <= {count[AB-2:0], 2'b10};
                    if (is_run)
                        run_number <= run_number + 1'b1;
                    state <= is_write ? S_DATA : is_read && count != NO_COUNT ? S_READ : S_START;
                end
                S_DATA: begin
                    if (data_end) begin
                        status <= left != none ? `FLX_ST_RANGE :
                                  unit_pos != {UB{1'b0}} ? `FLX_ST_LENGTH : `FLX_ST_OK;
                        state  <= S_START;
                    end else if (expired && !accept) begin
                        status <= `FLX_ST_TIMEOUT;
                        state  <= S_START;
                    end
                end
                S_READ: state <= poison ? S_SEND : S_READ_WAIT;
                S_READ_WAIT: begin
                    if (read_end) begin
                        state  <= idx == 6'd0 ? S_START : S_SEND;
                    end
                    if (!i_rd_valid && expired) begin
                        if (idx == 6'd0) begin
                            status <= `FLX_ST_TIMEOUT;
                            tx_len <= {{(AB - 1) {1'b0}}, 2'd2};
                        end else begin
                            poison <= 1'b1;
                        end
                    end
                end
                S_RESET: begin
                    run_number <= 8'd0;
                    if (idx[2:0] == 3'd7)
                        state <= S_START;
                end
                S_START: begin
                    state <= S_SEND;
                    if (!nak)
                        failures <= status != `FLX_ST_OK ? failures + 1'b1 :
                                    is_hello || is_reset ? 8'd0 : failures;
                end
                default: begin
                    if (i_tx_idle)
                        state <= S_IDLE;
                    else if (sent && word_end && count != NO_COUNT)
                        state <= S_READ;
                end
            endcase
        end
    end
endmodule

`default_nettype wire
