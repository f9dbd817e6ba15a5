// SPDX-License-Identifier: Apache-2.0
// FIFO between two clocks that need not know each other: Gray-coded pointers, two
// flip-flops of synchroniser each way, memory in block RAM.
//
//   W      bits a word
//   LOG2   it holds 2^LOG2 words and one more in the output register, 2 ... 12
//
// i_wrst, i_rrst  synchronous to their clocks; both must be active together for at least
//                 four cycles of the slower clock, and words are lost
// i_wvalid/i_wdata/o_wready, o_rvalid/o_rdata/i_rready  a word moves in a cycle with
//                 valid and ready; o_wready falls for a clock after every word
// o_wmany         at i_wclk, a cycle late: 1 from the time when half is filled, 0 when at most
//                 a quarter is, either between
`default_nettype none

module flx_async_fifo #(
    parameter W    = 8,
    parameter LOG2 = 3
) (
    input  wire         i_wclk,
    input  wire         i_wrst,
    input  wire         i_wvalid,
    input  wire [W-1:0] i_wdata,
    output wire         o_wready,
    output reg          o_wmany,
    input  wire         i_rclk,
    input  wire         i_rrst,
    output reg          o_rvalid,
    output reg  [W-1:0] o_rdata,
    input  wire         i_rready
);
    generate
        if (LOG2 < 2 || LOG2 > 12)
            flx_error_log2_must_be_2_to_12 u_error ();
    endgenerate

    // Gray code, for the other clock and, with the upper two bits folded, for the memory; counted
    // up by a change of the bit above the lowest one that is set, with a bit for even numbers
    // below them.
    reg [LOG2:0] wgray, rgray;
    reg          weven, reven;
    reg [LOG2:0] wgray_r1, wgray_r2;  // write pointer at the read clock
    reg [LOG2:0] rgray_w1, rgray_w2;  // read pointer at the write clock
    (* no_rw_check, ram_style = "block" *) reg [W-1:0] mem [0:(1<<LOG2)-1];

    wire [LOG2:0] wlow  = {1'b1, wgray[LOG2-2:0], weven};
    wire [LOG2:0] rlow  = {1'b1, rgray[LOG2-2:0], reven};
    wire [LOG2:0] wnext = wgray ^ (wlow & ~(wlow - 1'b1));
    wire [LOG2:0] rnext = rgray ^ (rlow & ~(rlow - 1'b1));
    wire [LOG2-1:0] waddr = {^wgray[LOG2:LOG2-1], wgray[LOG2-2:0]};
    wire [LOG2-1:0] raddr = {^rgray[LOG2:LOG2-1], rgray[LOG2-2:0]};
    // Registers, since they enable a write: `full` is right from the second clock after a write
    // on and falls a clock late.
    reg           full, pushed;
    wire          empty = rgray == wgray_r2;
    wire          push  = i_wvalid && o_wready;
    wire          pop   = !empty && (!o_rvalid || i_rready);

    assign o_wready = !full && !pushed;

    // Quarters filled, from the upper bits of both pointers: less than one too many or too few
    wire [2:0] wtop     = {wgray[LOG2], ^wgray[LOG2:LOG2-1], ^wgray[LOG2:LOG2-2]};
    wire [2:0] rtop     = {rgray_w2[LOG2], ^rgray_w2[LOG2:LOG2-1], ^rgray_w2[LOG2:LOG2-2]};
    wire [2:0] quarters = wtop - rtop;

    always @(posedge i_wclk)
        o_wmany <= quarters[2] || quarters[1];

    always @(posedge i_wclk) begin
        if (push)
            mem[waddr] <= i_wdata;
        rgray_w1 <= rgray;
        rgray_w2 <= rgray_w1;
        if (i_wrst) begin
            wgray  <= {(LOG2 + 1) {1'b0}};
            weven  <= 1'b1;
            full   <= 1'b0;
            pushed <= 1'b0;
        end else begin
            full   <= wgray == {~rgray_w2[LOG2:LOG2-1], rgray_w2[LOG2-2:0]};
            pushed <= push;
            if (push) begin
                wgray <= wnext;
                weven <= !weven;
            end
        end
    end

    always @(posedge i_rclk) begin
        if (pop)
            o_rdata <= mem[raddr];
        wgray_r1 <= wgray;
        wgray_r2 <= wgray_r1;
        if (i_rrst) begin
            reven    <= 1'b1;
            rgray    <= {(LOG2 + 1) {1'b0}};
            o_rvalid <= 1'b0;
        end else if (pop) begin
            reven    <= !reven;
            rgray    <= rnext;
            o_rvalid <= 1'b1;
        end else if (i_rready) begin
            o_rvalid <= 1'b0;
        end
    end

`ifdef FORMAL
    // Both clocks are inputs that may rise and stay in any order, also together. A Gray
    // pointer changes in one bit, so what a synchroniser makes of a bit that changes at its
    // edge is the pointer before or after, and that is one of these orders too. Reset at
    // the beginning only.
    function [LOG2:0] binary;
        input [LOG2:0] gray;
        integer i;
        begin
            binary[LOG2] = gray[LOG2];
            for (i = LOG2 - 1; i >= 0; i = i - 1)
                binary[i] = binary[i+1] ^ gray[i];
        end
    endfunction

    localparam [LOG2:0] DEPTH = 1 << LOG2;
    reg           f_w0 = 1'b0, f_r0 = 1'b0;
    reg  [1:0]    f_wn = 2'd0, f_rn = 2'd0;  // edges in reset
    reg  [LOG2:0] f_wgray, f_rgray;          // one edge before
    reg           f_pick = 1'b0;             // some word was chosen
    reg  [LOG2:0] f_at;
    reg  [W-1:0]  f_word;
    reg           f_taken = 1'b0, f_out = 1'b0;  // it left the memory; it is in o_rdata
    wire          f_run = f_wn == 2'd3 && f_rn == 2'd3;
    wire [LOG2:0] wbin = binary(wgray), rbin = binary(rgray);
    wire [LOG2:0] f_level = wbin - rbin;
    wire [LOG2:0] f_w_r1 = binary(wgray_r1) - rbin, f_w_r2 = binary(wgray_r2) - rbin;
    wire [LOG2:0] f_r_w1 = wbin - binary(rgray_w1), f_r_w2 = wbin - binary(rgray_w2);
    reg           f_room = 1'b0;  // room was known of
    (* anyseq *) reg f_choose;

    always @(posedge i_wclk) begin
        f_w0    <= 1'b1;
        f_room  <= f_run && f_r_w2 != DEPTH;
        f_wgray <= wgray;
        if (f_r0 && f_wn != 2'd3)
            f_wn <= f_wn + 1'b1;
        if (f_run && push && !f_pick && f_choose) begin
            f_pick <= 1'b1;
            f_at   <= wbin;
            f_word <= i_wdata;
        end
    end

    always @(posedge i_rclk) begin
        f_r0    <= 1'b1;
        f_rgray <= rgray;
        if (f_w0 && f_rn != 2'd3)
            f_rn <= f_rn + 1'b1;
        if (f_pick && !f_taken && pop && rbin == f_at) begin
            f_taken <= 1'b1;
            f_out   <= 1'b1;
        end else if (i_rready) begin
            f_out <= 1'b0;
        end
    end

    always @* begin
        assume (i_wrst == !f_run && i_rrst == !f_run);
        if (f_run) begin
            // Never more than it holds; no word is read before it is there.
            assert (f_level <= DEPTH);
            assert (empty || f_level != 0);
            assert (full || pushed || f_r_w2 != DEPTH);
            assert (!full || !f_room);
            // What the other side knows is old, and never too new.
            assert (f_w_r2 <= f_w_r1 && f_w_r1 <= f_level);
            assert (f_level <= f_r_w1 && f_r_w1 <= f_r_w2 && f_r_w2 <= DEPTH);
            // Gray: at most one bit changes.
            assert (weven == !wbin[0] && reven == !rbin[0]);
            assert (((wgray ^ f_wgray) & ((wgray ^ f_wgray) - 1'b1)) == 0);
            assert (((rgray ^ f_rgray) & ((rgray ^ f_rgray) - 1'b1)) == 0);
            // A word that was written stays until it is read, in its turn, unchanged.
            assert (!f_pick || f_taken || (f_at - rbin) < f_level);
            assert (!f_pick || f_taken || mem[f_at[LOG2-1:0] ^ (f_at[LOG2-1:0] >> 1)] == f_word);
            assert (!f_out || (o_rvalid && o_rdata == f_word));
        end
    end
`endif
endmodule

`default_nettype wire
