/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <algorithm>

constexpr int TRIES = 60; /* a real host gives up after three; the tests do worse to it */
constexpr int NAKS = 4000;

Fault Host::random_fault(const Bytes &packet)
{
    if (rig.pick(100) >= fault_percent)
        return Fault();
    static const Fault::Kind kinds[] = {Fault::FLIP, Fault::CUT, Fault::SILENT, Fault::STUCK,
                                        Fault::LOST};
    Fault fault;
    fault.kind = kinds[rig.pick(5)];
    fault.at = static_cast<int>(rig.pick(static_cast<unsigned>(packet_bits(packet))));
    if (fault.kind == Fault::STUCK)
        fault.at = std::min(fault.at, packet_bits(packet) - 9);
    return fault;
}

Fault Host::chosen(const Fault &fault, const Bytes &packet)
{
    return fault.kind == Fault::NONE ? random_fault(packet) : fault;
}

void Host::send(const Bytes &packet, const Fault &fault)
{
    double bit = static_cast<double>(BIT) / clock;
    std::vector<Span> spans = encode(packet, chosen(fault, packet), shape);
    Time start = last_eop + static_cast<Time>(rig.uniform(pause_low, pause_high) * bit);
    start = std::max(start, rig.now + 1);
    double at = static_cast<double>(start);
    std::deque<Rig::Edge> dp, dn;
    Line line = J;
    Time shift = 0;
    for (const Span &span : spans) {
        if (span.line != line) {
            shift = static_cast<Time>(rig.uniform(-1, 1) * static_cast<double>(jitter));
            Time apart = static_cast<Time>(rig.uniform(-1, 1) * static_cast<double>(skew));
            dp.push_back({static_cast<Time>(at) + shift, span.line == J});
            dn.push_back({static_cast<Time>(at) + shift + apart, span.line == K});
        }
        line = span.line;
        last_eop = static_cast<Time>(at);
        at += span.bits * bit;
    }
    if (spans.empty()) {
        last_eop = start + static_cast<Time>(35 * bit);
        rig.run_to(last_eop);
        return;
    }
    rig.run_to(start - static_cast<Time>(bit) / 4);
    rig.drive(dp, dn, static_cast<Time>(at));
    rig.run_to(static_cast<Time>(at));
}

bool Host::receive(Bytes &packet)
{
    Rig::Sent sent;
    Time limit = last_eop + 18 * BIT;
    while (!rig.device_drives() && rig.now < limit)
        rig.run(BIT / 4);
    if (!rig.device_drives()) {
        last_eop = rig.now;
        return false;
    }
    while (!rig.take_sent(sent)) {
        rig.run(BIT / 4);
        if (rig.now > limit + 1400 * BIT)
            FAIL("the device does not stop to send");
    }
    /* 7.1.18.1: 2 to 6.5 bits, at the device's end of the cable. */
    if (sent.start - last_eop < 2 * BIT)
        FAIL("the device answers too early: " + std::to_string(sent.start - last_eop) + " ps");
    if (sent.start - last_eop > 13 * BIT / 2)
        FAIL("the device answers too late: " + std::to_string(sent.start - last_eop) + " ps");
    packet = decode(sent.spans);
    last_eop = sent.eop;
    if (rig.pick(100) >= lost_percent)
        return true;
    idle(18);
    return false;
}

void Host::expect_silence()
{
    Rig::Sent sent;
    rig.run(30 * BIT);
    if (rig.device_drives() || rig.take_sent(sent))
        FAIL("the device answers what it must ignore");
    last_eop = rig.now;
}

void Host::idle(double bits)
{
    rig.run(static_cast<Time>(bits * BIT));
    last_eop = rig.now;
}

static Answer handshake_answer(const Bytes &packet)
{
    switch (packet[0] & 15) {
    case PID_ACK:
        return {ACKED, PID_ACK, {}};
    case PID_NAK:
        return {NAKED, PID_NAK, {}};
    case PID_STALL:
        return {STALLED, PID_STALL, {}};
    default:
        FAIL("the device sent a packet that is no handshake");
    }
}

Answer Host::out(unsigned ep, Pid pid, const Bytes &data, const Faults &faults, Pid kind)
{
    Bytes packet;
    send(token(kind, addr, ep), faults.token);
    send(data_packet(pid, data), faults.data);
    if (!receive(packet))
        return {NOTHING, PID_ACK, {}};
    CHECK(packet.size() == 1);
    return handshake_answer(packet);
}

Answer Host::in(unsigned ep, const Faults &faults)
{
    Bytes packet;
    send(token(PID_IN, addr, ep), faults.token);
    if (!receive(packet))
        return {NOTHING, PID_ACK, {}};
    if (packet.size() == 1)
        return handshake_answer(packet);
    Pid pid = static_cast<Pid>(packet[0] & 15);
    CHECK(pid == PID_DATA0 || pid == PID_DATA1);
    CHECK(packet.size() >= 3 && packet.size() <= 67);
    Bytes data(packet.begin() + 1, packet.end() - 2);
    CHECK(packet == data_packet(pid, data));
    if (faults.no_ack) {
        idle(18);
        return {NOTHING, pid, data};
    }
    send(handshake(PID_ACK), faults.ack);
    return {ACKED, pid, data};
}

Answer Host::retry(const std::function<Answer()> &transaction)
{
    for (int i = 0, naks = 0; i < TRIES && naks < NAKS;) {
        Answer answer = transaction();
        if (answer.result == ACKED || answer.result == STALLED)
            return answer;
        if (answer.result == NAKED)
            naks++;
        else
            i++;
    }
    FAIL("the device does not do what it was asked for");
}

Result Host::bulk_out(const Bytes &data)
{
    for (int i = 0; i < TRIES; i++) {
        Answer answer = out(1, toggle_out ? PID_DATA1 : PID_DATA0, data);
        if (answer.result == ACKED)
            toggle_out = !toggle_out;
        if (answer.result != NOTHING)
            return answer.result;
    }
    FAIL("the device never answers OUT");
}

Answer Host::bulk_in()
{
    for (int i = 0; i < TRIES; i++) {
        Answer answer = in(1);
        if (answer.result == NAKED || answer.result == STALLED)
            return answer;
        if (answer.result == NOTHING || (answer.pid == PID_DATA1) != toggle_in)
            continue; /* the host has it already */
        toggle_in = !toggle_in;
        return answer;
    }
    FAIL("the device never answers IN");
}

Bytes Host::read_transfer()
{
    Bytes all;
    for (int naks = 0; naks < NAKS;) {
        Answer answer = bulk_in();
        CHECK(answer.result != STALLED);
        if (answer.result == NAKED) {
            naks++;
            continue;
        }
        all.insert(all.end(), answer.data.begin(), answer.data.end());
        if (answer.data.size() < 64)
            return all;
    }
    FAIL("the transfer does not end");
}

void Host::write(const Bytes &data)
{
    for (size_t at = 0; at < data.size();) {
        size_t n = std::min<size_t>(64, data.size() - at);
        Bytes part(data.begin() + static_cast<long>(at), data.begin() + static_cast<long>(at + n));
        Result result = NAKED;
        for (int naks = 0; naks < NAKS && result == NAKED; naks++)
            result = bulk_out(part);
        CHECK(result == ACKED);
        at += n;
    }
}

Answer Host::setup(const Setup &s)
{
    auto low = [](uint16_t v) { return static_cast<uint8_t>(v); };
    auto high = [](uint16_t v) { return static_cast<uint8_t>(v >> 8); };
    return out(0, PID_DATA0,
               {s.type, s.request, low(s.value), high(s.value), low(s.index), high(s.index),
                low(s.length), high(s.length)},
               Faults(), PID_SETUP);
}

Answer Host::control_read(const Setup &s)
{
    Answer all = {ACKED, PID_DATA1, {}};
    bool toggle = true;
    while (all.data.size() < s.length) {
        Answer answer = retry([&] { return in(0); });
        if (answer.result == STALLED)
            return answer;
        if ((answer.pid == PID_DATA1) != toggle)
            continue;
        toggle = !toggle;
        all.data.insert(all.data.end(), answer.data.begin(), answer.data.end());
        if (answer.data.size() < 64)
            break;
    }
    CHECK(all.data.size() <= s.length);
    if (retry([&] { return out(0, PID_DATA1, {}); }).result == STALLED)
        all.result = STALLED;
    return all;
}

Answer Host::control(const Setup &s)
{
    CHECK(retry([&] { return setup(s); }).result == ACKED);
    if (s.length != 0 && (s.type & 0x80) != 0)
        return control_read(s);
    CHECK(s.length == 0);
    Answer answer = retry([&] { return in(0); });
    if (answer.result == ACKED)
        CHECK(answer.pid == PID_DATA1 && answer.data.empty());
    return answer;
}

void Host::bus_reset(Time how_long)
{
    rig.hold(SE0, how_long);
    addr = 0;
    toggle_in = toggle_out = false;
    idle(40);
}

void Host::enumerate(unsigned new_addr)
{
    bus_reset();
    CHECK(control({0x00, 5, static_cast<uint16_t>(new_addr), 0, 0}).result == ACKED);
    addr = new_addr;
    CHECK(control({0x00, 9, 1, 0, 0}).result == ACKED);
    toggle_in = toggle_out = false;
}
