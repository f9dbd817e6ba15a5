// SPDX-License-Identifier: Apache-2.0
// FIFO between two clocks that need not know each other: Gray-coded pointers, two
// flip-flops of synchroniser each way, memory in block RAM.
//
//   W      bits a word
//   LOG2   it holds 2^LOG2 words and one more in the output register, 2 ... 12
//
// i_wrst, i_rrst  synchronous to their clocks; both must be active together for at least
//                 four cycles of the slower clock, and words are lost
// i_wvalid/i_wdata/o_wready, o_rvalid/o_rdata/i_rready  a word moves in a cycle with
//                 valid and ready
`default_nettype none

module flx_async_fifo #(
    parameter W    = 8,
    parameter LOG2 = 3
) (
    input  wire         i_wclk,
    input  wire         i_wrst,
    input  wire         i_wvalid,
    input  wire [W-1:0] i_wdata,
    output wire         o_wready,
    input  wire         i_rclk,
    input  wire         i_rrst,
    output reg          o_rvalid,
    output reg  [W-1:0] o_rdata,
    input  wire         i_rready
);
    generate
        if (LOG2 < 2 || LOG2 > 12)
            flx_error_log2_must_be_2_to_12 u_error ();
    endgenerate

    // Binary for the memory, Gray for the other clock
    reg [LOG2:0] wbin, wgray, rbin, rgray;
    reg [LOG2:0] wgray_r1, wgray_r2;  // write pointer at the read clock
    reg [LOG2:0] rgray_w1, rgray_w2;  // read pointer at the write clock
    (* no_rw_check, ram_style = "block" *) reg [W-1:0] mem [0:(1<<LOG2)-1];

    wire [LOG2:0] wnext = wbin + 1'b1;
    wire [LOG2:0] rnext = rbin + 1'b1;
    wire          full  = wgray == {~rgray_w2[LOG2:LOG2-1], rgray_w2[LOG2-2:0]};
    wire          empty = rgray == wgray_r2;
    wire          push  = i_wvalid && !full;
    wire          pop   = !empty && (!o_rvalid || i_rready);

    assign o_wready = !full;

    always @(posedge i_wclk) begin
        if (push)
            mem[wbin[LOG2-1:0]] <= i_wdata;
        rgray_w1 <= rgray;
        rgray_w2 <= rgray_w1;
        if (i_wrst) begin
            wbin  <= {(LOG2 + 1) {1'b0}};
            wgray <= {(LOG2 + 1) {1'b0}};
        end else if (push) begin
            wbin  <= wnext;
            wgray <= wnext ^ (wnext >> 1);
        end
    end

    always @(posedge i_rclk) begin
        if (pop)
            o_rdata <= mem[rbin[LOG2-1:0]];
        wgray_r1 <= wgray;
        wgray_r2 <= wgray_r1;
        if (i_rrst) begin
            rbin     <= {(LOG2 + 1) {1'b0}};
            rgray    <= {(LOG2 + 1) {1'b0}};
            o_rvalid <= 1'b0;
        end else if (pop) begin
            rbin     <= rnext;
            rgray    <= rnext ^ (rnext >> 1);
            o_rvalid <= 1'b1;
        end else if (i_rready) begin
            o_rvalid <= 1'b0;
        end
    end
endmodule

`default_nettype wire
