// SPDX-License-Identifier: Apache-2.0
// Fields of a request (docs/link.md): collects them byte by byte, checks them, and
// then counts the units that a WRITE delivers or a READ fetches.
//
// K, P, AMEM_WORDS, WMEM_WORDS, PMEM_CH, PROG_LAYERS, RES_WORDS, NIN_MAX  as in the core
// NIN_MIN       smallest n_in of the XOR network
// SLICES        slices of a weight word, K*T/N_OUT
// MAX_PAYLOAD   as in flx_frame_rx
//
// i_write, i_read, i_run: kind of the request, hold from i_clear on.
// i_clear    forgets everything; then
// i_take     one cycle a byte: byte i_index of the request's fields is i_byte; then
// i_sum      one cycle; then
//            one cycle; from then on o_status is valid, then
// i_step     a byte of a WRITE was delivered, or a word of a READ fetched.
// o_target, o_arg, o_addr, o_rd_addr   ports of the core; RUN: flags, last layer.
//            The addresses move on with the steps.
// o_words    READ: words of its data
// o_full     no further unit: the memory (WRITE) or the count (READ) ends here; valid from
//            the second clock after a step on
// o_pause    WRITE: the next step ends a unit of a memory, look at o_full
// o_partial  WRITE: in the middle of a unit
// o_needs_idle, o_needs_load: must wait until the core is idle, until loads are stored
`default_nettype none
`include "flx_proto.vh"

module flx_request #(
    parameter K           = 16,
    parameter P           = 1,
    parameter NIN_MIN     = 1,
    parameter NIN_MAX     = 32,
    parameter SLICES      = 8,
    parameter AMEM_WORDS  = 1024,
    parameter WMEM_WORDS  = 1024,
    parameter PMEM_CH     = 1024,
    parameter PROG_LAYERS = 8,
    parameter RES_WORDS   = 16,
    parameter MAX_PAYLOAD = 1024,
    parameter CB          = $clog2((MAX_PAYLOAD - 2) / 4 + 1)
) (
    input  wire          clk,
    input  wire          i_write,
    input  wire          i_read,
    input  wire          i_run,
    input  wire          i_clear,
    input  wire          i_take,
    input  wire [2:0]    i_index,
    input  wire [7:0]    i_byte,
    input  wire          i_sum,
    input  wire          i_step,
    output reg  [2:0]    o_target,
    output reg  [7:0]    o_arg,
    output wire [31:0]   o_addr,
    output wire [31:0]   o_rd_addr,
    output wire [CB-1:0] o_words,
    output reg  [2:0]    o_status,
    output reg           o_full,
    output wire          o_pause,
    output wire          o_partial,
    output wire          o_needs_idle,
    output wire          o_needs_load
);
    function integer max2;
        input integer a, b;
        max2 = a > b ? a : b;
    endfunction

    localparam GRANULES   = K / 4;
    localparam PROG_WORDS = `FLX_PROG_HDR_WORDS + PROG_LAYERS * `FLX_PROG_LAYER_WORDS;
    localparam CNT_WORDS  = PROG_LAYERS * `FLX_COUNTER_WORDS;
    localparam LIMIT_MAX  = max2(max2(max2(PROG_WORDS, PMEM_CH), max2(WMEM_WORDS, RES_WORDS)),
                                 max2(AMEM_WORDS, CNT_WORDS));
    localparam AW         = $clog2(LIMIT_MAX + 1);            // bits of an address
    localparam GB         = $clog2(GRANULES);
    localparam PACKED     = SLICES == 1 || SLICES == 2 || SLICES == 4;
    localparam PLANE      = (SLICES + 7) / 8;                 // bytes of a plane, not packed
    localparam WORD_MAX   = PACKED ? (NIN_MAX * SLICES + 7) / 8 : NIN_MAX * PLANE;
    localparam UB         = $clog2(max2(max2(WORD_MAX, 64), GRANULES));  // bits of a step, >= 6
    localparam ACTS_END   = (MAX_PAYLOAD - 2) / K + 1;        // activation words do not fit
    localparam ADDR_FIELD = 2, COUNT_FIELD = 6;               // first byte

    generate
        if (K < 4 || K % 4 != 0 || K > MAX_PAYLOAD - 2)
            flx_error_k_must_be_a_multiple_of_4_and_fit_a_payload u_error ();
        if ((`FLX_RUN_STREAM | `FLX_RUN_CLEAR) != 3)
            flx_error_run_ok_takes_two_flags u_error ();
        if (P < 1 || P > 127)
            flx_error_p_must_be_1_to_127 u_error ();
        if (SLICES < 1)
            flx_error_k_times_t_must_be_a_multiple_of_n_out u_error ();
        if (LIMIT_MAX >= 1 << 30)
            flx_error_a_memory_is_too_large u_error ();
    endgenerate

    reg  [AW-1:0] addr;
    reg  [AW:0]   last;       // address after the last one
    reg  [AW-1:0] below;      // -1 - first address behind the memory: compares without inverters
    reg  [CB-1:0] count;
    reg           too_large;  // address or count
    reg  [UB-1:0] unit;       // steps of a unit - 1
    reg  [UB-1:0] place;      // step in the unit

    wire wr_program  = i_write && o_target == `FLX_WR_PROGRAM;
    wire wr_params   = i_write && o_target == `FLX_WR_PARAMS;
    wire wr_weights  = i_write && o_target == `FLX_WR_WEIGHTS;
    wire wr_image    = i_write && o_target == `FLX_WR_IMAGE;
    wire wr_stream   = i_write && o_target == `FLX_WR_STREAM;
    wire rd_results  = i_read && o_target == `FLX_RD_RESULTS;
    wire rd_act      = i_read && o_target == `FLX_RD_ACT;
    wire rd_counters = i_read && o_target == `FLX_RD_COUNTERS;
    wire coded       = wr_weights || wr_stream;
    wire bounded     = wr_program || wr_params || wr_weights;
    wire known       = bounded || wr_image || wr_stream || rd_results || rd_act || rd_counters;

    // n_in and engine numbers have at most 7 bits. Tables, which are smaller than comparators.
    localparam [127:0] ENGINES = (128'd1 << P) - 1'b1;
    localparam [127:0] NINS    = (128'd1 << (NIN_MAX + 1)) - (128'd1 << NIN_MIN);
    wire nin_ok    = !o_arg[7] && NINS[o_arg[6:0]];
    wire engine_ok = ENGINES[o_arg[6:0]];
    wire arg_ok    = coded                    ? nin_ok :
                     (wr_image || rd_results) ? engine_ok :
                     rd_act                   ? engine_ok && !o_arg[7] : o_arg == 8'd0;
    wire few;
    generate
        if (ACTS_END == 1 << $clog2(ACTS_END))
            assign few = count >> $clog2(ACTS_END) == {CB{1'b0}};
        else
            assign few = {{(32 - CB) {1'b0}}, count} < ACTS_END;
    endgenerate
    wire count_ok  = !rd_act || few;
    wire [AW+1:0] over = {1'b0, last} + {2'b01, below};
    wire range_ok  = arg_ok && !too_large && count_ok && !over[AW+1];
    wire run_ok    = !o_target[2];

    // Steps of a unit: bytes of a WRITE, granules of activations
    wire [UB-1:0] word_last;
    generate
        if (PACKED) begin : g_packed
            wire [UB+2:0] bits = {{(UB - 3) {1'b0}}, o_arg[5:0]} * SLICES[UB+2:0] - 1'b1;
            assign word_last = bits[UB+2:3];
        end else begin : g_planes
            assign word_last = o_arg[5:0] * PLANE[UB-1:0] - 1'b1;
        end
    endgenerate
    wire [UB-1:0] unit_last = wr_program ? 3 : wr_params ? 5 : coded ? word_last :
                              rd_act ? GRANULES[UB-1:0] - 1'b1 : 0;

    wire unit_end = place == unit;
    wire next     = i_step && unit_end;

    assign o_addr       = {{(32 - AW) {1'b0}}, addr};
    assign o_pause      = bounded && unit_end;
    assign o_partial    = place != {UB{1'b0}};
    assign o_needs_idle = i_run || bounded || i_read && !(rd_results && o_arg[7]);
    assign o_needs_load = i_run || rd_act;

    // Words of an answer, and the core's address of the one that is fetched
    assign o_words = rd_act ? count * GRANULES[CB-1:0] : count;
    wire [31:0] granule;
    generate
        if (GRANULES == 1)
            assign granule = o_addr;
        else if (GRANULES == 1 << GB)
            assign granule = {{(32 - AW - GB) {1'b0}}, addr, place[GB-1:0]};
        else
            assign granule = o_addr * GRANULES + {{(32 - UB) {1'b0}}, place};
    endgenerate
    assign o_rd_addr = rd_act ? granule : o_addr;

    wire [AW-1:0] addr_next = addr - {AW{!i_take}};

    integer i;
    always @(posedge clk) begin
        if (i_clear) begin
            count     <= {CB{1'b0}};
            too_large <= 1'b0;
        end else if (i_take) begin
            if (i_index == 3'd0)
                o_target <= i_byte[2:0] | {3{i_byte[7:3] != 5'd0 || (i_byte[2] && i_byte[1:0] != 2'd0)}};
            if (i_index == 3'd1)
                o_arg <= i_byte;
            for (i = AW; i < 32; i = i + 1)
                if ({29'b0, i_index} == ADDR_FIELD + i / 8 && i_byte[i%8])
                    too_large <= 1'b1;
            for (i = 0; i < CB; i = i + 1)
                if ({29'b0, i_index} == COUNT_FIELD + i / 8)
                    count[i] <= i_byte[i%8];
            for (i = CB; i < 16; i = i + 1)
                if ({29'b0, i_index} == COUNT_FIELD + i / 8 && i_byte[i%8])
                    too_large <= 1'b1;
        end
        // Counts up. One cell a bit: the carry's second input is also what selects.
        for (i = 0; i < AW; i = i + 1)
            if (next || i_take && {29'b0, i_index} == ADDR_FIELD + i / 8)
                addr[i] <= i_take ? i_byte[i%8] : addr_next[i];

        o_status <= !known && !i_run             ? `FLX_ST_TARGET :
                    (i_run ? !run_ok : !range_ok) ? `FLX_ST_RANGE : `FLX_ST_OK;
        o_full <= bounded && addr == ~below || i_read && addr == last[AW-1:0];
        below  <= ~(wr_program  ? PROG_WORDS[AW-1:0] :
                    wr_params   ? PMEM_CH[AW-1:0] :
                    wr_weights  ? WMEM_WORDS[AW-1:0] :
                    rd_results  ? RES_WORDS[AW-1:0] :
                    rd_act      ? AMEM_WORDS[AW-1:0] :
                    rd_counters ? CNT_WORDS[AW-1:0] : {AW{1'b0}});
        if (i_sum) begin
            last <= {1'b0, addr} + {{(AW + 1 - CB) {1'b0}}, count};
            unit <= unit_last;
        end

        if (i_sum || next)
            place <= {UB{1'b0}};
        else if (i_step)
            place <= place + 1'b1;
    end

`ifdef FORMAL
    // Environment: the order of the strobes; steps only after a good status, while o_full
    // is 0 and valid.
    reg        f_past = 1'b0;
    reg  [2:0] f_phase;   // 0 fields, 1 after i_sum, ... 4 status known
    reg        f_good;
    reg  [1:0] f_settle;  // clocks until o_full is valid
    reg        f_write, f_read, f_run;
    wire [31:0] f_limit = wr_program  ? PROG_WORDS :
                          wr_params   ? PMEM_CH :
                          wr_weights  ? WMEM_WORDS :
                          rd_results  ? RES_WORDS :
                          rd_counters ? CNT_WORDS : AMEM_WORDS;

    always @(posedge clk) begin
        f_past  <= 1'b1;
        f_write <= i_write;
        f_read  <= i_read;
        f_run   <= i_run;
        f_phase <= i_clear ? 0 : i_sum ? 1 : f_phase == 0 || f_phase == 4 ? f_phase : f_phase + 1'b1;
        if (f_phase == 2)
            f_good <= o_status == `FLX_ST_OK;
        f_settle <= i_step && (i_read || o_pause) ? 2 : f_settle == 0 ? 0 : f_settle - 1'b1;
    end

    always @* begin
        assume (f_past || i_clear);
        assume (i_write + i_read + i_run <= 1);
        assume (!f_past || i_clear || (i_write == f_write && i_read == f_read && i_run == f_run));
        assume (!i_clear || !i_take && !i_sum && !i_step);
        assume (!(i_take || i_sum) || f_phase == 0 && !(i_take && i_sum));
        assume (!i_step || f_phase == 4 && f_good && !i_run && f_settle == 0 && !o_full);
        if (f_past && i_step) begin
            // No step leaves its memory.
            assert (wr_image || wr_stream || addr < f_limit);
            assert (o_addr == addr && place <= unit);
            assert (!rd_act || o_rd_addr == addr * GRANULES + place);
        end
    end
`endif
endmodule

`default_nettype wire
