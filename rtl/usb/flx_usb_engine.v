// SPDX-License-Identifier: Apache-2.0
// Protocol engine: tokens, data and handshakes of one transaction, for endpoint 0 and
// the two bulk endpoints numbered 1; halts and data toggles of these two.
//
// i_bus_reset  level: no transaction, see i_ep_reset
// i_start ... i_count   packet receiver
// i_turn, i_timeout     line timer
// o_tx_start ... i_tx_busy  packet transmitter; o_tx_ep: it takes the payload of
//              endpoint 1, else of endpoint 0, in both cases from the first byte on
// i_addr, i_configured      what tokens are for this device
// o_setup      level: the data packet of a SETUP is awaited; its bytes are the request
// o_setup_ok   pulse: it was good; i_ctl_* are right from the cycle after it
// i_ctl_in     endpoint 0 answers IN with data (0: STALL)
// i_ctl_out    endpoint 0 takes OUT (0: STALL)
// o_ctl_acked  pulse: endpoint 0's IN data or status was acknowledged
// o_ctl_status pulse: endpoint 0 took an OUT packet, the status of a read
// i_out_room   there is room for a whole packet of endpoint 1
// o_out_data   level: the bytes that come in belong to endpoint 1
// o_out_ok     pulse: the packet counts, its length is i_count[6:0]
// i_in_full    endpoint 1 has a packet
// o_in_acked   pulse: the host has it
// i_ep_reset   pulse: toggles to DATA0, no halts
// i_halt_set, i_halt_clear  pulse, for the IN endpoint if i_halt_in
// o_halted     {IN, OUT}
`default_nettype none

module flx_usb_engine (
    input  wire       clk,
    input  wire       rst,
    input  wire       i_bus_reset,
    input  wire       i_start,
    input  wire       i_byte_en,
    input  wire [7:0] i_byte,
    input  wire [6:0] i_count,
    input  wire       i_end,
    input  wire       i_ok,
    input  wire [3:0] i_pid,
    input  wire       i_turn,
    input  wire       i_timeout,
    output reg        o_tx_start,
    output reg  [3:0] o_tx_pid,
    output reg        o_tx_ep,
    input  wire       i_tx_busy,
    input  wire [6:0] i_addr,
    input  wire       i_configured,
    output wire       o_setup,
    output reg        o_setup_ok,
    input  wire       i_ctl_in,
    input  wire       i_ctl_out,
    output reg        o_ctl_acked,
    output reg        o_ctl_status,
    input  wire       i_out_room,
    output reg        o_out_data,
    output reg        o_out_ok,
    input  wire       i_in_full,
    output reg        o_in_acked,
    input  wire       i_ep_reset,
    input  wire       i_halt_set,
    input  wire       i_halt_clear,
    input  wire       i_halt_in,
    output wire [1:0] o_halted
);
    localparam [3:0] DATA0 = 4'b0011, DATA1 = 4'b1011, ACK = 4'b0010, NAK = 4'b1010,
                     STALL = 4'b1110;
    // Kind of a token: upper half of its PID
    localparam [1:0] OUT = 2'b00, IN = 2'b10, SETUP = 2'b11;
    // S_DATA waits for the packet after OUT or SETUP, S_ANSWER for the time to answer,
    // S_SEND for the transmitter, S_ACK for the host's handshake.
    localparam [2:0] S_IDLE = 3'd0, S_DATA = 3'd1, S_CHOOSE = 3'd2, S_ANSWER = 3'd3,
                     S_SEND = 3'd4, S_ACK = 3'd5;

    reg  [2:0] state;
    reg  [1:0] kind;
    reg        ep;                   // of the transaction
    reg        addr_ok, ep_even;     // of the token that comes in
    reg        ep_0, ep_1;
    reg        room;                 // when the packet began
    reg        toggle_in, toggle_out;
    reg        halt_in, halt_out;

    wire token = i_pid[1:0] == 2'b01 && i_pid[3:2] != 2'b01;
    wire mine  = addr_ok && (ep_0 || (ep_1 && i_configured && i_pid[3:2] != SETUP));
    wire fresh = i_pid[3] == toggle_out;
    wire is_in = kind == IN;

    assign o_halted   = {halt_in, halt_out};
    assign o_setup    = state == S_DATA && kind == SETUP;

    // What to answer, looked at in S_CHOOSE
    reg [3:0] answer;
    reg       silent;
    always @* begin
        silent = 1'b0;
        if (kind == SETUP) begin
            answer = ACK;
            silent = i_pid[3] || i_count != 7'd8;
        end else if (!ep) begin
            if (is_in)
                answer = i_ctl_in ? DATA1 : STALL;
            else
                answer = i_ctl_out ? ACK : STALL;
        end else if (is_in) begin
            answer = halt_in ? STALL : !i_in_full ? NAK : toggle_in ? DATA1 : DATA0;
        end else begin
            // A packet that the host repeats is acknowledged again, and dropped.
            answer = halt_out ? STALL : !fresh || room ? ACK : NAK;
        end
    end
    wire keep = kind == OUT && ep && !halt_out && fresh && room;

    always @(posedge clk) begin
        if (i_byte_en && i_count[6]) begin
            if (!i_count[0]) begin
                addr_ok <= i_byte[6:0] == i_addr;
                ep_even <= !i_byte[7];
            end else begin
                ep_0 <= ep_even && i_byte[2:0] == 3'd0;
                ep_1 <= !ep_even && i_byte[2:0] == 3'd0;
            end
        end
    end

    always @(posedge clk) begin
        o_tx_start   <= 1'b0;
        o_setup_ok   <= 1'b0;
        o_ctl_acked  <= 1'b0;
        o_ctl_status <= 1'b0;
        o_out_ok     <= 1'b0;
        o_in_acked   <= 1'b0;
        o_out_data   <= state == S_DATA && kind == OUT && ep && room;

        case (state)
            S_CHOOSE: begin
                state        <= silent ? S_IDLE : S_ANSWER;
                o_tx_pid     <= answer;
                o_tx_ep      <= ep;
                o_setup_ok   <= kind == SETUP && !silent;
                o_ctl_status <= kind == OUT && !ep && i_ctl_out;
                o_out_ok     <= keep;
            end
            S_ANSWER: begin
                if (i_start)
                    state <= S_IDLE;
                else if (i_turn) begin
                    o_tx_start <= 1'b1;
                    state      <= S_SEND;
                end
            end
            S_SEND:
                if (!i_tx_busy && !o_tx_start)
                    state <= o_tx_pid[1:0] == 2'b11 ? S_ACK : S_IDLE;
            default: begin
                if (i_end) begin
                    state <= S_IDLE;
                    if (i_ok && token && mine) begin
                        state <= i_pid[3:2] == IN ? S_CHOOSE : S_DATA;
                        kind  <= i_pid[3:2];
                        ep    <= ep_1;
                        room  <= i_out_room;
                    end
                    if (i_ok && i_pid[2:0] == 3'b011 && state == S_DATA)
                        state <= S_CHOOSE;
                    if (i_ok && i_pid == ACK && state == S_ACK) begin
                        o_in_acked  <= ep;
                        o_ctl_acked <= !ep;
                    end
                end else if (i_timeout) begin
                    state <= S_IDLE;
                end
            end
        endcase
        if (rst || i_bus_reset)
            state <= S_IDLE;
    end

    always @(posedge clk) begin
        if (o_in_acked)
            toggle_in <= !toggle_in;
        if (o_out_ok)
            toggle_out <= !toggle_out;
        if (i_halt_set || i_halt_clear) begin
            if (i_halt_in) begin
                halt_in <= i_halt_set;
                if (i_halt_clear)
                    toggle_in <= 1'b0;
            end else begin
                halt_out <= i_halt_set;
                if (i_halt_clear)
                    toggle_out <= 1'b0;
            end
        end
        if (rst || i_ep_reset) begin
            toggle_in  <= 1'b0;
            toggle_out <= 1'b0;
            halt_in    <= 1'b0;
            halt_out   <= 1'b0;
        end
    end
endmodule

`default_nettype wire
