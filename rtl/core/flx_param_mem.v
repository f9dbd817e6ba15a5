// SPDX-License-Identifier: Apache-2.0
// flx_param_mem: multiplier m (16 bits) and offset beta (32 bits) of every output channel.
//
// RQ banks, channel entry c in bank c mod RQ, so that RQ consecutive channels are read at
// once. Shared by all engines.
//
//   RQ        1, 2 or 4
//   PMEM_CH   channel entries
//   REG       1: o_param is one clock later
//
//   i_start   a load begins at channel entry i_addr
//   i_valid   6 bytes an entry: m, beta, little-endian; always taken. An entry of which not all
//             bytes came holds anything.
//   o_idle    no byte is on its way
//   i_raddr   row of RQ entries; o_param one clock later, entry r at 48*r: {beta, m}
`default_nettype none
module flx_param_mem #(
    parameter RQ      = 4,
    parameter PMEM_CH = 1024,
    parameter REG     = 0,
    parameter CW      = $clog2(PMEM_CH),
    parameter RAW     = $clog2(PMEM_CH / RQ)
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             i_start,
    input  wire [CW-1:0]    i_addr,
    input  wire             i_valid,
    input  wire [7:0]       i_data,
    output wire             o_idle,
    input  wire [RAW-1:0]   i_raddr,
    output wire [48*RQ-1:0] o_param
);
    localparam LRQ = $clog2(RQ);

    reg [2:0]    count; // byte of the entry
    reg [CW-1:0] ch;
    wire         last = count == 3'd5;

    always @(posedge clk) begin
        if (rst || i_start || (i_valid && last))
            count <= 3'd0;
        else if (i_valid)
            count <= count + 3'd1;
        // Counts up. One cell a bit: the carry's second input is also what selects.
        if (i_start || (i_valid && last))
            ch <= i_start ? i_addr : ch - {CW{!i_start}};
    end

    // Written byte by byte, or entry by entry where the memory has no enables for bytes.
    localparam       PARTS = (REG != 0) ? 1 : 6;
    wire [PARTS-1:0] we;
    wire [CW-1:0]    wch;
    wire [47:0]      wdata;

    generate
        if (REG != 0) begin : g_entry
            reg [47:0]   entry;
            reg [CW-1:0] entry_ch;
            reg          full;
            always @(posedge clk) begin
                full     <= i_valid && last && !rst;
                entry_ch <= ch;
                if (i_valid) entry <= {i_data, entry[47:8]};
            end
            assign we     = full;
            assign wch    = entry_ch;
            assign wdata  = entry;
            assign o_idle = !full;
        end else begin : g_bytes
            assign we     = {5'd0, i_valid} << count;
            assign wch    = ch;
            assign wdata  = {6{i_data}};
            assign o_idle = 1'b1;
        end
    endgenerate

    genvar b;
    generate
        for (b = 0; b < RQ; b = b + 1) begin : g_bank
            wire mine;
            if (RQ == 1) begin : g_all
                assign mine = 1'b1;
            end else begin : g_low
                assign mine = (wch[LRQ-1:0] == b);
            end
            flx_ram #(
                .W    (48),
                .DEPTH(PMEM_CH / RQ),
                .PARTS(PARTS),
                .REG  (REG)
            ) u_ram (
                .clk    (clk),
                .i_we   (we & {PARTS{mine}}),
                .i_waddr(wch[CW-1 -: RAW]),
                .i_wdata(wdata),
                .i_raddr(i_raddr),
                .o_rdata(o_param[48*b +: 48])
            );
        end
    endgenerate
endmodule
`default_nettype wire
