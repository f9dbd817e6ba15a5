/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoint halts, and control transfers that do not go straight. */
#include "tests.h"

static uint8_t halted(Host &host, uint16_t ep)
{
    Answer answer = host.control({0x82, 0, 0, ep, 2});
    CHECK(answer.data.size() == 2 && answer.data[1] == 0);
    return answer.data[0];
}

static void halt(Host &host, uint16_t ep)
{
    CHECK(host.control({0x02, 3, 0, ep, 0}).result == ACKED);
}

static void clear(Host &host, uint16_t ep)
{
    CHECK(host.control({0x02, 1, 0, ep, 0}).result == ACKED);
    (ep == 0x81 ? host.toggle_in : host.toggle_out) = false;
}

static void halted_in_endpoint_stalls_until_cleared(Host &host)
{
    host.enumerate();
    halt(host, 0x81);
    CHECK(halted(host, 0x81) == 1 && halted(host, 0x01) == 0);
    host.rig.send({1, 2, 3});
    host.idle(200);
    CHECK(host.in(1).result == STALLED);
    CHECK(host.bulk_out({1}) == ACKED);
    clear(host, 0x81);
    CHECK(halted(host, 0x81) == 0);
    CHECK(host.read_transfer() == (Bytes{1, 2, 3}));
}

static void halted_out_endpoint_stalls_until_cleared(Host &host)
{
    host.enumerate();
    halt(host, 0x01);
    CHECK(halted(host, 0x01) == 1 && halted(host, 0x81) == 0);
    CHECK(host.bulk_out({1}) == STALLED);
    CHECK(host.in(1).result == NAKED);
    clear(host, 0x01);
    CHECK(host.bulk_out({2}) == ACKED);
    host.idle(100);
    CHECK(host.rig.received == Bytes{2});
}

static void clear_halt_resets_only_that_toggle(Host &host)
{
    host.enumerate();
    host.rig.loopback = true;
    host.write({1});
    CHECK(host.read_transfer() == Bytes{1});
    CHECK(host.toggle_in && host.toggle_out);
    clear(host, 0x81);
    host.write({2});
    CHECK(host.read_transfer() == Bytes{2});
    CHECK(host.toggle_in && !host.toggle_out);
    host.write({3});
    CHECK(host.read_transfer() == Bytes{3});
    clear(host, 0x01);
    host.write({4});
    CHECK(host.read_transfer() == Bytes{4});
}

static void clear_halt_keeps_the_data(Host &host)
{
    host.enumerate();
    host.rig.send({1, 2, 3});
    host.idle(200);
    clear(host, 0x81);
    CHECK(host.read_transfer() == (Bytes{1, 2, 3}));
}

static void endpoint_0_has_no_halt(Host &host)
{
    host.enumerate();
    for (uint16_t ep : {0x00, 0x80}) {
        CHECK(host.control({0x02, 3, 0, ep, 0}).result == STALLED);
        CHECK(halted(host, ep) == 0);
    }
}

static void other_endpoint_features_stall(Host &host)
{
    host.enumerate();
    CHECK(host.control({0x02, 3, 1, 0x81, 0}).result == STALLED);
    CHECK(host.control({0x02, 3, 0x0100, 0x81, 0}).result == STALLED);
    CHECK(host.control({0x02, 3, 0, 0x82, 0}).result == STALLED);
    CHECK(host.control({0x02, 3, 0, 0x0181, 0}).result == STALLED);
    CHECK(halted(host, 0x81) == 0 && halted(host, 0x01) == 0);
}

static void configuration_and_interface_clear_halts_and_toggles(Host &host)
{
    for (int kind = 0; kind < 2; kind++) {
        host.enumerate();
        host.rig.loopback = true;
        host.write({9});
        CHECK(host.read_transfer() == Bytes{9});
        halt(host, 0x01);
        halt(host, 0x81);
        Setup setups[] = {{0x00, 9, 1, 0, 0}, {0x01, 11, 0, 0, 0}};
        CHECK(host.control(setups[kind]).result == ACKED);
        host.toggle_in = host.toggle_out = false;
        CHECK(halted(host, 0x81) == 0 && halted(host, 0x01) == 0);
        host.write({7});
        CHECK(host.read_transfer() == Bytes{7});
    }
}

static void setup_is_taken_with_data0_and_8_bytes_only(Host &host)
{
    host.bus_reset();
    Bytes request = {0x80, 6, 0, 1, 0, 0, 18, 0};
    CHECK(host.out(0, PID_DATA1, request, {}, PID_SETUP).result == NOTHING);
    for (size_t size : {0u, 1u, 7u, 9u, 16u, 64u}) {
        Bytes other = request;
        other.resize(size);
        CHECK(host.out(0, PID_DATA0, other, {}, PID_SETUP).result == NOTHING);
    }
    CHECK(host.in(0).result == STALLED);
    CHECK(host.out(0, PID_DATA0, request, {}, PID_SETUP).result == ACKED);
    CHECK(host.in(0).data.size() == 18);
}

static void setup_with_a_bad_crc_is_repeated(Host &host)
{
    host.bus_reset();
    Faults faults;
    faults.data = {Fault::FLIP, 40};
    Bytes request = {0x80, 6, 0, 1, 0, 0, 18, 0};
    CHECK(host.out(0, PID_DATA0, request, faults, PID_SETUP).result == NOTHING);
    CHECK(host.out(0, PID_DATA0, request, {}, PID_SETUP).result == ACKED);
    CHECK(host.in(0).data.size() == 18);
}

static void setup_whose_ack_was_lost_is_repeated(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x80, 6, 0x0100, 0, 18}).result == ACKED);
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
    CHECK(host.setup({0x00, 5, 44, 0, 0}).result == ACKED);
    CHECK(host.control({0x00, 5, 44, 0, 0}).result == ACKED);
    host.addr = 44;
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
}

static void setup_ends_a_transfer_that_is_under_way(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x80, 6, 0x0200, 0, 32}).result == ACKED);
    CHECK(host.in(0).data.size() == 32);
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
    CHECK(host.setup({0x80, 6, 0x0200, 0, 32}).result == ACKED);
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
    CHECK(host.setup({0x80, 6, 0x0F00, 0, 32}).result == ACKED);
    CHECK(host.in(0).result == STALLED);
    CHECK(host.in(0).result == STALLED);
    CHECK(host.out(0, PID_DATA1, {}).result == STALLED);
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
}

static void data_stage_is_repeated_until_acknowledged(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x80, 6, 0x0100, 0, 18}).result == ACKED);
    Faults faults;
    faults.no_ack = true;
    Bytes first = host.in(0, faults).data;
    for (int i = 0; i < 5; i++) {
        Answer answer = host.in(0, faults);
        CHECK(answer.data == first && answer.pid == PID_DATA1);
    }
    CHECK(host.in(0).data == first);
    CHECK(host.out(0, PID_DATA1, {}).result == ACKED);
    CHECK(host.out(0, PID_DATA1, {}).result == ACKED);
}

static void host_ends_a_read_early(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x80, 6, 0x0100, 0, 18}).result == ACKED);
    CHECK(host.out(0, PID_DATA1, {}).result == ACKED);
    CHECK(host.control({0x80, 6, 0x0100, 0, 18}).data.size() == 18);
}

static void status_stage_is_repeated_until_acknowledged(Host &host)
{
    host.enumerate();
    CHECK(host.setup({0x00, 9, 1, 0, 0}).result == ACKED);
    Faults faults;
    faults.no_ack = true;
    for (int i = 0; i < 3; i++) {
        Answer answer = host.in(0, faults);
        CHECK(answer.data.empty() && answer.pid == PID_DATA1);
    }
    CHECK(host.in(0).result == ACKED);
}

static void endpoint_0_stalls_before_the_first_setup(Host &host)
{
    host.bus_reset();
    CHECK(host.in(0).result == STALLED);
    CHECK(host.out(0, PID_DATA1, {}).result == STALLED);
}

static void control_transfers_with_errors_everywhere(Host &host)
{
    host.enumerate();
    host.fault_percent = 15;
    host.lost_percent = 15;
    for (int i = 0; i < 60; i++) {
        CHECK(host.control({0x80, 6, 0x0100, 0, 64}).data.size() == 18);
        CHECK(host.control({0x80, 6, 0x0200, 0, 9}).data.size() == 9);
        CHECK(host.control({0x02, 1, 0, 0x81, 0}).result == ACKED);
    }
}

Tests endpoint_tests()
{
    return {
        {"endpoint_halted_in_stalls_until_cleared", halted_in_endpoint_stalls_until_cleared},
        {"endpoint_halted_out_stalls_until_cleared", halted_out_endpoint_stalls_until_cleared},
        {"endpoint_clear_halt_resets_only_that_toggle", clear_halt_resets_only_that_toggle},
        {"endpoint_clear_halt_keeps_the_data", clear_halt_keeps_the_data},
        {"endpoint_0_has_no_halt", endpoint_0_has_no_halt},
        {"endpoint_other_features_stall", other_endpoint_features_stall},
        {"endpoint_configuration_and_interface_clear_halts_and_toggles",
         configuration_and_interface_clear_halts_and_toggles},
        {"control_setup_is_taken_with_data0_and_8_bytes_only",
         setup_is_taken_with_data0_and_8_bytes_only},
        {"control_setup_with_a_bad_crc_is_repeated", setup_with_a_bad_crc_is_repeated},
        {"control_setup_whose_ack_was_lost_is_repeated", setup_whose_ack_was_lost_is_repeated},
        {"control_setup_ends_a_transfer_that_is_under_way",
         setup_ends_a_transfer_that_is_under_way},
        {"control_data_stage_is_repeated_until_acknowledged",
         data_stage_is_repeated_until_acknowledged},
        {"control_host_ends_a_read_early", host_ends_a_read_early},
        {"control_status_stage_is_repeated_until_acknowledged",
         status_stage_is_repeated_until_acknowledged},
        {"control_endpoint_0_stalls_before_the_first_setup",
         endpoint_0_stalls_before_the_first_setup},
        {"control_transfers_with_errors_everywhere", control_transfers_with_errors_everywhere},
    };
}
