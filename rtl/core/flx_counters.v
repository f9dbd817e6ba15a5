// SPDX-License-Identifier: Apache-2.0
// flx_counters: cycles, busy cycles and stalls of every layer, added up over runs.
//
//   PROG_LAYERS   layers
//
//   i_clear       all counters read as zero from the next cycle on (a layer must not run)
//   i_layer       the layer that runs
//   i_cycle, i_busy, i_stall_weights, i_stall_requant, i_stall_skip   events of this cycle
//   i_layer_end   last cycle of the layer. What is left is added in at most 21 cycles
//                 (o_active); busy cycles and stalls of the next layer must not begin before,
//                 and cycles until then count for this one. i_layer moves on within 10 cycles.
//   i_raddr       8*layer + counter, of which there are 5; o_rdata one clock later, from the second clock
//                 without o_active on
`default_nettype none
module flx_counters #(
    parameter PROG_LAYERS = 16,
    parameter PIXELS      = 1,
    parameter LW          = (PROG_LAYERS > 1) ? $clog2(PROG_LAYERS) : 1
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_clear,
    input  wire [LW-1:0] i_layer,
    input  wire          i_cycle,
    input  wire [2:0]    i_busy,
    input  wire          i_stall_weights,
    input  wire          i_stall_requant,
    input  wire          i_stall_skip,
    input  wire          i_layer_end,
    output reg           o_active,
    input  wire [LW+2:0] i_raddr,
    output wire [31:0]   o_rdata
);
    // Events are counted in a few bits; a round adds what has come to the memory, counter by
    // counter: the memory answers in the clock after the address, is added to in the next, when the
    // next counter is read.
    localparam       BITS = (PIXELS > 1) ? 7 : 4;
    localparam [2:0] LAST = 3'd4;

    reg [BITS-1:0] sum [0:4];
    wire [14:0]    event_now = {2'd0, i_stall_skip, 2'd0, i_stall_requant, 2'd0, i_stall_weights,
                                i_busy, 2'd0, i_cycle};
    reg [LW:0]     valid;   // so many layers have been written since the clear
    reg [LW-1:0]   layer;   // whose events are added
    reg [2:0]      which;
    reg            writing;
    reg            whole;   // o_active: a round has begun since the layer's end
    reg [1:0]      cycle;   // i_cycle before: i_layer has followed
    reg            known;   // the word that is read has been written since the clear
    wire           active = cycle[1] || o_active;
    wire           wrap   = active && writing && which == LAST;
    wire [31:0]    stored;
    wire [LW+2:0]  raddr  = active ? {layer, which} : i_raddr;
    reg            put;     // old + add is written to put_at
    reg [LW+2:0]   put_at;
    reg [31:0]     old;
    reg [BITS-1:0] add;

    assign o_rdata = known ? stored : 32'd0;

    flx_ram #(
        .W    (32),
        .DEPTH(8 << LW)
    ) u_ram (
        .clk    (clk),
        .i_we   (put),
        .i_waddr(put_at),
        .i_wdata(old + {{(32-BITS){1'b0}}, add}),
        .i_raddr(raddr),
        .o_rdata(stored)
    );

    integer i;
    always @(posedge clk) begin
        known <= {1'b0, raddr[LW+2:3]} < valid;
        cycle <= {cycle[0], i_cycle};
        put    <= active && writing;
        put_at <= {layer, which};
        add    <= sum[which] + {{(BITS-3){1'b0}}, event_now[3*which +: 3]};
        old    <= stored;
        if (!known) old <= 32'd0;
        for (i = 0; i <= 4; i = i + 1)
            if (active && writing && which == i[2:0]) sum[i] <= {BITS{1'b0}};
            else sum[i] <= sum[i] + {{(BITS-3){1'b0}}, event_now[3*i +: 3]};
        writing <= active && !writing;
        if (!active || wrap) which <= 3'd0;
        else if (writing) which <= which + 3'd1;
        if (wrap && {1'b0, layer} >= valid) valid <= {1'b0, layer} + 1'b1;
        if (!active || (wrap && (!o_active || whole))) layer <= i_layer;
        if (wrap) begin
            whole <= o_active;
            if (whole) o_active <= 1'b0;
        end
        if (i_layer_end) begin
            o_active <= 1'b1;
            whole    <= 1'b0;
        end
        if (rst || i_clear) valid <= {(LW+1){1'b0}};
        if (rst) begin
            o_active <= 1'b0;
            writing  <= 1'b0;
            put      <= 1'b0;
            cycle    <= 2'd0;
            for (i = 0; i <= 4; i = i + 1) sum[i] <= {BITS{1'b0}};
        end
    end
endmodule
`default_nettype wire
