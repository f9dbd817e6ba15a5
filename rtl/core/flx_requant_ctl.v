// SPDX-License-Identifier: Apache-2.0
// flx_requant_ctl: control of the requantisers, shared by all engines.
//
// A finished set of sums (i_done) is captured and drained in T/RQ steps, one a cycle, or
// one every RQ cycles when the layer delivers logits, since the result memory takes one
// value a cycle. The sequencer keeps sets at least T/RQ (logits: T) cycles apart.
//
//   K, T, RQ    as in flx_core
//   AW, BW      bits of a word address and of a bank number of the activation memory
//   PAW, RAW    bits of a row address of the parameters and of a result address
//
//   i_start     the layer begins: fields below are stable until o_layer_done
//   i_logits    values V go to the result memory, from address 0 on
//   i_out_base  first word of the output map; i_out_pitch words a pixel
//   i_param     first parameter row
//   i_done      sums are valid; with it the flags of the output position: first and last
//               of its pool window, last of the channel group, last of the layer
//   o_capture, o_fire, o_code_en, o_pool_first, o_v_load, o_v_next   to flx_requant
//   o_prow      parameter row of the step that fires in this cycle
//   o_we …      one granule of every engine
//   o_res_we …  one result of every engine
//   o_layer_done   with the last write of the layer
`default_nettype none
module flx_requant_ctl #(
    parameter K   = 8,
    parameter T   = 8,
    parameter RQ  = 4,
    parameter AW  = 10,
    parameter BW  = 1,
    parameter PAW = 8,
    parameter RAW = 4
) (
    input  wire           clk,
    input  wire           rst,
    input  wire           i_start,
    input  wire           i_logits,
    input  wire [AW-1:0]  i_out_base,
    input  wire [AW-1:0]  i_out_pitch,
    input  wire [PAW-1:0] i_param,
    input  wire           i_done,
    input  wire           i_win_first,
    input  wire           i_win_last,
    input  wire           i_group_last,
    input  wire           i_layer_last,
    output wire           o_capture,
    output wire           o_fire,
    output reg  [PAW-1:0] o_prow,
    output wire           o_code_en,
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
    localparam       SW       = (STEPS > 1) ? $clog2(STEPS) : 1;
    localparam       KB       = K / 4;
    localparam       G_WORDS  = (T / 4) / KB; // a group advances the output by so many words
    localparam       G_BANKS  = (T / 4) % KB; // and banks
    localparam [2:0] RQ_COUNT = RQ[2:0];
    localparam [1:0] RQ_LAST  = RQ[1:0] - 2'd1;

    // Draining: one position.
    reg           draining, win_first, win_last, group_last, layer_last;
    reg [SW-1:0]  step;
    reg [1:0]     phase;
    reg [PAW-1:0] prow_base; // first row of the channel group

    wire step_last = {1'b0, step} == STEPS[SW:0] - 1'b1;
    wire gran_last;

    assign o_capture = i_done;
    assign o_fire    = draining && phase == 2'd0;

    generate
        if (RQ == 4) begin : g_gran_4
            assign gran_last = 1'b1;
        end else if (RQ == 2) begin : g_gran_2
            assign gran_last = step[0];
        end else begin : g_gran_1
            assign gran_last = &step[1:0];
        end
    endgenerate

    always @(posedge clk) begin
        if (draining) begin
            phase <= (i_logits && phase != RQ_LAST) ? phase + 2'd1 : 2'd0;
            if (o_fire) begin
                step   <= step + 1'b1;
                o_prow <= o_prow + 1'b1;
                if (step_last) begin
                    step <= {SW{1'b0}};
                    if (group_last) prow_base <= o_prow + 1'b1;
                    else o_prow <= prow_base;
                end
            end
            if (o_fire && step_last) draining <= 1'b0;
        end
        if (i_done) begin
            draining   <= 1'b1;
            phase      <= 2'd0;
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
            step     <= {SW{1'b0}};
        end
    end

    // The pipeline of flx_requant: V after 4 clocks, codes after 7, granules after 8.
    wire fire4, last4, fire7, first7, put7, group7, last7;
    reg  put8, group8, last8;

    flx_delay #(
        .W(2),
        .N(4)
    ) u_delay_v (
        .clk(clk),
        .rst(rst),
        .i  ({o_fire && i_logits, step_last && layer_last}),
        .o  ({fire4, last4})
    );

    flx_delay #(
        .W(5),
        .N(7)
    ) u_delay_code (
        .clk(clk),
        .rst(rst),
        .i  ({o_fire && !i_logits, win_first, win_last && gran_last,
              group_last && step_last, layer_last && step_last}),
        .o  ({fire7, first7, put7, group7, last7})
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
    reg           window_end8; // last granule of the pixel
    wire          window_end7;
    reg [AW-1:0]  pixel, group_word;
    reg [BW-1:0]  group_bank;
    wire          bank_last  = {1'b0, o_wbank} == KB[BW:0] - 1'b1;
    wire [BW:0]   bank_sum   = {1'b0, group_bank} + G_BANKS[BW:0];
    wire          bank_wrap  = bank_sum >= KB[BW:0];
    wire [BW:0]   bank_next  = bank_wrap ? bank_sum - KB[BW:0] : bank_sum;
    wire [AW-1:0] group_next = group_word + G_WORDS[AW-1:0] + {{(AW-1){1'b0}}, bank_wrap};

    flx_delay #(
        .W(1),
        .N(7)
    ) u_delay_end (
        .clk(clk),
        .rst(rst),
        .i  (step_last),
        .o  (window_end7)
    );

    assign o_we         = put8;
    assign o_layer_done = (put8 && last8) || (o_res_we && v_count == 3'd1 && v_last);

    always @(posedge clk) begin
        put8        <= fire7 && put7;
        group8      <= group7;
        last8       <= last7;
        window_end8 <= window_end7;
        if (put8) begin
            o_wbank <= bank_last ? {BW{1'b0}} : o_wbank + 1'b1;
            if (bank_last) o_waddr <= o_waddr + 1'b1;
            if (group8) begin
                group_word <= group_next;
                group_bank <= bank_next[BW-1:0];
                pixel      <= group_next;
                o_waddr    <= group_next;
                o_wbank    <= bank_next[BW-1:0];
            end else if (window_end8) begin
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
        if (rst) put8 <= 1'b0;
    end

`ifdef FORMAL
    // Sets that come as far apart as the sequencer promises never meet a set that is still
    // drained, and every set is drained in exactly that time.
    localparam [6:0] F_APART = STEPS, F_APART_V = T;
    reg       f_started = 1'b0;
    reg [6:0] f_since;               // cycles since the last set
    (* anyconst *) reg f_logits;     // a field of the layer, constant while sets are under way
    wire [6:0] f_step  = {{(7-SW){1'b0}}, step} - {6'd0, phase != 2'd0}; // fires at phase 0
    wire [6:0] f_place = f_logits ? f_step * RQ_COUNT + {5'd0, phase} : f_step;

    always @(posedge clk) begin
        f_started <= 1'b1;
        f_since   <= (rst) ? 7'd127 : i_done ? 7'd1 : f_since + {6'd0, f_since != 7'd127};
    end

    always @* begin
        assume (f_started || rst);
        assume (i_logits == f_logits);
        assume (!i_done || f_since >= (f_logits ? F_APART_V : F_APART));
        if (f_started) begin
            if (i_done) assert (!draining || (o_fire && step_last));
            if (draining) assert (f_place + 7'd1 == f_since);
            if (draining) assert (phase < (f_logits ? RQ_COUNT : 3'd1));
            if (!draining) assert (step == 0);
            assert ({1'b0, step} < STEPS[SW:0]);
        end
    end
`endif
endmodule
`default_nettype wire
