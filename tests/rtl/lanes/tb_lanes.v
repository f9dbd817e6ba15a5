// SPDX-License-Identifier: Apache-2.0
// tb_lanes: flx_lanes of one kind against the arithmetic of its header: random and extreme
// activations, random signs, gaps and restarts. +seed=N
`default_nettype none
`timescale 1ns / 1ns
module tb_lanes #(
    parameter K      = 8,
    parameter T      = 8,
    parameter N_OUT  = 32,
    parameter ACT_W  = 8,
    parameter ACC_W  = 22,
    parameter LANES  = 0,
    parameter CODED  = 0,
    parameter FAN    = 0,
    parameter WORDS  = 300
);
    localparam LEVELS  = $clog2(K);
    localparam LATENCY = (LANES == 1) ? LEVELS + 2 : (LANES == 0) ? LEVELS + 1
                       : (LEVELS < 3 ? 4 : LEVELS + 1) + (FAN != 0);
    localparam S       = K * T / N_OUT;
    localparam T0      = N_OUT / 4;

    reg                 clk = 1'b0;
    reg                 rst = 1'b1;
    reg  [K*ACT_W-1:0]  act;
    reg  [K*T-1:0]      sign, permuted, coded, coded1, coded2, coded3, now;
    reg                 valid = 1'b0, first = 1'b0, double = 1'b0;
    wire [T*ACC_W-1:0]  sum;
    reg  [T*ACC_W-1:0]  expected [0:LATENCY];
    reg  [ACC_W-1:0]    acc, one;
    integer             seed, i, t, k, c, errors = 0, checks = 0, mode;

    always #1 clk = !clk;

    flx_lanes #(
        .K(K), .T(T), .N_OUT(N_OUT), .ACT_W(ACT_W), .ACC_W(ACC_W), .LANES(LANES), .CODED(CODED),
        .FAN(FAN)
    ) u_lanes (
        .clk(clk), .rst(rst), .i_act(act), .i_sign(CODED != 0 ? coded : permuted),
        .i_valid(valid), .i_first(first), .i_double(double), .o_sum(sum)
    );

    function integer place(input integer ch, input integer lane);
        place = ((lane % 4) * T0 + ch % T0) * S + lane / 4 + (K / 4) * (ch / T0);
    endfunction

    function integer below(input integer n);
        below = $unsigned($random(seed)) % n;
    endfunction

    // The code of every lane at its time, written apart from flx_lanes_code.
    task drive_signs;
        begin
            coded3 = coded2;
            coded2 = coded1;
            coded1 = now;
            for (t = 0; t < T; t = t + 1)
                for (k = 0; k < K; k = k + 1) begin
                    i = place(t, k);
                    permuted[i] = sign[t*K+k];
                    now[i] = (LANES < 2) ? sign[t*K+k]
                           : (k % 4 == 2) ? !sign[t*K+k] : sign[t*K+k] ^ sign[t*K + k - k % 4 + 2];
                    c = (LANES == 0) ? 0 : (LANES == 1) ? 1 : ((k % 4 == 2) ? 2 : (k % 4 == 3))
                                                              + (FAN != 0);
                    coded[i] = (c == 0) ? now[i] : (c == 1) ? coded1[i] : (c == 2) ? coded2[i]
                                                                          : coded3[i];
                end
        end
    endtask

    task word;
        begin
            mode = below(8);
            for (k = 0; k < K * ACT_W; k = k + 1)
                act[k] = (mode == 0) ? 1'b0 : (mode == 1) ? 1'b1 : $random(seed);
            for (k = 0; k < K * T; k = k + 1)
                sign[k] = (mode == 2) ? 1'b0 : (mode == 3) ? 1'b1 : $random(seed);
            drive_signs;
            valid  = below(4) != 0;
            first  = below(6) == 0;
            double = below(6) == 0;
        end
    endtask

    task model;
        begin
            for (i = LATENCY; i > 0; i = i - 1) expected[i] = expected[i-1];
            for (t = 0; t < T; t = t + 1) begin
                acc = expected[0][t*ACC_W +: ACC_W];
                if (valid) begin
                    acc = first ? 0 : (double && LANES == 0) ? acc << 1 : acc;
                    for (k = 0; k < K; k = k + 1) begin
                        one = act[k*ACT_W +: ACT_W] - (LANES != 0 ? 1 << (ACT_W - 1) : 0);
                        c   = (LANES == 0) ? 1 : (LANES == 1) ? k % 2
                            : (k % 4 == 2) ? -1 : (k % 4 == 3) ? 0 : 1;
                        acc = sign[t*K+k] ? acc + one : acc - one - c;
                    end
                end
                expected[0][t*ACC_W +: ACC_W] = acc;
            end
        end
    endtask

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        expected[0] = 0;
        act  = 0;
        sign = 0;
        for (i = 0; i < LATENCY + 2; i = i + 1) @(negedge clk);
        rst = 1'b0;
        word;
        valid = 1'b1;
        first = 1'b1;
        repeat (WORDS) begin
            model;
            @(negedge clk);
            checks = checks + 1;
            if (checks >= LATENCY && sum !== expected[LATENCY-1]) begin
                errors = errors + 1;
                if (errors < 4) $display("word %0d: %h, not %h", checks, sum, expected[LATENCY-1]);
            end
            word;
        end
        if (errors == 0 && checks == WORDS) $display("PASS");
        else $display("FAIL: %0d of %0d", errors, checks);
        $finish;
    end
endmodule
`default_nettype wire
