// SPDX-License-Identifier: Apache-2.0
// flx_image_loader_narrow: flx_image_loader with a block RAM in the place of the window's
// register, half as large. A window is read again byte by byte and takes 6 clocks a granule,
// which is for links whose bytes come further apart.
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

    localparam [2:0] S_DONE = 3'd0, S_BYTE = 3'd1, S_FILL = 3'd2, S_EMIT = 3'd3, S_INIT = 3'd4;
    // Parts of a framed row, and of the rows.
    localparam [1:0] BEFORE = 2'd0, INSIDE = 2'd1, BEHIND = 2'd2;

    reg [2:0]     state;
    reg           pending;  // i_start seen, the last image not finished
    reg [6:0]     next_engine;
    reg [1:0]     x_part, y_part;
    reg [15:0]    x, y;     // bytes and rows of the part that are left
    reg           ended;    // the last byte of the framed image is in the window
    reg [7:0]     need;     // bytes until the window is complete
    reg [7:0]     left;     // bytes of the window that are not in a granule yet
    reg [2:0]     lane;     // of the granule that is filled; 4: its last byte comes
    reg           there;    // the byte that comes belongs to the window
    reg [RW-1:0]  tail, at; // in the ring: next byte from the host, to a granule
    reg [G-1:0]   granule;
    wire [ACT_W-1:0] byte_out;

    wire       padding = x_part != INSIDE || y_part != INSIDE;
    wire       x_last  = x == 16'd1;
    wire       row_end = x_last && (x_part == BEHIND || (x_part == INSIDE && i_pad_bytes == 16'd0));
    wire       y_last  = y == 16'd1;
    wire       map_end = row_end && y_last
                      && (y_part == BEHIND || (y_part == INSIDE && i_pad_rows == 8'd0));
    wire       waiting = (state == S_BYTE && !padding) || state == S_DONE;
    wire       take    = state == S_BYTE && (padding || (i_valid && o_ready));
    wire [7:0] value   = padding ? i_pad_code : i_data;
    wire       bank_last = {1'b0, o_wbank} == KB[BW:0] - 1'b1;

    // The part that comes next, and its length.
    wire [1:0]  x_first = i_pad_bytes == 16'd0 ? INSIDE : BEFORE;
    wire [1:0]  x_next  = (row_end || state != S_BYTE) ? x_first : x_part + 2'd1;
    wire [15:0] x_count = x_next == INSIDE ? i_row_bytes : i_pad_bytes;
    wire [1:0]  y_next  = state != S_BYTE ? {1'b0, i_pad_rows == 8'd0} : y_part + 2'd1;
    wire [15:0] y_count = y_next == INSIDE ? i_rows : {8'd0, i_pad_rows};

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
        .i_waddr(tail),
        .i_wdata(value[ACT_W-1:0]),
        .i_raddr(at),
        .o_rdata(byte_out)
    );

    always @(posedge clk) begin
        case (state)
        S_INIT: begin
            x      <= x_count;
            x_part <= x_next;
            y      <= y_count;
            y_part <= y_next;
            state  <= S_BYTE;
        end
        S_BYTE:
            if (take) begin
                tail  <= tail + 1'b1;
                at    <= tail + 1'b1 - i_win[RW-1:0];
                left  <= i_win;
                lane  <= 3'd0;
                ended <= map_end;
                x     <= x_last ? x_count : x - 16'd1;
                if (x_last) x_part <= x_next;
                if (row_end) begin
                    y <= y_last ? y_count : y - 16'd1;
                    if (y_last) y_part <= y_next;
                end
                need <= row_end ? i_win : (need == 8'd1) ? i_step : need - 8'd1;
                if (need == 8'd1) state <= S_FILL;
                else if (map_end) state <= S_DONE;
            end
        S_FILL: begin
            lane  <= lane + 3'd1;
            there <= left != 8'd0;
            if (!lane[2]) at <= at + 1'b1;
            if (!lane[2] && left != 8'd0) left <= left - 8'd1;
            granule <= {there ? byte_out : {ACT_W{1'b0}}, granule[G-1:ACT_W]};
            if (lane[2]) state <= S_EMIT;
        end
        S_EMIT: begin
            lane <= 3'd0;
            if (i_grant) begin
                // The next pixel begins in the next word.
                o_wbank <= (bank_last || left == 8'd0) ? {BW{1'b0}} : o_wbank + 1'b1;
                if (bank_last || left == 8'd0) o_waddr <= o_waddr + 1'b1;
                state <= (left != 8'd0) ? S_FILL : ended ? S_DONE : S_BYTE;
            end
        end
        default: ;
        endcase

        if (i_start) begin
            pending     <= 1'b1;
            next_engine <= i_engine;
        end else if (pending && waiting) begin
            pending  <= 1'b0;
            o_engine <= next_engine;
            state    <= S_INIT;
            tail     <= {RW{1'b0}};
            need     <= i_win;
            o_wbank  <= {BW{1'b0}};
            o_waddr  <= i_base;
        end
        if (rst) begin
            state   <= S_DONE;
            pending <= 1'b0;
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
