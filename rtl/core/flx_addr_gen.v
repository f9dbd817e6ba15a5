// SPDX-License-Identifier: Apache-2.0
// flx_addr_gen: the loops of one layer, with incremental counters only.
//
//   channel group · pooled y · pooled x · dy · dx · plane · ky · word of the run
//
// The outputs describe the current word; i_step moves to the next one, in every cycle if
// wanted. An activation address is o_row + o_col; the word lies in the map when o_inside.
// Every loop counts down from its number of passes to 1; whether it is there is a register.
//
// A set is what the requantiser takes at once: the words of a position, or of one plane of it
// with i_split. A pool window may hold positions that do not exist (o_null). They
// end after their second word, except where a block or a count of planes has to be completed.
//
//   AW         bits of an activation word address. Counts of words and rows are below 2^(AW+1), as
//              are distances between the leftmost and rightmost word, upper and lower row that
//              a layer reaches: the compiler checks it
//   GW         bits of a number of channel groups, at most 16
//   WAW        bits of a weight word address
//   PIXELS     windows of a row that are worked on at once; with more than 1 WINDOWS must be 1, and
//              what differs between them is left to flx_pixels: o_inside and o_null only tell of
//              rows, o_live says how many of the windows exist
//   WINDOWS    1: windows may overlap and stick out of the map; 0: i_pool apart, all inside
//
//   i_start    go to the first word of the layer; all i_ fields are constant from here on
//              until the last word has been issued
//   i_pool_x   passes of dx (i_pool, but in a joined window, flx_pixels)
//   i_row0     address of the row of the first position, which may lie outside the map;
//   i_top      its number, i_left the position's column in words
//   i_stride   rows between output rows, i_out_pitch the same in words; i_win_… between windows
//   i_last_row, i_last_col   rows and words from the first existing position to the last one
//   o_row_number   row of the map; o_row_window: address of the row where the present row of
//              windows begins
//   o_at_col   column of the position, counted from the first that exists
//   o_index    word of the block, o_waddr its address in the weight buffer
//   o_pixel_last   last word of an input pixel
//   o_first, o_double, o_set_last, …  see flx_sequencer
//   o_end_…    ends of loops, for flx_skip_read
`default_nettype none
module flx_addr_gen #(
    parameter AW      = 16,
    parameter GW      = 16,
    parameter WAW     = 8,
    parameter WINDOWS = 1,
    parameter PIXELS  = 1,
    parameter NW      = (AW < 16) ? AW + 1 : 16, // of counts
    parameter CW      = NW + 1                   // of columns and row numbers, which have signs
) (
    input  wire           clk,
    input  wire           i_start,
    input  wire           i_step,
    input  wire [15:0]    i_row0,
    input  wire [15:0]    i_top,
    input  wire [15:0]    i_left,
    input  wire [7:0]     i_pad_rows,
    input  wire [15:0]    i_pitch,
    input  wire [15:0]    i_out_pitch,
    input  wire [15:0]    i_win_pitch,
    input  wire [7:0]     i_stride,
    input  wire [15:0]    i_win_stride,
    input  wire [15:0]    i_last_row,
    input  wire [15:0]    i_in_rows,
    input  wire [15:0]    i_row_words,
    input  wire [15:0]    i_run,
    input  wire [7:0]     i_kh,
    input  wire [3:0]     i_planes,
    input  wire           i_split,
    input  wire [15:0]    i_col_step,
    input  wire [15:0]    i_win_step,
    input  wire [15:0]    i_pad_words,
    input  wire [15:0]    i_last_col,
    input  wire [15:0]    i_pixel_words,
    input  wire [15:0]    i_cols,
    input  wire [15:0]    i_rows,
    input  wire [7:0]     i_pool,
    input  wire [7:0]     i_pool_x,
    input  wire [15:0]    i_groups,
    input  wire [WAW-1:0] i_wbase,
    output reg  [AW-1:0]  o_row,
    output wire [15:0]    o_row_number,
    output wire [AW-1:0]  o_row_window,
    output reg  [CW-1:0]  o_col,
    output wire [CW-1:0]  o_at_col,
    output wire [2:0]     o_live,
    output wire           o_inside,
    output wire           o_pixel_last,
    output reg  [WAW:0]   o_index,
    output reg  [WAW-1:0] o_waddr,
    output wire           o_first,
    output wire           o_double,
    output wire           o_set_last,
    output wire           o_set_first,
    output wire           o_pos_last,
    output wire           o_null,
    output reg            o_win_first,
    output wire           o_end_dx,
    output wire           o_win_last,
    output wire           o_end_px,
    output wire           o_group_last,
    output wire           o_layer_last
);
    reg           pos_first, plane_first, plane_zero;
    wire          run_last, kh_last, planes_last, dx_last, dy_last, px_last, rows_last, groups_last;
    wire          pixel_last;
    wire [NW-1:0] cols;
    wire          cut; // the position ends with this word

    // Ends of loops, from the inside out.
    wire end_row   = run_last || cut;
    wire end_plane = (run_last && kh_last) || cut;
    wire end_pos   = (run_last && kh_last && planes_last) || cut;
    wire end_dx    = end_pos && dx_last;
    wire end_win   = end_dx && dy_last;
    wire end_px    = end_win && px_last;
    wire end_group = end_px && rows_last;
    wire end_layer = end_group && groups_last;

    // Columns count from the left edge of the map, rows from its upper edge; padding is
    // negative, which an unsigned comparison takes for far right or far below.
    reg [CW-1:0] col_ox, col_px;           // first column of this output column, window
    reg [AW-1:0] row_oy, row_py;           // row addresses, as above
    reg [CW-1:0] num, num_oy, num_py;      // row numbers
    wire [16:0]  number    = {{(17-NW){1'b0}}, num[NW-1:0]};
    wire [16:0]  left_long = {i_left[15], i_left};
    wire [16:0]  top_long  = {i_top[15], i_top};
    wire [CW-1:0] left = left_long[CW-1:0];
    wire [CW-1:0] top  = top_long[CW-1:0];

    // To the next window in x or y, or to the next position.
    wire          jump_x  = WINDOWS != 0 && end_win;
    wire          jump_y  = WINDOWS != 0 && end_px;
    wire [18:0]   step_x  = jump_x ? {3'd0, i_win_step} * PIXELS[2:0] : {3'd0, i_col_step};
    wire [15:0]   step_y  = jump_y ? i_win_pitch : i_out_pitch;
    wire [16:0]   step_ny = jump_y ? {1'b0, i_win_stride} : {9'd0, i_stride};
    wire [CW-1:0] add_ox  = (jump_x ? col_px : col_ox) + step_x[CW-1:0];
    wire [AW-1:0] add_oy  = (jump_y ? row_py : row_oy) + step_y[AW-1:0];
    wire [CW-1:0] add_ny  = (jump_y ? num_py : num_oy) + step_ny[CW-1:0];
    wire [CW-1:0] next_ox = end_px             ? left
                          : end_win            ? add_ox
                          : end_dx             ? col_px
                          : end_pos            ? add_ox : col_ox;
    wire          down    = end_px || (end_dx && !end_win); // to the next output row
    wire [AW-1:0] next_oy = end_group          ? i_row0[AW-1:0]
                          : down               ? add_oy
                          : end_win            ? row_py : row_oy;
    wire [CW-1:0] next_ny = end_group          ? top
                          : down               ? add_ny
                          : end_win            ? num_py : num_oy;

    // Does the position exist?
    generate
        if (WINDOWS != 0) begin : g_windows
            wire [16:0]   pad_rows  = {9'd0, i_pad_rows};
            wire [16:0]   pad_words = {1'b0, i_pad_words};
            wire [CW-1:0] at_row    = num_oy + pad_rows[CW-1:0];
            wire [CW-1:0] at_col    = col_ox + pad_words[CW-1:0];
            wire          last      = dx_last && dy_last && px_last && rows_last;
            reg           ends;

            assign o_null = at_row > {1'b0, i_last_row[NW-1:0]}
                         || (PIXELS == 1 && at_col > {1'b0, i_last_col[NW-1:0]});
            assign o_at_col = at_col;
            assign cut    = ends;
            always @(posedge clk)
                ends <= o_null && !i_split && !last && (i_step ? !end_pos : !pos_first)
                      && !i_start;
        end else begin : g_no_windows
            assign o_null = 1'b0;
            assign o_at_col = {CW{1'b0}};
            assign cut    = 1'b0;
        end
    endgenerate

    assign o_row_number = number[15:0];
    assign o_row_window = row_py;
    assign o_inside     = (PIXELS != 1 || o_col < {1'b0, i_row_words[NW-1:0]})
                       && num < {1'b0, i_in_rows[NW-1:0]};
    assign o_live       = px_last ? cols[2:0] : PIXELS[2:0];
    assign o_pixel_last = pixel_last;
    assign o_first      = i_split ? plane_first : pos_first;
    assign o_double     = plane_first && !pos_first && !i_split;
    assign o_set_first  = plane_zero || !i_split;
    assign o_set_last   = i_split ? end_plane : end_pos;
    assign o_pos_last   = end_pos;
    assign o_end_dx     = end_dx;
    assign o_win_last   = end_win;
    assign o_end_px     = end_px;
    assign o_group_last = end_group;
    assign o_layer_last = end_layer;

    // Counters of the loops, from the inside out.
    flx_loop #(.W(NW)) u_run (
        .clk(clk), .i_start(i_start), .i_count(i_run[NW-1:0]), .i_next(i_step),
        .i_again(end_row), .o_left(), .o_last(run_last)
    );
    flx_loop #(.W(NW)) u_pixel (
        .clk(clk), .i_start(i_start), .i_count(i_pixel_words[NW-1:0]), .i_next(i_step),
        .i_again(end_row || pixel_last), .o_left(), .o_last(pixel_last)
    );
    flx_loop #(.W(8)) u_kh (
        .clk(clk), .i_start(i_start), .i_count(i_kh), .i_next(i_step && end_row),
        .i_again(end_plane), .o_left(), .o_last(kh_last)
    );
    flx_loop #(.W(4)) u_planes (
        .clk(clk), .i_start(i_start), .i_count(i_planes), .i_next(i_step && end_plane),
        .i_again(end_pos), .o_left(), .o_last(planes_last)
    );
    flx_loop #(.W(8)) u_dx (
        .clk(clk), .i_start(i_start), .i_count(i_pool_x), .i_next(i_step && end_pos),
        .i_again(end_dx), .o_left(), .o_last(dx_last)
    );
    flx_loop #(.W(8)) u_dy (
        .clk(clk), .i_start(i_start), .i_count(i_pool), .i_next(i_step && end_dx),
        .i_again(end_win), .o_left(), .o_last(dy_last)
    );
    flx_loop #(.W(NW), .STEP(PIXELS)) u_cols (
        .clk(clk), .i_start(i_start), .i_count(i_cols[NW-1:0]), .i_next(i_step && end_win),
        .i_again(end_px), .o_left(cols), .o_last(px_last)
    );
    flx_loop #(.W(NW)) u_rows (
        .clk(clk), .i_start(i_start), .i_count(i_rows[NW-1:0]), .i_next(i_step && end_px),
        .i_again(end_group), .o_left(), .o_last(rows_last)
    );
    flx_loop #(.W(GW)) u_groups (
        .clk(clk), .i_start(i_start), .i_count(i_groups[GW-1:0]), .i_next(i_step && end_group),
        .i_again(1'b0), .o_left(), .o_last(groups_last)
    );

    always @(posedge clk) begin
        if (i_step) begin
            plane_first <= end_plane;
            pos_first   <= end_pos;
            if (end_plane) plane_zero <= end_pos;
            if (end_pos) o_win_first <= end_win;
        end
        if (i_start) begin
            plane_first <= 1'b1;
            pos_first   <= 1'b1;
            plane_zero  <= 1'b1;
            o_win_first <= 1'b1;
        end
    end

    // Activation addresses.
    always @(posedge clk) begin
        if (i_step) begin
            o_col <= end_row ? next_ox : o_col + {{(CW-1){1'b0}}, 1'b1};
            if (end_row) col_ox <= next_ox;
            if (end_win) col_px <= next_ox;
            if (end_row && !end_plane) begin
                o_row <= o_row + i_pitch[AW-1:0];
                num   <= num + {{(CW-1){1'b0}}, 1'b1};
            end else if (end_plane) begin
                o_row <= next_oy;
                num   <= next_ny;
            end
            if (end_pos) begin
                row_oy <= next_oy;
                num_oy <= next_ny;
            end
            if (end_px) begin
                row_py <= next_oy;
                num_py <= next_ny;
            end
        end
        if (i_start) begin
            o_col  <= left;
            col_ox <= left;
            col_px <= left;
            o_row  <= i_row0[AW-1:0];
            row_oy <= i_row0[AW-1:0];
            row_py <= i_row0[AW-1:0];
            num    <= top;
            num_oy <= top;
            num_py <= top;
        end
    end

    // Weights: the block of a group repeats for every position.
    reg [WAW-1:0] wbase;
    always @(posedge clk) begin
        if (i_step) begin
            o_index <= end_pos ? {(WAW+1){1'b0}} : o_index + 1'b1;
            o_waddr <= (end_pos && !end_group) ? wbase : o_waddr + 1'b1;
            if (end_group) wbase <= o_waddr + 1'b1;
        end
        if (i_start) begin
            o_index <= {(WAW+1){1'b0}};
            o_waddr <= i_wbase;
            wbase   <= i_wbase;
        end
    end
endmodule
`default_nettype wire
