// SPDX-License-Identifier: Apache-2.0
// flx_addr_gen_formal: flx_addr_gen on every layer of at most 24 words whose loops have one
// to three passes. Words inside the map have addresses inside the map; index and flags are
// those of the place in the block; the layer ends after exactly its number of words.
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
            if (inside_map) assert (address >= BASE && address < BASE + map_area);
            assert (index == place);
            assert (first == (place == 0));
            assert (pos_last == (place == block - 5'd1));
            assert (double == (binary && two_planes && place == kernel));
            assert (layer_last == (steps == words - 9'd1));
            assert (pixel_last);
            if (layer_last) assert (group_last);
            if (group_last) assert (win_last);
            if (win_last) assert (pos_last);
            if (steps == 0) assert (win_first && waddr == 0);
        end
    end
endmodule
`default_nettype wire
