// SPDX-License-Identifier: Apache-2.0
// flx_addr_gen_formal: flx_addr_gen on every layer of at most MOST words whose loops have one
// to three passes, and flx_skip_read beside it. Addresses, masks and flags are those that
// nested loops with multiplications give, words inside the map have addresses inside the map,
// and the layer ends after exactly its number of words.
//
//   AW        narrow, so that rows and columns use all their bits
//   WINDOWS   1: pool windows may overlap and stick out of the map: a position that does not
//             exist ends after two words
`default_nettype none
module flx_addr_gen_formal #(
    parameter WINDOWS = 1,
    parameter MOST    = 24,
    parameter AW      = 7
) (
    input wire clk
);
    localparam        WAW  = 6;
    localparam [15:0] BASE = 16'd64;

    (* anyconst *) reg       two_groups, two_rows, two_cols, two_pool, two_planes, stride_two;
    (* anyconst *) reg       split, any_win_one, any_pool_pad;
    (* anyconst *) reg [1:0] any_last_row, any_last_col;
    wire       win_one  = WINDOWS != 0 && two_pool && any_win_one; // windows 1 apart
    wire       pool_pad = WINDOWS != 0 && two_pool && any_pool_pad;
    wire [1:0] last_row = (WINDOWS != 0) ? any_last_row : 2'd3; // last position that exists
    wire [1:0] last_col = (WINDOWS != 0) ? any_last_col : 2'd3;
    (* anyconst *) reg [1:0] kh, run, pad_rows, in_rows_less, row_words_less, pad_words, col_step;

    wire [2:0] in_rows   = {1'b0, in_rows_less} + 3'd1;
    wire [2:0] row_words = {1'b0, row_words_less} + 3'd1;
    wire [5:0] pad_area  = (pad_rows[0] ? row_words : 6'd0) + (pad_rows[1] ? row_words << 1 : 6'd0);
    wire [5:0] map_area  = in_rows[2] ? row_words << 2
                         : (in_rows[0] ? row_words : 6'd0) + (in_rows[1] ? row_words << 1 : 6'd0);
    wire [3:0] kernel    = (run[0] ? kh : 4'd0) + (run[1] ? kh << 1 : 4'd0);
    wire [4:0] block     = two_planes ? kernel << 1 : kernel;
    wire [2:0] doublings = 3'd0 + two_groups + two_rows + two_cols + two_pool + two_pool;
    wire [8:0] words     = block << doublings;

    reg       started = 1'b0, running = 1'b0;
    reg [8:0] steps;
    reg [4:0] place; // in the block

    // The loops, as in docs/architecture.md.
    reg [1:0] w, ky;
    reg       plane, dx, dy, px, py, group;
    wire      last_w     = w == run - 2'd1;
    wire      last_ky    = last_w && ky == kh - 2'd1;
    wire      last_plane = (last_ky && plane == two_planes) || short;
    wire      last_dx    = last_plane && dx == two_pool;
    wire      last_dy    = last_dx && dy == two_pool;
    wire      last_px    = last_dy && px == two_cols;
    wire      last_py    = last_px && py == two_rows;
    // The position: -1 to 3.
    wire signed [2:0] ox = (win_one || !two_pool ? {2'b00, px} : {1'b0, px, 1'b0}) + {2'b00, dx}
                         - {2'b00, pool_pad};
    wire signed [2:0] oy = (win_one || !two_pool ? {2'b00, py} : {1'b0, py, 1'b0}) + {2'b00, dy}
                         - {2'b00, pool_pad};
    wire null_at = WINDOWS != 0 && (ox < 0 || oy < 0 || ox > $signed({1'b0, last_col})
                                    || oy > $signed({1'b0, last_row}));
    wire last_at = dx == two_pool && dy == two_pool && px == two_cols && py == two_rows;
    wire short   = null_at && !split && !last_at && place == 5'd1; // ends before its time
    // Row and column in the map, from -3 on.
    wire signed [6:0] oy_rows = stride_two ? {{3{oy[2]}}, oy, 1'b0} : {{4{oy[2]}}, oy};
    wire signed [6:0] ox_words = (ox[0] ? {5'd0, col_step} : 7'd0)
                               + (ox[1] ? {4'd0, col_step, 1'b0} : 7'd0)
                               - (ox[2] ? {3'd0, col_step, 2'b00} : 7'd0);
    wire signed [6:0] at_row = oy_rows + {5'd0, ky} - {5'd0, pad_rows};
    wire signed [6:0] at_col = ox_words + {5'd0, w} - {5'd0, pad_words};
    wire at_map = at_row >= 0 && at_row < $signed({4'd0, in_rows}) && at_col >= 0
               && at_col < $signed({4'd0, row_words});
    wire [15:0] at_address = BASE + (at_row[0] ? row_words : 16'd0)
                           + (at_row[1] ? row_words << 1 : 16'd0) + {9'd0, at_col};

    always @(posedge clk) begin
        if (!started) {w, ky, plane, dx, dy, px, py, group} <= 10'd0;
        else if (running) begin
            w <= (last_w || short) ? 2'd0 : w + 2'd1;
            if (last_w || short)  ky    <= (last_ky || short) ? 2'd0 : ky + 2'd1;
            if (last_ky || short) plane <= !last_plane;
            if (last_plane) dx    <= !last_dx;
            if (last_dx)    dy    <= !last_dy;
            if (last_dy)    px    <= !last_px;
            if (last_px)    py    <= !last_py;
            if (last_py)    group <= 1'b1;
        end
    end

    wire [AW-1:0]  row;
    wire [AW+1:0]  col;
    wire           inside_map, pixel_last, first, double, set_last, set_first, pos_last, absent;
    wire           win_first, end_dx, win_last, end_px, group_last, layer_last;
    wire [15:0]    win_step = two_pool && !win_one ? {13'd0, col_step, 1'b0} : {14'd0, col_step};
    wire [15:0]    row_step = {13'd0, row_words} << stride_two;
    wire [15:0]    first_row = {14'd0, pad_rows} + (pool_pad ? 16'd1 << stride_two : 16'd0);
    wire [WAW:0]   index;
    wire [WAW-1:0] waddr;

    flx_addr_gen #(.AW(AW), .GW(2), .WAW(WAW), .WINDOWS(WINDOWS)) dut (
        .clk(clk), .i_start(!started), .i_step(running),
        .i_row0(BASE - pad_area - (pool_pad ? row_step : 16'd0)), .i_top(-first_row),
        .i_left(-{14'd0, pad_words} - (pool_pad ? {14'd0, col_step} : 16'd0)),
        .i_pad_rows({6'd0, pad_rows}), .i_pitch({13'd0, row_words}), .i_out_pitch(row_step),
        .i_win_pitch(row_step << (two_pool && !win_one)), .i_stride(8'd1 << stride_two),
        .i_win_stride((16'd1 << stride_two) << (two_pool && !win_one)),
        .i_last_row({14'd0, last_row} << stride_two),
        .i_in_rows({13'd0, in_rows}), .i_row_words({13'd0, row_words}), .i_run({14'd0, run}),
        .i_kh({6'd0, kh}), .i_planes(4'd1 << two_planes), .i_split(split),
        .i_col_step({14'd0, col_step}), .i_win_step(win_step), .i_pad_words({14'd0, pad_words}),
        .i_last_col((last_col[0] ? {14'd0, col_step} : 16'd0)
                    + (last_col[1] ? {13'd0, col_step, 1'b0} : 16'd0)),
        .i_pixel_words(16'd1),
        .i_cols(16'd1 << two_cols), .i_rows(16'd1 << two_rows), .i_pool(8'd1 << two_pool),
        .i_pool_x(8'd1 << two_pool),
        .i_groups(16'd1 << two_groups), .i_wbase({WAW{1'b0}}),
        .o_row(row), .o_col(col), .o_inside(inside_map), .o_pixel_last(pixel_last),
        .o_index(index), .o_waddr(waddr), .o_first(first), .o_double(double),
        .o_set_last(set_last), .o_set_first(set_first), .o_pos_last(pos_last), .o_null(absent),
        .o_win_first(win_first), .o_end_dx(end_dx), .o_win_last(win_last), .o_end_px(end_px),
        .o_group_last(group_last), .o_layer_last(layer_last)
    );

    // Codes that are added: a map of 4 words a row, read at the last word of a position; groups
    // are 3 banks of 2 apart.
    wire [7:0] skip_addr;
    wire       skip_bank, skip_exists, skip_read;
    wire [4:0] skip_word;
    reg  [7:0] skip_at;
    reg        skip_noted, skip_group;
    wire [7:0] skip_base = 8'd32 - (pool_pad ? 8'd5 : 8'd0);

    flx_skip_read #(.K(8), .T(12), .AW(8), .BW(1), .WINDOWS(WINDOWS), .READS(1), .AFTER(1)) skip (
        .clk(clk), .rst(1'b0), .i_start(!started), .i_step(running && pos_last),
        .i_note(running && pos_last), .i_end_dx(end_dx), .i_end_win(win_last),
        .i_end_px(end_px), .i_end_group(group_last), .i_base(skip_base), .i_col_step(8'd1),
        .i_row_step(8'd4), .i_win_col_step(two_pool && !win_one ? 8'd2 : 8'd1),
        .i_win_row_step(two_pool && !win_one ? 8'd8 : 8'd4), .i_groups(16'd1),
        .o_exists(skip_exists), .o_read(skip_read), .o_addr(skip_addr), .o_word(skip_word),
        .o_bank(skip_bank)
    );

    always @(posedge clk) begin
        skip_noted <= started && running && pos_last;
        skip_at    <= 8'd32 + {{5{ox[2]}}, ox} + {{3{oy[2]}}, oy, 2'b00} + {7'd0, group};
        skip_group <= group;
    end

    always @(posedge clk) begin
        started <= 1'b1;
        if (!started) begin
            running <= 1'b1;
            steps   <= 9'd0;
            place   <= 5'd0;
        end else if (running) begin
            steps   <= steps + 9'd1;
            place   <= (place == block - 5'd1 || short) ? 5'd0 : place + 5'd1;
            running <= !layer_last;
        end
    end

    wire [AW-1:0] address = row + col[AW-1:0];
    always @* begin
        assume (kh != 0 && run != 0 && pad_rows < kh && words <= MOST);
        assume (WINDOWS == 0 || col_step != 0);
        if (running) begin
            assert (inside_map == at_map);
            if (inside_map) assert (address >= BASE && address < BASE + map_area);
            if (inside_map) assert (address == at_address);
            assert (waddr == (group ? block : 5'd0) + place);
            assert (index == place);
            assert (first == (place == 0 || (split && place == kernel)));
            assert (pos_last == (place == block - 5'd1 || short));
            assert (set_last == (pos_last || (split && place == kernel - 5'd1)));
            assert (set_first == (!split || place < kernel));
            assert (double == (!split && two_planes && place == kernel));
            assert (absent == null_at);
            assert (layer_last == (last_py && group == two_groups));
            if (!pool_pad && last_row == 2'd3 && last_col == 2'd3)
                assert (layer_last == (steps == words - 9'd1));
            assert (skip_exists == !group);
            assert (pixel_last);
            assert (group_last == last_py);
            assert (win_last == last_dy);
            assert (win_first == (dx == 0 && dy == 0));
        end
        if (started && skip_noted) begin
            assert (skip_read && skip_word == 0);
            assert (skip_addr == skip_at && skip_bank == skip_group);
        end
    end
endmodule
`default_nettype wire
