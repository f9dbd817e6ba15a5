// SPDX-License-Identifier: Apache-2.0
// flx_store_port: who uses the store's one port in a cycle.
//
// In this order: codes that a residual layer adds, because they are due at a fixed time; the host's
// reads, which only come while nothing runs; pairs of granules of the requantiser, which wait in a
// register meanwhile; granules of the image loader, which wait in the same one if no pair comes; the
// weights; the row cache. All but the last take a part of the port at most and end by themselves, so
// the cache never starves.
//
//   AW         bits of an activation word address; a word of 16 codes is 2 words of the store
//
//   i_skip     read word i_skip_addr: the low half now, the high half in the next cycle, when
//              i_skip must be 0 and i_skip_addr of the cycle before is meant. o_low holds the low
//              half when the high half is in o_rdata.
//   i_we …     a granule that must be taken now: first the even one of a pair, later the odd one,
//              and pairs at least 2 cycles apart, 4 where codes are added
//   i_img_…, i_w_…, i_fill_…   requests that wait for their grant
//   i_rd       read i_rd_addr, {word, half}, now; never with i_skip, and not before the last pair is
//              stored
//   o_rdata    one clock after a grant
`default_nettype none
module flx_store_port #(
    parameter AW = 13
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_skip,
    input  wire [AW-1:0] i_skip_addr,
    input  wire          i_we,
    input  wire [AW-1:0] i_waddr,
    input  wire [1:0]    i_wbank,
    input  wire [31:0]   i_wdata,
    input  wire          i_img_we,
    input  wire [AW-1:0] i_img_waddr,
    input  wire [1:0]    i_img_wbank,
    input  wire [31:0]   i_img_wdata,
    output wire          o_img_grant,
    input  wire          i_w_req,
    input  wire          i_w_we,
    input  wire [AW:0]   i_w_addr,
    input  wire [63:0]   i_w_data,
    output wire          o_w_grant,
    input  wire          i_fill_req,
    input  wire [AW:0]   i_fill_addr,
    output wire          o_fill_grant,
    input  wire          i_rd,
    input  wire [AW:0]   i_rd_addr,
    output reg  [63:0]   o_low,
    output wire [63:0]   o_rdata
);
    reg          high, pair;
    reg          image;     // a granule of the image loader, which keeps it until it is written
    reg [1:0]    halves;    // of pair_data that are written
    reg [AW-1:0] skip_addr;
    reg [AW:0]   pair_addr;
    reg [31:0]   even;      // the next pair's may come while a pair waits
    reg [63:0]   pair_data;

    wire skip = i_skip || high;
    wire put  = pair && !skip && !(image && i_rd);
    wire free = !skip && !pair && !i_rd;
    wire full = i_we && i_wbank[0]; // a pair is complete
    assign o_img_grant  = put && image;
    assign o_w_grant    = free;
    assign o_fill_grant = i_fill_req && free && !i_w_req;

    always @(posedge clk) begin
        high      <= i_skip;
        skip_addr <= i_skip_addr;
        o_low     <= o_rdata;
        if (put) pair <= 1'b0;
        if (i_we && !i_wbank[0]) even <= i_wdata;
        if (full || (i_img_we && !pair)) begin
            pair      <= 1'b1;
            image     <= !full;
            halves    <= full ? 2'b11 : {i_img_wbank[0], !i_img_wbank[0]};
            pair_addr <= full ? {i_waddr, i_wbank[1]} : {i_img_waddr, i_img_wbank[1]};
            pair_data <= full ? {i_wdata, even} : {2{i_img_wdata}};
        end
        if (rst) begin
            high <= 1'b0;
            pair <= 1'b0;
        end
    end

    wire [AW:0]  addr  = i_skip  ? {i_skip_addr, 1'b0}
                       : high    ? {skip_addr, 1'b1}
                       : i_rd    ? i_rd_addr
                       : pair    ? pair_addr
                       : i_w_req ? i_w_addr
                                 : i_fill_addr;
    wire         we    = put || (i_w_req && i_w_we && o_w_grant);
    wire [15:0]  mask  = {{8{!pair || halves[1]}}, {8{!pair || halves[0]}}};
    wire [63:0]  wdata = pair ? pair_data : i_w_data;

    flx_spram #(
        .AW(AW + 1)
    ) u_spram (
        .clk    (clk),
        .i_addr (addr),
        .i_we   (we),
        .i_mask (mask),
        .i_wdata(wdata),
        .o_rdata(o_rdata)
    );

`ifdef FORMAL
    // Nobody writes while another reads, one client has the port, and a pair is stored before
    // the next one is complete.
    reg        f_started = 1'b0;
    reg [2:0]  f_since;
    reg [31:0] f_even;  // the last even granule, and the last pair: what must be written
    reg [63:0] f_pair;
    (* anyconst *) reg f_adds;
    always @(posedge clk) begin
        f_started <= 1'b1;
        if (i_we && !i_wbank[0]) f_even <= i_wdata;
        if (i_we && i_wbank[0]) f_pair <= {i_wdata, f_even};
        f_since   <= rst ? 3'd7 : (i_we && i_wbank[0]) ? 3'd1 : f_since + {2'd0, f_since != 3'd7};
    end
    always @* begin
        assume (f_started || rst);
        if (f_started) begin
            // Reads of codes come once a set; pairs of a set are 2 steps apart at least.
            assume (!i_skip || (f_adds && f_skipped == 3'd7));
            assume (!(i_we && i_wbank[0]) || f_since >= (f_adds ? 3'd4 : 3'd2));
            assert (f_since == 3'd7 || !mine || f_since <= 3'd3);
            assert (!(full && mine && !put));
            assert (put + skip + i_rd + (i_w_req && o_w_grant) + o_fill_grant <= 1);
            assume (!i_rd || !(skip || mine));
            if (skip || i_rd) assert (!we);
            if (mine) assert (halves == 2'b11 && pair_data == f_pair && (!put || wdata == f_pair));
            // A granule of an image is offered until it is written, where and as it is offered.
            assume (!f_offered || (i_img_we && f_image == {i_img_waddr, i_img_wbank, i_img_wdata}));
            if (o_img_grant) begin
                assert (i_img_we && addr == {i_img_waddr, i_img_wbank[1]});
                assert (halves == (2'b01 << i_img_wbank[0]) && wdata == {2{i_img_wdata}});
            end
            if (pair && image) assert (f_offered && f_image == {pair_addr[AW:1], pair_addr[0],
                                       halves[1], pair_data[31:0]} && pair_data == {2{pair_data[31:0]}}
                                       && halves[0] == !halves[1]);
            assume (!(i_we && i_wbank[0]) || f_evens);
            if (f_evens) assert (even == f_even);
            if (mine) assert (f_since != 3'd7);
            if (high) assert (f_skipped == 3'd1);
            if (mine && f_since == 3'd2) assert (f_skipped == 3'd1 || f_skipped == 3'd2);
            if (mine && f_since == 3'd3) assert (f_skipped == 3'd2);
        end
    end
    wire mine = pair && !image;
    reg             f_offered = 1'b0;
    reg [AW+33:0]   f_image;
    always @(posedge clk) begin
        f_offered <= !rst && i_img_we && !o_img_grant;
        f_image   <= {i_img_waddr, i_img_wbank, i_img_wdata};
    end
    reg f_evens; // an even granule has come
    always @(posedge clk) f_evens <= f_started && (f_evens || (i_we && !i_wbank[0]));
    reg [2:0] f_skipped;
    always @(posedge clk)
        f_skipped <= rst ? 3'd7 : i_skip ? 3'd1 : f_skipped + {2'd0, f_skipped != 3'd7};
`endif
endmodule
`default_nettype wire
