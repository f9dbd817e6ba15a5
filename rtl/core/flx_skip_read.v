// SPDX-License-Identifier: Apache-2.0
// flx_skip_read: reads the codes that a residual layer adds. Follows flx_addr_gen from
// position to position; after the last word of a set it takes the memory's read port for the
// words that hold the set's T codes, so that the last one comes with the set's capture.
//
//   K, T      as in flx_core
//   AW, BW    bits of a word address and of a bank number of the activation memory
//   WINDOWS, PIXELS   as in flx_addr_gen
//   READS, AFTER   words for a set; cycles from the last word of the set to the last read
//
//   i_start   go to the first position of the layer; the i_ fields are constant from here on
//   i_step    go to the next position; i_end_… say how, as in flx_addr_gen
//   i_note    last word of a set that is added to: sets are more than AFTER cycles apart
//   i_base    word of the first position, which may lie outside the map
//   i_col_step, i_row_step   words between positions, i_win_… between windows
//   i_groups  channel groups that the map has
//   o_exists  the map has the channel group of this position
//   o_read    read o_addr now: word o_word of the T/4 granules, which begin in bank o_bank
//             of word 0
`default_nettype none
module flx_skip_read #(
    parameter K       = 8,
    parameter T       = 8,
    parameter AW      = 10,
    parameter BW      = 1,
    parameter WINDOWS = 1,
    parameter PIXELS  = 1,
    parameter READS   = 1,
    parameter AFTER   = 5
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_start,
    input  wire          i_step,
    input  wire          i_note,
    input  wire          i_end_dx,
    input  wire          i_end_win,
    input  wire          i_end_px,
    input  wire          i_end_group,
    input  wire [AW-1:0] i_base,
    input  wire [AW-1:0] i_col_step,
    input  wire [AW-1:0] i_row_step,
    input  wire [AW-1:0] i_win_col_step,
    input  wire [AW-1:0] i_win_row_step,
    input  wire [15:0]   i_groups,
    output wire          o_exists,
    output wire          o_read,
    output reg  [AW-1:0] o_addr,
    output reg  [4:0]    o_word,
    output reg  [BW-1:0] o_bank
);
    localparam [4:0] LAST_READS = READS[4:0], WAIT = AFTER[4:0];
    localparam KB      = K / 4;
    localparam G_WORDS = (T / 4) / KB; // a group is so many words
    localparam G_BANKS = (T / 4) % KB; // and banks further

    reg  [4:0]    left_over; // cycles until the last read, 1: now
    reg  [AW-1:0] col, col_win, row, row_win, base;
    reg  [15:0]   groups;
    wire          wrap; // the next group begins in the word after
    wire          jump_x = WINDOWS != 0 && i_end_win;
    wire          jump_y = WINDOWS != 0 && i_end_px;
    wire [AW+2:0] win_x  = {3'd0, i_win_col_step} * PIXELS[2:0];
    wire [AW-1:0] add_x  = (jump_x ? col_win : col) + (jump_x ? win_x[AW-1:0] : i_col_step);
    wire [AW-1:0] add_y  = (jump_y ? row_win : row) + (jump_y ? i_win_row_step : i_row_step);
    wire [AW-1:0] next_base = base + G_WORDS[AW-1:0] + {{(AW-1){1'b0}}, wrap};
    wire [AW-1:0] next_x = i_end_px              ? {AW{1'b0}}
                         : i_end_win             ? add_x
                         : i_end_dx              ? col_win : add_x;
    wire [AW-1:0] next_y = i_end_group           ? next_base
                         : i_end_px || (i_end_dx && !i_end_win) ? add_y
                         : i_end_win             ? row_win : row;

    wire [BW-1:0] bank;

    assign o_exists = groups != 16'd0;
    assign o_read   = left_over != 5'd0 && left_over <= LAST_READS;

    generate
        if (G_BANKS == 0) begin : g_whole_words
            assign wrap = 1'b0;
            assign bank = {BW{1'b0}};
        end else begin : g_banks
            reg  [BW-1:0] at;
            wire [BW:0]   sum  = {1'b0, at} + G_BANKS[BW:0];
            wire [BW:0]   less = sum - KB[BW:0];
            assign wrap = sum >= KB[BW:0];
            assign bank = at;
            always @(posedge clk) begin
                if (i_step && i_end_group) at <= wrap ? less[BW-1:0] : sum[BW-1:0];
                if (i_start) at <= {BW{1'b0}};
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (left_over != 5'd0) left_over <= left_over - 5'd1;
        if (o_read) begin
            o_addr <= o_addr + 1'b1;
            o_word <= o_word + 5'd1;
        end
        if (i_note) begin
            left_over <= WAIT;
            o_addr    <= row + col;
            o_bank    <= bank;
            o_word    <= 5'd0;
        end
        if (rst) left_over <= 5'd0;
    end

    always @(posedge clk) begin
        if (i_step) begin
            col <= next_x;
            row <= next_y;
            if (i_end_win) col_win <= next_x;
            if (i_end_px) row_win <= next_y;
            if (i_end_group) begin
                base <= next_base;
                if (o_exists) groups <= groups - 16'd1;
            end
        end
        if (i_start) begin
            col     <= {AW{1'b0}};
            col_win <= {AW{1'b0}};
            row     <= i_base;
            row_win <= i_base;
            base    <= i_base;
            groups  <= i_groups;
        end
    end
endmodule
`default_nettype wire
