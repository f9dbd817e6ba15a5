/* SPDX-License-Identifier: Apache-2.0 */
/* Electrical time: clocks, jitter, what hubs do to packets, times of answers. */
#include <algorithm>

#include "tests.h"

static void answers_within_2_to_6_5_bits(Host &host)
{
    /* Host::receive checks the time of every answer: ACK, DATA, NAK, STALL. */
    host.enumerate();
    CHECK(host.in(1).result == NAKED);
    CHECK(host.control({0x80, 6, 0x0F00, 0, 8}).result == STALLED);
    CHECK(host.out(1, PID_DATA0, {1, 2, 3}).result == ACKED);
}

static void ideal_clocks_without_jitter(Host &host)
{
    host.enumerate();
    round_trip(host, 2000);
}

static void fast_host_and_slow_device_with_all_the_jitter(Host &host)
{
    host.clock = 1.0025;
    host.rig.device_clock = 0.9975;
    host.jitter = 8500;
    host.enumerate();
    round_trip(host, 4000);
}

static void slow_host_and_fast_device_with_all_the_jitter(Host &host)
{
    host.clock = 0.9975;
    host.rig.device_clock = 1.0025;
    host.jitter = 8500;
    host.enumerate();
    round_trip(host, 4000);
}

static void same_clock_with_all_the_jitter(Host &host)
{
    host.jitter = 10000;
    host.enumerate();
    round_trip(host, 4000);
}

static void wires_that_switch_one_after_the_other(Host &host)
{
    /* 7.1.4: up to 14 ns of SE0 or SE1 in a transition */
    host.skew = 14000;
    host.jitter = 2000;
    host.enumerate();
    round_trip(host, 4000);
}

static void sync_that_hubs_have_shortened(Host &host)
{
    host.shape.sync_lost = 2;
    host.enumerate();
    round_trip(host, 500);
}

static void last_bit_that_a_hub_has_stretched(Host &host)
{
    /* 7.1.9.1: the dribble bit, also as a sixth one that nothing follows */
    for (double dribble : {0.3, 0.6, 0.9, 1.0}) {
        host.shape.dribble = dribble;
        host.enumerate();
        round_trip(host, 500);
    }
}

static void dribble_after_five_ones(Host &host)
{
    host.enumerate();
    host.shape.dribble = 1.0;
    for (int found = 0; found < 4;) {
        Bytes data = random_bytes(host, 3);
        if (crc16(data) >> 11 != 0x1F || (crc16(data) >> 10 & 1) != 0)
            continue;
        found++;
        CHECK(host.bulk_out(data) == ACKED);
        host.idle(100);
        CHECK(Bytes(host.rig.received.end() - 3, host.rig.received.end()) == data);
    }
}

static void shortest_and_longest_end_of_packet(Host &host)
{
    /* 7.1.13.2: a receiver accepts SE0 of 82 ns; 160 to 175 ns are usual */
    host.enumerate();
    for (double se0 : {82.5 / 83.333, 1.5, 1.92, 2.1, 3.0}) {
        host.shape.se0 = se0;
        round_trip(host, 300);
    }
}

static void short_se0_is_no_end_of_packet(Host &host)
{
    /* SE0 of less than 40 ns in the middle of a bit */
    host.enumerate();
    for (int i = 0; i < 40; i++) {
        Bytes packet = token(PID_IN, host.addr, 1);
        std::vector<Span> spans = encode(packet, Fault(), Shape());
        double at = static_cast<double>(host.rig.now + 4 * BIT);
        std::deque<Rig::Edge> dp, dn;
        size_t hole = 9 + static_cast<size_t>(i) % 20;
        for (size_t s = 0; s < spans.size(); s++) {
            Line line = spans[s].line;
            dp.push_back({static_cast<Time>(at), line == J});
            dn.push_back({static_cast<Time>(at), line == K});
            if (s == hole) { /* both are low for 14 ns on either side of an edge */
                auto &other = line == J ? dn : dp;
                other.back().at -= 14000;
                auto &own = line == J ? dp : dn;
                own.back().at += 14000;
            }
            at += spans[s].bits * BIT;
        }
        host.rig.drive(dp, dn, static_cast<Time>(at));
        host.rig.run_to(static_cast<Time>(at) + 40 * BIT);
        Rig::Sent sent;
        CHECK(host.rig.take_sent(sent));
        CHECK(decode(sent.spans) == handshake(PID_NAK));
    }
}

static void stuffed_bit_before_the_end_of_packet(Host &host)
{
    /* CRCs that end with six ones, in both directions */
    host.enumerate();
    host.rig.loopback = true;
    for (int found = 0; found < 4;) {
        Bytes data = random_bytes(host, 3);
        if (crc16(data) >> 10 != 0x3F)
            continue;
        found++;
        CHECK(host.bulk_out(data) == ACKED);
        CHECK(host.read_transfer() == data);
    }
}

static void long_runs_of_ones_and_zeros(Host &host)
{
    host.enumerate();
    host.rig.loopback = true;
    for (uint8_t byte : {0x00, 0xFF, 0x3F, 0x7E, 0xFC}) {
        Bytes data(63, byte);
        host.write(data);
        CHECK(host.read_transfer() == data);
    }
}

static void host_that_leaves_2_bits_between_packets(Host &host)
{
    host.pause_low = host.pause_high = 2;
    host.enumerate();
    round_trip(host, 1000);
}

static void host_that_leaves_15_bits_between_packets(Host &host)
{
    host.pause_low = host.pause_high = 15.5;
    host.enumerate();
    round_trip(host, 1000);
}

static void noise_on_an_idle_line(Host &host)
{
    host.enumerate();
    for (int i = 0; i < 200; i++) {
        host.rig.hold(static_cast<Line>(host.rig.pick(4)), 5000 + host.rig.pick(200000));
        host.idle(host.rig.pick(12));
        CHECK(!host.rig.device_drives());
    }
    host.idle(20);
    round_trip(host, 300);
}

Tests line_tests()
{
    return {
        {"line_answers_within_2_to_6_5_bits", answers_within_2_to_6_5_bits},
        {"line_ideal_clocks_without_jitter", ideal_clocks_without_jitter},
        {"line_fast_host_and_slow_device_with_all_the_jitter",
         fast_host_and_slow_device_with_all_the_jitter},
        {"line_slow_host_and_fast_device_with_all_the_jitter",
         slow_host_and_fast_device_with_all_the_jitter},
        {"line_same_clock_with_all_the_jitter", same_clock_with_all_the_jitter},
        {"line_wires_that_switch_one_after_the_other", wires_that_switch_one_after_the_other},
        {"line_sync_that_hubs_have_shortened", sync_that_hubs_have_shortened},
        {"line_last_bit_that_a_hub_has_stretched", last_bit_that_a_hub_has_stretched},
        {"line_dribble_after_five_ones", dribble_after_five_ones},
        {"line_shortest_and_longest_end_of_packet", shortest_and_longest_end_of_packet},
        {"line_short_se0_is_no_end_of_packet", short_se0_is_no_end_of_packet},
        {"line_stuffed_bit_before_the_end_of_packet", stuffed_bit_before_the_end_of_packet},
        {"line_long_runs_of_ones_and_zeros", long_runs_of_ones_and_zeros},
        {"line_host_that_leaves_2_bits_between_packets", host_that_leaves_2_bits_between_packets},
        {"line_host_that_leaves_15_bits_between_packets", host_that_leaves_15_bits_between_packets},
        {"line_noise_on_an_idle_line", noise_on_an_idle_line},
    };
}
