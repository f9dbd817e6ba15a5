// SPDX-License-Identifier: Apache-2.0
// flx_weight_buf: encrypted weights, one bank a byte of the weight word, or two when it has at
// most 256 words: the iCE40's block RAM has 256 words of 16 bits and enables for bits.
//
// Byte j of a word has a write enable of its own, so a word is filled byte by byte and read at once. Two
// ways to fill: addressed (resident weights), or as a ring (streamed weights), whose words
// the consumer releases block by block.
//
//   K, T, N_OUT    as in flx_core
//   NB             bytes of the widest weight word (docs/link.md)
//   WMEM_WORDS     words, a power of two
//   REG            1: o_word is one clock later
//   PAIR_WORDS     two bytes share a memory if it has no more words than this
//   LATE           1: words are read a clock later than their release suggests
//
//   i_start        a load begins: i_ring, i_nin (stored bits a slice) and i_addr (first word,
//                  ignored by the ring) are sampled
//   i_valid/i_data bytes of whole words of this n_in; o_ready is low while the ring is full
//   o_idle         no byte is on its way
//   i_raddr        word to read, o_word one clock later; bytes that were not filled hold
//                  anything
//   o_level        words in the ring; they begin at o_tail
//   i_release      i_release_words (<= o_level) leave the ring
`default_nettype none
module flx_weight_buf #(
    parameter K          = 8,
    parameter T          = 8,
    parameter N_OUT      = 32,
    parameter NB         = 8,
    parameter WMEM_WORDS = 256,
    parameter LATE       = 0,
    parameter REG        = 0,
    parameter PAIR_WORDS = 256,
    parameter AW         = $clog2(WMEM_WORDS)
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            i_start,
    input  wire            i_ring,
    input  wire [5:0]      i_nin,
    input  wire [AW-1:0]   i_addr,
    input  wire            i_valid,
    input  wire [7:0]      i_data,
    output wire            o_ready,
    output wire            o_idle,
    input  wire [AW-1:0]   i_raddr,
    output wire [NB*8-1:0] o_word,
    output reg  [AW:0]     o_level,
    output wire [AW-1:0]   o_tail,
    input  wire            i_release,
    input  wire [AW:0]     i_release_words
);
    localparam S           = K * T / N_OUT;
    localparam PACKED      = (S == 1) || (S == 2) || (S == 4);
    localparam PLANE_BYTES = (S + 7) / 8;
    localparam IB          = (NB > 1) ? $clog2(NB) : 1; // bits of a byte's number

    // Last byte of a word.
    wire [11:0] plane_bits = {6'd0, i_nin} * S[11:0] - 12'd1;
    wire [11:0] planes     = {6'd0, i_nin} * PLANE_BYTES[11:0] - 12'd1;
    wire [11:0] last_byte  = PACKED ? {3'd0, plane_bits[11:3]} : planes;

    reg          ring;
    reg [IB-1:0] last;
    reg [IB-1:0] index;   // byte of the word
    reg [AW-1:0] head;    // word of an addressed load
    reg [AW:0]   pushed;  // -1 - words that went into the ring: no adder below needs an inverter
    reg [AW:0]   tail;    // words that left it
    wire [AW:0]  ring_head = ~pushed;
    wire [AW:0]  tail_next = i_release ? tail + i_release_words : tail;

    reg          we;
    reg          we_word; // the registered write completes a ring word
    reg [IB-1:0] windex;
    reg [AW-1:0] waddr;
    reg [7:0]    wdata;

    wire full;
    wire take   = i_valid && o_ready;
    wire done   = take && index == last;
    wire push   = done && ring;

    assign o_ready = !(ring && full) && !i_start;
    assign o_idle  = !we;
    assign o_tail  = tail[AW-1:0];

    // Counts words that are written or will be.
    generate
        if (LATE != 0) begin : g_late
            reg [AW:0] tail_late;
            always @(posedge clk) tail_late <= rst ? {(AW+1){1'b0}} : tail;
            assign full = ring_head == {!tail_late[AW], tail_late[AW-1:0]};
        end else begin : g_at_once
            assign full = o_level[AW] || (we_word && &o_level[AW-1:0]);
        end
    endgenerate

    // Writes are registered: a slot that the consumer releases is written two cycles
    // after its last read was issued at the earliest.
    always @(posedge clk) begin
        we      <= take;
        we_word <= push;
        windex  <= index;
        waddr   <= ring ? ring_head[AW-1:0] : head;
        wdata   <= i_data;
        if (i_start) begin
            ring  <= i_ring;
            last  <= last_byte[IB-1:0];
        end
        if (i_start || done)
            index <= {IB{1'b0}};
        else if (take)
            index <= index + 1'b1;
        // One cell a bit: the carry's second input is also what selects.
        if (i_start || done)
            head <= i_start ? i_addr : head - {AW{!i_start}};
        if (push) pushed <= pushed - 1'b1;
        tail    <= tail_next;
        o_level <= ~(tail_next + pushed);
        if (rst) begin
            we        <= 1'b0;
            we_word   <= 1'b0;
            ring      <= 1'b0;
            index     <= {IB{1'b0}};
            pushed    <= {(AW+1){1'b1}};
            tail      <= {(AW+1){1'b0}};
            o_level   <= {(AW+1){1'b0}};
        end
    end

    genvar b, c;
    generate
        for (b = 0; b < NB; b = b + 2) begin : g_bank
            if (b + 1 < NB && REG == 0 && WMEM_WORDS <= PAIR_WORDS) begin : g_pair
                flx_ram #(
                    .W    (16),
                    .DEPTH(WMEM_WORDS),
                    .PARTS(2)
                ) u_ram (
                    .clk    (clk),
                    .i_we   ({we && windex == b + 1, we && windex == b}),
                    .i_waddr(waddr),
                    .i_wdata({2{wdata}}),
                    .i_raddr(i_raddr),
                    .o_rdata(o_word[b*8 +: 16])
                );
            end else begin : g_bytes
                for (c = b; c < b + 2 && c < NB; c = c + 1) begin : g_byte
                    flx_ram #(
                        .W    (8),
                        .DEPTH(WMEM_WORDS),
                        .REG  (REG)
                    ) u_ram (
                        .clk    (clk),
                        .i_we   (we && windex == c),
                        .i_waddr(waddr),
                        .i_wdata(wdata),
                        .i_raddr(i_raddr),
                        .o_rdata(o_word[c*8 +: 8])
                    );
                end
            end
        end
    endgenerate

`ifdef FORMAL
    // The ring never overflows or underflows, and a write never meets a word that may be read.
    reg f_started = 1'b0;
    always @(posedge clk) f_started <= 1'b1;

    wire [AW:0]   f_used = ring_head - tail;
    wire [AW-1:0] f_offset = waddr - o_tail; // place of the written word behind the tail

    always @* begin
        assume (f_started || rst);
        assume (!i_release || i_release_words <= o_level);
        if (f_started) begin
            assert (f_used <= WMEM_WORDS);
            assert (o_level <= f_used);
            assert (f_used - o_level == we_word);
            if (we_word) assert (we && waddr == o_tail + o_level[AW-1:0]);
            if (we && f_ring_write) assert ({1'b0, f_offset} >= o_level || o_level == 0);
        end
    end

    // The registered write belongs to the ring.
    reg f_ring_write = 1'b0;
    always @(posedge clk) f_ring_write <= take && ring;
    always @* if (f_started && we && f_ring_write && !we_word)
        assert (waddr == ring_head[AW-1:0] && f_used < WMEM_WORDS);
`endif
endmodule
`default_nettype wire
