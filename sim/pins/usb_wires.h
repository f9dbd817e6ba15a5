// SPDX-License-Identifier: Apache-2.0
// D+ and D- between the board and a full-speed host with a clock of its own: packets as levels
// in time, both ways.
#ifndef USB_WIRES_H
#define USB_WIRES_H
#include <algorithm>
#include <memory>

#include <verilated.h>

#include "Vflx_pins_usb.h"
#include "clocks.h"
#include "packet.h"

constexpr double IO_PERIOD = 1e9 / FLX_PINS_IO_KHZ, CLK_PERIOD = 1e9 / FLX_SIM_CLK_KHZ;
constexpr double BIT = 1e6 / 12 * 1.001; // of the host, whose clock is that much slower
constexpr double GAP = 4 * BIT;          // between packets
constexpr double ANSWER = 18 * BIT;      // how long one is waited for
constexpr double LONGEST = 1400 * BIT;

// Bits of what the device has driven, from the first time it did.
class Watcher
{
  public:
    std::vector<Span> spans;
    bool ended = false;

    void see(double now, bool drives, Line line)
    {
        if (drives && !driving)
            spans.clear();
        if (driving && (!drives || line != last)) {
            spans.push_back({last, (now - since) / BIT});
            since = now;
        }
        if (drives && !driving)
            since = now;
        ended |= driving && !drives;
        driving = drives;
        last = line;
    }
    bool drives() const
    {
        return driving;
    }

  private:
    bool driving = false;
    double since = 0;
    Line last = J;
};

// Clocks, wires, and packets on them.
struct Wires {
    VerilatedContext context;
    std::unique_ptr<Vflx_pins_usb> top;
    Clocks clocks{IO_PERIOD, CLK_PERIOD};
    Watcher device;
    Line host = J;
    bool drives = false;
    uint64_t cycle = 0;

    ~Wires()
    {
        if (top)
            top->final();
    }

    void io_edge()
    {
        top->i_drive = drives;
        top->i_dp = host == J || host == SE1;
        top->i_dn = host == K || host == SE1;
        top->clk48 = 1;
        top->eval();
        top->clk48 = 0;
        top->eval();
        Line line = top->o_dp ? (top->o_dn ? SE1 : J) : (top->o_dn ? K : SE0);
        if (drives && top->o_oe)
            FAIL("device and host drive the wires together");
        device.see(clocks.now, top->o_oe, line);
    }

    void clk_edge()
    {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
        cycle++;
    }

    void run_to(double end)
    {
        while (std::min(clocks.next_io, clocks.next_clk) < end)
            clocks.step([this] { io_edge(); }, [this] { clk_edge(); });
        clocks.now = std::max(clocks.now, end);
    }

    void run(double time)
    {
        run_to(clocks.now + time);
    }

    void drive(Line line, double time)
    {
        drives = true;
        host = line;
        run(time);
        drives = false;
    }

    void send(const Bytes &packet)
    {
        run(GAP);
        double at = clocks.now;
        drives = true;
        for (const Span &span : encode(packet, Fault(), Shape())) {
            host = span.line;
            at += span.bits * BIT;
            run_to(at);
        }
        drives = false;
        device.ended = false;
    }

    // Empty: no answer.
    Bytes receive()
    {
        double limit = clocks.now + ANSWER;
        while (!device.drives() && !device.ended && clocks.now < limit)
            run(BIT / 4);
        if (!device.drives() && !device.ended)
            return {};
        for (limit += LONGEST; !device.ended && clocks.now < limit;)
            run(BIT / 4);
        device.ended = false;
        return decode(device.spans);
    }
};

#endif
