/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk loopback at random with every kind of error: each byte once, in order. */
#include "tests.h"

struct Load {
    int packets;
    unsigned faults, lost, controls;
};

/* Packets of 0 to 64 bytes, both ends often. */
static Bytes random_packet(Host &host)
{
    unsigned kind = host.rig.pick(8);
    return random_bytes(host, kind == 0 ? 0 : kind == 1 ? 64 : kind == 2 ? 63 : host.rig.pick(65));
}

/* A babbling host: a packet that is too long, and then the right one. */
static void babble(Host &host)
{
    host.send(token(PID_OUT, host.addr, 1));
    host.send(data_packet(host.toggle_out ? PID_DATA1 : PID_DATA0,
                          random_bytes(host, 65 + host.rig.pick(80))));
    host.expect_silence();
}

static void other_traffic(Host &host)
{
    switch (host.rig.pick(5)) {
    case 0:
        CHECK(host.control({0x80, 6, 0x0200, 0, 255}).data.size() == 32);
        break;
    case 1:
        CHECK(host.control({0x80, 6, 0x0700, 0, 255}).result == STALLED);
        break;
    case 2:
        host.send(start_of_frame(host.rig.pick(2048)));
        break;
    case 3:
        host.send(token(PID_IN, host.addr ^ (1 + host.rig.pick(127)), host.rig.pick(16)));
        host.idle(18);
        break;
    default:
        babble(host);
    }
}

static void loopback(Host &host, const Load &load)
{
    host.enumerate(1 + host.rig.pick(127));
    host.rig.loopback = true;
    host.fault_percent = load.faults;
    host.lost_percent = load.lost;
    Bytes sent, got;
    Bytes packet = random_packet(host);
    for (int left = load.packets, idle = 0; left > 0 || got.size() < sent.size();) {
        if (host.rig.pick(64) == 0) {
            host.rig.sink_percent = 1 + host.rig.pick(100);
            host.rig.source_percent = 1 + host.rig.pick(100);
        }
        if (host.rig.pick(100) < load.controls)
            other_traffic(host);
        if (left > 0 && host.rig.pick(2) && host.bulk_out(packet) == ACKED) {
            sent.insert(sent.end(), packet.begin(), packet.end());
            packet = random_packet(host);
            left--;
        }
        if (host.rig.pick(2)) {
            Answer answer = host.bulk_in();
            CHECK(answer.result != STALLED);
            got.insert(got.end(), answer.data.begin(), answer.data.end());
            idle = answer.data.empty() ? idle + 1 : 0;
            CHECK(idle < 20000);
        }
        CHECK(got.size() <= sent.size());
    }
    CHECK(got == sent);
    CHECK(host.rig.received == sent);
}

static void loopback_without_errors(Host &host)
{
    loopback(host, {800, 0, 0, 0});
}

static void loopback_with_damaged_packets(Host &host)
{
    loopback(host, {500, 20, 0, 0});
}

static void loopback_with_lost_answers(Host &host)
{
    loopback(host, {500, 0, 25, 0});
}

static void loopback_with_everything(Host &host)
{
    host.clock = host.rig.uniform(0.9975, 1.0025);
    host.rig.device_clock = host.rig.uniform(0.9975, 1.0025);
    host.jitter = 8500;
    host.shape.dribble = host.rig.uniform(0, 0.8);
    host.rig.stream_period = 6000 + host.rig.pick(100000);
    loopback(host, {800, 12, 12, 10});
}

static void loopback_on_a_terrible_line(Host &host)
{
    loopback(host, {150, 40, 30, 0});
}

Tests random_tests()
{
    return {
        {"random_loopback_without_errors", loopback_without_errors},
        {"random_loopback_with_damaged_packets", loopback_with_damaged_packets},
        {"random_loopback_with_lost_answers", loopback_with_lost_answers},
        {"random_loopback_with_everything", loopback_with_everything},
        {"random_loopback_on_a_terrible_line", loopback_on_a_terrible_line},
    };
}
