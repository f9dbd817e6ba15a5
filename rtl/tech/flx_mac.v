// SPDX-License-Identifier: Apache-2.0
// flx_mac: V = m * s + what is added, modulo 2^32; a new one in every clock.
//
//   ACC_W      bits of s, at most 28
//   CODE_W     bits of a code that has a multiplier of its own (flx_core, SKIP = 2); 0: none
//   PIXELS     as in flx_requant: "the clock before" is the same position's, PIXELS clocks before
//
//   i_s, i_m   signed
//   i_beta     is added, if not i_add_v
//   i_add_v    i_v is added; i_beta must be 0 then
//   i_add_product   with CODE_W = 0: m * s of the clock before is added too: that s was below 2^(ACC_W/2), its
//              i_beta the same as now, and it had neither i_add_v nor i_add_product
//   i_code, i_code_m   with CODE_W > 0: unsigned and signed, their product is added
//   o_v        3 clocks later, with PIXELS > 1 5: the multipliers then have registers in front and behind
//
// The product is made of two halves of s. With FLX_UP5K the adders and most registers are those of
// the multiplier blocks: the lower half's block adds to beta, the upper half's to what is left
// of that above the lower half's bits. Synthesize that without `synth_ice40 -dsp`: ice40_dsp of
// Yosys 0.23 takes the blocks for multipliers of its own and drops what they add.
`default_nettype none
module flx_mac #(
    parameter ACC_W  = 22,
    parameter CODE_W = 0,
    parameter PIXELS = 1,
    parameter EW     = (CODE_W > 0) ? CODE_W : 1
) (
    input  wire             clk,
    input  wire [ACC_W-1:0] i_s,
    input  wire [15:0]      i_m,
    input  wire [31:0]      i_beta,
    input  wire [31:0]      i_v,
    input  wire             i_add_v,
    input  wire             i_add_product,
    input  wire [EW-1:0]    i_code,
    input  wire [15:0]      i_code_m,
    output wire [31:0]      o_v
);
    // With PIXELS > 1 the lower part is as wide as a multiplier takes, perhaps all.
    localparam ONE = PIXELS > 1 && ACC_W <= 18;
    localparam LO  = (PIXELS > 1) ? (ONE ? ACC_W - 1 : 17) : ACC_W / 2;
    localparam HI  = ACC_W - LO;
    localparam REG = (PIXELS > 1) ? 2 : 0; // of the multipliers

`ifdef FLX_UP5K
    generate
        if (PIXELS != 1 || CODE_W != 0) begin : g_error
            flx_error_PIXELS_and_SKIP_must_be_1_on_the_UP5K stop ();
        end
    endgenerate
    reg  [31:0]   addend;
    reg           again; // to the sum before
    reg  [LO-1:0] rest;
    wire [31:0]   low, high;
    wire [31:0]   below = again ? low : addend;
    wire [31:0]   above = {{LO{low[31]}}, low[31:LO]};

    assign o_v = {high[31-LO:0], rest};

    always @(posedge clk) begin
        addend <= i_add_v ? i_v : i_beta;
        again  <= i_add_product;
        rest   <= low[LO-1:0];
    end

    SB_MAC16 #(
        .A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1),
        .TOPOUTPUT_SELECT(2'd1), .TOPADDSUB_LOWERINPUT(2'd2), .TOPADDSUB_UPPERINPUT(1'b1),
        .TOPADDSUB_CARRYSELECT(2'd3), .BOTOUTPUT_SELECT(2'd1), .BOTADDSUB_LOWERINPUT(2'd2),
        .BOTADDSUB_UPPERINPUT(1'b1)
    ) u_low (
        .CLK(clk), .CE(1'b1), .A(i_m), .B({{(16-LO){1'b0}}, i_s[LO-1:0]}), .C(below[31:16]),
        .D(below[15:0]), .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0),
        .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0),
        .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .CI(1'b0),
        .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(low)
    );

    SB_MAC16 #(
        .A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1),
        .PIPELINE_16x16_MULT_REG2(1'b1),
        .TOPOUTPUT_SELECT(2'd1), .TOPADDSUB_LOWERINPUT(2'd2), .TOPADDSUB_UPPERINPUT(1'b1),
        .TOPADDSUB_CARRYSELECT(2'd3), .BOTOUTPUT_SELECT(2'd1), .BOTADDSUB_LOWERINPUT(2'd2),
        .BOTADDSUB_UPPERINPUT(1'b1)
    ) u_high (
        .CLK(clk), .CE(1'b1), .A(i_m), .B({{(16-HI){i_s[ACC_W-1]}}, i_s[ACC_W-1:LO]}),
        .C(above[31:16]), .D(above[15:0]), .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0),
        .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0),
        .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
        .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(high)
    );
`else
    wire [LO+16:0] p_lo;
    wire [31:0]    beta, v_added, p_lo_ext, p_hi, extra, product;
    wire           add_product;
    reg  [31:0]    beta1, p_lo2, high2, v3;

    assign o_v = v3;

    flx_multiply #(.A(16), .B(LO + 1), .REG(REG)) u_low (
        .clk(clk), .i_a(i_m), .i_b({ONE && i_s[ACC_W-1], i_s[LO-1:0]}), .o_p(p_lo)
    );
    flx_resize #(.I(LO + 17), .O(32)) u_fit_low (.i(p_lo), .o(p_lo_ext));
    flx_delay #(.W(65), .N(REG)) u_delay (
        .clk(clk), .rst(1'b0), .i({i_add_product, i_beta, i_v & {32{i_add_v}}}),
        .o({add_product, beta, v_added})
    );

    generate
        if (ONE) begin : g_one
            assign p_hi = 32'd0;
        end else begin : g_two
            wire [HI+15:0] p;
            flx_multiply #(.A(16), .B(HI), .REG(REG)) u_high (
                .clk(clk), .i_a(i_m), .i_b(i_s[ACC_W-1:LO]), .o_p(p)
            );
            flx_resize #(.I(HI + 16), .O(32)) u_fit (.i(p), .o(p_hi));
        end
        if (CODE_W > 0) begin : g_codes
            wire [16+CODE_W:0] p_code;
            flx_multiply #(.A(16), .B(CODE_W + 1), .REG(REG)) u_code (
                .clk(clk), .i_a(i_code_m), .i_b({1'b0, i_code}), .o_p(p_code)
            );
            flx_resize #(.I(17 + CODE_W), .O(32)) u_fit (.i(p_code), .o(product));
            assign extra = v_added;
        end else begin : g_again
            wire [31:0] p_added;
            flx_delay #(.W(32), .N(PIXELS - 1)) u_delay (
                .clk(clk), .rst(1'b0), .i(p_lo_ext), .o(p_added)
            );
            assign extra   = (add_product ? p_added : 32'd0) | v_added;
            assign product = 32'd0;
        end
    endgenerate

    always @(posedge clk) begin
        beta1 <= beta + extra;
        p_lo2 <= p_lo_ext + product;
        high2 <= beta1 + (p_hi << LO);
        v3    <= high2 + p_lo2;
    end
`endif
endmodule
`default_nettype wire
