// SPDX-License-Identifier: Apache-2.0
// The board top with a UART (rtl/boards/flx_board_uart.v) and the line side of a bridge:
// start, data and stop bits as levels in time, sampled by the RTL's own receiver.
#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <new>

#include <verilated.h>

#include "Vflx_board_uart.h"
#include "clocks.h"
#include "flx_pins.h"

namespace
{

constexpr double IO_PERIOD = 1e9 / FLX_PINS_IO_KHZ, CLK_PERIOD = 1e9 / FLX_SIM_CLK_KHZ;
constexpr double CLOCK_ERROR = 1.002; // the bridge's bits are that much longer
constexpr int FRAME_BITS = 10, BREAK_BITS = 20;
constexpr int POWER_UP_CYCLES = 256, QUIET_CYCLES = 1024; // a gap in what is received
constexpr int LATE_CHARACTERS = 3;    // that FTDI's chips still send when CTS# has gone
constexpr size_t BRIDGE_BYTES = 4096; // of its receive buffer
constexpr size_t BRIDGE_MARGIN = 32;  // free when it takes RTS# back

// From the bridge to the board.
struct Sender {
    double begin = 0;      // of the frame
    unsigned bits = 0x3ff; // of the frame, first one lowest
    bool busy = false;     // its end has not come
    int late = 0;          // characters since the board took RTS back

    bool level(double now, double bit)
    {
        int i = static_cast<int>((now - begin) / bit);
        if (busy && i >= FRAME_BITS)
            busy = false;
        return busy ? bits >> i & 1 : true;
    }
};

// From the board to the bridge.
struct Receiver {
    bool before = true, busy = false;
    double next = 0; // sample
    int count = 0;
    unsigned bits = 0;
};

struct Sim {
    VerilatedContext context;
    std::unique_ptr<Vflx_board_uart> top;
    Clocks clocks{IO_PERIOD, CLK_PERIOD};
    double bit = 1e12 / FLX_PINS_BAUD * CLOCK_ERROR;
    Sender sender;
    Receiver receiver;
    std::deque<uint8_t> received;
    const uint8_t *data = nullptr; // offered, and how many of them went out
    size_t offered = 0, taken = 0;
    bool rts_cts = false, line_break = false;
    uint64_t cycle = 0, framing_errors = 0;

    ~Sim()
    {
        if (top)
            top->final();
    }

    // The next frame begins where the last one ended, if there was one.
    void next_byte()
    {
        if (sender.busy || taken == offered)
            return;
        if (rts_cts && top->o_rts_n && sender.late++ >= LATE_CHARACTERS)
            return;
        if (!top->o_rts_n)
            sender.late = 0;
        sender.begin = std::max(clocks.now, sender.begin + FRAME_BITS * bit);
        sender.bits = 1u << 9 | static_cast<unsigned>(data[taken++]) << 1;
        sender.busy = true;
    }

    // The board's output has been `before` since the last edge of its clock.
    void receive()
    {
        Receiver &r = receiver;
        if (!r.busy && r.before && !top->o_tx) {
            r.busy = true;
            r.next = clocks.now + bit / 2;
            r.count = 0;
            r.bits = 0;
        }
        while (r.busy && r.next < clocks.now) {
            r.bits |= static_cast<unsigned>(r.before) << r.count;
            r.next += bit;
            r.busy = ++r.count < FRAME_BITS && !(r.bits & 1);
        }
        if (r.count == FRAME_BITS) {
            if (r.bits >> 9)
                received.push_back(static_cast<uint8_t>(r.bits >> 1));
            else if (!framing_errors++)
                fprintf(stderr, "flexor-vboard: framing error at the bridge\n");
            r.count = 0;
        }
        r.before = top->o_tx;
    }

    void io_edge()
    {
        receive();
        bool line = sender.level(clocks.now, bit);
        next_byte();
        top->i_rx = line && !line_break;
        top->i_cts_n = rts_cts && received.size() > BRIDGE_BYTES - BRIDGE_MARGIN;
        top->clk_io = 1;
        top->eval();
        top->clk_io = 0;
        top->eval();
    }

    void clk_edge()
    {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
        cycle++;
    }

    void run(uint64_t cycles)
    {
        for (uint64_t end = cycle + cycles; cycle < end;)
            clocks.step([this] { io_edge(); }, [this] { clk_edge(); });
    }

    void wait(double time)
    {
        for (double end = clocks.now + time; clocks.now < end;)
            run(1);
    }

    size_t offer(const uint8_t *bytes, size_t n, uint64_t cycles)
    {
        data = bytes;
        offered = n;
        taken = 0;
        run(cycles);
        offered = 0;
        size_t done = taken;
        taken = 0;
        return done;
    }

    // What the bridge was sending is over, and the line is 0 for as long as a break lasts.
    void send_break()
    {
        wait(FRAME_BITS * bit);
        line_break = true;
        wait(BREAK_BITS * bit);
        line_break = false;
        wait(2 * FRAME_BITS * bit);
        received.clear();
    }
};

Sim &sim(void *self)
{
    return *static_cast<Sim *>(self);
}

void *pins_open(const flx_sim_options *o)
{
    try {
        auto s = std::make_unique<Sim>();
        s->context.randReset(2);
        s->context.randSeed(static_cast<int>(o->seed & 0x7fffffff) + 1);
        s->top = std::make_unique<Vflx_board_uart>(&s->context, "flx_board_uart");
        s->clocks.next_clk = o->seed % 100 * CLK_PERIOD / 100;
        s->top->i_locked = 0;
        s->run(POWER_UP_CYCLES);
        s->top->i_locked = 1;
        s->run(POWER_UP_CYCLES);
        s->received.clear();
        return s.release();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void pins_close(void *self)
{
    delete static_cast<Sim *>(self);
}

size_t pins_send(void *self, const uint8_t *data, size_t n, uint64_t max_cycles)
{
    Sim &s = sim(self);
    size_t done = 0;
    for (uint64_t end = s.cycle + max_cycles; done < n && s.cycle < end;)
        done += s.offer(data + done, n - done, 1);
    return done;
}

size_t pins_recv(void *self, uint8_t *data, size_t cap, uint64_t max_cycles)
{
    Sim &s = sim(self);
    int quiet = 0;
    for (uint64_t i = 0; i < max_cycles && quiet < QUIET_CYCLES && s.received.size() < cap; i++) {
        size_t before = s.received.size();
        s.run(1);
        quiet = s.received.size() > before ? 0 : quiet + !s.received.empty();
    }
    size_t n = std::min(cap, s.received.size());
    std::copy_n(s.received.begin(), n, data);
    s.received.erase(s.received.begin(), s.received.begin() + static_cast<ptrdiff_t>(n));
    return n;
}

void pins_reset(void *self)
{
    sim(self).send_break();
}

uint64_t pins_cycles(const void *self)
{
    return static_cast<const Sim *>(self)->cycle;
}

size_t pins_run(void *self, const uint8_t *data, size_t n, uint64_t cycles)
{
    return sim(self).offer(data, n, cycles);
}

// A frame that is under way counts.
int pins_busy(const void *self)
{
    const Sim &s = *static_cast<const Sim *>(self);
    return s.top->o_busy || s.sender.busy || s.receiver.busy;
}

void pins_line(void *self, int baud, int rts_cts)
{
    sim(self).bit = 1e12 / baud * CLOCK_ERROR;
    sim(self).rts_cts = rts_cts;
}

const flx_sim_api api = {
    FLX_SIM_ABI, FLX_SIM_CLK_KHZ, 0,          FLX_SIM_DETAIL, pins_open, pins_close,
    pins_send,   pins_recv,       pins_reset, pins_cycles,    pins_run,  pins_busy,
};
const flx_uart_pins_api pins = {FLX_PINS_ABI, pins_line};

} // namespace

extern "C" __attribute__((visibility("default"))) const flx_sim_api *flx_sim_get(void)
{
    return &api;
}

extern "C" __attribute__((visibility("default"))) const flx_uart_pins_api *flx_uart_pins_get(void)
{
    return &pins;
}
