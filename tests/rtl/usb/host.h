/* SPDX-License-Identifier: Apache-2.0 */
/* A host: transactions, retries and toggles of chapter 8, control transfers of chapter 9. */
#ifndef HOST_H
#define HOST_H

#include <functional>

#include "rig.h"

enum Result { ACKED, NAKED, STALLED, NOTHING };

struct Answer {
    Result result;
    Pid pid;
    Bytes data;
};

struct Setup {
    uint8_t type, request;
    uint16_t value, index, length;
};

/* Of one transaction: of its token, its data, the host's handshake. */
struct Faults {
    Fault token, data, ack;
    bool no_ack = false; /* the host takes the data for bad */
};

class Host
{
  public:
    explicit Host(Rig &board) : rig(board)
    {
    }

    Rig &rig;
    unsigned addr = 0;
    bool toggle_in = false, toggle_out = false; /* of endpoint 1 */

    /* The host's line. jitter, skew: largest shift of an edge, and of D- against D+, in ps. */
    double clock = 1.0;
    Time jitter = 0, skew = 0;
    Shape shape;
    double pause_low = 2, pause_high = 7; /* bits between packets */

    /* Percentage of the host's packets that go wrong at random, and of the device's
     * packets that the host does not get. */
    unsigned fault_percent = 0;
    unsigned lost_percent = 0;

    /* One packet; the earliest time is the end of the last one and a pause. */
    void send(const Bytes &packet, const Fault &fault = Fault());
    /* The device's answer to what was just sent. */
    bool receive(Bytes &packet);
    void expect_silence();
    void idle(double bits);

    /* One transaction */
    Answer out(unsigned ep, Pid pid, const Bytes &data, const Faults &faults = Faults(),
               Pid kind = PID_OUT);
    Answer in(unsigned ep, const Faults &faults = Faults());

    /* Endpoint 1, with the host's toggle. NOTHING is tried again, NAK is not. */
    Result bulk_out(const Bytes &data);
    Answer bulk_in();
    /* IN until a short packet; NAKs are waited for, up to a limit. */
    Bytes read_transfer();
    void write(const Bytes &data);

    /* A whole control transfer; errors are tried again. */
    Answer control(const Setup &setup);
    /* Its first stage alone */
    Answer setup(const Setup &setup);
    void bus_reset(Time how_long = 50 * US);
    /* Bus reset, SET_ADDRESS, SET_CONFIGURATION */
    void enumerate(unsigned new_addr = 5);

  private:
    Time last_eop = 0; /* SE0 to J of the last packet */
    Fault random_fault(const Bytes &packet);
    Fault chosen(const Fault &fault, const Bytes &packet);
    Answer control_read(const Setup &setup);
    Answer retry(const std::function<Answer()> &transaction);
};

#endif
