// SPDX-License-Identifier: Apache-2.0
// Descriptors in a ROM of 256 bytes, which becomes a block RAM.
//
//   VID, PID, BCD_DEVICE  of the device descriptor
//   MAX_POWER             in units of 2 mA
//   MANUFACTURER          1 to 15 characters
//   PRODUCT               1 to 30 characters
//
//   0x00 device   0x20 configuration   0x40 string 0 (languages)   0x50 hex digits
//   0x60 string 1 (manufacturer)   0x80 string 3 (serial number), without its digits
//   0xA0 zeros    0xC0 string 2 (product)
//
// i_addr: o_data is the byte one cycle later.
`default_nettype none

module flx_usb_descriptors #(
    parameter [15:0]     VID          = 16'h1209,
    parameter [15:0]     PID          = 16'h000F,
    parameter [15:0]     BCD_DEVICE   = 16'h0100,
    parameter [7:0]      MAX_POWER    = 8'd250,
    parameter [8*15-1:0] MANUFACTURER = "flexor",
    parameter [8*30-1:0] PRODUCT      = "flexor"
) (
    input  wire       clk,
    input  wire [7:0] i_addr,
    output reg  [7:0] o_data
);
    (* ram_style = "block" *) reg [7:0] rom [0:255];

    localparam [18*8-1:0] DEVICE = {
        8'd18, 8'd1,                      // length, DEVICE
        8'h00, 8'h02,                     // USB 2.00
        8'hFF, 8'hFF, 8'hFF,              // vendor class
        8'd64,                            // packet size of endpoint 0
        VID[7:0], VID[15:8], PID[7:0], PID[15:8], BCD_DEVICE[7:0], BCD_DEVICE[15:8],
        8'd1, 8'd2, 8'd3,                 // strings
        8'd1                              // configurations
    };
    localparam [32*8-1:0] CONFIGURATION = {
        8'd9, 8'd2, 8'd32, 8'd0,          // length, CONFIGURATION, total length
        8'd1, 8'd1, 8'd0, 8'h80,          // interfaces, value, no string, bus-powered
        MAX_POWER,
        8'd9, 8'd4, 8'd0, 8'd0, 8'd2,     // INTERFACE 0, alternate 0, endpoints
        8'hFF, 8'hFF, 8'hFF, 8'd0,        // vendor class, no string
        8'd7, 8'd5, 8'h01, 8'd2, 8'd64, 8'd0, 8'd0,  // ENDPOINT 1 OUT, bulk, 64
        8'd7, 8'd5, 8'h81, 8'd2, 8'd64, 8'd0, 8'd0   // ENDPOINT 1 IN
    };

    localparam [16*8-1:0] DIGITS = "0123456789ABCDEF";
    localparam integer AT_CONFIGURATION = 32, AT_LANGUAGES = 64, AT_DIGITS = 80,
                       AT_MANUFACTURER = 96, AT_SERIAL = 128, AT_PRODUCT = 192;

    // Characters of a string, which may have zero bytes before it
    function integer characters;
        input [8*30-1:0] s;
        integer k;
        begin
            characters = 0;
            for (k = 0; k < 30; k = k + 1)
                if (s[8*k +: 8] != 8'd0)
                    characters = characters + 1;
        end
    endfunction

    localparam integer MANUFACTURER_N = characters({120'd0, MANUFACTURER});
    localparam integer PRODUCT_N = characters(PRODUCT);
    localparam integer MANUFACTURER_BYTES = 2 + 2 * MANUFACTURER_N;
    localparam integer PRODUCT_BYTES = 2 + 2 * PRODUCT_N;

    integer i;
    initial begin
        for (i = 0; i < 256; i = i + 1)
            rom[i] = 8'd0;
        for (i = 0; i < 18; i = i + 1)
            rom[i] = DEVICE[8*(17-i) +: 8];
        for (i = 0; i < 32; i = i + 1)
            rom[AT_CONFIGURATION+i] = CONFIGURATION[8*(31-i) +: 8];
        rom[AT_LANGUAGES] = 8'd4;
        rom[AT_LANGUAGES+1] = 8'd3;
        rom[AT_LANGUAGES+2] = 8'h09;               // English (US)
        rom[AT_LANGUAGES+3] = 8'h04;
        for (i = 0; i < 16; i = i + 1)
            rom[AT_DIGITS+i] = DIGITS[8*(15-i) +: 8];
        rom[AT_SERIAL] = 8'd18;
        rom[AT_SERIAL+1] = 8'd3;
        rom[AT_MANUFACTURER] = MANUFACTURER_BYTES[7:0];
        rom[AT_MANUFACTURER+1] = 8'd3;
        for (i = 0; i < 15; i = i + 1)
            if (i < MANUFACTURER_N)
                rom[AT_MANUFACTURER+2*(MANUFACTURER_N-i)] = MANUFACTURER[8*i +: 8];
        rom[AT_PRODUCT] = PRODUCT_BYTES[7:0];
        rom[AT_PRODUCT+1] = 8'd3;
        for (i = 0; i < 30; i = i + 1)
            if (i < PRODUCT_N)
                rom[AT_PRODUCT+2*(PRODUCT_N-i)] = PRODUCT[8*i +: 8];
    end

    always @(posedge clk)
        o_data <= rom[i_addr];
endmodule

`default_nettype wire
