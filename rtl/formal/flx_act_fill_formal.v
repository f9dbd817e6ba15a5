// SPDX-License-Identifier: Apache-2.0
// A word that the array issues is in the ring in the cycle that reads it: filled before, not
// overwritten, whatever the port grants and however the window of the array moves on.
`default_nettype none
module flx_act_fill_formal #(
    parameter AW = 7,
    parameter RW = 3
) (
    input wire          clk,
    input wire          rst,
    input wire          i_start,
    input wire          i_again,
    input wire [AW-1:0] i_oldest,
    input wire          i_grant,
    input wire          i_issue
);
    (* anyconst *) reg          whole;
    (* anyconst *) reg [AW-1:0] base, word; // of the map; any word of it
    (* anyconst *) reg [1:0]    row_words;
    (* anyconst *) reg [2:0]    rows;

    wire          req, half, we, place_half;
    wire [AW-1:0] addr;
    wire [RW-1:0] place;
    wire [15:0]   there;

    flx_act_fill #(.AW(AW), .RW(RW)) u_fill (
        .clk(clk), .rst(rst), .i_start(i_start), .i_again(i_again), .i_whole(whole),
        .i_base(base), .i_row_words({14'd0, row_words}), .i_rows({13'd0, rows}),
        .i_oldest(i_oldest), .o_req(req), .o_addr(addr), .o_half(half), .i_grant(i_grant),
        .o_we(we), .o_place(place), .o_place_half(place_half), .o_rows(there)
    );

    // The address that a write of the ring brings, and what the place of `word` holds.
    reg [AW-1:0] written;
    reg [1:0]    holds;
    reg [AW-1:0] oldest, limit; // limit: first word of the first row that is not there
    reg          started = 1'b0, running, read;
    reg [15:0]   seen;

    wire [AW-1:0] offset = word - base;
    wire [AW-1:0] oldest_offset = i_oldest - base;
    wire [AW-1:0] words  = {{(AW-2){1'b0}}, row_words} * {{(AW-3){1'b0}}, rows};
    wire [AW-1:0] end_of = {{(AW-2){1'b0}}, row_words} * there[AW-1:0];
    wire          needed = oldest_offset[AW-1] || offset >= oldest_offset;
    wire          inside = offset < end_of && offset < words;
    wire          begins = i_start || (i_again && !whole);

    always @(posedge clk) begin
        started <= 1'b1;
        written <= addr;
        if (we && place == word[RW-1:0]) holds[place_half] <= written == word;
        if (i_start) running <= 1'b1;
        read   <= i_issue && !i_start;
        oldest <= i_oldest;
        seen   <= {15'd0, begins || i_again};
        if (rst) begin
            running <= 1'b0;
            holds   <= 2'd0;
            read    <= 1'b0;
        end
    end

    always @* begin
        assume (started || rst);
        assume (row_words != 0 && rows != 0);
        assume (!whole || words <= (1 << RW));
        // The window moves down, and back with a new group. It begins near the map.
        assume (oldest_offset <= words || oldest_offset >= -8);
        assume (!started || seen[0] || ((i_oldest - oldest) & (1 << (AW - 1))) == 0);
        assume (running || i_start || !i_again);
        assume (!i_issue || (running && !i_start && inside && needed));
        if (started && read) assert (holds == 2'b11);
        if (started && running) assert (there <= {13'd0, rows});
    end
endmodule
`default_nettype wire
