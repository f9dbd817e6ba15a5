/* SPDX-License-Identifier: Apache-2.0 */
/* The device with its two clocks, the two wires of the bus, and the byte streams behind it. */
#ifndef RIG_H
#define RIG_H

#include <deque>
#include <memory>
#include <random>

#include "Vflx_usb_device.h"
#include "packet.h"

using Time = int64_t; /* picoseconds */

constexpr Time BIT = 83333;
constexpr Time US = 1000000;
constexpr Time MS = 1000 * US;

class Rig
{
  public:
    explicit Rig(unsigned seed);

    Time now = 0;
    std::mt19937 random;

    /* Set before use: differences from 48 MHz, and the clock of the streams. */
    double device_clock = 1.0;
    Time stream_period = 31250;

    /* Streams: percentage of the cycles in which a byte can move, and the bytes. */
    unsigned sink_percent = 100;
    unsigned source_percent = 100;
    bool loopback = false;
    Bytes received;
    struct Out {
        uint8_t byte;
        bool last;
    };
    std::deque<Out> to_send;
    int link_resets = 0;

    /* Host's side of the wires. edges: absolute times, in order. */
    struct Edge {
        Time at;
        bool level;
    };
    void drive(const std::deque<Edge> &dp, const std::deque<Edge> &dn, Time until);
    void hold(Line line, Time how_long);
    void run(Time how_long);
    void run_to(Time when);

    /* What the device has driven since the last call, when its drivers are off again. */
    struct Sent {
        std::vector<Span> spans; /* in bits of 83.33 ns */
        Time start, eop;         /* first edge, SE0 to J */
    };
    bool device_drives() const
    {
        return dut->o_oe;
    }
    bool take_sent(Sent &sent);

    unsigned pick(unsigned below)
    {
        return static_cast<unsigned>(random() % below);
    }
    double uniform(double low, double high);
    void send(const Bytes &bytes, bool last = false);

    std::unique_ptr<Vflx_usb_device> dut;

  private:
    std::deque<Edge> edges[2];
    bool host_level[2] = {true, false};
    Time host_until = 0;
    Time next48 = 0, next_clk = 0;
    bool was_driving = false, was_reset = false;
    Line was_line = J;
    std::vector<std::pair<Time, Line>> events;
    std::deque<Sent> sent;

    bool wire(int which);
    void tick48();
    void tick_clk();
    void watch();
};

#endif
