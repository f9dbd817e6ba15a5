// SPDX-License-Identifier: Apache-2.0
// flx_clamp: code = clamp(V >> shift, 0, 2^ACT_W - 1), or 0.
//
//   ACT_W    bits of a code
//   PIXELS   as in flx_requant
//
//   i_v      signed, a new one in every clock
//   i_shift  constant for many clocks
//   i_null   3 clocks after i_v, with PIXELS > 1 4: the code is 0
//   o_code   with i_null; with PIXELS > 1 a clock later
//   o_early, o_none   PIXELS > 1: with i_null: the code, but that it is 0 if o_none
`default_nettype none
module flx_clamp #(
    parameter ACT_W  = 8,
    parameter PIXELS = 1
) (
    input  wire             clk,
    input  wire [31:0]      i_v,
    input  wire [4:0]       i_shift,
    input  wire             i_null,
    output wire [ACT_W-1:0] o_code,
    output wire [ACT_W-1:0] o_early,
    output wire             o_none
);
    // By multiples of 8, then by the rest: only the code's bits are needed, and whether V is negative
    // or has a bit above them.
    localparam F = ACT_W + 7;
    wire [ACT_W+30:0] v_wide = {{(ACT_W-1){i_v[31]}}, i_v};
    wire [F-1:0]      field;
    reg  [ACT_W-1:0]  code;
    integer           n;
    genvar            b;

    generate
        if (PIXELS > 1) begin : g_multiply
            for (b = 0; b < F; b = b + 1) begin : g_bit
                flx_pick #(.N(4)) u_pick (
                    .i({v_wide[b+24], v_wide[b+16], v_wide[b+8], v_wide[b]}), .i_sel(i_shift[4:3]),
                    .o(field[b])
                );
            end

            // The rest by a multiplier, whose registers are field and product; bits of V above field
            // by fours, if they are not in it.
            localparam FOURS = (31 - F + 3) / 4;
            wire [F+9:0]       product;
            wire [27:0]        above = {{(F-3){1'b0}}, i_v[30:F]};
            reg  [FOURS-1:0]   over5;
            reg  [3:0]         outside; // bit n: bits F + 8n on are not in field
            reg                over6, beyond, minus5, minus6, minus7, minus8;
            reg  [ACT_W-1:0]   low, shifted;

            flx_multiply #(.A(F + 1), .B(9), .REG(1)) u_shift (
                .clk(clk), .i_a({1'b0, field}), .i_b({1'b0, 8'h80 >> i_shift[2:0]}), .o_p(product)
            );
            always @(posedge clk) begin
                for (n = 0; n < 4; n = n + 1) outside[n] <= {30'd0, i_shift[4:3]} <= n;
                for (n = 0; n < FOURS; n = n + 1)
                    over5[n] <= !outside[n/2] ? 1'b0 : |above[4*n +: 4];
                over6   <= |over5;
                minus5  <= i_v[31];
                minus6  <= minus5;
                minus7  <= minus6;
                minus8  <= minus7;
                low     <= product[7 +: ACT_W];
                beyond  <= over6 || |product[F+6:F];
                shifted <= beyond ? {ACT_W{1'b1}} : low;
                code    <= o_none ? {ACT_W{1'b0}} : shifted;
            end
            assign o_early = shifted;
            assign o_none  = minus8 || i_null;
            assign o_code  = code;
        end else begin : g_shift
            reg  [5:0]       lowest; // bit above the code
            reg  [30:0]      above;
            wire [31:0]      beyond = {1'b0, i_v[30:0] & above};
            reg  [F-1:0]     field5;
            reg  [ACT_W-1:0] code6;
            reg  [3:0]       over5; // of eight bits each
            reg              minus5, minus6, over6;

            assign field = v_wide[{1'b0, i_shift[4:3], 3'b000} +: F];
            always @(posedge clk) begin
                lowest <= {1'b0, i_shift} + ACT_W;
                for (n = 0; n < 31; n = n + 1) above[n] <= n >= {26'd0, lowest};
                field5 <= field;
                minus5 <= i_v[31];
                for (n = 0; n < 4; n = n + 1) over5[n] <= |beyond[8*n +: 8];
                code6  <= field5[{1'b0, i_shift[2:0]} +: ACT_W];
                minus6 <= minus5;
                over6  <= |over5;
                code   <= minus6 ? {ACT_W{1'b0}} : code6 | {ACT_W{over6}};
            end
            assign o_early = code;
            assign o_none  = i_null;
            assign o_code  = code & {ACT_W{!i_null}};
        end
    endgenerate
endmodule
`default_nettype wire
