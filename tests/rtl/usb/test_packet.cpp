/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that are wrong, or not for this device. */
#include "tests.h"

/* The device still works, and nothing that was ignored had an effect. */
static void still_right(Host &host)
{
    host.idle(20);
    CHECK(host.bulk_out({42}) == ACKED);
    host.idle(60);
    CHECK(host.rig.received.size() == 1 && host.rig.received[0] == 42);
}

static void every_wrong_bit_of_a_token_is_seen(Host &host)
{
    host.enumerate();
    Bytes packet = token(PID_IN, host.addr, 1);
    for (int bit = 8; bit < 32; bit++) {
        host.send(packet, {Fault::FLIP, bit});
        host.expect_silence();
    }
    still_right(host);
}

static void every_wrong_bit_of_a_data_packet_is_seen(Host &host)
{
    host.enumerate();
    for (int bit = 8; bit < 8 + 8 * 6; bit++) {
        Faults faults;
        faults.data = {Fault::FLIP, bit};
        CHECK(host.out(1, PID_DATA0, {0x12, 0x34, 0xFF}, faults).result == NOTHING);
    }
    still_right(host);
}

static void wrong_crc16_field_is_seen(Host &host)
{
    host.enumerate();
    Bytes packet = data_packet(PID_DATA0, {1, 2, 3, 4});
    packet.back() ^= 0x5A;
    host.send(token(PID_OUT, host.addr, 1));
    host.send(packet);
    host.expect_silence();
    still_right(host);
}

static void tokens_and_data_of_any_other_length_are_ignored(Host &host)
{
    host.enumerate();
    for (int cut = 8; cut < 32; cut++) {
        host.send(token(PID_IN, host.addr, 1), {Fault::CUT, cut});
        host.expect_silence();
    }
    for (int cut = 8; cut < 8 + 8 * 6; cut++) {
        Faults faults;
        faults.data = {Fault::CUT, cut};
        CHECK(host.out(1, PID_DATA0, {0x12, 0x34, 0x56}, faults).result == NOTHING);
    }
    for (Bytes extra : {Bytes{0}, Bytes{0xFF, 1}, Bytes(70, 7)}) {
        Bytes packet = token(PID_IN, host.addr, 1);
        packet.insert(packet.end(), extra.begin(), extra.end());
        host.send(packet);
        host.expect_silence();
    }
    still_right(host);
}

static void bit_stuffing_errors_are_seen(Host &host)
{
    host.enumerate();
    for (int at = 8; at < 24; at++) {
        host.send(token(PID_IN, host.addr, 1), {Fault::STUCK, at});
        host.expect_silence();
    }
    for (int at = 8; at < 60; at++) {
        Faults faults;
        faults.data = {Fault::STUCK, at};
        CHECK(host.out(1, PID_DATA0, Bytes(8, 0x55), faults).result == NOTHING);
    }
    still_right(host);
}

static void seven_ones_at_the_end_are_seen(Host &host)
{
    /* The only stuffing error that no other check can see: behind the last bit of the CRC */
    host.enumerate();
    for (int found = 0; found < 4;) {
        Bytes data = random_bytes(host, 3);
        int bits = packet_bits(data_packet(PID_DATA0, data));
        if (crc16(data) >> 10 != 0x3F || bits != 8 * 7 + 1)
            continue;
        found++;
        Faults faults;
        faults.data = {Fault::ONES, 0};
        CHECK(host.out(1, PID_DATA0, data, faults).result == NOTHING);
    }
    still_right(host);
}

static void packets_that_just_stop(Host &host)
{
    host.enumerate();
    for (int at = 1; at < 32; at++) {
        host.send(token(PID_IN, host.addr, 1), {Fault::SILENT, at});
        host.expect_silence();
    }
    still_right(host);
}

static void babble_is_not_answered(Host &host)
{
    host.enumerate();
    for (size_t size : {65u, 66u, 67u, 128u, 129u, 192u, 300u}) {
        host.send(token(PID_OUT, host.addr, 1));
        host.send(data_packet(PID_DATA0, random_bytes(host, size)));
        host.expect_silence();
    }
    still_right(host);
}

static void data_packets_shorter_than_a_crc(Host &host)
{
    host.enumerate();
    for (Bytes packet : {Bytes{0xC3}, Bytes{0xC3, 0x00}, Bytes{0xC3, 0xFF}}) {
        host.send(token(PID_OUT, host.addr, 1));
        host.send(packet);
        host.expect_silence();
    }
    still_right(host);
}

static void every_pid_with_a_wrong_check_field(Host &host)
{
    host.enumerate();
    for (unsigned byte = 0; byte < 256; byte++) {
        if ((byte & 15) == (~byte >> 4 & 15))
            continue;
        Bytes packet = token(PID_IN, host.addr, 1);
        packet[0] = static_cast<uint8_t>(byte);
        host.send(packet);
        host.expect_silence();
    }
    still_right(host);
}

static void pids_that_full_speed_devices_do_not_know(Host &host)
{
    host.enumerate();
    for (Pid pid : {PID_PING, PID_PRE, PID_SOF, static_cast<Pid>(0), static_cast<Pid>(8)}) {
        host.send(token(pid, host.addr, 1));
        host.expect_silence();
    }
    for (Pid pid : {PID_DATA2, static_cast<Pid>(15)}) {
        host.send(token(PID_OUT, host.addr, 1));
        host.send(data_packet(pid, {9}));
        host.expect_silence();
    }
    still_right(host);
}

static void tokens_for_other_addresses(Host &host)
{
    host.enumerate(5);
    for (unsigned addr = 0; addr < 128; addr++)
        if (addr != host.addr) {
            host.send(token(PID_IN, addr, 0));
            host.expect_silence();
        }
    still_right(host);
}

static void tokens_for_other_endpoints(Host &host)
{
    host.enumerate();
    for (unsigned ep = 2; ep < 16; ep++) {
        host.send(token(PID_IN, host.addr, ep));
        host.expect_silence();
        CHECK(host.out(ep, PID_DATA0, {1}).result == NOTHING);
    }
    CHECK(host.out(1, PID_DATA0, {0x80, 6, 0, 1, 0, 0, 18, 0}, {}, PID_SETUP).result == NOTHING);
    still_right(host);
}

static void data_and_handshakes_without_a_token(Host &host)
{
    host.enumerate();
    host.send(data_packet(PID_DATA0, {7}));
    host.expect_silence();
    host.send(handshake(PID_ACK));
    host.expect_silence();
    host.send(token(PID_OUT, host.addr, 1));
    host.send(handshake(PID_ACK));
    host.expect_silence();
    host.send(data_packet(PID_DATA0, {7}));
    host.expect_silence();
    still_right(host);
}

static void data_that_comes_too_late(Host &host)
{
    host.enumerate();
    host.send(token(PID_OUT, host.addr, 1));
    host.idle(25);
    host.send(data_packet(PID_DATA0, {7}));
    host.expect_silence();
    still_right(host);
}

static void token_for_another_device_ends_the_wait_for_data(Host &host)
{
    host.enumerate();
    host.send(token(PID_OUT, host.addr, 1));
    host.send(token(PID_OUT, host.addr + 1, 1));
    host.send(data_packet(PID_DATA0, {7}));
    host.expect_silence();
    still_right(host);
}

static void token_after_a_token_is_answered(Host &host)
{
    host.enumerate();
    host.send(token(PID_OUT, host.addr, 1));
    CHECK(host.in(1).result == NAKED);
    still_right(host);
}

Tests packet_tests()
{
    return {
        {"packet_every_wrong_bit_of_a_token_is_seen", every_wrong_bit_of_a_token_is_seen},
        {"packet_every_wrong_bit_of_a_data_packet_is_seen",
         every_wrong_bit_of_a_data_packet_is_seen},
        {"packet_wrong_crc16_field_is_seen", wrong_crc16_field_is_seen},
        {"packet_tokens_and_data_of_any_other_length_are_ignored",
         tokens_and_data_of_any_other_length_are_ignored},
        {"packet_bit_stuffing_errors_are_seen", bit_stuffing_errors_are_seen},
        {"packet_seven_ones_at_the_end_are_seen", seven_ones_at_the_end_are_seen},
        {"packet_that_just_stops", packets_that_just_stop},
        {"packet_babble_is_not_answered", babble_is_not_answered},
        {"packet_data_shorter_than_a_crc", data_packets_shorter_than_a_crc},
        {"packet_every_pid_with_a_wrong_check_field", every_pid_with_a_wrong_check_field},
        {"packet_pids_that_full_speed_devices_do_not_know",
         pids_that_full_speed_devices_do_not_know},
        {"packet_tokens_for_other_addresses", tokens_for_other_addresses},
        {"packet_tokens_for_other_endpoints", tokens_for_other_endpoints},
        {"packet_data_and_handshakes_without_a_token", data_and_handshakes_without_a_token},
        {"packet_data_that_comes_too_late", data_that_comes_too_late},
        {"packet_token_for_another_device_ends_the_wait_for_data",
         token_for_another_device_ends_the_wait_for_data},
        {"packet_token_after_a_token_is_answered", token_after_a_token_is_answered},
    };
}
