// SPDX-License-Identifier: Apache-2.0
// flx_image_loader: image bytes -> the row-packed map of the first layer.
//
// The image is framed by padding codes. In every row of the framed image a window of
// i_win bytes is taken every i_step bytes and stored as one pixel of i_pixel_words words:
// ceil(i_win/4) granules, bytes beyond the window zero. The other granules of the pixel are
// not written.
//
//   K, ACT_W    as in flx_core; a code is the low ACT_W bits of a byte
//   WIN_MAX     largest window in bytes, a multiple of 4
//   AW, BW      bits of a word address and of a bank number of the activation memory
//
//   i_win … i_pixel_words   fields of the program header
//   i_base      first word of the image buffer; sampled when the image begins
//   i_start     a new image begins, for engine i_engine
//   i_valid …   its bytes, y x c order; o_ready is low while padding or a window is
//               written. Bytes after the end of the image are dropped.
//   o_idle      nothing to do without another byte
//   o_we …      one granule for engine o_engine; it is written when i_grant is 1
`default_nettype none
module flx_image_loader #(
    parameter K       = 8,
    parameter ACT_W   = 8,
    parameter WIN_MAX = 32,
    parameter AW      = 10,
    parameter BW      = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [7:0]         i_win,
    input  wire [7:0]         i_step,
    input  wire [15:0]        i_row_bytes,
    input  wire [15:0]        i_rows,
    input  wire [7:0]         i_pad_rows,
    input  wire [7:0]         i_pad_code,
    input  wire [15:0]        i_pad_bytes,
    input  wire [15:0]        i_pixel_words,
    input  wire [AW-1:0]      i_base,
    input  wire               i_start,
    input  wire [6:0]         i_engine,
    input  wire               i_valid,
    input  wire [7:0]         i_data,
    output wire               o_ready,
    output wire               o_idle,
    output wire               o_we,
    input  wire               i_grant,
    output reg  [6:0]         o_engine,
    output reg  [AW-1:0]      o_waddr,
    output reg  [BW-1:0]      o_wbank,
    output wire [4*ACT_W-1:0] o_wdata
);
    localparam KB = K / 4;
    localparam G  = 4 * ACT_W;
    localparam GW = (WIN_MAX > 4) ? $clog2(WIN_MAX / 4) : 1;

    localparam [1:0] S_DONE = 2'd0, S_BYTE = 2'd1, S_EMIT = 2'd2, S_INIT = 2'd3;

    reg [1:0]               state;
    reg                     pending;  // i_start seen, the last image not finished
    reg [6:0]               next_engine;
    reg [16:0]              x, y;     // byte and row in the framed image; 0 = first of the image
    reg                     ended;    // the last byte of the framed image is in the window
    reg [7:0]               need;     // bytes until the window is complete
    reg [WIN_MAX*ACT_W-1:0] window;
    // Bytes below the last one of the window take over from above, the last one takes the new
    // byte, the others are zero. Filled one bit a cycle at the start of an image.
    reg [WIN_MAX-1:0]       below;
    wire [WIN_MAX-1:0]      at_last = {below[WIN_MAX-2:0], 1'b1} & ~below;
    reg [GW-1:0]            granule;
    reg [AW-1:0]            pixel;

    wire       padding = !(x < {1'b0, i_row_bytes} && y < {1'b0, i_rows});
    wire       row_end = x + 17'd1 == {1'b0, i_row_bytes} + {1'b0, i_pad_bytes};
    wire       map_end = row_end && y + 17'd1 == {1'b0, i_rows} + {9'd0, i_pad_rows};
    wire       waiting = (state == S_BYTE && !padding) || state == S_DONE;
    wire       take    = state == S_BYTE && (padding || (i_valid && o_ready));
    wire [7:0] value   = padding ? i_pad_code : i_data;

    wire [8:0] gran_end  = {1'b0, i_win} - 9'd1; // last byte of the window
    wire       gran_last = {{(7-GW){1'b0}}, granule} == gran_end[8:2];
    wire       bank_last = {1'b0, o_wbank} == KB[BW:0] - 1'b1;

    assign o_ready = waiting && !pending && !i_start;
    assign o_idle  = waiting && !pending;
    assign o_we    = state == S_EMIT;
    assign o_wdata = window[granule*G +: G];

    integer b;
    always @(posedge clk) begin
        if (take) begin
            for (b = 0; b < WIN_MAX; b = b + 1)
                window[b*ACT_W +: ACT_W] <= (value[ACT_W-1:0] & {ACT_W{at_last[b]}})
                    | ((b + 1 < WIN_MAX && below[b]) ? window[(b+1)%WIN_MAX*ACT_W +: ACT_W]
                                                     : {ACT_W{1'b0}});
        end

        case (state)
        S_INIT: begin
            need <= need - 8'd1;
            if (need == 8'd1) begin
                need  <= i_win;
                state <= S_BYTE;
            end else begin
                below <= {below[WIN_MAX-2:0], 1'b1};
            end
        end
        S_BYTE:
            if (take) begin
                x     <= row_end ? -{1'b0, i_pad_bytes} : x + 17'd1;
                ended <= map_end;
                if (row_end) y <= y + 17'd1;
                need <= row_end ? i_win : (need == 8'd1) ? i_step : need - 8'd1;
                if (need == 8'd1) state <= S_EMIT;
                else if (map_end) state <= S_DONE;
            end
        S_EMIT:
            if (i_grant) begin
                granule <= granule + 1'b1;
                o_wbank <= bank_last ? {BW{1'b0}} : o_wbank + 1'b1;
                if (bank_last) o_waddr <= o_waddr + 1'b1;
                if (gran_last) begin
                    granule <= {GW{1'b0}};
                    o_wbank <= {BW{1'b0}};
                    o_waddr <= pixel + i_pixel_words[AW-1:0];
                    pixel   <= pixel + i_pixel_words[AW-1:0];
                    state   <= ended ? S_DONE : S_BYTE;
                end
            end
        default: ;
        endcase

        if (i_start) begin
            pending     <= 1'b1;
            next_engine <= i_engine;
        end else if (pending && waiting) begin
            pending  <= 1'b0;
            o_engine <= next_engine;
            state    <= S_INIT;
            below    <= {WIN_MAX{1'b0}};
            x        <= -{1'b0, i_pad_bytes};
            y        <= -{9'd0, i_pad_rows};
            need     <= i_win;
            granule  <= {GW{1'b0}};
            o_wbank  <= {BW{1'b0}};
            o_waddr  <= i_base;
            pixel    <= i_base;
        end
        if (rst) begin
            state   <= S_DONE;
            pending <= 1'b0;
        end
    end

`ifdef FORMAL
    // A granule stays until it is granted, its bank and its bytes exist, and no byte is taken
    // from the host while one is offered.
    reg f_started = 1'b0;
    always @(posedge clk) f_started <= 1'b1;

    always @* begin
        assume (f_started || rst);
        assume (i_win >= 8'd1 && i_win <= WIN_MAX);
        if (f_started) begin
            if (o_we) begin
                assert (o_wbank < KB);
                assert ({granule, 2'b00} < i_win);
                assert (!o_ready && !o_idle);
            end
            if (state == S_BYTE) assert (granule == 0 && o_wbank == 0);
        end
    end

    reg               f_held;
    reg [AW+BW+G-1:0] f_write;
    reg [7:0]         f_win;
    always @(posedge clk) begin
        f_held  <= o_we && !i_grant && !rst;
        f_write <= {o_waddr, o_wbank, o_wdata};
        f_win   <= i_win;
    end
    always @* begin
        assume (!f_started || i_win == f_win);
        if (f_started && f_held) assert (o_we && f_write == {o_waddr, o_wbank, o_wdata});
    end
`endif
endmodule
`default_nettype wire
