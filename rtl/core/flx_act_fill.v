// SPDX-License-Identifier: Apache-2.0
// flx_act_fill: copies the input map from the store into the ring of flx_act_cache, in address
// order, once a channel group; once a layer when the whole map fits.
//
// A word of address A lies in place A mod 256 (2^RW) of the ring. The array may read a row when all of it is
// there (o_rows). A word is overwritten only when its address is 256 below the one that comes, and
// that stays below the oldest word still needed + 256. The array's row of windows begins at
// i_oldest, so (kernel rows + (pool - 1) * stride) * row words must be at most 252, which the
// compiler checks, or the whole map at most 256.
//
//   AW          bits of an activation word address, at least RW + 2
//   RW          bits of a place in the ring
//
//   i_start     a layer begins: i_base (first word of its input map), i_row_words, i_rows and
//               i_whole (the map fits) are constant from here on
//   i_again     the last word of a channel group is issued: the map is needed from its first row on
//   i_oldest    row of the array's present row of windows; may lie before the map
//   o_req …     read of half i_half of word o_addr; i_grant says that it happens now. The data come
//               one clock later, with o_we, o_place and o_place_half for the ring
//   o_rows      rows that may be read: a word that is issued now finds them
`default_nettype none
module flx_act_fill #(
    parameter AW = 13,
    parameter RW = 8
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_start,
    input  wire          i_again,
    input  wire          i_whole,
    input  wire [AW-1:0] i_base,
    input  wire [15:0]   i_row_words,
    input  wire [15:0]   i_rows,
    input  wire [AW-1:0] i_oldest,
    output wire          o_req,
    output reg  [AW-1:0] o_addr,
    output reg           o_half,
    input  wire          i_grant,
    output reg           o_we,
    output reg  [RW-1:0] o_place,
    output reg           o_place_half,
    output reg  [15:0]   o_rows
);
    reg        active, room, row_there;
    reg [15:0] words; // of the row that are still to be read
    reg [15:0] rows;  // -1 - rows to be read, with this one: counts as o_addr does

    // Signed: rows that the array never visits may lie before i_oldest. Two words may come until
    // `room` has seen them.
    wire [AW-1:0] ahead   = o_addr - i_oldest;
    wire          take    = o_req && i_grant;
    wire          word    = take && o_half;
    wire          row_end = word && words == 16'd1;
    wire          restart = i_start || (i_again && !i_whole);

    wire          words_down = !restart && !row_end;

    assign o_req = active && room;

    always @(posedge clk) begin
        room         <= i_whole || ahead[AW-1] || (ahead[AW-2:RW] == 0 && !(&ahead[RW-1:2]));
        o_we         <= take;
        o_place      <= o_addr[RW-1:0];
        o_place_half <= o_half;
        row_there    <= row_end;
        if (take) o_half <= !o_half;
        // Counters with a load. One cell a bit: the carry's second input is also what selects.
        if (restart || word)
            o_addr <= restart ? i_base : o_addr - {AW{!restart}};
        if (restart || word)
            words <= words_down ? words + {16{words_down}} : i_row_words;
        if (restart || row_end)
            rows <= restart ? ~i_rows : rows - {16{!restart}};
        if (row_end && rows == ~16'd1) active <= 1'b0;
        if (row_there) o_rows <= o_rows + 16'd1;
        if (restart) begin
            active    <= 1'b1;
            room      <= 1'b0;
            o_half    <= 1'b0;
            o_rows    <= 16'd0;
            o_we      <= 1'b0;
            row_there <= 1'b0;
        end
        if (rst) begin
            active    <= 1'b0;
            o_we      <= 1'b0;
            row_there <= 1'b0;
            o_rows    <= 16'd0;
        end
    end
endmodule
`default_nettype wire
