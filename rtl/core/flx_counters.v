// SPDX-License-Identifier: Apache-2.0
// flx_counters: cycles, busy cycles and stalls of every layer, added up over runs.
//
//   PROG_LAYERS   layers
//
//   i_clear       all counters read as zero from the next cycle on (a layer must not run)
//   i_layer       the layer that runs
//   i_cycle, i_busy, i_stall_weights, i_stall_requant, i_stall_skip   events of this cycle
//   i_layer_end   last cycle of the layer: adds to memory, which takes 10 cycles (o_active);
//                 busy cycles and stalls of the next layer must not begin before
//   i_raddr       8*layer + counter, of which there are 5; o_rdata one clock later, while o_active is 0
`default_nettype none
module flx_counters #(
    parameter PROG_LAYERS = 16,
    parameter LW          = (PROG_LAYERS > 1) ? $clog2(PROG_LAYERS) : 1
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_clear,
    input  wire [LW-1:0] i_layer,
    input  wire          i_cycle,
    input  wire          i_busy,
    input  wire          i_stall_weights,
    input  wire          i_stall_requant,
    input  wire          i_stall_skip,
    input  wire          i_layer_end,
    output reg           o_active,
    input  wire [LW+2:0] i_raddr,
    output wire [31:0]   o_rdata
);
    reg [31:0]            cycles, sum_cycles, sum_busy, sum_weights, sum_requant, sum_skip;
    reg [PROG_LAYERS-1:0] written; // the others count as zero
    reg [LW-1:0]          layer;
    reg [2:0]             which;
    reg                   adding;  // the old value has been read
    reg                   known;   // the word that is read has been written since the clear
    wire [31:0]           stored;
    wire [LW+2:0]         raddr = o_active ? {layer, which} : i_raddr;

    assign o_rdata = known ? stored : 32'd0;

    flx_ram #(
        .W    (32),
        .DEPTH(8 << LW)
    ) u_ram (
        .clk    (clk),
        .i_we   (o_active && adding),
        .i_waddr({layer, which}),
        .i_wdata(o_rdata + sum_cycles),
        .i_raddr(raddr),
        .o_rdata(stored)
    );

    always @(posedge clk) begin
        known <= written[raddr[LW+2:3]];
        if (i_cycle) cycles <= cycles + 32'd1;
        if (i_busy) sum_busy <= sum_busy + 32'd1;
        if (i_stall_weights) sum_weights <= sum_weights + 32'd1;
        if (i_stall_requant) sum_requant <= sum_requant + 32'd1;
        if (i_stall_skip) sum_skip <= sum_skip + 32'd1;
        if (o_active) begin
            adding <= !adding;
            if (adding) begin
                // The sums move down, so that the one to add is always in sum_cycles.
                sum_cycles  <= sum_busy;
                sum_busy    <= sum_weights;
                sum_weights <= sum_requant;
                sum_requant <= sum_skip;
                sum_skip    <= 32'd0;
                which       <= which + 3'd1;
                if (which == 3'd4) begin
                    o_active       <= 1'b0;
                    written[layer] <= 1'b1;
                    sum_busy       <= 32'd0;
                    sum_weights    <= 32'd0;
                    sum_requant    <= 32'd0;
                end
            end
        end
        if (i_layer_end) begin
            o_active   <= 1'b1;
            adding     <= 1'b0;
            which      <= 3'd0;
            layer      <= i_layer;
            sum_cycles <= cycles + 32'd1;
            cycles     <= 32'd0;
        end
        if (rst || i_clear) begin
            written     <= {PROG_LAYERS{1'b0}};
        end
        if (rst) begin
            o_active    <= 1'b0;
            cycles      <= 32'd0;
            sum_busy    <= 32'd0;
            sum_weights <= 32'd0;
            sum_requant <= 32'd0;
            sum_skip    <= 32'd0;
        end
    end
endmodule
`default_nettype wire
