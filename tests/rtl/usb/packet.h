/* SPDX-License-Identifier: Apache-2.0 */
/* USB packets on the line, from chapters 7 and 8 of USB 2.0: bytes to line states and back. */
#ifndef PACKET_H
#define PACKET_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using Bytes = std::vector<uint8_t>;

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

#define FAIL(text) throw Failure(std::string(__func__) + ": " + (text))
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            throw Failure(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " +          \
                          #condition);                                                             \
    } while (0)

enum Pid : uint8_t {
    PID_OUT = 1,
    PID_ACK = 2,
    PID_DATA0 = 3,
    PID_PING = 4,
    PID_SOF = 5,
    PID_DATA2 = 7,
    PID_IN = 9,
    PID_NAK = 10,
    PID_DATA1 = 11,
    PID_PRE = 12,
    PID_SETUP = 13,
    PID_STALL = 14,
};

enum Line { SE0, J, K, SE1 };

/* What the sender does wrong. at: a bit of the packet, counted from the first of SYNC. */
struct Fault {
    enum Kind {
        NONE,
        FLIP,   /* the bit has the other value */
        CUT,    /* EOP comes instead of the bit */
        SILENT, /* nothing is driven from the bit on */
        STUCK,  /* the line does not move for eight bits */
        ONES,   /* the stuffed bits are ones */
        LOST,   /* nothing is sent */
    } kind = NONE;
    int at = 0;
};

/* What a good sender and hubs may do. */
struct Shape {
    int sync_lost = 0;  /* first bits of SYNC that a hub ate */
    double dribble = 0; /* bits by which the last one is longer */
    double se0 = 2;     /* bits of SE0 in EOP */
};

struct Span {
    Line line;
    double bits;
};

unsigned crc5(unsigned bits11);
unsigned crc16(const Bytes &data);
Bytes token(Pid pid, unsigned addr, unsigned ep);
Bytes start_of_frame(unsigned frame);
Bytes data_packet(Pid pid, const Bytes &data);
Bytes handshake(Pid pid);
int packet_bits(const Bytes &packet);

std::vector<Span> encode(const Bytes &packet, const Fault &fault, const Shape &shape);
/* Of a packet that must be right: anything else is a Failure. */
Bytes decode(const std::vector<Span> &spans);

#endif
