/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

Rig::Rig(unsigned seed) : random(seed), dut(new Vflx_usb_device)
{
    Verilated::randReset(2);
    Verilated::randSeed(static_cast<int>(seed) + 1);
    next48 = pick(20000);
    next_clk = pick(20000);
    dut->i_serial = 0x00C0FFEE;
    dut->rst48 = 1;
    dut->rst = 1;
    run(US);
    dut->rst48 = 0;
    dut->rst = 0;
    run(2 * US);
    sent.clear(); /* anything may have happened before the reset */
    received.clear();
}

double Rig::uniform(double low, double high)
{
    return std::uniform_real_distribution<double>(low, high)(random);
}

void Rig::send(const Bytes &bytes, bool last)
{
    for (size_t i = 0; i < bytes.size(); i++)
        to_send.push_back({bytes[i], last && i + 1 == bytes.size()});
}

void Rig::drive(const std::deque<Edge> &dp, const std::deque<Edge> &dn, Time until)
{
    edges[0].insert(edges[0].end(), dp.begin(), dp.end());
    edges[1].insert(edges[1].end(), dn.begin(), dn.end());
    host_until = until;
}

void Rig::hold(Line line, Time how_long)
{
    drive({{now, line == J || line == SE1}, {now + how_long, true}},
          {{now, line == K || line == SE1}, {now + how_long, false}}, now + how_long);
    run(how_long);
}

/* The level of D+ (0) or D- (1) now. Nobody drives: the pull-up of the device makes J. */
bool Rig::wire(int which)
{
    auto &list = edges[which];
    while (!list.empty() && list.front().at <= now) {
        host_level[which] = list.front().level;
        list.pop_front();
    }
    if (dut->o_oe)
        return which == 0 ? dut->o_dp : dut->o_dn;
    if (now < host_until)
        return host_level[which];
    return which == 0 && dut->o_pullup;
}

void Rig::watch()
{
    bool drives = dut->o_oe;
    Line line = dut->o_dp ? (dut->o_dn ? SE1 : J) : (dut->o_dn ? K : SE0);
    if (drives && now < host_until)
        FAIL("the device drives the line while the host does");
    if (drives && (!was_driving || line != was_line))
        events.push_back({now, line});
    if (!drives && was_driving) {
        Sent s;
        s.start = events.front().first;
        s.eop = events.back().first;
        events.push_back({now, J});
        for (size_t i = 0; i + 1 < events.size(); i++) {
            Time length = events[i + 1].first - events[i].first;
            s.spans.push_back({events[i].second, static_cast<double>(length) / BIT});
        }
        sent.push_back(s);
        events.clear();
    }
    was_driving = drives;
    was_line = line;
}

bool Rig::take_sent(Sent &s)
{
    if (sent.empty())
        return false;
    s = sent.front();
    sent.pop_front();
    return true;
}

void Rig::tick48()
{
    dut->i_dp = wire(0);
    dut->i_dn = wire(1);
    dut->clk48 = 1;
    dut->eval();
    watch();
    dut->clk48 = 0;
    dut->eval();
}

void Rig::tick_clk()
{
    bool took = dut->o_rx_valid && dut->i_rx_ready;
    bool gave = dut->i_tx_valid && dut->o_tx_ready;
    uint8_t byte = dut->o_rx_data;
    bool reset = dut->o_link_reset;
    dut->clk = 1;
    dut->eval();
    if (took) {
        received.push_back(byte);
        if (loopback)
            to_send.push_back({byte, false});
    }
    if (gave && !to_send.empty())
        to_send.pop_front();
    if (reset) {
        if (!was_reset)
            link_resets++;
        to_send.clear();
    }
    was_reset = reset;
    dut->i_rx_ready = pick(100) < sink_percent;
    if (!dut->i_tx_valid || gave || reset)
        dut->i_tx_valid = !to_send.empty() && pick(100) < source_percent;
    if (!to_send.empty()) {
        dut->i_tx_data = to_send.front().byte;
        dut->i_tx_last = to_send.front().last;
    }
    dut->clk = 0;
    dut->eval();
}

void Rig::run_to(Time when)
{
    while (next48 <= when || next_clk <= when) {
        if (next48 <= next_clk) {
            now = next48;
            tick48();
            /* Thirds of a picosecond do not add up: the error is below 0.002 %. */
            next48 += static_cast<Time>(20833.333 / device_clock + uniform(0, 1));
        } else {
            now = next_clk;
            tick_clk();
            next_clk += stream_period;
        }
    }
    now = when;
}

void Rig::run(Time how_long)
{
    run_to(now + how_long);
}
