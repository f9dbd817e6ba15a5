/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <cmath>

/* 8.3.5: division of the bits in the order of the line, remainder inverted. */
static unsigned divide(const std::vector<bool> &bits, unsigned generator, unsigned width)
{
    unsigned rest = (1u << width) - 1;
    for (bool bit : bits) {
        bool top = rest >> (width - 1);
        rest = rest << 1 & ((1u << width) - 1);
        if (top != bit)
            rest ^= generator;
    }
    return ~rest & ((1u << width) - 1);
}

/* The CRC goes out with its highest power first, a field with its lowest bit first. */
static unsigned mirrored(unsigned crc, unsigned width)
{
    unsigned field = 0;
    for (unsigned i = 0; i < width; i++)
        field |= (crc >> i & 1) << (width - 1 - i);
    return field;
}

static std::vector<bool> bits_of(const Bytes &data)
{
    std::vector<bool> bits;
    for (uint8_t byte : data)
        for (int i = 0; i < 8; i++)
            bits.push_back(byte >> i & 1);
    return bits;
}

unsigned crc5(unsigned bits11)
{
    std::vector<bool> bits;
    for (int i = 0; i < 11; i++)
        bits.push_back(bits11 >> i & 1);
    return mirrored(divide(bits, 0x05, 5), 5);
}

unsigned crc16(const Bytes &data)
{
    return mirrored(divide(bits_of(data), 0x8005, 16), 16);
}

static uint8_t pid_byte(Pid pid)
{
    return static_cast<uint8_t>(pid | (~pid & 15) << 4);
}

static Bytes with_crc5(Pid pid, unsigned bits11)
{
    unsigned field = bits11 | crc5(bits11) << 11;
    return {pid_byte(pid), static_cast<uint8_t>(field), static_cast<uint8_t>(field >> 8)};
}

Bytes token(Pid pid, unsigned addr, unsigned ep)
{
    return with_crc5(pid, addr | ep << 7);
}

Bytes start_of_frame(unsigned frame)
{
    return with_crc5(PID_SOF, frame & 0x7FF);
}

Bytes data_packet(Pid pid, const Bytes &data)
{
    Bytes packet = {pid_byte(pid)};
    packet.insert(packet.end(), data.begin(), data.end());
    unsigned crc = crc16(data);
    packet.push_back(static_cast<uint8_t>(crc));
    packet.push_back(static_cast<uint8_t>(crc >> 8));
    return packet;
}

Bytes handshake(Pid pid)
{
    return {pid_byte(pid)};
}

static std::vector<bool> stuffed(const std::vector<bool> &bits, bool stuffing)
{
    std::vector<bool> out;
    int ones = 0;
    for (bool bit : bits) {
        out.push_back(bit);
        ones = bit ? ones + 1 : 0;
        if (ones == 6) {
            out.push_back(stuffing);
            ones = 0;
        }
    }
    return out;
}

static std::vector<bool> line_bits(const Bytes &packet, const Fault &fault)
{
    Bytes all = {0x80};
    all.insert(all.end(), packet.begin(), packet.end());
    std::vector<bool> bits = bits_of(all);
    if (fault.kind == Fault::FLIP && fault.at < static_cast<int>(bits.size()))
        bits[static_cast<size_t>(fault.at)].flip();
    return stuffed(bits, fault.kind == Fault::ONES);
}

int packet_bits(const Bytes &packet)
{
    return static_cast<int>(line_bits(packet, Fault()).size());
}

std::vector<Span> encode(const Bytes &packet, const Fault &fault, const Shape &shape)
{
    std::vector<bool> bits = line_bits(packet, fault);
    std::vector<Span> spans;
    Line line = J;
    if (fault.kind == Fault::LOST)
        return spans;
    for (int i = 0; i < static_cast<int>(bits.size()); i++) {
        if ((fault.kind == Fault::CUT || fault.kind == Fault::SILENT) && i >= fault.at)
            break;
        if (!bits[static_cast<size_t>(i)])
            line = line == J ? K : J;
        bool stuck = fault.kind == Fault::STUCK && i > fault.at && i <= fault.at + 8;
        if (stuck)
            spans.push_back({spans.back().line, 1});
        else if (i >= shape.sync_lost)
            spans.push_back({line, 1});
    }
    if (!spans.empty())
        spans.back().bits += shape.dribble;
    if (fault.kind != Fault::SILENT)
        spans.push_back({SE0, shape.se0});
    spans.push_back({J, 1});
    return spans;
}

static std::vector<Line> whole_bits(const std::vector<Span> &spans)
{
    std::vector<Line> lines;
    for (const Span &span : spans) {
        double whole = std::round(span.bits);
        /* 7.1.13.1: the jitter of a source is below 4 ns, its clock's error below 0.25 %. */
        if (std::fabs(span.bits - whole) > 0.048 + 0.0051 * whole)
            FAIL("the device made an edge in the wrong place");
        for (int i = 0; i < static_cast<int>(whole); i++)
            lines.push_back(span.line);
    }
    return lines;
}

Bytes decode(const std::vector<Span> &spans)
{
    std::vector<Line> lines = whole_bits(spans);
    size_t n = lines.size();
    if (n < 19 || lines[n - 1] != J || lines[n - 2] != SE0 || lines[n - 3] != SE0)
        FAIL("the device's packet does not end with SE0, SE0, J");
    Line before = J;
    unsigned ones = 0;
    std::vector<bool> bits;
    for (size_t i = 0; i < n - 3; i++) {
        if (lines[i] != J && lines[i] != K)
            FAIL("the device made SE0 or SE1 inside a packet");
        bool one = lines[i] == before;
        before = lines[i];
        if (ones == 6 && one)
            FAIL("the device made a bit-stuffing error");
        if (ones != 6)
            bits.push_back(one);
        ones = one ? ones + 1 : 0;
    }
    if (ones == 6)
        FAIL("the device did not stuff the last bit");
    if (bits.size() % 8 != 0)
        FAIL("the device sent a part of a byte");
    Bytes all;
    for (size_t i = 0; i < bits.size(); i++) {
        if (i % 8 == 0)
            all.push_back(0);
        all.back() = static_cast<uint8_t>(all.back() | bits[i] << (i % 8));
    }
    if (all[0] != 0x80)
        FAIL("the device's packet does not begin with SYNC");
    if ((all[1] & 15) != (~all[1] >> 4 & 15))
        FAIL("the device's PID has a wrong check field");
    all.erase(all.begin());
    return all;
}
