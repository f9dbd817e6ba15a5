// SPDX-License-Identifier: Apache-2.0
// flx_addr_gen_formal: flx_addr_gen on every layer of at most 24 words whose loops have one
// to three passes. Addresses, masks and flags are those that nested loops with multiplications
// give, words inside the map have addresses inside the map, and the layer ends after exactly
// its number of words.
`default_nettype none
module flx_addr_gen_formal (
    input wire clk
);
    localparam        WAW  = 6;
    localparam [15:0] BASE = 16'd64;

    (* anyconst *) reg       two_groups, two_rows, two_cols, two_pool, two_planes, stride_two;
    (* anyconst *) reg       binary;
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
    wire      last_plane = last_ky && plane == two_planes;
    wire      last_dx    = last_plane && dx == two_pool;
    wire      last_dy    = last_dx && dy == two_pool;
    wire      last_px    = last_dy && px == two_cols;
    wire      last_py    = last_px && py == two_rows;
    wire [1:0] ox        = two_pool ? {px, dx} : {1'b0, px};
    wire [1:0] oy        = two_pool ? {py, dy} : {1'b0, py};
    // Row and column in the map, from -3 on.
    wire signed [6:0] at_row = (stride_two ? {4'd0, oy, 1'b0} : {5'd0, oy}) + {5'd0, ky}
                             - {5'd0, pad_rows};
    wire signed [6:0] at_col = (ox[0] ? {5'd0, col_step} : 7'd0)
                             + (ox[1] ? {4'd0, col_step, 1'b0} : 7'd0) + {5'd0, w}
                             - {5'd0, pad_words};
    wire at_map = at_row >= 0 && at_row < $signed({4'd0, in_rows}) && at_col >= 0
               && at_col < $signed({4'd0, row_words});
    wire [15:0] at_address = BASE + (at_row[0] ? row_words : 16'd0)
                           + (at_row[1] ? row_words << 1 : 16'd0) + {9'd0, at_col};

    always @(posedge clk) begin
        if (!started) {w, ky, plane, dx, dy, px, py, group} <= 10'd0;
        else if (running) begin
            w <= last_w ? 2'd0 : w + 2'd1;
            if (last_w)     ky    <= last_ky ? 2'd0 : ky + 2'd1;
            if (last_ky)    plane <= !last_plane;
            if (last_plane) dx    <= !last_dx;
            if (last_dx)    dy    <= !last_dy;
            if (last_dy)    px    <= !last_px;
            if (last_px)    py    <= !last_py;
            if (last_py)    group <= 1'b1;
        end
    end

    wire [15:0]    row;
    wire [16:0]    col;
    wire           inside_map, pixel_last, first, double, pos_last, win_first, win_last;
    wire           group_last, layer_last;
    wire [WAW:0]   index;
    wire [WAW-1:0] waddr;

    flx_addr_gen #(.WAW(WAW)) dut (
        .clk(clk), .i_start(!started), .i_step(running),
        .i_row0(BASE - pad_area), .i_pad_rows({6'd0, pad_rows}), .i_pitch({13'd0, row_words}),
        .i_out_pitch({13'd0, row_words} << stride_two), .i_stride(8'd1 << stride_two),
        .i_in_rows({13'd0, in_rows}), .i_row_words({13'd0, row_words}), .i_run({14'd0, run}),
        .i_kh({6'd0, kh}), .i_planes(4'd1 << two_planes), .i_binary(binary),
        .i_col_step({14'd0, col_step}), .i_pad_words({14'd0, pad_words}), .i_pixel_words(16'd1),
        .i_cols(16'd1 << two_cols), .i_rows(16'd1 << two_rows), .i_pool(8'd1 << two_pool),
        .i_groups(16'd1 << two_groups), .i_wbase({WAW{1'b0}}),
        .o_row(row), .o_col(col), .o_inside(inside_map), .o_pixel_last(pixel_last),
        .o_index(index), .o_waddr(waddr), .o_first(first), .o_double(double),
        .o_pos_last(pos_last), .o_win_first(win_first), .o_win_last(win_last),
        .o_group_last(group_last), .o_layer_last(layer_last)
    );

    always @(posedge clk) begin
        started <= 1'b1;
        if (!started) begin
            running <= 1'b1;
            steps   <= 9'd0;
            place   <= 5'd0;
        end else if (running) begin
            steps   <= steps + 9'd1;
            place   <= (place == block - 5'd1) ? 5'd0 : place + 5'd1;
            running <= !layer_last;
        end
    end

    wire [15:0] address = row + col[15:0];
    always @* begin
        assume (kh != 0 && run != 0 && pad_rows < kh && words <= 9'd24);
        if (running) begin
            assert (inside_map == at_map);
            if (inside_map) assert (address >= BASE && address < BASE + map_area);
            if (inside_map) assert (address == at_address);
            assert (waddr == (group ? block : 5'd0) + place);
            assert (index == place);
            assert (first == (place == 0));
            assert (pos_last == (place == block - 5'd1));
            assert (double == (binary && two_planes && place == kernel));
            assert (layer_last == (steps == words - 9'd1));
            assert (pixel_last);
            assert (group_last == last_py);
            assert (win_last == last_dy);
            assert (win_first == (dx == 0 && dy == 0));
        end
    end
endmodule
`default_nettype wire
