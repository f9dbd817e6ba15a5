// SPDX-License-Identifier: Apache-2.0
// flx_requant: requantiser and max pool of one engine (data path).
//
// Captures T sums and works on RQ of them at a time:
//   V = m*S + beta, code = clamp(V >> shift, 0, 2^ACT_W - 1), maximum over the pool window.
// Rounding is in beta. All control comes from flx_requant_ctl, which the engines share.
//
//   T, RQ, ACT_W, ACC_W   as in flx_core
//
//   i_capture    load i_sum; wins over i_fire
//   i_fire       the RQ lowest captured sums enter the pipeline, the others move down
//   i_param      one clock after i_fire: RQ entries {beta, m}
//   i_shift      constant while a layer runs
//   i_code_en    7 clocks after i_fire: its codes go to the pool register;
//   i_pool_first   with it: first position of the pool window
//   o_granule    the 4 codes that entered the pool register last
//   i_v_load     4 clocks after i_fire: keep its RQ values V;
//   i_v_next     the next of them
//   o_v          V to be written (logits)
`default_nettype none
module flx_requant #(
    parameter T     = 8,
    parameter RQ    = 4,
    parameter ACT_W = 8,
    parameter ACC_W = 22
) (
    input  wire               clk,
    input  wire [T*ACC_W-1:0] i_sum,
    input  wire               i_capture,
    input  wire               i_fire,
    input  wire [48*RQ-1:0]   i_param,
    input  wire [4:0]         i_shift,
    input  wire               i_code_en,
    input  wire               i_pool_first,
    output wire [4*ACT_W-1:0] o_granule,
    input  wire               i_v_load,
    input  wire               i_v_next,
    output wire [31:0]        o_v
);
    localparam LO = ACC_W / 2; // the product is made of two halves of the sum
    localparam HI = ACC_W - LO;

    reg  [T*ACC_W-1:0]  captured;
    reg  [T*ACT_W-1:0]  pool;
    reg  [32*RQ-1:0]    kept;
    wire [32*RQ-1:0]    v;
    wire [RQ*ACT_W-1:0] best;

    assign o_granule = pool[(T-4)*ACT_W +: 4*ACT_W];
    assign o_v       = kept[31:0];

    always @(posedge clk) begin
        if (i_capture) captured <= i_sum;
        else if (i_fire) captured <= captured >> (RQ * ACC_W);
        if (i_v_load) kept <= v;
        else if (i_v_next) kept <= kept >> 32;
    end

    generate
        if (T == RQ) begin : g_pool_once
            always @(posedge clk) if (i_code_en) pool <= best;
        end else begin : g_pool_ring
            always @(posedge clk) if (i_code_en) pool <= {best, pool[T*ACT_W-1:RQ*ACT_W]};
        end
    endgenerate

    genvar r;
    generate
        for (r = 0; r < RQ; r = r + 1) begin : g_lane
            wire signed [15:0]    m = i_param[48*r +: 16];
            reg         [ACC_W-1:0] sum;
            wire signed [LO:0]    sum_lo = {1'b0, sum[LO-1:0]};
            wire signed [HI-1:0]  sum_hi = sum[ACC_W-1:LO];
            // `keep`: Yosys 0.23 crashes when it moves these registers into an SB_MAC16.
            (* keep *) reg signed [LO+16:0] p_lo;
            (* keep *) reg signed [HI+15:0] p_hi;
            reg         [31:0]    beta2;
            wire        [31:0]    p_lo_ext = {{(15-LO){p_lo[LO+16]}}, p_lo};
            wire        [31:0]    p_hi_ext = {{(16-HI){p_hi[HI+15]}}, p_hi};
            reg         [31:0]    p_lo3, high3;
            reg         [31:0]    v4;
            reg  signed [31:0]    v5, v6;
            reg         [ACT_W-1:0] code7;
            wire        [ACT_W-1:0] old = pool[r*ACT_W +: ACT_W];

            always @(posedge clk) begin
                sum   <= captured[r*ACC_W +: ACC_W];
                p_lo  <= m * sum_lo;
                p_hi  <= m * sum_hi;
                beta2 <= i_param[48*r+16 +: 32];
                p_lo3 <= p_lo_ext;
                high3 <= beta2 + (p_hi_ext << LO);
                v4    <= high3 + p_lo3;
                v5    <= $signed(v4) >>> {i_shift[4:3], 3'b000};
                v6    <= v5 >>> i_shift[2:0];
                code7 <= v6[31] ? {ACT_W{1'b0}}
                       : (|v6[30:ACT_W]) ? {ACT_W{1'b1}} : v6[ACT_W-1:0];
            end

            assign v[32*r +: 32] = v4;
            assign best[r*ACT_W +: ACT_W] = (i_pool_first || code7 > old) ? code7 : old;
        end
    endgenerate
endmodule
`default_nettype wire
