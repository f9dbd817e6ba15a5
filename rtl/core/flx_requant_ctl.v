// SPDX-License-Identifier: Apache-2.0
// flx_requant_ctl: control of the requantisers, shared by all engines.
//
// A finished set of sums (i_done) is captured and drained in T/RQ steps of RQ channels. A step
// takes one cycle, and one more in front when codes are added to the sums (i_skip): the
// multiplier works on those first. It takes RQ cycles at least when the layer delivers logits,
// since the result memory takes one value a cycle. The sequencer keeps sets that far apart.
//
// A set is a position, or one of its planes. With scaled planes (i_scaled) V of the planes before
// is added, and each has its parameters; else twice the sum of the planes before is added to the
// sum. Only the last plane delivers something.
//
//   K, T, RQ    as in flx_core
//   SUMS        1: flx_requant pools sums too, and its granules are one clock later
//   SKIP        2: codes take no cycle of their own
//   EVENTS      1: all that a step leads to is said in the cycle of its o_fire, for flx_pixels to delay;
//               o_layer_done comes LAG cycles after the last of it
//   AW, BW      bits of a word address and of a bank number of the activation memory
//   PAW, RAW    bits of a row address of the parameters and of a result address
//
//   i_start     the layer begins: fields below are stable until o_layer_done
//   i_logits    values V go to the result memory, from address 0 on
//   i_skip      the layer adds codes; i_scaled: above
//   i_out_base  first word of the output map; i_out_pitch words a pixel
//   i_param     first parameter row
//   i_done      sums are valid; with it the flags of the set: first and last plane, codes are
//               added to it, its position does not exist, and of its position: first and
//               last of its pool window, last of the channel group, last of the layer
//   o_capture, o_fire_add, o_fire, o_add_code, o_add_v, o_v_we, o_v_waddr, o_code_en, o_null,
//   o_pool_first, o_v_load, o_v_next   to flx_requant
//   o_prow      parameter row of the step that fires in this cycle
//   o_step      number of that step
//   o_we …      one granule of every engine
//   o_res_we …  one result of every engine
//   o_layer_done   with the last write of the layer
`default_nettype none
module flx_requant_ctl #(
    parameter K    = 8,
    parameter T    = 8,
    parameter RQ   = 4,
    parameter SUMS = 1,
    parameter SKIP = 1,
    parameter EVENTS = 0,
    parameter LAG  = 0,
    parameter AW   = 10,
    parameter BW   = 1,
    parameter PAW  = 8,
    parameter RAW  = 4,
    parameter SW   = (T / RQ > 1) ? $clog2(T / RQ) : 1
) (
    input  wire           clk,
    input  wire           rst,
    input  wire           i_start,
    input  wire           i_logits,
    input  wire           i_skip,
    input  wire           i_scaled,
    input  wire [AW-1:0]  i_out_base,
    input  wire [AW-1:0]  i_out_pitch,
    input  wire [PAW-1:0] i_param,
    input  wire           i_done,
    input  wire           i_set_first,
    input  wire           i_set_last,
    input  wire           i_adds,
    input  wire           i_null,
    input  wire           i_win_first,
    input  wire           i_win_last,
    input  wire           i_group_last,
    input  wire           i_layer_last,
    output wire           o_capture,
    output wire           o_fire_add,
    output wire           o_fire,
    output reg  [PAW-1:0] o_prow,
    output reg  [SW-1:0]  o_step,
    output wire           o_add_code,
    output wire           o_add_v,
    output wire           o_v_we,
    output wire [SW-1:0]  o_v_waddr,
    output wire           o_code_en,
    output wire           o_null,
    output wire           o_pool_first,
    output wire           o_v_load,
    output wire           o_v_next,
    output wire           o_we,
    output reg  [AW-1:0]  o_waddr,
    output reg  [BW-1:0]  o_wbank,
    output wire           o_res_we,
    output reg  [RAW:0]   o_res_addr,
    output wire           o_layer_done
);
    localparam       STEPS    = T / RQ;
    localparam       KB       = K / 4;
    localparam       G_WORDS  = (T / 4) / KB; // a group advances the output by so many words
    localparam       G_BANKS  = (T / 4) % KB; // and banks
    localparam [2:0] RQ_COUNT = RQ[2:0];
    localparam [1:0] RQ_LAST  = RQ[1:0] - 2'd1;

    // Draining: one set.
    reg           draining, set_first, set_last, adds, absent;
    reg           win_first, win_last, group_last, layer_last;
    reg [1:0]     phase;
    reg [PAW-1:0] prow_base; // first row of the channel group

    wire       step_last = {1'b0, o_step} == STEPS[SW:0] - 1'b1;
    wire       gran_last;
    wire       first_codes = i_skip && SKIP != 2; // a cycle for them in front
    wire [1:0] fire_at   = {1'b0, first_codes};
    wire [1:0] last_at   = (i_logits && RQ > 2) ? RQ_LAST
                         : (i_logits && RQ == 2) ? 2'd1 : fire_at;
    // The set ends with the fire of its last step.
    wire       step_end  = phase == last_at || (o_fire && step_last);

    assign o_capture  = i_done;
    assign o_fire_add = draining && first_codes && phase == 2'd0;
    assign o_fire     = draining && phase == fire_at;

    generate
        if (RQ == 4) begin : g_gran_4
            assign gran_last = 1'b1;
        end else if (RQ == 2) begin : g_gran_2
            assign gran_last = o_step[0];
        end else begin : g_gran_1
            assign gran_last = &o_step[1:0];
        end
    endgenerate

    always @(posedge clk) begin
        if (draining) begin
            phase <= step_end ? 2'd0 : phase + 2'd1;
            if (o_fire) begin
                o_step <= o_step + 1'b1;
                o_prow <= o_prow + 1'b1;
                if (step_last) begin
                    o_step   <= {SW{1'b0}};
                    draining <= 1'b0;
                    if (set_last && group_last) prow_base <= o_prow + 1'b1;
                    else if (set_last || !i_scaled) o_prow <= prow_base;
                end
            end
        end
        if (i_done) begin
            draining   <= 1'b1;
            phase      <= 2'd0;
            set_first  <= i_set_first;
            set_last   <= i_set_last;
            adds       <= i_adds;
            absent       <= i_null;
            win_first  <= i_win_first;
            win_last   <= i_win_last;
            group_last <= i_group_last;
            layer_last <= i_layer_last;
        end
        if (i_start) begin
            o_prow    <= i_param;
            prow_base <= i_param;
        end
        if (rst) begin
            draining <= 1'b0;
            o_step   <= {SW{1'b0}};
        end
    end

    // The pipeline of flx_requant: sums of the addition after 1 clock, V after 4, codes after 7,
    // granules after 8 or 9.
    localparam AT_ADD  = (EVENTS != 0) ? 0 : 1;
    localparam AT_V    = (EVENTS != 0) ? 0 : 4;
    localparam AT_CODE = (EVENTS != 0) ? 0 : 7;
    localparam OUT     = (EVENTS != 0) ? 0 : (SUMS != 0) ? 2 : 1;
    wire          v_we, s_we;
    wire [SW-1:0] v_waddr, s_waddr;
    wire fire4, last4, fire7, first7, put7, group7, last7, end7;
    wire put_out, group_out, last_out, end_out;
    wire delivers = o_fire && set_last;

    flx_delay #(
        .W(2),
        .N(AT_ADD)
    ) u_delay_add (
        .clk(clk),
        .rst(rst),
        .i  ({o_fire && adds, o_fire && !set_first}),
        .o  ({o_add_code, o_add_v})
    );

    flx_delay #(
        .W(SW + 3),
        .N(AT_V)
    ) u_delay_v (
        .clk(clk),
        .rst(rst),
        .i  ({o_fire, o_step, delivers && i_logits, step_last && layer_last}),
        .o  ({v_we, v_waddr, fire4, last4})
    );
    flx_delay #(
        .W(SW + 1),
        .N(AT_ADD)
    ) u_delay_s (
        .clk(clk),
        .rst(rst),
        .i  ({o_fire, o_step}),
        .o  ({s_we, s_waddr})
    );
    assign o_v_we    = i_scaled ? v_we : s_we;
    assign o_v_waddr = i_scaled ? v_waddr : s_waddr;

    flx_delay #(
        .W(7),
        .N(AT_CODE)
    ) u_delay_code (
        .clk(clk),
        .rst(rst),
        .i  ({delivers && !i_logits, win_first, absent, win_last && gran_last,
              group_last && step_last, layer_last && step_last, step_last}),
        .o  ({fire7, first7, o_null, put7, group7, last7, end7})
    );

    flx_delay #(
        .W(4),
        .N(OUT)
    ) u_delay_out (
        .clk(clk),
        .rst(rst),
        .i  ({fire7 && put7, group7, last7, end7}),
        .o  ({put_out, group_out, last_out, end_out})
    );

    assign o_v_load     = fire4;
    assign o_code_en    = fire7;
    assign o_pool_first = first7;

    // Logits.
    reg [2:0] v_count;
    reg       v_last;

    assign o_res_we = v_count != 3'd0;
    assign o_v_next = o_res_we;

    always @(posedge clk) begin
        if (o_res_we) begin
            v_count <= v_count - 3'd1;
            if (!o_res_addr[RAW]) o_res_addr <= o_res_addr + 1'b1;
        end
        if (fire4) begin
            v_count <= RQ_COUNT;
            v_last  <= last4;
        end
        if (i_start) o_res_addr <= {(RAW+1){1'b0}};
        if (rst) v_count <= 3'd0;
    end

    // Output addresses: granule after granule in a pixel, pixel after pixel, group after group.
    reg [AW-1:0]  pixel, group_word;
    reg [BW-1:0]  group_bank;
    wire          bank_last  = {1'b0, o_wbank} == KB[BW:0] - 1'b1;
    wire [BW:0]   bank_sum   = {1'b0, group_bank} + G_BANKS[BW:0];
    wire          bank_wrap  = bank_sum >= KB[BW:0];
    wire [BW:0]   bank_next  = bank_wrap ? bank_sum - KB[BW:0] : bank_sum;
    wire [AW-1:0] group_next = group_word + G_WORDS[AW-1:0] + {{(AW-1){1'b0}}, bank_wrap};

    assign o_we         = put_out;
    wire done = (put_out && last_out) || (o_res_we && v_count == 3'd1 && v_last);

    flx_delay #(
        .W(1),
        .N(LAG)
    ) u_delay_done (
        .clk(clk),
        .rst(rst),
        .i  (done),
        .o  (o_layer_done)
    );

    always @(posedge clk) begin
        if (put_out) begin
            o_wbank <= bank_last ? {BW{1'b0}} : o_wbank + 1'b1;
            if (bank_last) o_waddr <= o_waddr + 1'b1;
            if (group_out) begin
                group_word <= group_next;
                group_bank <= bank_next[BW-1:0];
                pixel      <= group_next;
                o_waddr    <= group_next;
                o_wbank    <= bank_next[BW-1:0];
            end else if (end_out) begin
                pixel   <= pixel + i_out_pitch;
                o_waddr <= pixel + i_out_pitch;
                o_wbank <= group_bank;
            end
        end
        if (i_start) begin
            group_word <= i_out_base;
            group_bank <= {BW{1'b0}};
            pixel      <= i_out_base;
            o_waddr    <= i_out_base;
            o_wbank    <= {BW{1'b0}};
        end
    end

`ifdef FORMAL
    // Sets that come as far apart as the sequencer promises never meet a set that is still
    // drained, and every set is drained in exactly that time.
    localparam [7:0] F_STEP_V = (RQ > 1) ? RQ : 1, F_STEP_V_ADD = (RQ > 1) ? RQ : 2;
    reg       f_started = 1'b0;
    reg [7:0] f_since;                     // cycles since the last set
    (* anyconst *) reg f_logits, f_skip;   // fields of the layer, constant while sets are under way
    wire [7:0] f_length = f_logits ? (f_skip ? F_STEP_V_ADD : F_STEP_V) : f_skip ? 8'd2 : 8'd1;
    wire [7:0] f_apart  = f_length * STEPS;
    // o_step has moved on in the cycles after a fire.
    wire [7:0] f_step   = {{(8-SW){1'b0}}, o_step} - {7'd0, phase > fire_at};
    wire [7:0] f_place  = f_step * f_length + {6'd0, phase};

    always @(posedge clk) begin
        f_started <= 1'b1;
        f_since   <= (rst) ? 8'd255 : i_done ? 8'd1 : f_since + {7'd0, f_since != 8'd255};
    end

    always @* begin
        assume (f_started || rst);
        assume (i_logits == f_logits && first_codes == f_skip);
        assume (!i_done || f_since >= f_apart);
        if (f_started) begin
            if (i_done) assert (!draining || (o_fire && step_last));
            if (draining) assert (f_place + 8'd1 == f_since);
            if (draining) assert (phase < f_length);
            if (!draining) assert (o_step == 0);
            assert ({1'b0, o_step} < STEPS[SW:0]);
            assert (!(o_fire && o_fire_add));
            assert (o_fire == (draining && f_since != 0 && f_place == f_step * f_length + f_skip));
        end
    end
`endif
endmodule
`default_nettype wire
