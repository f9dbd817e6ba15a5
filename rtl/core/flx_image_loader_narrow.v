// SPDX-License-Identifier: Apache-2.0
// flx_image_loader_narrow: flx_image_loader with a block RAM in the place of the window's
// register, a third as large. A window is read again byte by byte and takes 6 clocks a granule,
// a byte takes 2, which is for links whose bytes come further apart.
//
// The image is framed by padding codes. In every row of the framed image a window of
// i_win bytes is taken every i_step bytes and stored as one pixel of ceil(i_win/K) words:
// ceil(i_win/4) granules, bytes beyond the window zero. The other granules of the pixel are
// not written.
//
//   K, ACT_W    as in flx_core; a code is the low ACT_W bits of a byte
//   WIN_MAX     largest window in bytes, a multiple of 4
//   AW, BW      bits of a word address and of a bank number of the activation memory
//
//   i_win … i_pad_bytes   fields of the program header; a pixel takes the words of its window
//   i_base      first word of the image buffer; sampled when the image begins
//   i_start     a new image begins, for engine i_engine
//   i_valid …   its bytes, y x c order; o_ready is low while padding or a window is
//               written. Bytes after the end of the image are dropped.
//   o_idle      nothing to do without another byte
//   o_we …      one granule for engine o_engine; it is written when i_grant is 1
`default_nettype none
module flx_image_loader_narrow #(
    parameter K       = 8,
    parameter ACT_W   = 8,
    parameter WIN_MAX = 32,
    parameter AW      = 10,
    parameter BW      = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [7:0]         i_win,
    input  wire [7:0]         i_step,
    input  wire [15:0]        i_row_bytes,
    input  wire [15:0]        i_rows,
    input  wire [7:0]         i_pad_rows,
    input  wire [7:0]         i_pad_code,
    input  wire [15:0]        i_pad_bytes,
    input  wire [AW-1:0]      i_base,
    input  wire               i_start,
    input  wire [6:0]         i_engine,
    input  wire               i_valid,
    input  wire [7:0]         i_data,
    output wire               o_ready,
    output wire               o_idle,
    output wire               o_we,
    input  wire               i_grant,
    output reg  [6:0]         o_engine,
    output reg  [AW-1:0]      o_waddr,
    output reg  [BW-1:0]      o_wbank,
    output wire [4*ACT_W-1:0] o_wdata
);
    localparam KB = K / 4;
    localparam G  = 4 * ACT_W;
    localparam RW = $clog2(WIN_MAX);
    localparam YB = (AW < 15) ? AW + 1 : 16; // an image has no more rows than the memory words

    localparam [2:0] S_DONE = 3'd0, S_ROW = 3'd1, S_ROW_LOOK = 3'd2, S_BYTE = 3'd3, S_STEP = 3'd4,
                     S_FILL = 3'd5, S_EMIT = 3'd6;
    // Parts of a framed row, and of the rows.
    localparam [1:0] BEFORE = 2'd0, INSIDE = 2'd1, BEHIND = 2'd2;

    reg [2:0]     state;
    reg           pending;  // i_start seen, the last image not finished
    reg [6:0]     next_engine;
    reg [1:0]     x_part, y_part;
    // Count down; the upper bit says that the part is over, the window complete.
    reg [16:0]    x;        // bytes of the part that are left, less one when S_BYTE looks
    reg [YB:0]    y;        // rows, less one when S_ROW_LOOK looks
    reg [8:0]     need;     // bytes until the window is complete, less one
    reg [2:0]     lane;     // of the granule that is filled; 4: its last byte comes
    reg           there;    // the byte that comes belongs to the window
    // In the ring, which is filled downwards: where the next byte goes, and the next one of the
    // window that is read; equal when all of it is. One bit more than an address.
    reg [RW:0]    tail, at;
    reg [G-1:0]   granule;
    wire [ACT_W-1:0] byte_out;

    wire       padding  = x_part != INSIDE || y_part != INSIDE;
    wire       complete = need[8];
    wire       x_over   = x[16];
    wire       y_over   = y[YB];
    wire       asking   = state == S_BYTE && !complete && !x_over;
    wire       waiting  = (asking && !padding) || state == S_DONE;
    wire       take     = asking && (padding || (i_valid && o_ready));
    wire [7:0] value    = padding ? i_pad_code : i_data;
    wire       bank_last = {1'b0, o_wbank} == KB[BW:0] - 1'b1;
    wire       all_read = at == tail;
    wire       begins   = pending && waiting;
    wire       filled   = state == S_EMIT && i_grant;

    assign o_ready = waiting && !pending && !i_start;
    assign o_idle  = waiting && !pending;
    assign o_we    = state == S_EMIT;
    assign o_wdata = granule;

    // The latest bytes of the row. A window is read again byte by byte.
    flx_ram #(
        .W    (ACT_W),
        .DEPTH(1 << RW)
    ) u_ring (
        .clk    (clk),
        .i_we   (take),
        .i_waddr(tail[RW-1:0]),
        .i_wdata(value[ACT_W-1:0]),
        .i_raddr(at[RW-1:0]),
        .o_rdata(byte_out)
    );

    // Counters with a load. One cell a bit: the carry's second input is also what selects.
    wire          x_down    = state == S_STEP;
    wire          y_down    = state == S_ROW;
    wire          need_down = state != S_ROW && !(state == S_BYTE && complete);
    wire          at_down   = state == S_FILL;
    wire [15:0]   x_count   = (state == S_BYTE && x_part == BEFORE) ? i_row_bytes : i_pad_bytes;
    wire [15:0]   y_count   = (state == S_ROW_LOOK && y_part == BEFORE) ? i_rows : {8'd0, i_pad_rows};
    wire [7:0]    need_load = state == S_ROW ? i_win : i_step;
    wire [8:0]    win       = {1'b0, i_win};
    wire [RW:0]   oldest    = tail + win[RW:0];

    always @(posedge clk) begin
        if (x_down || state == S_ROW_LOOK || state == S_BYTE && x_over && !complete)
            x <= x_down ? x + {17{x_down}} : {1'b0, x_count};
        if (y_down || begins || state == S_ROW_LOOK && y_over)
            y <= y_down ? y + {(YB+1){y_down}} : {1'b0, y_count[YB-1:0]};
        if (take || state == S_ROW || state == S_ROW_LOOK || state == S_BYTE && complete
            || filled && all_read)
            need <= need_down ? need + {9{need_down}} : {1'b0, need_load};
        if (take)
            tail <= tail - 1'b1;
        if (state == S_STEP || (at_down && !lane[2] && !all_read))
            at <= at_down ? at + {(RW+1){at_down}} : oldest;
        if (state != S_FILL)
            lane <= 3'd0;
        else
            lane <= lane + 3'd1;
        there <= !all_read;
        if (state == S_FILL)
            granule <= {there ? byte_out : {ACT_W{1'b0}}, granule[G-1:ACT_W]};
        // The next pixel begins in the next word.
        if (begins || filled && (bank_last || all_read))
            o_wbank <= {BW{1'b0}};
        else if (filled)
            o_wbank <= o_wbank + 1'b1;
        if (begins || filled && (bank_last || all_read))
            o_waddr <= begins ? i_base : o_waddr - {AW{!begins}};

        case (state)
        S_ROW:
            state <= S_ROW_LOOK;
        S_ROW_LOOK: begin
            x_part <= BEFORE;
            state  <= !y_over ? S_STEP : y_part == BEHIND ? S_DONE : S_ROW;
            if (y_over) y_part <= y_part + 2'd1;
        end
        S_BYTE:
            if (complete) begin
                state <= S_FILL;
            end else if (x_over) begin
                x_part <= x_part + 2'd1;
                state  <= x_part == BEHIND ? S_ROW : S_STEP;
            end else if (take) begin
                state <= S_STEP;
            end
        S_STEP:
            state <= S_BYTE;
        S_FILL:
            if (lane[2]) state <= S_EMIT;
        S_EMIT:
            if (i_grant) state <= all_read ? S_BYTE : S_FILL;
        default: ;
        endcase

        if (i_start) begin
            pending     <= 1'b1;
            next_engine <= i_engine;
        end else if (begins) begin
            pending  <= 1'b0;
            o_engine <= next_engine;
            y_part   <= BEFORE;
            state    <= S_ROW;
        end
        if (rst) begin
            state   <= S_DONE;
            pending <= 1'b0;
            tail    <= {(RW+1){1'b0}};
        end
    end

`ifdef FORMAL
    // A granule stays until it is granted, its bank and its bytes exist, and no byte is taken
    // from the host while one is offered.
    reg f_started = 1'b0;
    always @(posedge clk) f_started <= 1'b1;

    always @* begin
        assume (f_started || rst);
        assume (i_win >= 8'd1 && i_win <= WIN_MAX);
        if (f_started) begin
            if (o_we) begin
                assert (o_wbank < KB);
                assert (!o_ready && !o_idle);
            end
            if (state == S_BYTE) assert (o_wbank == 0);
            if (state == S_FILL) assert (lane <= 3'd4);
        end
    end

    reg               f_held;
    reg [AW+BW+G-1:0] f_write;
    reg [7:0]         f_win;
    always @(posedge clk) begin
        f_held  <= o_we && !i_grant && !rst;
        f_write <= {o_waddr, o_wbank, o_wdata};
        f_win   <= i_win;
    end
    always @* begin
        assume (!f_started || i_win == f_win);
        if (f_started && f_held) assert (o_we && f_write == {o_waddr, o_wbank, o_wdata});
    end
`endif
endmodule
`default_nettype wire
