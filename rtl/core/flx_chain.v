// SPDX-License-Identifier: Apache-2.0
// flx_chain: P engines one behind the other (flx_station), what the host reads on its way back along
// them.
//
//   the parameters as in flx_station
//
//   i_bus      what passes the engines, in the clock of engine 0
//   i_act, i_raw, o_granules, o_raw, o_results   of all engines, side by side, as in flx_engine
//   o_answer   PIPE: of the last engine
`default_nettype none
module flx_chain #(
    parameter K          = 8,
    parameter T          = 8,
    parameter P          = 1,
    parameter N_OUT      = 32,
    parameter ACT_W      = 8,
    parameter ACC_W      = 22,
    parameter LANES      = 0,
    parameter FAN        = 0,
    parameter RQ         = 4,
    parameter AMEM_WORDS = 1024,
    parameter SKIP       = 1,
    parameter SCALED     = 0,
    parameter POOL_BITS  = 6,
    parameter RAW        = 4,
    parameter AMEM_KIND  = 0,
    parameter PIPE       = 0,
    parameter PIXELS     = 1,
    parameter BUS_W      = 512
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [BUS_W-1:0]     i_bus,
    input  wire [K*ACT_W-1:0]   i_act,
    input  wire [K*ACT_W-1:0]   i_raw,
    output wire [P*4*ACT_W-1:0] o_granules,
    output wire [P*K*ACT_W-1:0] o_raw,
    output wire [P*32-1:0]      o_results,
    output wire [31:0]          o_answer
);
    localparam G = 4 * ACT_W;

    wire [(P+1)*BUS_W-1:0] passing;
    wire [(P+1)*32-1:0]    answer;

    assign passing[BUS_W-1:0] = i_bus;
    assign answer[31:0]       = 32'd0;
    assign o_answer           = answer[P*32 +: 32];

    genvar e;
    generate
        for (e = 0; e < P; e = e + 1) begin : g_engine
            localparam [6:0] INDEX = e;
            flx_station #(
                .K(K), .T(T), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES), .FAN(FAN),
                .RQ(RQ), .AMEM_WORDS(AMEM_WORDS), .SKIP(SKIP), .SCALED(SCALED),
                .POOL_BITS(POOL_BITS), .RAW(RAW), .AMEM_KIND(AMEM_KIND), .PIPE(PIPE),
                .PIXELS(PIXELS), .BUS_W(BUS_W)
            ) u_station (
                .clk(clk), .rst(rst), .i_index(INDEX), .i_bus(passing[e*BUS_W +: BUS_W]),
                .o_bus(passing[(e+1)*BUS_W +: BUS_W]), .o_raw(o_raw[e*K*ACT_W +: K*ACT_W]),
                .i_act(i_act), .i_raw(i_raw), .o_granule(o_granules[e*G +: G]),
                .o_result(o_results[e*32 +: 32]), .i_answer(answer[e*32 +: 32]),
                .o_answer(answer[(e+1)*32 +: 32])
            );
        end
    endgenerate
endmodule
`default_nettype wire
