// SPDX-License-Identifier: Apache-2.0
// The Verilated top behind flx_sim.h. Built once for every shape; see scripts/sim.mk.
#include <algorithm>
#include <deque>
#include <memory>
#include <new>

#include <verilated.h>
#if VM_TRACE
#include <verilated_fst_c.h>
#endif

#include "Vflx_top.h"
#include "flx_sim.h"

namespace
{

constexpr int RESET_CYCLES = 16;
constexpr int PIXELS = FLX_SIM_PIXELS; // cycles of clk_lanes in one of clk
constexpr int QUIET_CYCLES = 32;       // a gap as long ends a burst of received bytes

struct Sim {
    VerilatedContext context;
    std::unique_ptr<Vflx_top> top;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> trace;
#endif
    std::deque<uint8_t> received;
    uint64_t cycle = 0;
    uint64_t random = 1;
    unsigned stall = 0;

    ~Sim()
    {
#if VM_TRACE
        if (trace)
            trace->close();
#endif
        if (top)
            top->final();
    }

    // xorshift64*: whether this cycle is stalled
    bool stalled()
    {
        if (!stall)
            return false;
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        return (random * 0x2545F4914F6CDD1DULL >> 32) % 100 < stall;
    }

    // half: of the cycles of clk_lanes
    void dump(int half)
    {
#if VM_TRACE
        if (trace)
            trace->dump(2 * PIXELS * cycle + static_cast<uint64_t>(half));
#else
        (void)half;
#endif
    }

    // Inputs are set while clk is 0, so combinational outputs are read before the edge. Both
    // clocks rise together.
    void edge()
    {
        top->clk = 1;
        for (int i = 0; i < PIXELS; i++) {
            if (i > 0) {
                top->clk_lanes = 0;
                top->eval();
                dump(2 * i);
            }
            top->clk_lanes = 1;
            top->eval();
            dump(2 * i + 1);
        }
        cycle++;
        top->clk = 0;
        top->clk_lanes = 0;
    }

    // One cycle, with a byte offered or not. Returns whether it was taken.
    bool step(bool offer, uint8_t byte)
    {
        top->i_rx_valid = offer && !stalled();
        top->i_rx_data = byte;
        top->i_tx_ready = !stalled();
        top->eval();
        dump(0);
        bool taken = top->i_rx_valid && top->o_rx_ready;
        if (top->o_tx_valid && top->i_tx_ready)
            received.push_back(top->o_tx_data);
        edge();
        return taken;
    }

    void hold(CData &line)
    {
        line = 1;
        for (int i = 0; i < RESET_CYCLES; i++)
            step(false, 0);
        line = 0;
        for (int i = 0; i < RESET_CYCLES; i++)
            step(false, 0);
        received.clear();
    }
};

bool start(Sim *s, const flx_sim_options *o)
{
    s->stall = static_cast<unsigned>(o->stall);
    s->random = (static_cast<uint64_t>(o->seed) << 1 | 1) * 0x9E3779B97F4A7C15ULL;
    s->context.randReset(2);
    s->context.randSeed(static_cast<int>(o->seed & 0x7fffffff) + 1);
    s->context.traceEverOn(o->trace != nullptr);
    s->top = std::make_unique<Vflx_top>(&s->context, "flx_top");
#if VM_TRACE
    if (o->trace) {
        s->trace = std::make_unique<VerilatedFstC>();
        s->top->trace(s->trace.get(), 99);
        s->trace->open(o->trace);
        if (!s->trace->isOpen())
            return false;
    }
#else
    if (o->trace)
        return false;
#endif
    s->top->clk = 0;
    s->top->clk_lanes = 0;
    s->top->i_link_reset = 0;
    s->hold(s->top->rst);
    return true;
}

void *sim_open(const flx_sim_options *o)
{
    try {
        auto s = std::make_unique<Sim>();
        return start(s.get(), o) ? s.release() : nullptr;
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void sim_close(void *self)
{
    delete static_cast<Sim *>(self);
}

size_t sim_send(void *self, const uint8_t *data, size_t n, uint64_t max_cycles)
{
    auto *s = static_cast<Sim *>(self);
    size_t taken = 0;
    for (uint64_t i = 0; i < max_cycles && taken < n; i++)
        taken += s->step(true, data[taken]);
    return taken;
}

size_t sim_recv(void *self, uint8_t *data, size_t cap, uint64_t max_cycles)
{
    auto *s = static_cast<Sim *>(self);
    int quiet = 0;
    for (uint64_t i = 0; i < max_cycles && quiet < QUIET_CYCLES && s->received.size() < cap; i++) {
        size_t before = s->received.size();
        s->step(false, 0);
        quiet = s->received.size() > before ? 0 : quiet + !s->received.empty();
    }
    size_t n = std::min(cap, s->received.size());
    std::copy_n(s->received.begin(), n, data);
    s->received.erase(s->received.begin(), s->received.begin() + static_cast<ptrdiff_t>(n));
    return n;
}

void sim_reset(void *self)
{
    auto *s = static_cast<Sim *>(self);
    s->hold(s->top->i_link_reset);
}

uint64_t sim_cycles(const void *self)
{
    return static_cast<const Sim *>(self)->cycle;
}

size_t sim_run(void *self, const uint8_t *data, size_t n, uint64_t cycles)
{
    auto *s = static_cast<Sim *>(self);
    size_t taken = 0;
    for (uint64_t i = 0; i < cycles; i++)
        taken += s->step(taken < n, taken < n ? data[taken] : 0);
    return taken;
}

int sim_busy(const void *self)
{
    return static_cast<const Sim *>(self)->top->o_busy;
}

const flx_sim_api api = {
    FLX_SIM_ABI, FLX_SIM_CLK_KHZ, VM_TRACE,  FLX_SIM_DETAIL, sim_open, sim_close,
    sim_send,    sim_recv,        sim_reset, sim_cycles,     sim_run,  sim_busy,
};

} // namespace

extern "C" __attribute__((visibility("default"))) const flx_sim_api *flx_sim_get(void)
{
    return &api;
}
