// SPDX-License-Identifier: Apache-2.0
// flx_readout: the host's reads of results, activations and counters.
//
//   K, P, ACT_W     as in flx_core
//   AW, LW, RAW     bits of an activation word address, a layer, a result address
//
//   WAIT            0: the engines' answers are i_raw and i_results; else so many clocks more
//                   until the word that the last engine of the chain passes on, i_results
//                   [31:0], is the answer of all; then one request at a time
//
//   i_en …          a request; o_valid and o_data 3 + WAIT clocks later
//   o_engine, o_bank, o_what   with o_word: engine, bank, and what is read: bit 0 results,
//                   bit 1 activations
//   i_parity        half of the result memory that the latest run writes
//   o_word, o_res, o_counter   read addresses, 1 clock after i_en, and o_act: activations are read;
//                   the memories answer in the clock after that: i_raw, i_results (all
//                   engines), i_counter
`default_nettype none
`include "flx_proto.vh"
module flx_readout #(
    parameter K     = 8,
    parameter P     = 1,
    parameter ACT_W = 8,
    parameter AW    = 10,
    parameter LW    = 4,
    parameter RAW   = 4,
    parameter WAIT  = 0,
    parameter KB    = K / 4
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 i_en,
    input  wire [1:0]           i_target,
    input  wire [7:0]           i_arg,
    input  wire [31:0]          i_addr,
    input  wire                 i_parity,
    output reg  [AW-1:0]        o_word,
    output reg                  o_act,
    output reg  [RAW:0]         o_res,
    output reg  [LW+2:0]        o_counter,
    input  wire [P*K*ACT_W-1:0] i_raw,
    input  wire [P*32-1:0]      i_results,
    input  wire [31:0]          i_counter,
    output wire [6:0]           o_engine,
    output wire [KB-1:0]        o_bank,
    output wire [1:0]           o_what,
    output wire                 o_valid,
    output reg  [31:0]          o_data
);
    localparam G  = 4 * ACT_W;

    // Division of a granule address by KB <= 16: multiply by ceil(2^24 / KB), exact below 2^20,
    // a wire when KB is a power of two.
    localparam [31:0] RECIPROCAL = ((1 << 24) + KB - 1) / KB;
    wire [44:0] product = {25'd0, i_addr[19:0]} * {20'd0, RECIPROCAL[24:0]};
    wire [19:0] word    = product[43:24];
    wire [24:0] base    = {5'd0, word} * KB[24:0];
    wire [19:0] bank    = i_addr[19:0] - base[19:0];

    reg [1:0] target1, target2;
    reg [6:0] engine1, engine2;
    reg [3:0] bank1, bank2;

    assign o_engine = engine1;
    assign o_what   = {target1 == `FLX_RD_ACT, target1 == `FLX_RD_RESULTS};
    genvar n;
    generate
        for (n = 0; n < KB; n = n + 1) begin : g_bank
            assign o_bank[n] = bank1 == n;
        end
    endgenerate

    always @(posedge clk) begin
        o_act <= i_en && i_target == `FLX_RD_ACT;
        if (WAIT == 0 || i_en) begin
            target1   <= i_target;
            engine1   <= i_arg[6:0];
            bank1     <= bank[3:0];
            o_word    <= word[AW-1:0];
            o_res     <= {i_parity ^ i_arg[7], i_addr[RAW-1:0]};
            o_counter <= i_addr[LW+2:0];
        end
        target2   <= target1;
        engine2   <= engine1;
        bank2     <= bank1;
    end

    // Selection by AND and OR: a read of an engine that does not exist answers 0.
    reg [31:0]  result;
    reg [G-1:0] granule;
    reg [31:0]  codes;
    integer     e, b, c;
    always @* begin
        result  = 32'd0;
        granule = {G{1'b0}};
        codes   = 32'd0;
        if (WAIT != 0) begin
            result  = i_results[31:0];
            granule = i_results[G-1:0];
        end else for (e = 0; e < P; e = e + 1)
            if ({25'd0, engine2} == e) begin
                result = i_results[e*32 +: 32];
                for (b = 0; b < KB; b = b + 1)
                    if ({28'd0, bank2} == b) granule = i_raw[(e*KB+b)*G +: G];
            end
        for (c = 0; c < 4; c = c + 1)
            codes[8*c +: ACT_W] = granule[c*ACT_W +: ACT_W];
    end

    always @(posedge clk)
        o_data <= (target2 == `FLX_RD_RESULTS) ? result
                : (target2 == `FLX_RD_ACT)     ? codes
                : (target2 == `FLX_RD_COUNTERS) ? i_counter : 32'd0;

    flx_delay #(
        .W(1),
        .N(3 + WAIT)
    ) u_delay (
        .clk(clk),
        .rst(rst),
        .i  (i_en),
        .o  (o_valid)
    );
endmodule
`default_nettype wire
