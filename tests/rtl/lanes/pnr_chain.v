// SPDX-License-Identifier: Apache-2.0
// pnr_chain: what scripts/pnr measures for many engines: activation memory, lanes and capture
// register of P engines. Weights and control enter engine 0 and pass on from engine to engine,
// one register each, so that engine p does everything p clocks after engine 0.
`default_nettype none
module pnr_chain #(
    parameter P          = 2,
    parameter K          = 16,
    parameter T          = 16,
    parameter N_OUT      = 32,
    parameter ACT_W      = 8,
    parameter ACC_W      = 22,
    parameter LANES      = 2,
    parameter AMEM_WORDS = 1024,
    parameter AW         = $clog2(AMEM_WORDS),
    parameter BW         = $clog2(K / 4)
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [K*T-1:0]     i_code,
    input  wire [AW-1:0]      i_raddr,
    input  wire [K/4-1:0]     i_mask,
    input  wire               i_valid,
    input  wire               i_first,
    input  wire               i_capture,
    input  wire               i_shift,
    input  wire               i_we,
    input  wire [AW-1:0]      i_waddr,
    input  wire [BW-1:0]      i_wbank,
    input  wire [4*ACT_W-1:0] i_wdata,
    output wire [P*ACC_W-1:0] o_sum
);
    localparam CW = K * T + 2 * AW + K / 4 + BW + 4 * ACT_W + 5;

    wire [CW-1:0] control = {i_code, i_raddr, i_mask, i_valid, i_first, i_capture, i_shift, i_we,
                             i_waddr, i_wbank, i_wdata};

    genvar p;
    generate
        for (p = 0; p < P; p = p + 1) begin : g_engine
            reg  [CW-1:0]      passed;
            wire [K*T-1:0]     code;
            wire [AW-1:0]      raddr, waddr;
            wire [K/4-1:0]     mask;
            wire               valid, first, capture, shift, we;
            wire [BW-1:0]      wbank;
            wire [4*ACT_W-1:0] wdata;
            wire [K*ACT_W-1:0] raw, act;
            wire [T*ACC_W-1:0] sum;
            reg  [T*ACC_W-1:0] captured;

            if (p == 0) begin : g_head
                always @(posedge clk) passed <= control;
            end else begin : g_pass
                always @(posedge clk) passed <= g_engine[p-1].passed;
            end
            assign {code, raddr, mask, valid, first, capture, shift, we, waddr, wbank, wdata} =
                   passed;

            flx_act_mem #(.K(K), .ACT_W(ACT_W), .WORDS(AMEM_WORDS)) u_act_mem (
                .clk(clk), .i_raddr(raddr), .i_mask(mask), .o_raw(raw), .o_act(act), .i_we(we),
                .i_waddr(waddr), .i_wbank(wbank), .i_wdata(wdata)
            );
            flx_lanes #(
                .K(K), .T(T), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES),
                .CODED(1), .DOUBLE(0)
            ) u_lanes (
                .clk(clk), .rst(rst), .i_act(act), .i_sign(code), .i_valid(valid),
                .i_first(first), .i_double(1'b0), .o_sum(sum)
            );
            always @(posedge clk)
                if (capture) captured <= sum;
                else if (shift) captured <= captured >> ACC_W;
            assign o_sum[p*ACC_W +: ACC_W] = captured[ACC_W-1:0];
        end
    endgenerate
endmodule
`default_nettype wire
