// SPDX-License-Identifier: Apache-2.0
// tb_requant: the data path of the requantiser gives clamp((m*S + beta + skip_m*e) >> shift),
// V with the values of several planes added, the maximum and the sum over the positions of a
// pool window, and V itself, for random and for extreme values.
// +seed=N
`timescale 1ns / 1ps
`default_nettype none
module tb_requant;
    parameter K = 8, T = 8, RQ = 2, ACT_W = 8, ACC_W = 22, POOL_BITS = 6, PICK = 0;
    localparam STEPS = T / RQ;
    localparam SW    = (STEPS > 1) ? $clog2(STEPS) : 1;
    localparam KB    = K / 4;
    localparam BW    = (KB > 1) ? $clog2(KB) : 1;
    localparam WORDS = (T / 4 + 2 * KB - 2) / KB; // enough for T codes from any bank on

    reg                clk = 1'b0, capture = 1'b0, fire = 1'b0, v_load = 1'b0, v_next = 1'b0;
    reg                code_en = 1'b0, pool_first = 1'b0, fire_add = 1'b0, skip_load = 1'b0;
    reg                add_code = 1'b0, add_v = 1'b0, v_we = 1'b0, absent = 1'b0, pool_sum = 1'b0;
    reg                combine = 1'b0; // planes are added as sums
    reg  [T*ACC_W-1:0] sums;
    reg  [48*RQ-1:0]   param;
    reg  [4:0]         shift, skip_word;
    reg  [3:0]         pool_shift;
    reg  [SW-1:0]      step, v_waddr;
    reg  [BW-1:0]      skip_bank;
    reg  [K*ACT_W-1:0] raw;
    wire [4*ACT_W-1:0] granule;
    wire [31:0]        v;

    flx_requant #(
        .K(K), .T(T), .RQ(RQ), .ACT_W(ACT_W), .ACC_W(ACC_W), .SKIP(1), .SCALED(1),
        .POOL_BITS(POOL_BITS), .PICK(PICK)
    ) dut (
        .clk(clk), .i_sum(sums), .i_capture(capture), .i_raw(raw), .i_skip_load(skip_load),
        .i_skip_word(skip_word), .i_skip_bank(skip_bank), .i_fire_add(fire_add), .i_fire(fire),
        .i_step(step), .i_param(param), .i_add_code(add_code), .i_add_v(add_v), .i_combine(combine), .i_v_we(v_we),
        .i_v_waddr(v_waddr), .i_shift(shift), .i_pool_sum(pool_sum), .i_pool_shift(pool_shift),
        .i_code_en(code_en), .i_null(absent), .i_pool_first(pool_first), .o_granule(granule),
        .i_v_load(v_load), .i_v_next(v_next), .o_v(v)
    );
    always #5 clk = !clk;

    integer              seed, round, t, r, s, w, n, windows, errors, checks, half;
    integer              adds, planes, p; // of a position
    reg signed [15:0]    m      [0:T-1];
    reg signed [31:0]    beta   [0:T-1];
    reg signed [31:0]    expect_v [0:T-1];
    reg signed [63:0]    so_far [0:T-1]; // V of the planes before, or their sum
    integer              with_code; // the codes e count in this plane
    integer              best   [0:T-1];
    integer              total  [0:T-1];
    reg [ACT_W-1:0]      e      [0:T-1];
    reg signed [15:0]    skip_m;
    reg signed [63:0]    exact, total_sum;
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

    // With room for e.
    function fits(input signed [63:0] v);
        fits = v < 64'sd2130706432 && v > -64'sd2130706432;
    endfunction

    // Draws sums of plane p whose V fits 32 bits and notes what must come out of the last one.
    task plane(input integer first);
        for (t = 0; t < T; t = t + 1) begin
            exact = 64'sh7FFFFFFFFFFFFFFF;
            while (exact > 64'sd2147483647 || exact < -64'sd2147483648) begin
                sum = draw(ACC_W, $unsigned($random(seed)));
                if ($random(seed) & 1) sum = sum >>> ($unsigned($random(seed)) % ACC_W);
                if (combine) begin // small enough for the next plane
                    sum = sum >>> 2;
                    total_sum = (p == 0 ? 64'sd0 : so_far[t] * 2) + sum;
                    exact = total_sum * m[t] + beta[t];
                    // The next plane doubles it.
                    if (p < planes - 1 && !fits(2 * total_sum * m[t] + beta[t])) exact = 64'sd1 <<< 40;
                end else begin
                    exact = sum * m[t];
                    exact = exact + (p == 0 ? 64'sd0 + beta[t] : so_far[t]);
                end
                if (with_code) exact = exact + skip_m * $signed({1'b0, e[t]});
            end
            sums[t*ACC_W +: ACC_W] = sum;
            so_far[t]   = combine ? total_sum : exact;
            expect_v[t] = exact[31:0];
            exact = exact >>> shift;
            code = (exact < 0) ? 0 : (exact >= (1 << ACT_W)) ? {ACT_W{1'b1}} : exact[ACT_W-1:0];
            if (absent) code = 0;
            if (p == planes - 1) begin
                if (first || code > best[t]) best[t] = code;
                total[t] = (first ? half : total[t]) + code;
            end
        end
    endtask

    // What the window comes to so far.
    function [ACT_W-1:0] pooled(input integer ch);
        if (!pool_sum) pooled = best[ch];
        else pooled = (total[ch] >> pool_shift >= (1 << ACT_W)) ? {ACT_W{1'b1}}
                                                                 : total[ch] >> pool_shift;
    endfunction

    // The words that hold e, from a random bank on, the last one with the capture.
    task load;
        begin
            skip_bank = $unsigned($random(seed)) % KB;
            for (t = 0; t < T; t = t + 1) e[t] = $random(seed);
            for (w = 0; w < WORDS; w = w + 1) begin
                for (t = 0; t < K; t = t + 1) begin
                    r = w * K + t - 4 * skip_bank;
                    raw[t*ACT_W +: ACT_W] = (r >= 0 && r < T) ? e[r] : $random(seed);
                end
                skip_load = 1'b1;
                skip_word = w;
                if (w < WORDS - 1) @(negedge clk);
            end
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

    // One set, step by step, each with the delays of the header of flx_requant.
    task drain(input integer first);
        begin
            capture = 1'b1;
            @(negedge clk) capture = 1'b0;
            skip_load = 1'b0;
            raw  = {K*ACT_W{1'bx}};
            sums = {T*ACC_W{1'bx}};
            for (s = 0; s < STEPS; s = s + 1) begin
                step = s;
                if (with_code) begin
                    fire_add = 1'b1;
                    @(negedge clk) fire_add = 1'b0;
                    for (r = 0; r < RQ; r = r + 1)
                        param[48*r +: 48] = {p == 0 || combine ? beta[s*RQ+r] : 32'd0, skip_m};
                end
                fire = 1'b1;
                @(negedge clk) fire = 1'b0;
                for (r = 0; r < RQ; r = r + 1)
                    param[48*r +: 48] = {p == 0 || combine ? beta[s*RQ+r] : 32'd0, m[s*RQ+r]};
                add_code = with_code;
                add_v    = p > 0;
                v_waddr  = s;
                v_we     = combine;
                @(negedge clk) param = {48*RQ{1'bx}};
                {add_code, add_v} = 2'b00;
                v_we = 1'b0;
                repeat (2) @(negedge clk);
                v_load  = 1'b1;
                v_we    = !combine;
                @(negedge clk) {v_load, v_we} = 2'b00;
                for (r = 0; r < 3; r = r + 1) begin
                    if (r < RQ) check(v, expect_v[s*RQ+r]);
                    v_next     = 1'b1;
                    code_en    = r == 2 && p == planes - 1;
                    pool_first = first;
                    @(negedge clk) v_next = 1'b0;
                    code_en = 1'b0;
                end
                pool_first = 1'bx;
                if (POOL_BITS > 0) @(negedge clk);
                if ((s + 1) * RQ % 4 == 0 && p == planes - 1)
                    for (r = 0; r < 4; r = r + 1)
                        check(granule[r*ACT_W +: ACT_W], pooled((s+1)*RQ-4+r));
            end
        end
    endtask

    task position(input integer first);
        begin
            adds   = $random(seed) & 1;
            planes = 1 + ($random(seed) & 1);
            combine = $random(seed);
            absent   = $unsigned($random(seed)) % 4 == 0;
            for (p = 0; p < planes; p = p + 1) begin
                with_code = adds && p == (combine ? planes - 1 : 0);
                if (with_code) load;
                plane(first);
                drain(first);
            end
        end
    endtask

    initial begin
        errors = 0;
        checks = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        for (round = 0; round < 200; round = round + 1) begin
            shift = $random(seed);
            skip_m = draw(16, $unsigned($random(seed)));
            pool_sum = POOL_BITS > 0 && ($random(seed) & 1);
            pool_shift = $unsigned($random(seed)) % 7;
            half = (1 << pool_shift) >> 1;
            for (t = 0; t < T; t = t + 1) begin
                m[t]    = draw(16, $unsigned($random(seed)));
                beta[t] = $signed(draw(32, $unsigned($random(seed)))) >>> 1; // room for e
                if ($random(seed) & 1) m[t] = m[t] >>> ($unsigned($random(seed)) % 16);
            end
            windows = 1 + $unsigned($random(seed)) % 4;
            for (n = 0; n < windows; n = n + 1) position(n == 0);
        end
        if (errors == 0 && checks > 0) $display("PASS %0d checks", checks);
        else $display("FAIL %0d of %0d", errors, checks);
        $finish;
    end
endmodule
`default_nettype wire
