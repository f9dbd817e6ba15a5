// SPDX-License-Identifier: Apache-2.0
// pnr_chain: what scripts/pnr measures for many engines: activation memory, lanes and captured
// sums of P engines. Weights and control enter engine 0 and pass on from engine to engine,
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
    parameter FAN        = 4,
    parameter LOCAL      = 1,
    parameter AMEM_WORDS = 1024,
    parameter AW         = $clog2(AMEM_WORDS),
    parameter BW         = $clog2(K / 4),
    parameter TW         = $clog2(T)
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [K*T-1:0]     i_code,
    input  wire [AW-1:0]      i_raddr,
    input  wire [K/4-1:0]     i_mask,
    input  wire               i_valid,
    input  wire               i_first,
    input  wire               i_capture,
    input  wire [TW-1:0]      i_pick,
    input  wire               i_we,
    input  wire [AW-1:0]      i_waddr,
    input  wire [BW-1:0]      i_wbank,
    input  wire [4*ACT_W-1:0] i_wdata,
    output wire [P*ACC_W-1:0] o_sum
);
    localparam G  = 4 * ACT_W;
    localparam CW = K * T + 2 * AW + K / 4 + BW + TW + G + 4;

    wire [CW-1:0] control = {i_code, i_raddr, i_mask, i_valid, i_first, i_capture, i_pick, i_we,
                             i_waddr, i_wbank, i_wdata};

    genvar p, b, t;
    generate
        for (p = 0; p < P; p = p + 1) begin : g_engine
            reg  [CW-1:0]      passed;
            wire [K*T-1:0]     code;
            wire [AW-1:0]      raddr, waddr;
            wire [K/4-1:0]     mask;
            wire               valid, first, capture, we;
            wire [TW-1:0]      pick;
            wire [BW-1:0]      wbank;
            wire [4*ACT_W-1:0] wdata;
            wire [K*ACT_W-1:0] raw;
            reg  [K*ACT_W-1:0] act;
            wire [T*ACC_W-1:0] sum;
            reg  [T*ACC_W-1:0] captured;
            reg  [ACC_W-1:0]   picked;

            if (p == 0) begin : g_head
                always @(posedge clk) passed <= control;
            end else begin : g_pass
                always @(posedge clk) passed <= g_engine[p-1].passed;
            end
            // Its own copy, near its lanes: the register that passes things on stays halfway.
            wire [CW-1:0] here;
            if (LOCAL != 0) begin : g_copy
                flx_copy #(.W(CW)) u_copy (.clk(clk), .i(passed), .o(here));
            end else begin : g_wire
                assign here = passed;
            end
            assign {code, raddr, mask, valid, first, capture, pick, we, waddr, wbank, wdata} = here;

            for (b = 0; b < K / 4; b = b + 1) begin : g_bank
                flx_ram_reg #(.W(G), .DEPTH(AMEM_WORDS)) u_ram (
                    .clk(clk), .i_we(we && wbank == b), .i_waddr(waddr), .i_wdata(wdata),
                    .i_raddr(raddr), .o_rdata(raw[b*G +: G])
                );
                // A synchronous reset: no LUT.
                always @(posedge clk)
                    if (!mask[b]) act[b*G +: G] <= {G{1'b0}};
                    else act[b*G +: G] <= raw[b*G +: G];
            end
            flx_lanes #(
                .K(K), .T(T), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES),
                .CODED(1), .FAN(FAN)
            ) u_lanes (
                .clk(clk), .rst(rst), .i_act(act), .i_sign(code), .i_valid(valid),
                .i_first(first), .i_double(1'b0), .o_sum(sum)
            );
            // A register without LUTs and a multiplexer, half the size of a shift register.
            always @(posedge clk) if (capture) captured <= sum;
            for (b = 0; b < ACC_W; b = b + 1) begin : g_pick
                wire [T-1:0] column;
                for (t = 0; t < T; t = t + 1) begin : g_row
                    assign column[t] = captured[t*ACC_W + b];
                end
                wire one;
                flx_pick #(.N(T)) u_pick (.i(column), .i_sel(pick), .o(one));
                always @(posedge clk) picked[b] <= one;
            end
            assign o_sum[p*ACC_W +: ACC_W] = picked;
        end
    endgenerate
endmodule
`default_nettype wire
