// SPDX-License-Identifier: Apache-2.0
// tb_requant: the data path of the requantiser gives clamp((m*S + beta) >> shift), its maximum
// over the positions of a pool window, and V itself, for random and for extreme values.
// +seed=N
`timescale 1ns / 1ps
`default_nettype none
module tb_requant;
    parameter T = 8, RQ = 2, ACT_W = 8, ACC_W = 22;
    localparam STEPS = T / RQ;

    reg                clk = 1'b0, capture = 1'b0, fire = 1'b0, v_load = 1'b0, v_next = 1'b0;
    reg                code_en = 1'b0, pool_first = 1'b0;
    reg  [T*ACC_W-1:0] sums;
    reg  [48*RQ-1:0]   param;
    reg  [4:0]         shift;
    wire [4*ACT_W-1:0] granule;
    wire [31:0]        v;

    flx_requant #(.T(T), .RQ(RQ), .ACT_W(ACT_W), .ACC_W(ACC_W)) dut (
        .clk(clk), .i_sum(sums), .i_capture(capture), .i_fire(fire), .i_param(param),
        .i_shift(shift), .i_code_en(code_en), .i_pool_first(pool_first), .o_granule(granule),
        .i_v_load(v_load), .i_v_next(v_next), .o_v(v)
    );
    always #5 clk = !clk;

    integer              seed, round, t, r, s, w, windows, errors, checks;
    reg signed [15:0]    m      [0:T-1];
    reg signed [31:0]    beta   [0:T-1];
    reg signed [31:0]    expect_v [0:T-1];
    reg [ACT_W-1:0]      best   [0:T-1];
    reg signed [63:0]    exact;
    reg signed [ACC_W-1:0] sum;
    reg [ACT_W-1:0]      code;

    function [31:0] draw(input integer bits, input integer how);
        // random, or an extreme of so many bits
        case (how % 5)
        0: draw = {1'b0, {31{1'b1}}} >> (32 - bits);
        1: draw = ~({1'b0, {31{1'b1}}} >> (32 - bits));
        2: draw = 32'd0 - (how & 32);
        default: draw = $random(seed);
        endcase
    endfunction

    // Draws sums whose V fits 32 bits and notes what must come out.
    task position(input integer first);
        for (t = 0; t < T; t = t + 1) begin
            exact = 64'sh7FFFFFFFFFFFFFFF;
            while (exact > 64'sd2147483647 || exact < -64'sd2147483648) begin
                sum = draw(ACC_W, $unsigned($random(seed)));
                if ($random(seed) & 1) sum = sum >>> ($unsigned($random(seed)) % ACC_W);
                exact = sum * m[t] + beta[t];
            end
            sums[t*ACC_W +: ACC_W] = sum;
            expect_v[t] = exact[31:0];
            exact = exact >>> shift;
            code = (exact < 0) ? 0 : (exact >= (1 << ACT_W)) ? {ACT_W{1'b1}} : exact[ACT_W-1:0];
            if (first || code > best[t]) best[t] = code;
        end
    endtask

    task check(input [31:0] got, input [31:0] want);
        begin
            checks = checks + 1;
            if (got !== want) begin
                errors = errors + 1;
                if (errors < 10) $display("seed %0d round %0d: expected %h got %h", seed, round, want, got);
            end
        end
    endtask

    // One position, step by step, each with the delays of the header of flx_requant.
    task drain(input integer first);
        begin
            capture = 1'b1;
            @(negedge clk) capture = 1'b0;
            sums = {T*ACC_W{1'bx}};
            for (s = 0; s < STEPS; s = s + 1) begin
                fire = 1'b1;
                @(negedge clk) fire = 1'b0;
                for (r = 0; r < RQ; r = r + 1) param[48*r +: 48] = {beta[s*RQ+r], m[s*RQ+r]};
                @(negedge clk) param = {48*RQ{1'bx}};
                repeat (2) @(negedge clk);
                v_load = 1'b1;
                @(negedge clk) v_load = 1'b0;
                for (r = 0; r < RQ; r = r + 1) begin
                    check(v, expect_v[s*RQ+r]);
                    v_next = 1'b1;
                    if (r == 2) code_en = 1'b1;
                    pool_first = first;
                    @(negedge clk) v_next = 1'b0;
                    code_en = 1'b0;
                end
                for (r = RQ; r < 3; r = r + 1) begin
                    code_en = r == 2;
                    @(negedge clk) code_en = 1'b0;
                end
                pool_first = 1'bx;
                if ((s + 1) * RQ % 4 == 0)
                    for (r = 0; r < 4; r = r + 1)
                        check(granule[r*ACT_W +: ACT_W], best[(s+1)*RQ-4+r]);
            end
        end
    endtask

    initial begin
        errors = 0;
        checks = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        for (round = 0; round < 200; round = round + 1) begin
            shift = $random(seed);
            for (t = 0; t < T; t = t + 1) begin
                m[t]    = draw(16, $unsigned($random(seed)));
                beta[t] = draw(32, $unsigned($random(seed)));
                if ($random(seed) & 1) m[t] = m[t] >>> ($unsigned($random(seed)) % 16);
            end
            windows = 1 + $unsigned($random(seed)) % 4;
            for (w = 0; w < windows; w = w + 1) begin
                position(w == 0);
                drain(w == 0);
            end
        end
        if (errors == 0 && checks > 0) $display("PASS %0d checks", checks);
        else $display("FAIL %0d of %0d", errors, checks);
        $finish;
    end
endmodule
`default_nettype wire
