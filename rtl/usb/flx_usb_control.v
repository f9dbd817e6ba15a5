// SPDX-License-Identifier: Apache-2.0
// Control endpoint 0 (USB 2.0, chapter 9): decodes the request, sends descriptors and
// status, keeps address and configuration. Every answer is shorter than one packet.
//
// Parameters: flx_usb_descriptors
//
// i_serial     serial number, sent as eight hexadecimal digits; constant, or from a register
// i_setup, i_byte_en, i_byte, i_count  the bytes of a request
// i_setup_ok, i_acked, i_status        engine's pulses; o_in, o_out: what it may do
// i_tx_start   the payload begins: o_byte is its first byte soon enough for the transmitter
// i_next       the next byte; o_more: there is one
// o_ep_reset   pulse: toggles to DATA0, no halts
// o_flush      pulse: the bytes on their way in both directions are dropped
// o_halt_*     as in flx_usb_engine
`default_nettype none

module flx_usb_control #(
    parameter [15:0]     VID          = 16'h1209,
    parameter [15:0]     PID          = 16'h000F,
    parameter [15:0]     BCD_DEVICE   = 16'h0100,
    parameter [7:0]      MAX_POWER    = 8'd250,
    parameter [8*15-1:0] MANUFACTURER = "flexor",
    parameter [8*30-1:0] PRODUCT      = "flexor"
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [31:0] i_serial,
    input  wire        i_bus_reset,
    input  wire        i_setup,
    input  wire        i_byte_en,
    input  wire [7:0]  i_byte,
    input  wire [6:0]  i_count,
    input  wire        i_setup_ok,
    input  wire        i_acked,
    input  wire        i_status,
    output wire        o_in,
    output wire        o_out,
    input  wire        i_tx_start,
    input  wire        i_next,
    output wire        o_more,
    output wire [7:0]  o_byte,
    output reg  [6:0]  o_addr,
    output reg         o_configured,
    output reg         o_ep_reset,
    output reg         o_flush,
    output reg         o_halt_set,
    output reg         o_halt_clear,
    output wire        o_halt_in,
    input  wire [1:0]  i_halted
);
    // Upper three bits of the address in the ROM
    localparam [2:0] DEVICE = 3'd0, CONFIGURATION = 3'd1, LANGUAGES = 3'd2, MANUFACT = 3'd3,
                     SERIAL = 3'd4, ZEROS = 3'd5, PROD = 3'd6;
    localparam [1:0] C_STALL = 2'd0, C_READ = 2'd1, C_STATUS_OUT = 2'd2, C_STATUS_IN = 2'd3;

    function [5:0] string_bytes;
        input [8*30-1:0] s;
        integer i;
        begin
            string_bytes = 6'd2;
            for (i = 0; i < 30; i = i + 1)
                if (s[8*i +: 8] != 8'd0)
                    string_bytes = string_bytes + 6'd2;
        end
    endfunction

    // The request, as far as it matters
    reg        dir_in, vendor, standard;
    reg  [1:0] recipient;            // 3: another one
    reg  [3:0] request;              // 15: another one
    reg  [7:0] value;
    reg  [1:0] value_hi;
    reg        value_hi_big;
    reg        index_0, index_1, index_in;  // wIndex without bit 7 is 0, 1; bit 7
    reg  [5:0] length;               // 63: that or more

    reg  [1:0] state;
    reg  [5:0] pos;
    wire       request_byte = i_setup && i_byte_en;
    wire [3:0] field = {i_count[6], i_count[2:0]};

    always @(posedge clk) begin
        if (request_byte) begin
            case (field)
                4'b1110: begin
                    dir_in    <= i_byte[7];
                    vendor    <= i_byte[6:2] == 5'b10000;
                    standard  <= i_byte[6:2] == 5'b00000;
                    recipient <= i_byte[1:0];
                end
                4'b1111: request <= i_byte[7:4] == 4'd0 ? i_byte[3:0] : 4'd15;
                4'd0: value <= i_byte;
                4'd1: begin
                    value_hi     <= i_byte[1:0];
                    value_hi_big <= i_byte[7:2] != 6'd0;
                end
                4'd2: begin
                    index_0  <= i_byte[6:0] == 7'd0;
                    index_1  <= i_byte[6:0] == 7'd1;
                    index_in <= i_byte[7];
                end
                4'd3: if (i_byte != 8'd0) begin
                    index_0 <= 1'b0;
                    index_1 <= 1'b0;
                end
                4'd4: length <= i_byte[7:6] == 2'd0 ? i_byte[5:0] : 6'd63;
                4'd5: if (i_byte != 8'd0)
                    length <= 6'd63;
                default: ;
            endcase
        end
    end

    // Decoder. The CRC gives it many cycles, so its results are registers.
    wire value_small = value_hi == 2'd0 && !value_hi_big && value[7:1] == 7'd0;
    wire value_0     = value_small && !value[0];
    wire to_device   = standard && recipient == 2'd0;
    wire to_iface    = standard && recipient == 2'd1 && index_0 && !index_in && o_configured;
    wire to_bulk     = standard && recipient == 2'd2 && index_1 && o_configured;
    wire to_ep0      = standard && recipient == 2'd2 && index_0;

    reg       descriptor_ok;
    reg [2:0] descriptor;
    reg [5:0] descriptor_size;
    always @* begin
        descriptor_ok = !value_hi_big && value[7:2] == 6'd0 &&
                        (value_hi == 2'd3 || (value_hi != 2'd0 && value[1:0] == 2'd0));
        case (value_hi)
            2'd3: case (value[1:0])
                2'd0:    {descriptor, descriptor_size} = {LANGUAGES, 6'd4};
                2'd1:    {descriptor, descriptor_size} =
                    {MANUFACT, string_bytes({120'd0, MANUFACTURER})};
                2'd2:    {descriptor, descriptor_size} = {PROD, string_bytes(PRODUCT)};
                default: {descriptor, descriptor_size} = {SERIAL, 6'd18};
            endcase
            2'd2:    {descriptor, descriptor_size} = {CONFIGURATION, 6'd32};
            default: {descriptor, descriptor_size} = {DEVICE, 6'd18};
        endcase
    end

    reg        valid, reads;         // the request exists; it has data
    reg        is_address, is_configuration, is_interface, is_halt, is_link_reset;
    reg  [2:0] page;
    reg  [5:0] size;
    reg        status_bit;
    wire       get_descriptor = dir_in && to_device && request == 4'd6;
    always @(posedge clk) begin
        is_address       <= !dir_in && to_device && request == 4'd5 && !value_hi_big &&
                            value_hi == 2'd0 && !value[7];
        is_configuration <= !dir_in && to_device && request == 4'd9 && value_small;
        is_interface     <= !dir_in && to_iface && request == 4'd11 && value_0;
        is_halt          <= !dir_in && to_bulk && (request == 4'd1 || request == 4'd3) && value_0;
        is_link_reset    <= !dir_in && vendor && recipient == 2'd0 && request == 4'd1;
        reads <= (get_descriptor && descriptor_ok) ||
                 (dir_in && request == 4'd0 && (to_device || to_iface || to_bulk || to_ep0)) ||
                 (dir_in && request == 4'd8 && to_device) ||
                 (dir_in && request == 4'd10 && to_iface);
        valid <= reads || (length == 6'd0 && (is_address || is_configuration || is_interface ||
                                              is_halt || is_link_reset));
        page  <= get_descriptor ? descriptor : ZEROS;
        size  <= get_descriptor ? descriptor_size : request == 4'd0 ? 6'd2 : 6'd1;
        status_bit <= request == 4'd8 ? o_configured
                                      : to_bulk && (index_in ? i_halted[1] : i_halted[0]);
    end

    assign o_in      = state == C_READ || state == C_STATUS_IN;
    assign o_out     = state == C_READ || state == C_STATUS_OUT;
    assign o_halt_in = index_in;

    wire act = i_setup_ok && valid;
    reg  reset_was;
    always @(posedge clk) begin
        o_ep_reset   <= i_bus_reset || (act && (is_configuration || is_interface));
        reset_was    <= i_bus_reset;
        o_flush      <= (i_bus_reset && !reset_was) || (act && (is_configuration || is_link_reset));
        o_halt_set   <= act && is_halt && request[1];
        o_halt_clear <= act && is_halt && !request[1];
        if (act && is_configuration)
            o_configured <= value[0];
        if (state == C_STATUS_IN && i_acked && is_address)
            o_addr <= value[6:0];

        if (i_setup_ok)
            state <= !valid ? C_STALL : length == 6'd0 ? C_STATUS_IN : C_READ;
        else if (state == C_READ && (i_acked || i_status))
            state <= C_STATUS_OUT;
        if (rst || i_bus_reset || request_byte)
            state <= C_STALL;
        if (rst || i_bus_reset) begin
            o_addr       <= 7'd0;
            o_configured <= 1'b0;
        end
    end

    // Payload
    reg        more;
    reg  [3:0] digit;
    wire [7:0] rom_byte;
    wire       is_digit = page == SERIAL && !pos[0] && pos[5:1] != 5'd0;
    reg  [7:0] rom_addr;

    assign o_more = more;
    assign o_byte = {rom_byte[7:1], rom_byte[0] || (page == ZEROS && pos == 6'd0 && status_bit)};

    always @* begin
        case (pos[3:1])
            3'd1:    digit = i_serial[31:28];
            3'd2:    digit = i_serial[27:24];
            3'd3:    digit = i_serial[23:20];
            3'd4:    digit = i_serial[19:16];
            3'd5:    digit = i_serial[15:12];
            3'd6:    digit = i_serial[11:8];
            3'd7:    digit = i_serial[7:4];
            default: digit = i_serial[3:0];
        endcase
    end

    always @(posedge clk) begin
        if (i_tx_start)
            pos <= 6'd0;
        else if (i_next)
            pos <= pos + 1'b1;
        more     <= pos != size && pos != length;
        rom_addr <= is_digit ? {4'h5, digit} : {page[2:1], page[0] || pos[5], pos[4:0]};
    end

    flx_usb_descriptors #(
        .VID(VID), .PID(PID), .BCD_DEVICE(BCD_DEVICE), .MAX_POWER(MAX_POWER),
        .MANUFACTURER(MANUFACTURER), .PRODUCT(PRODUCT)
    ) u_rom (
        .clk(clk), .i_addr(rom_addr), .o_data(rom_byte)
    );
endmodule

`default_nettype wire
