/* SPDX-License-Identifier: Apache-2.0 */
/* Connection, bus reset, suspend, resume, and the reset of the link. */
#include "tests.h"

static void reset_takes_address_and_configuration(Host &host)
{
    host.enumerate(9);
    host.bus_reset();
    CHECK(host.in(1).result == NOTHING);
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{0});
    host.addr = 9;
    CHECK(host.in(0).result == NOTHING);
}

static void reset_clears_halts_toggles_and_data(Host &host)
{
    host.enumerate();
    host.rig.sink_percent = 0;
    CHECK(host.bulk_out({1, 2, 3}) == ACKED);
    host.rig.send(Bytes(100, 4));
    host.idle(600);
    CHECK(host.control({0x02, 3, 0, 0x81, 0}).result == ACKED);
    host.enumerate();
    host.rig.sink_percent = 100;
    CHECK(host.control({0x82, 0, 0, 0x81, 2}).data == (Bytes{0, 0}));
    host.rig.received.clear();
    round_trip(host, 100);
}

static void reset_of_10_us_is_seen_and_se0_of_2_us_is_not(Host &host)
{
    host.enumerate(9);
    host.rig.hold(SE0, 2 * US);
    host.idle(40);
    CHECK(host.in(1).result == NAKED);
    host.rig.hold(SE0, 10 * US);
    host.idle(40);
    CHECK(host.in(1).result == NOTHING);
}

static void reset_at_any_time_of_a_transfer(Host &host)
{
    for (int i = 0; i < 60; i++) {
        host.enumerate();
        host.rig.loopback = true;
        host.fault_percent = 5;
        unsigned steps = host.rig.pick(8);
        for (unsigned k = 0; k < steps; k++) {
            host.bulk_out(random_bytes(host, host.rig.pick(65)));
            host.in(1);
        }
        if (host.rig.pick(2))
            host.setup({0x80, 6, 0x0200, 0, 32});
        host.fault_percent = 0;
        Fault cut = {Fault::SILENT, static_cast<int>(host.rig.pick(200))};
        host.send(token(PID_OUT, host.addr, 1));
        host.send(data_packet(PID_DATA0, Bytes(64, 3)), cut);
        host.bus_reset(3 * US + host.rig.pick(50) * US);
        host.enumerate();
        round_trip(host, 80);
    }
}

static void suspended_after_3_ms_of_idle_only(Host &host)
{
    host.enumerate();
    host.rig.run(2990 * US);
    CHECK(!host.rig.dut->o_suspended);
    host.rig.run(200 * US);
    CHECK(host.rig.dut->o_suspended);
}

static void frames_keep_the_device_awake(Host &host)
{
    host.enumerate();
    for (unsigned frame = 0; frame < 10; frame++) {
        host.send(start_of_frame(frame));
        host.rig.run(MS - 40 * BIT);
        CHECK(!host.rig.dut->o_suspended && !host.rig.device_drives());
    }
}

static void resume_continues_where_it_was(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2, 3});
    CHECK(host.bulk_out({7}) == ACKED);
    host.rig.run(4 * MS);
    CHECK(host.rig.dut->o_suspended);
    host.rig.hold(K, 500 * US);
    CHECK(!host.rig.dut->o_suspended);
    host.rig.hold(SE0, 1333333); /* two low-speed bits end the resume signal */
    host.idle(40);
    CHECK(host.read_transfer() == (Bytes{1, 2, 3}));
    CHECK(host.bulk_out({8}) == ACKED);
    host.idle(40);
    CHECK(host.rig.received == (Bytes{7, 8}));
}

static void reset_ends_suspend(Host &host)
{
    host.enumerate();
    host.rig.run(4 * MS);
    CHECK(host.rig.dut->o_suspended);
    host.enumerate();
    CHECK(!host.rig.dut->o_suspended);
    round_trip(host, 100);
}

static void suspend_in_mid_transfer(Host &host)
{
    host.enumerate();
    host.send(token(PID_OUT, host.addr, 1));
    host.send(data_packet(PID_DATA0, Bytes(64, 3)), {Fault::SILENT, 100});
    host.rig.run(4 * MS);
    CHECK(host.rig.dut->o_suspended);
    host.rig.hold(K, 100 * US);
    host.rig.hold(SE0, 1333333);
    host.idle(40);
    round_trip(host, 100);
}

static void link_reset_pulses_and_empties_the_streams(Host &host)
{
    host.enumerate();
    host.rig.sink_percent = 0;
    host.rig.run(US);
    CHECK(host.bulk_out(Bytes(64, 1)) == ACKED);
    CHECK(host.bulk_out(Bytes(64, 2)) == ACKED);
    host.rig.send(Bytes(300, 3));
    host.idle(600);
    int before = host.rig.link_resets;
    CHECK(host.control({0x40, 1, 0, 0, 0}).result == ACKED);
    CHECK(host.rig.link_resets == before + 1);
    host.rig.sink_percent = 100;
    host.idle(600);
    CHECK(host.rig.received.empty());
    CHECK(host.in(1).result == NAKED);
    round_trip(host, 300);
}

static void link_reset_keeps_toggles_address_and_configuration(Host &host)
{
    host.enumerate();
    host.write({1});
    CHECK(host.toggle_out);
    CHECK(host.control({0x40, 1, 0, 0, 0}).result == ACKED);
    CHECK(host.bulk_out({2}) == ACKED);
    host.idle(60);
    CHECK(host.rig.received == (Bytes{1, 2}));
}

static void configuration_and_bus_reset_are_link_resets(Host &host)
{
    host.enumerate();
    int before = host.rig.link_resets;
    host.bus_reset(100 * US);
    CHECK(host.rig.link_resets == before + 1);
    CHECK(host.control({0x00, 9, 1, 0, 0}).result == ACKED);
    CHECK(host.rig.link_resets == before + 2);
    CHECK(host.control({0x80, 8, 0, 0, 1}).result == ACKED);
    CHECK(host.control({0x01, 11, 0, 0, 0}).result == ACKED);
    CHECK(host.rig.link_resets == before + 2);
}

static void link_reset_under_load(Host &host)
{
    host.enumerate();
    for (int i = 0; i < 30; i++) {
        host.rig.loopback = true;
        host.rig.sink_percent = 1 + host.rig.pick(100);
        unsigned steps = host.rig.pick(6);
        for (unsigned k = 0; k < steps; k++)
            host.bulk_out(random_bytes(host, host.rig.pick(65)));
        host.rig.run(host.rig.pick(20) * US);
        CHECK(host.control({0x40, 1, 0, 0, 0}).result == ACKED);
        CHECK(host.control({0x02, 1, 0, 0x81, 0}).result == ACKED);
        CHECK(host.control({0x02, 1, 0, 0x01, 0}).result == ACKED);
        host.toggle_in = host.toggle_out = false;
        round_trip(host, 100);
    }
}

static void slow_stream_clock_still_resets(Host &host)
{
    host.rig.stream_period = 2 * US;
    host.enumerate();
    int before = host.rig.link_resets;
    CHECK(host.control({0x40, 1, 0, 0, 0}).result == ACKED);
    host.idle(600);
    CHECK(host.rig.link_resets == before + 1);
    round_trip(host, 20);
}

static void pull_up_is_on_after_reset(Host &host)
{
    CHECK(host.rig.dut->o_pullup);
    host.rig.dut->rst48 = 1;
    host.rig.run(US);
    CHECK(!host.rig.dut->o_pullup && !host.rig.dut->o_oe);
}

Tests state_tests()
{
    return {
        {"state_reset_takes_address_and_configuration", reset_takes_address_and_configuration},
        {"state_reset_clears_halts_toggles_and_data", reset_clears_halts_toggles_and_data},
        {"state_reset_of_10_us_is_seen_and_se0_of_2_us_is_not",
         reset_of_10_us_is_seen_and_se0_of_2_us_is_not},
        {"state_reset_at_any_time_of_a_transfer", reset_at_any_time_of_a_transfer},
        {"state_suspended_after_3_ms_of_idle_only", suspended_after_3_ms_of_idle_only},
        {"state_frames_keep_the_device_awake", frames_keep_the_device_awake},
        {"state_resume_continues_where_it_was", resume_continues_where_it_was},
        {"state_reset_ends_suspend", reset_ends_suspend},
        {"state_suspend_in_mid_transfer", suspend_in_mid_transfer},
        {"state_link_reset_pulses_and_empties_the_streams",
         link_reset_pulses_and_empties_the_streams},
        {"state_link_reset_keeps_toggles_address_and_configuration",
         link_reset_keeps_toggles_address_and_configuration},
        {"state_configuration_and_bus_reset_are_link_resets",
         configuration_and_bus_reset_are_link_resets},
        {"state_link_reset_under_load", link_reset_under_load},
        {"state_slow_stream_clock_still_resets", slow_stream_clock_still_resets},
        {"state_pull_up_is_on_after_reset", pull_up_is_on_after_reset},
    };
}
