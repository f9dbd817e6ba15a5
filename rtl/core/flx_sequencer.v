// SPDX-License-Identifier: Apache-2.0
// flx_sequencer: runs the program. For every layer: loads its fields, issues its words,
// waits until the last write of the layer, counts.
//
// A word is issued in every cycle unless (a) it has not arrived in the ring yet, or (b) it
// completes a set of sums and the requantiser would still hold the set before. The time
// from issue to capture is fixed, so (b) needs no feedback: the last words of two
// positions are issued at least as far apart as the requantiser takes for a set.
//
//   K, T, RQ, PROG_LAYERS   as in flx_core
//   AW, PAW     bits of an activation word address, a program address
//   WAW, RPW    bits of a weight word address, of a parameter row
//
//   i_run …     pulse while o_busy = 0; i_run_last: last layer, counted from 0
//   o_paddr, i_pdata   program memory, one clock
//   i_layers, i_image_base   from the program header; the image buffer of this run
//   o_layer_start   o_logits … o_param_row are valid and stay until i_layer_done
//   o_direct    bit r: r < n_in of the layer (flx_decryptor)
//   i_level, i_tail, o_release …   the ring of the weight buffer
//   o_valid     a word is issued: o_aaddr, o_mask (granules that count), o_waddr
//   o_first, o_double, o_pos_last …   with o_valid: first word of a position; double the
//               sums before; last word of a position, and what the position is
//   o_ev_…      events for the counters
`default_nettype none
`include "flx_proto.vh"
module flx_sequencer #(
    parameter K           = 8,
    parameter T           = 8,
    parameter RQ          = 4,
    parameter N_OUT       = 32,
    parameter PROG_LAYERS = 16,
    parameter AW          = 10,
    parameter PAW         = 9,
    parameter WAW         = 8,
    parameter RPW         = 8,
    parameter LW          = (PROG_LAYERS > 1) ? $clog2(PROG_LAYERS) : 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             i_run,
    input  wire             i_run_stream,
    input  wire [7:0]       i_run_last,
    output wire             o_busy,
    output reg  [PAW-1:0]   o_paddr,
    input  wire [31:0]      i_pdata,
    input  wire [7:0]       i_layers,
    input  wire [AW-1:0]    i_image_base,
    output wire             o_layer_start,
    output reg              o_logits,
    output reg  [4:0]       o_shift,
    output reg  [N_OUT-1:0] o_direct,
    output reg  [AW-1:0]    o_out_base,
    output reg  [AW-1:0]    o_out_pitch,
    output reg  [RPW-1:0]   o_param_row,
    input  wire             i_layer_done,
    input  wire [WAW:0]     i_level,
    input  wire [WAW-1:0]   i_tail,
    output wire             o_release,
    output wire [WAW:0]     o_release_words,
    output reg              o_valid,
    output reg  [AW-1:0]    o_aaddr,
    output reg  [K/4-1:0]   o_mask,
    output reg  [WAW-1:0]   o_waddr,
    output reg              o_first,
    output reg              o_double,
    output reg              o_pos_last,
    output reg              o_win_first,
    output reg              o_win_last,
    output reg              o_group_last,
    output reg              o_layer_last,
    output reg  [LW-1:0]    o_layer,
    output wire             o_ev_cycle,
    output wire             o_ev_busy,
    output wire             o_ev_stall_weights,
    output wire             o_ev_stall_requant
);
    localparam LRQ       = $clog2(RQ);
    localparam HOLD      = T / RQ; // cycles of a set in the requantiser
    localparam HOLD_V    = T;      // the same for logits
    localparam [2:0] S_IDLE = 3'd0, S_LOAD = 3'd1, S_SETUP = 3'd2, S_START = 3'd3,
                     S_ISSUE = 3'd4, S_DRAIN = 3'd5;

    reg [2:0]  state;
    reg [4:0]  count;
    reg        ring;
    reg [7:0]  layer, last_layer;

    // Fields of the layer.
    reg         binary, image_input;
    reg [3:0]   planes;
    reg [15:0]  row0, pitch, out_pitch, run, col_step, pad_words, cols, rows, groups;
    reg [15:0]  in_rows, row_words, pixel_words;
    reg [7:0]   kh, pad_rows, pool;
    reg [K/4-1:0] granules;
    reg [WAW-1:0] weight_base;

    // Set-up: row0 -= pad_rows*pitch, stride = out_pitch/pitch, by repeated subtraction.
    reg [7:0]  pad_left, stride;
    reg [15:0] pitch_left;
    wire       stride_more = pitch_left >= pitch && pitch != 16'd0 && stride != 8'hFF;

    wire        loading = state == S_LOAD && count != 5'd0;
    wire [4:0]  word    = count - 5'd1;
    wire [31:0] f       = i_pdata;

    integer i;
    always @(posedge clk) begin
        if (loading) begin
            case (word[3:0])
            4'd0: begin
                o_logits    <= f[0];
                image_input <= f[1];
                binary      <= f[2];
                planes      <= f[19:16];
                o_shift     <= f[28:24];
                for (i = 0; i < N_OUT; i = i + 1)
                    o_direct[i] <= {24'd0, f[15:8]} > i;
            end
            4'd1: begin
                row0       <= image_input ? {{(16-AW){1'b0}}, i_image_base} : f[15:0];
                o_out_base <= f[16 +: AW];
            end
            4'd2: begin
                pitch      <= f[15:0];
                out_pitch  <= f[31:16];
                pitch_left <= f[31:16];
                stride     <= 8'd0;
            end
            4'd3: begin
                run      <= f[15:0];
                kh       <= f[23:16];
                pad_rows <= f[31:24];
                pad_left <= f[31:24];
            end
            4'd4: begin
                col_step  <= f[15:0];
                pad_words <= f[31:16];
            end
            4'd5: begin
                cols <= f[15:0];
                rows <= f[31:16];
            end
            4'd6: begin
                pool   <= f[7:0];
                groups <= f[31:16];
            end
            4'd7: begin
                in_rows   <= f[15:0];
                row_words <= f[31:16];
            end
            4'd8: begin
                pixel_words <= f[15:0];
                o_out_pitch <= f[16 +: AW];
            end
            4'd9:  granules    <= f[K/4-1:0];
            4'd10: weight_base <= ring ? i_tail : f[WAW-1:0];
            4'd12: o_param_row <= f[LRQ +: RPW];
            default: ;
            endcase
        end
        if (state == S_SETUP) begin
            if (pad_left != 8'd0) begin
                pad_left <= pad_left - 8'd1;
                row0     <= row0 - pitch;
            end
            if (stride_more) begin
                pitch_left <= pitch_left - pitch;
                stride     <= stride + 8'd1;
            end
        end
    end

    // States.
    wire go, layer_last;
    wire last = layer == last_layer || layer + 8'd1 >= i_layers;

    assign o_busy        = state != S_IDLE;
    assign o_layer_start = state == S_START;

    always @(posedge clk) begin
        case (state)
        S_IDLE:
            if (i_run && i_layers != 8'd0) begin
                state      <= S_LOAD;
                count      <= 5'd0;
                ring       <= i_run_stream;
                layer      <= 8'd0;
                last_layer <= i_run_last;
                o_paddr    <= `FLX_PROG_HDR_WORDS;
            end
        S_LOAD: begin
            count <= count + 5'd1;
            if (count == 5'd16) state <= S_SETUP;
            else o_paddr <= o_paddr + 1'b1;
        end
        S_SETUP: if (pad_left == 8'd0 && !stride_more) state <= S_START;
        S_START: state <= S_ISSUE;
        S_ISSUE: if (go && layer_last) state <= S_DRAIN;
        S_DRAIN:
            if (i_layer_done) begin
                state <= last ? S_IDLE : S_LOAD;
                count <= 5'd0;
                layer <= layer + 8'd1;
            end
        default: state <= S_IDLE;
        endcase
        if (rst) state <= S_IDLE;
    end

    // Issue.
    wire [15:0]    row;
    wire [16:0]    col;
    wire           in_map, pixel_last, first, double, pos_last, win_first, win_last, group_last;
    wire [WAW:0]   index;
    wire [WAW-1:0] waddr;

    flx_addr_gen #(
        .WAW(WAW)
    ) u_addr_gen (
        .clk          (clk),
        .i_start      (o_layer_start),
        .i_step       (go),
        .i_row0       (row0),
        .i_pad_rows   (pad_rows),
        .i_pitch      (pitch),
        .i_out_pitch  (out_pitch),
        .i_stride     (stride),
        .i_in_rows    (in_rows),
        .i_row_words  (row_words),
        .i_run        (run),
        .i_kh         (kh),
        .i_planes     (planes),
        .i_binary     (binary),
        .i_col_step   (col_step),
        .i_pad_words  (pad_words),
        .i_pixel_words(pixel_words),
        .i_cols       (cols),
        .i_rows       (rows),
        .i_pool       (pool),
        .i_groups     (groups),
        .i_wbase      (weight_base),
        .o_row        (row),
        .o_col        (col),
        .o_inside     (in_map),
        .o_pixel_last (pixel_last),
        .o_index      (index),
        .o_waddr      (waddr),
        .o_first      (first),
        .o_double     (double),
        .o_pos_last   (pos_last),
        .o_win_first  (win_first),
        .o_win_last   (win_last),
        .o_group_last (group_last),
        .o_layer_last (layer_last)
    );

    reg  [6:0]  hold; // cycles until the next set may be completed
    wire        issuing = state == S_ISSUE;
    wire        arrived = !ring || index < i_level;
    wire        blocked = pos_last && hold != 7'd0;
    wire [15:0] aaddr   = row + col[15:0];

    assign go                 = issuing && arrived && !blocked;
    assign o_release          = go && group_last && ring;
    assign o_release_words    = index + 1'b1;
    assign o_ev_cycle         = o_busy;
    assign o_ev_busy          = go;
    assign o_ev_stall_weights = issuing && !arrived;
    assign o_ev_stall_requant = issuing && arrived && blocked;

    always @(posedge clk) begin
        if (hold != 7'd0) hold <= hold - 7'd1;
        if (go && pos_last) hold <= (o_logits ? HOLD_V[6:0] : HOLD[6:0]) - 7'd1;
        o_valid      <= go;
        o_aaddr      <= aaddr[AW-1:0];
        o_mask       <= !in_map ? {(K/4){1'b0}} : pixel_last ? granules : {(K/4){1'b1}};
        o_waddr      <= waddr;
        o_first      <= first;
        o_double     <= double;
        o_pos_last   <= go && pos_last;
        o_win_first  <= win_first;
        o_win_last   <= win_last;
        o_group_last <= group_last;
        o_layer_last <= layer_last;
        o_layer      <= layer[LW-1:0];
        if (rst) begin
            hold       <= 7'd0;
            o_valid    <= 1'b0;
            o_pos_last <= 1'b0;
        end
    end

`ifdef FORMAL
    // The last words of two positions are as far apart as the requantiser needs, a word of
    // the ring is issued only when it is there, nothing is issued outside a layer, and a block
    // that leaves the ring has been in it.
    reg       f_started = 1'b0;
    reg [6:0] f_since = 7'd127;
    always @(posedge clk) begin
        f_started <= 1'b1;
        if (go && pos_last) f_since <= 7'd1;
        else if (f_since != 7'd127) f_since <= f_since + 7'd1;
        if (rst) f_since <= 7'd127;
    end

    always @* begin
        assume (f_started || rst);
        if (f_started) begin
            if (go) assert (issuing && (!ring || index < i_level));
            if (go && pos_last) assert (f_since >= f_apart);
            if (o_release) assert (o_release_words <= i_level);
            assert (hold <= HOLD_V);
            assert (state <= S_DRAIN);
            assert (f_since == 7'd127 || hold == ((f_since >= f_apart) ? 0 : f_apart - f_since));
            if (f_since == 7'd127) assert (hold == 0);
        end
    end

    // What the latest set takes in the requantiser.
    reg [6:0] f_apart = 7'd1;
    always @(posedge clk) if (go && pos_last) f_apart <= o_logits ? HOLD_V : HOLD;
    always @* if (f_started) assert (f_apart >= 7'd1 && f_apart <= HOLD_V);
`endif
endmodule
`default_nettype wire
