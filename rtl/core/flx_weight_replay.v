// SPDX-License-Identifier: Apache-2.0
// flx_weight_replay: weights that are resident in the store. The host's bytes are stored from
// the top of the store downwards, 8 bytes a word; in every run they are sent to the ring of
// flx_weight_buf as if they came from the link.
//
// The bytes: for every layer n_in (1 byte), its number of bytes (3, little-endian) and its weight
// words; n_in = 0 ends them. The replay goes on into the next layer as soon as the ring has
// room, so that a layer finds its first block.
//
//   SW         bits of a store address
//
//   i_load     a load begins; with i_first from the top on, else behind the bytes before
//   i_valid …  its bytes, of which there are 8 times as many as words to be stored
//   o_idle     no whole word waits to be stored
//   i_run      a run begins
//   o_req …    access to the store; it happens when i_grant is 1, i_rdata comes one clock later
//   o_start …  i_start, i_nin, i_valid, i_data and o_ready of flx_weight_buf
`default_nettype none
module flx_weight_replay #(
    parameter SW = 14
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          i_load,
    input  wire          i_first,
    input  wire          i_valid,
    input  wire [7:0]    i_data,
    output wire          o_ready,
    output wire          o_idle,
    input  wire          i_run,
    output reg           o_req,
    output wire          o_we,
    output reg  [SW-1:0] o_addr,
    output wire [63:0]   o_wdata,
    input  wire          i_grant,
    input  wire [63:0]   i_rdata,
    output wire          o_start,
    output reg  [5:0]    o_nin,
    output wire          o_valid,
    output wire [7:0]    o_data,
    input  wire          i_ready
);
    reg        running, fetched;
    reg        data; // the next byte is a weight's, not a head's
    reg [63:0] bytes; // the next byte low
    reg [3:0]  count; // bytes in it
    reg [1:0]  head;  // byte of the head
    reg [23:0] left;  // bytes of the layer

    wire heading = !data;
    wire take = i_valid && o_ready;
    wire some = running && count != 4'd0;
    wire move = some && (heading || i_ready);

    assign o_ready = !running && !count[3] && !i_load;
    assign o_idle  = running || !count[3];
    assign o_we    = !running;
    assign o_wdata = bytes;
    assign o_start = some && heading && head == 2'd3;
    assign o_valid = some && !heading;
    assign o_data  = bytes[7:0];

    always @(posedge clk) begin
        // A register, since the store's address hangs on it.
        o_req   <= (running ? count == 4'd0 && !fetched : count[3]) && !(o_req && i_grant);
        fetched <= running && o_req && i_grant;
        if (o_req && i_grant) o_addr <= o_addr - 1'b1;
        if (take || move) bytes <= {i_data, bytes[63:8]};
        if (take) count <= count + 4'd1;
        if (move) count <= count - 4'd1;
        if (!running && o_req && i_grant) count <= 4'd0;
        if (fetched) begin
            bytes <= i_rdata;
            count <= 4'd8;
        end
        if (move && heading) begin
            head <= head + 2'd1;
            if (head == 2'd0) o_nin <= o_data[5:0];
            if (head == 2'd0 && o_data == 8'd0) running <= 1'b0;
            if (head == 2'd3) data <= 1'b1;
        end else if (move) begin
            if (left == 24'd1) data <= 1'b0;
        end
        // One cell a bit: the carry's second input is also what selects.
        if (move && (!heading || head != 2'd0))
            left <= data ? left + {24{data}} : {o_data, left[23:8]};
        if (i_run || i_load) begin
            running <= i_run;
            o_req   <= 1'b0;
            fetched <= 1'b0;
            data <= 1'b0;
            head    <= 2'd0;
        end
        if (i_run || (i_load && (i_first || running))) begin
            o_addr <= {SW{1'b1}};
            count  <= 4'd0;
        end
        if (rst) begin
            running <= 1'b0;
            o_req   <= 1'b0;
            fetched <= 1'b0;
            count   <= 4'd0;
        end
    end
endmodule
`default_nettype wire
