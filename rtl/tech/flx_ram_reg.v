// SPDX-License-Identifier: Apache-2.0
// flx_ram_reg: flx_ram whose answer passes the block RAM's own output register: two clocks
// after the address. On the ECP5 that register is what makes a clock above 140 MHz possible
// (5.8 ns from the clock edge to the data without it).
//
//   W, DEPTH   as in flx_ram
//   i_re       0: the registers behind the blocks stay
//   FAR        so many clocks later still, out of flip-flops: blocks of a large memory lie far apart
//
// With FLX_ECP5 a memory of more than 4096 words has blocks for the words beyond, and a multiplexer; one of at
// most 16 words is made of LUTs and flip-flops.
`default_nettype none
module flx_ram_reg #(
    parameter W     = 8,
    parameter DEPTH = 256,
    parameter FAR   = 0,
    parameter AW    = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire          clk,
    input  wire          i_we,
    input  wire [AW-1:0] i_waddr,
    input  wire [W-1:0]  i_wdata,
    input  wire          i_re,
    input  wire [AW-1:0] i_raddr,
    output wire [W-1:0]  o_rdata
);
`ifdef FLX_ECP5
    localparam MOST = 4096;
    localparam FEW  = 16;
    generate
        if (DEPTH <= FEW) begin : g_distributed
            wire [W-1:0] answer;
            flx_ram_piped #(.W(W), .DEPTH(DEPTH)) u_ram (
                .clk(clk), .i_we(i_we), .i_waddr(i_waddr), .i_wdata(i_wdata), .i_re(i_re), .i_raddr(i_raddr), .o_rdata(answer)
            );
            flx_delay #(.W(W), .N(FAR)) u_far (.clk(clk), .rst(1'b0), .i(answer), .o(o_rdata));
        end else if (DEPTH > 2 * MOST) begin : g_error
            flx_error_DEPTH_must_be_at_most_8192 u_error ();
        end else if (DEPTH > MOST) begin : g_two
            localparam     BW = $clog2(DEPTH - MOST);
            wire           beyond;
            wire [W-1:0]   low, high, low_near, high_near;

            flx_delay #(.W(1), .N(2 + FAR)) u_beyond (
                .clk(clk), .rst(1'b0), .i(i_raddr[AW-1]), .o(beyond)
            );
            flx_delay #(.W(2 * W), .N(FAR)) u_far (
                .clk(clk), .rst(1'b0), .i({low, high}), .o({low_near, high_near})
            );
            assign o_rdata = beyond ? high_near : low_near;
            flx_ram_reg_ecp5 #(.W(W), .DEPTH(MOST)) u_low (
                .clk(clk), .i_we(i_we && !i_waddr[AW-1]), .i_waddr(i_waddr[AW-2:0]),
                .i_wdata(i_wdata), .i_re(i_re), .i_raddr(i_raddr[AW-2:0]), .o_rdata(low)
            );
            flx_ram_reg_ecp5 #(.W(W), .DEPTH(DEPTH - MOST)) u_high (
                .clk(clk), .i_we(i_we && i_waddr[AW-1]), .i_waddr(i_waddr[BW-1:0]),
                .i_wdata(i_wdata), .i_re(i_re), .i_raddr(i_raddr[BW-1:0]), .o_rdata(high)
            );
        end else begin : g_one
            wire [W-1:0] answer;
            flx_ram_reg_ecp5 #(.W(W), .DEPTH(DEPTH)) u_ram (
                .clk(clk), .i_we(i_we), .i_waddr(i_waddr), .i_wdata(i_wdata), .i_re(i_re), .i_raddr(i_raddr),
                .o_rdata(answer)
            );
            flx_delay #(.W(W), .N(FAR)) u_far (.clk(clk), .rst(1'b0), .i(answer), .o(o_rdata));
        end
    endgenerate
`else
    wire [W-1:0] answer;
    flx_ram_piped #(.W(W), .DEPTH(DEPTH)) u_ram (
        .clk(clk), .i_we(i_we), .i_waddr(i_waddr), .i_wdata(i_wdata), .i_re(i_re), .i_raddr(i_raddr), .o_rdata(answer)
    );
    flx_delay #(.W(W), .N(FAR)) u_far (.clk(clk), .rst(1'b0), .i(answer), .o(o_rdata));
`endif
endmodule

`ifdef FLX_ECP5
// The same in blocks of the ECP5, at most 4096 words; Yosys 0.23 does not infer the register.
module flx_ram_reg_ecp5 #(
    parameter W     = 8,
    parameter DEPTH = 256,
    parameter AW    = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire          clk,
    input  wire          i_we,
    input  wire [AW-1:0] i_waddr,
    input  wire [W-1:0]  i_wdata,
    input  wire          i_re,
    input  wire [AW-1:0] i_raddr,
    output wire [W-1:0]  o_rdata
);
    // Slices as wide as the depth allows; in the widest, two address bits are byte enables.
    localparam LW    = (DEPTH <= 1024) ? 4 : (DEPTH <= 2048) ? 3 : 2;
    localparam SW    = (LW == 4) ? 18 : (LW == 3) ? 9 : 4;
    localparam N     = (W + SW - 1) / SW;

    wire [13:0]     ada = (i_waddr << LW) | (LW == 4 ? 14'd3 : 14'd0);
    wire [13:0]     adb = i_raddr << LW;
    wire [N*SW-1:0] din = i_wdata;
    wire [N*SW-1:0] dout;

    assign o_rdata = dout[W-1:0];

    genvar s;
    generate
        for (s = 0; s < N; s = s + 1) begin : g_slice
            wire [17:0] di = din[s*SW +: SW];
            wire [17:0] dob;
            assign dout[s*SW +: SW] = dob[SW-1:0];
            DP16KD #(
                .DATA_WIDTH_A(SW), .DATA_WIDTH_B(SW), .REGMODE_A("NOREG"), .REGMODE_B("OUTREG"),
                .RESETMODE("SYNC"), .ASYNC_RESET_RELEASE("SYNC"), .CSDECODE_A("0b000"),
                .CSDECODE_B("0b000"), .WRITEMODE_A("NORMAL"), .WRITEMODE_B("NORMAL"),
                .GSR("DISABLED")
            ) u_ram (
                .CLKA(clk), .CEA(1'b1), .OCEA(1'b0), .WEA(i_we), .RSTA(1'b0),
                .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
                .CLKB(clk), .CEB(i_re), .OCEB(i_re), .WEB(1'b0), .RSTB(1'b0),
                .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
                .ADA0(ada[0]), .ADA1(ada[1]), .ADA2(ada[2]), .ADA3(ada[3]), .ADA4(ada[4]), .ADA5(ada[5]),
                .ADA6(ada[6]), .ADA7(ada[7]), .ADA8(ada[8]), .ADA9(ada[9]), .ADA10(ada[10]), .ADA11(ada[11]),
                .ADA12(ada[12]), .ADA13(ada[13]),
                .ADB0(adb[0]), .ADB1(adb[1]), .ADB2(adb[2]), .ADB3(adb[3]), .ADB4(adb[4]), .ADB5(adb[5]),
                .ADB6(adb[6]), .ADB7(adb[7]), .ADB8(adb[8]), .ADB9(adb[9]), .ADB10(adb[10]), .ADB11(adb[11]),
                .ADB12(adb[12]), .ADB13(adb[13]),
                .DIA0(di[0]), .DIA1(di[1]), .DIA2(di[2]), .DIA3(di[3]), .DIA4(di[4]), .DIA5(di[5]),
                .DIA6(di[6]), .DIA7(di[7]), .DIA8(di[8]), .DIA9(di[9]), .DIA10(di[10]), .DIA11(di[11]),
                .DIA12(di[12]), .DIA13(di[13]), .DIA14(di[14]), .DIA15(di[15]), .DIA16(di[16]), .DIA17(di[17]),
                .DOB0(dob[0]), .DOB1(dob[1]), .DOB2(dob[2]), .DOB3(dob[3]), .DOB4(dob[4]), .DOB5(dob[5]),
                .DOB6(dob[6]), .DOB7(dob[7]), .DOB8(dob[8]), .DOB9(dob[9]), .DOB10(dob[10]), .DOB11(dob[11]),
                .DOB12(dob[12]), .DOB13(dob[13]), .DOB14(dob[14]), .DOB15(dob[15]), .DOB16(dob[16]), .DOB17(dob[17])
            );
        end
    endgenerate
endmodule
`endif
`default_nettype wire
