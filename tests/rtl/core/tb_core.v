// SPDX-License-Identifier: Apache-2.0
// tb_core: plays a stimulus of gen_case against flx_core, with random gaps, and compares.
// +file=STIMULUS +seed=N +gap=G (per cent of bytes with a gap before them)
`timescale 1ns / 1ps
`default_nettype none
module tb_core;
    parameter K = 8, T = 8, P = 1, PIXELS = 1, N_OUT = 32, NIN_MAX = 32, ACT_W = 8, RQ = 4, LANES = 0, FAN = 0, PIPE = 0;
    parameter AMEM_WORDS = 1024, WMEM_WORDS = 1024, PMEM_CH = 256, PROG_LAYERS = 16;
    parameter RES_WORDS = 16, WIN_MAX = 32, SKIP = 1, WINDOWS = 1, SCALED = 0, POOL_BITS = 6, LOADER = 0;

    reg         clk = 1'b0, clk_lanes = 1'b0, rst = 1'b1;
    reg         ld_start = 1'b0, ld_valid = 1'b0, run = 1'b0, rd_en = 1'b0;
    reg  [2:0]  ld_target = 3'd0;
    reg  [7:0]  ld_arg = 8'd0, ld_data = 8'd0, run_flags = 8'd0, run_last = 8'd0, rd_arg = 8'd0;
    reg  [31:0] ld_addr = 32'd0, rd_addr = 32'd0;
    reg  [1:0]  rd_target = 2'd0;
    wire        ld_ready, busy, ld_idle, rd_valid;
    wire [31:0] rd_data;

    flx_core #(
        .K(K), .T(T), .P(P), .PIXELS(PIXELS), .N_OUT(N_OUT), .NIN_MAX(NIN_MAX), .ACT_W(ACT_W), .RQ(RQ),
        .LANES(LANES), .FAN(FAN), .PIPE(PIPE),
        .AMEM_WORDS(AMEM_WORDS), .WMEM_WORDS(WMEM_WORDS), .PMEM_CH(PMEM_CH),
        .PROG_LAYERS(PROG_LAYERS), .RES_WORDS(RES_WORDS), .WIN_MAX(WIN_MAX), .SKIP(SKIP),
        .WINDOWS(WINDOWS), .SCALED(SCALED), .POOL_BITS(POOL_BITS), .LOADER(LOADER)
    ) dut (
        .clk(clk), .rst(rst), .clk_lanes(clk_lanes),
        .i_ld_start(ld_start), .i_ld_target(ld_target), .i_ld_arg(ld_arg), .i_ld_addr(ld_addr),
        .i_ld_valid(ld_valid), .i_ld_data(ld_data), .o_ld_ready(ld_ready),
        .i_run(run), .i_run_flags(run_flags), .i_run_last(run_last),
        .o_busy(busy), .o_ld_idle(ld_idle),
        .i_rd_en(rd_en), .i_rd_target(rd_target), .i_rd_arg(rd_arg), .i_rd_addr(rd_addr),
        .o_rd_valid(rd_valid), .o_rd_data(rd_data)
    );

    // An edge of clk that rises is one of clk_lanes too, in the same step of time.
    integer half;
    always
        for (half = 0; half < 2 * PIXELS; half = half + 1) begin
            #5;
            clk_lanes = !half[0];
            if (half == 0) clk = 1;
            if (half == PIXELS) clk = 0;
        end

    reg [8*256-1:0] name;
    reg [31:0]      op, data, got;
    integer         fd, n, seed, gap, errors, checks, waited, line;
    reg             ok;

    // Inputs change after the falling edge; outputs are looked at just before the rising one.
    task pause;
        begin
            if ($unsigned($random(seed)) % 100 < gap)
                repeat ($unsigned($random(seed)) % 6) @(negedge clk);
        end
    endtask

    task send(input [7:0] b);
        begin
            pause;
            ld_valid = 1'b1;
            ld_data  = b;
            ok       = 1'b0;
            waited   = 0;
            while (!ok) begin
                #(5 * PIXELS - 1) ok = ld_ready;
                @(negedge clk);
                waited = waited + 1;
                if (waited > 200000) begin
                    $display("FAIL line %0d: byte not taken", line);
                    $finish;
                end
            end
            ld_valid = 1'b0;
        end
    endtask

    task await(input integer what);
        begin
            waited = 0;
            while ((what == 5) ? busy : !ld_idle) begin
                @(negedge clk);
                waited = waited + 1;
                if (waited > 2000000) begin
                    $display("FAIL line %0d: wait %0d does not end", line, what);
                    $finish;
                end
            end
        end
    endtask

    task read(input [31:0] addr);
        begin
            rd_en   = 1'b1;
            rd_addr = addr;
            @(negedge clk);
            rd_en   = 1'b0;
            rd_addr = 32'hFFFFFFFF;
            waited  = 0;
            while (!rd_valid && waited < 20 + P) begin
                @(negedge clk);
                waited = waited + 1;
            end
            got = rd_data;
        end
    endtask

    initial begin
        errors = 0;
        checks = 0;
        line   = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("gap=%d", gap)) gap = 10;
        if (!$value$plusargs("file=%s", name)) begin
            $display("FAIL no +file");
            $finish;
        end
        fd = $fopen(name, "r");
        repeat (4) @(negedge clk);
        rst = 1'b0;
        op  = 32'd1;
        while (op != 0) begin
            n    = $fscanf(fd, "%h %h", op, data);
            line = line + 1;
            if (n != 2) begin
                $display("FAIL stimulus ends early");
                op = 32'd0;
                errors = errors + 1;
            end
            case (op)
            1: {ld_arg, ld_target} = {data[15:8], data[2:0]};
            2: begin
                pause;
                ld_start = 1'b1;
                ld_addr  = data;
                @(negedge clk);
                ld_start = 1'b0;
                ld_addr  = $random(seed);
            end
            3: send(data[7:0]);
            4: begin
                run       = 1'b1;
                run_flags = data[7:0];
                run_last  = data[15:8];
                @(negedge clk);
                run = 1'b0;
            end
            5, 6: await(op);
            7: {rd_arg, rd_target} = {data[15:8], data[1:0]};
            8: read(data);
            9: begin
                checks = checks + 1;
                if (got !== data) begin
                    errors = errors + 1;
                    if (errors < 10)
                        $display("line %0d: target %0d arg %h expected %h got %h", line, rd_target,
                                 rd_arg, data, got);
                end
            end
            10: begin
                checks = checks + 1;
                if (!(got >= data)) begin
                    errors = errors + 1;
                    $display("line %0d: expected at least %0d got %0d", line, data, got);
                end
            end
            11: $display("counter %0d = %0d", data, got);
            12: begin
                repeat (data) @(negedge clk);
                rst = 1'b1;
                @(negedge clk);
                rst = 1'b0;
            end
            default: ;
            endcase
        end
        if (errors == 0 && checks > 0) $display("PASS %0d checks", checks);
        else $display("FAIL %0d of %0d", errors, checks);
        $finish;
    end
endmodule
`default_nettype wire
