/* SPDX-License-Identifier: Apache-2.0 */
/* The byte streams: packets, toggles, NAK, short and empty packets, lost handshakes. */
#include "tests.h"

static void out_packets_become_the_stream(Host &host)
{
    host.enumerate();
    Bytes all;
    for (size_t size = 0; size <= 64; size++) {
        Bytes data = random_bytes(host, size);
        all.insert(all.end(), data.begin(), data.end());
        CHECK(host.bulk_out(data) == ACKED);
    }
    host.idle(200);
    CHECK(host.rig.received == all);
}

static void stream_becomes_in_packets(Host &host)
{
    host.enumerate();
    for (size_t size = 1; size <= 200; size += 1 + size / 8) {
        Bytes data = random_bytes(host, size);
        host.rig.send(data);
        CHECK(host.read_transfer() == data);
    }
}

static void in_is_nak_while_there_is_nothing(Host &host)
{
    host.enumerate();
    for (int i = 0; i < 20; i++)
        CHECK(host.in(1).result == NAKED);
}

static void short_packet_after_a_pause(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2, 3});
    host.rig.run(US);
    CHECK(host.in(1).result == NAKED);
    host.rig.run(10 * US);
    CHECK(host.bulk_in().data == (Bytes{1, 2, 3}));
    CHECK(host.in(1).result == NAKED);
}

static void packet_at_once_after_the_last_byte(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2, 3}, true);
    host.rig.send({4, 5}, true);
    host.rig.run(US);
    CHECK(host.bulk_in().data == (Bytes{1, 2, 3}));
    CHECK(host.bulk_in().data == (Bytes{4, 5}));
    CHECK(host.in(1).result == NAKED);
}

static void empty_packet_after_full_ones_and_a_pause(Host &host)
{
    host.enumerate();
    for (size_t full = 1; full <= 4; full++) {
        Bytes data = random_bytes(host, 64 * full);
        host.rig.send(data);
        for (size_t i = 0; i < full; i++) {
            host.idle(600);
            CHECK(host.bulk_in().data.size() == 64);
        }
        host.idle(600);
        Answer end = host.bulk_in();
        CHECK(end.result == ACKED && end.data.empty());
        CHECK(host.in(1).result == NAKED);
    }
}

static void empty_packet_after_a_full_one_with_the_last_byte(Host &host)
{
    host.enumerate();
    host.rig.send(Bytes(64, 1), true);
    host.rig.send({2}, true);
    host.rig.run(6 * US);
    CHECK(host.bulk_in().data.size() == 64);
    CHECK(host.bulk_in().data.empty());
    host.rig.run(US);
    CHECK(host.bulk_in().data == Bytes{2});
}

static void no_empty_packet_while_the_stream_goes_on(Host &host)
{
    host.enumerate();
    host.rig.send(Bytes(64 * 20, 7));
    host.idle(600);
    for (int i = 0; i < 20; i++)
        CHECK(host.bulk_in().data.size() == 64);
}

static void bytes_gather_while_a_packet_waits(Host &host)
{
    host.enumerate();
    host.rig.send({1});
    host.rig.run(20 * US);
    host.rig.send({2});
    host.rig.run(20 * US);
    host.rig.send({3});
    host.rig.run(20 * US);
    CHECK(host.bulk_in().data == Bytes{1});
    host.rig.run(US);
    CHECK(host.bulk_in().data == (Bytes{2, 3}));
}

static void out_is_nak_while_two_packets_wait(Host &host)
{
    host.enumerate();
    host.rig.sink_percent = 0;
    host.rig.run(US);
    Bytes sent;
    Result result = ACKED;
    int taken = 0;
    for (; result == ACKED && taken < 10; taken++) {
        Bytes data = random_bytes(host, 64);
        result = host.bulk_out(data);
        if (result == ACKED)
            sent.insert(sent.end(), data.begin(), data.end());
    }
    CHECK(result == NAKED && taken == 3);
    for (int i = 0; i < 10; i++)
        CHECK(host.bulk_out(Bytes(64, 0xEE)) == NAKED);
    CHECK(host.rig.received.empty());
    host.rig.sink_percent = 100;
    host.idle(200);
    CHECK(host.bulk_out({5}) == ACKED);
    sent.push_back(5);
    host.idle(200);
    CHECK(host.rig.received == sent);
}

static void nak_does_not_move_the_toggle(Host &host)
{
    host.enumerate();
    CHECK(host.bulk_out({1}) == ACKED);
    host.rig.sink_percent = 0;
    host.rig.run(US);
    Bytes want = {1};
    for (uint8_t i = 2;; i++) {
        Bytes data(64, i);
        if (host.bulk_out(data) == NAKED)
            break;
        want.insert(want.end(), data.begin(), data.end());
    }
    host.rig.sink_percent = 100;
    host.idle(200);
    CHECK(host.bulk_out({99}) == ACKED);
    want.push_back(99);
    host.idle(200);
    CHECK(host.rig.received == want);
}

static void repeated_out_packet_is_acknowledged_and_dropped(Host &host)
{
    host.enumerate();
    Bytes want;
    for (uint8_t i = 0; i < 10; i++) {
        Pid pid = i & 1 ? PID_DATA1 : PID_DATA0;
        for (int n = 0; n <= i; n++)
            CHECK(host.out(1, pid, {i, i, i}).result == ACKED);
        want.insert(want.end(), 3, i);
    }
    host.idle(100);
    CHECK(host.rig.received == want);
}

static void repeated_out_packet_is_acknowledged_while_full(Host &host)
{
    host.enumerate();
    host.rig.sink_percent = 0;
    host.rig.run(US);
    while (host.bulk_out(Bytes(64, 1)) == ACKED) {
    }
    CHECK(host.out(1, host.toggle_out ? PID_DATA0 : PID_DATA1, Bytes(64, 1)).result == ACKED);
    CHECK(host.rig.received.empty());
}

static void wrong_out_packets_leave_no_trace(Host &host)
{
    host.enumerate();
    Bytes want;
    for (int i = 0; i < 40; i++) {
        Bytes data = random_bytes(host, 1 + host.rig.pick(64));
        Faults faults;
        faults.data = {Fault::FLIP, 20 + static_cast<int>(host.rig.pick(12))};
        CHECK(host.out(1, host.toggle_out ? PID_DATA1 : PID_DATA0, data, faults).result == NOTHING);
        CHECK(host.bulk_out(data) == ACKED);
        want.insert(want.end(), data.begin(), data.end());
    }
    host.idle(200);
    CHECK(host.rig.received == want);
}

static void in_packet_is_kept_until_acknowledged(Host &host)
{
    host.enumerate();
    Bytes data = random_bytes(host, 64);
    host.rig.send(data);
    host.idle(600);
    Faults faults;
    faults.no_ack = true;
    for (int i = 0; i < 10; i++) {
        Answer answer = host.in(1, faults);
        CHECK(answer.data == data && answer.pid == PID_DATA0);
    }
    CHECK(host.in(1).data == data);
    Answer end = host.in(1);
    CHECK(end.data.empty() && end.pid == PID_DATA1);
}

static void damaged_acks_of_in_do_not_count(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2});
    host.idle(600);
    const Fault damages[] = {{Fault::FLIP, 9},  {Fault::FLIP, 14},   {Fault::CUT, 12},
                             {Fault::LOST, 0},  {Fault::SILENT, 12}, {Fault::STUCK, 5},
                             {Fault::FLIP, 10}, {Fault::CUT, 8}};
    for (const Fault &damage : damages) {
        Faults faults;
        faults.ack = damage;
        CHECK(host.in(1, faults).pid == PID_DATA0);
        host.idle(20);
    }
    CHECK(host.in(1).data == (Bytes{1, 2}));
    CHECK(host.in(1).result == NAKED);
}

static void other_packets_are_no_ack(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2});
    host.idle(600);
    Faults faults;
    faults.ack = {Fault::LOST, 0};
    for (Bytes packet : {handshake(PID_NAK), handshake(PID_STALL), start_of_frame(3),
                         data_packet(PID_DATA0, {}), Bytes{0xD2, 0xD2}}) {
        host.send(token(PID_IN, host.addr, 1));
        Bytes got;
        CHECK(host.receive(got) && got == data_packet(PID_DATA0, {1, 2}));
        host.send(packet);
        host.expect_silence();
    }
    CHECK(host.in(1).data == (Bytes{1, 2}));
}

static void ack_that_comes_too_late_does_not_count(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2});
    host.idle(600);
    host.send(token(PID_IN, host.addr, 1));
    Bytes got;
    CHECK(host.receive(got));
    host.idle(25);
    host.send(handshake(PID_ACK));
    host.expect_silence();
    Answer again = host.in(1);
    CHECK(again.data == (Bytes{1, 2}) && again.pid == PID_DATA0);
}

static void ack_for_another_device_does_not_count(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2});
    host.idle(600);
    Faults faults;
    faults.no_ack = true;
    CHECK(host.in(1, faults).data == (Bytes{1, 2}));
    host.send(token(PID_IN, host.addr + 1, 1));
    host.send(handshake(PID_ACK));
    host.expect_silence();
    CHECK(host.in(1).pid == PID_DATA0);
}

static void control_transfer_between_does_not_touch_the_streams(Host &host)
{
    host.enumerate();
    Bytes data = random_bytes(host, 100);
    host.rig.send(data);
    host.idle(600);
    Faults faults;
    faults.no_ack = true;
    CHECK(host.in(1, faults).data.size() == 64);
    CHECK(host.control({0x80, 6, 0x0200, 0, 255}).data.size() == 32);
    CHECK(host.bulk_out({8}) == ACKED);
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{1});
    CHECK(host.read_transfer() == data);
    CHECK(host.rig.received == Bytes{8});
}

static void slow_sink_and_source_lose_nothing(Host &host)
{
    for (unsigned percent : {2u, 10u, 50u, 90u}) {
        host.rig.sink_percent = percent;
        host.rig.source_percent = 1 + host.rig.pick(100);
        host.enumerate();
        round_trip(host, 600);
    }
}

static void any_clock_of_the_streams(Host &host)
{
    for (Time period : {5000, 9000, 20833, 20834, 41667, 83333, 200000}) {
        host.rig.stream_period = period;
        host.enumerate();
        round_trip(host, 600);
    }
}

static void nineteen_packets_in_a_frame(Host &host)
{
    /* A host that uses the whole bus: 19 packets each way are more than 0.9 of its limit. */
    host.pause_low = host.pause_high = 2;
    host.enumerate();
    Time start = host.rig.now;
    for (int i = 0; i < 19; i++)
        CHECK(host.bulk_out(Bytes(64, 1)) == ACKED);
    CHECK(host.rig.now - start < MS);
    host.rig.send(Bytes(64 * 20, 1));
    host.idle(600);
    start = host.rig.now;
    for (int i = 0; i < 19; i++)
        CHECK(host.bulk_in().data.size() == 64);
    CHECK(host.rig.now - start < MS);
}

Tests bulk_tests()
{
    return {
        {"bulk_out_packets_become_the_stream", out_packets_become_the_stream},
        {"bulk_stream_becomes_in_packets", stream_becomes_in_packets},
        {"bulk_in_is_nak_while_there_is_nothing", in_is_nak_while_there_is_nothing},
        {"bulk_short_packet_after_a_pause", short_packet_after_a_pause},
        {"bulk_packet_at_once_after_the_last_byte", packet_at_once_after_the_last_byte},
        {"bulk_empty_packet_after_full_ones_and_a_pause", empty_packet_after_full_ones_and_a_pause},
        {"bulk_empty_packet_after_a_full_one_with_the_last_byte",
         empty_packet_after_a_full_one_with_the_last_byte},
        {"bulk_no_empty_packet_while_the_stream_goes_on", no_empty_packet_while_the_stream_goes_on},
        {"bulk_bytes_gather_while_a_packet_waits", bytes_gather_while_a_packet_waits},
        {"bulk_out_is_nak_while_two_packets_wait", out_is_nak_while_two_packets_wait},
        {"bulk_nak_does_not_move_the_toggle", nak_does_not_move_the_toggle},
        {"bulk_repeated_out_packet_is_acknowledged_and_dropped",
         repeated_out_packet_is_acknowledged_and_dropped},
        {"bulk_repeated_out_packet_is_acknowledged_while_full",
         repeated_out_packet_is_acknowledged_while_full},
        {"bulk_wrong_out_packets_leave_no_trace", wrong_out_packets_leave_no_trace},
        {"bulk_in_packet_is_kept_until_acknowledged", in_packet_is_kept_until_acknowledged},
        {"bulk_damaged_acks_of_in_do_not_count", damaged_acks_of_in_do_not_count},
        {"bulk_other_packets_are_no_ack", other_packets_are_no_ack},
        {"bulk_ack_that_comes_too_late_does_not_count", ack_that_comes_too_late_does_not_count},
        {"bulk_ack_for_another_device_does_not_count", ack_for_another_device_does_not_count},
        {"bulk_control_transfer_between_does_not_touch_the_streams",
         control_transfer_between_does_not_touch_the_streams},
        {"bulk_slow_sink_and_source_lose_nothing", slow_sink_and_source_lose_nothing},
        {"bulk_any_clock_of_the_streams", any_clock_of_the_streams},
        {"bulk_nineteen_packets_in_a_frame", nineteen_packets_in_a_frame},
    };
}
