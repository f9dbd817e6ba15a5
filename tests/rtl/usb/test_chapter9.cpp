/* SPDX-License-Identifier: Apache-2.0 */
/* Standard device requests on the default pipe. */
#include "tests.h"

static Bytes descriptor(Host &host, unsigned type, unsigned index, unsigned length = 255)
{
    Answer answer = host.control({0x80, 6, static_cast<uint16_t>(type << 8 | index),
                                  static_cast<uint16_t>(type == 3 ? 0x0409 : 0),
                                  static_cast<uint16_t>(length)});
    CHECK(answer.result == ACKED);
    return answer.data;
}

static std::string text(const Bytes &string)
{
    std::string s;
    CHECK(string.size() >= 2 && string.size() == string[0] && string[1] == 3);
    for (size_t i = 2; i < string.size(); i += 2) {
        CHECK(string[i + 1] == 0);
        s += static_cast<char>(string[i]);
    }
    return s;
}

static void device_descriptor_at_address_0(Host &host)
{
    host.bus_reset();
    CHECK(descriptor(host, 1, 0, 64) == (Bytes{18, 1, 0x00, 0x02, 0xFF, 0xFF, 0xFF, 64, 0x09, 0x12,
                                               0x0F, 0x00, 0x00, 0x01, 1, 2, 3, 1}));
}

static void configuration_descriptor(Host &host)
{
    host.bus_reset();
    CHECK(descriptor(host, 2, 0) ==
          (Bytes{9, 2, 32,   0, 1,  1,    0,    0x80, 250, /* */
                 9, 4, 0,    0, 2,  0xFF, 0xFF, 0xFF, 0,   /* */
                 7, 5, 0x01, 2, 64, 0,    0,    7,    5,   0x81, 2, 64, 0, 0}));
}

static void strings_and_serial_number(Host &host)
{
    host.bus_reset();
    CHECK(descriptor(host, 3, 0) == (Bytes{4, 3, 0x09, 0x04}));
    CHECK(text(descriptor(host, 3, 1)) == "flexor");
    CHECK(text(descriptor(host, 3, 2)) == "flexor test board");
    CHECK(text(descriptor(host, 3, 3)) == "00C0FFEE");
    host.rig.dut->i_serial = 0x9A5B4D71;
    CHECK(text(descriptor(host, 3, 3)) == "9A5B4D71");
}

static void reads_of_every_length(Host &host)
{
    host.bus_reset();
    Bytes whole = descriptor(host, 2, 0);
    for (unsigned length = 1; length <= 40; length++) {
        Bytes want(whole.begin(), whole.begin() + std::min<int>(static_cast<int>(length), 32));
        CHECK(descriptor(host, 2, 0, length) == want);
    }
    for (unsigned length : {63u, 64u, 65u, 127u, 128u, 256u, 4096u, 0xFF00u, 0xFFFFu})
        CHECK(descriptor(host, 2, 0, length) == whole);
}

static void read_of_no_bytes_has_only_a_status_stage(Host &host)
{
    host.bus_reset();
    Answer answer = host.control({0x80, 6, 0x0100, 0, 0});
    CHECK(answer.result == ACKED && answer.data.empty());
}

static void descriptors_that_do_not_exist_stall(Host &host)
{
    host.bus_reset();
    for (unsigned type = 0; type < 256; type++)
        if (type < 1 || type > 3)
            CHECK(host.control({0x80, 6, static_cast<uint16_t>(type << 8), 0, 64}).result ==
                  STALLED);
    for (unsigned value : {0x0101u, 0x0180u, 0x0201u, 0x0202u, 0x0304u, 0x03EEu, 0x0383u})
        CHECK(host.control({0x80, 6, static_cast<uint16_t>(value), 0, 64}).result == STALLED);
    CHECK(host.control({0x81, 6, 0x0100, 0, 64}).result == STALLED);
    CHECK(descriptor(host, 1, 0).size() == 18);
}

static void address_changes_after_the_status_stage(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x00, 5, 99, 0, 0}).result == ACKED);
    host.addr = 99;
    CHECK(host.in(0).result == NOTHING);
    host.addr = 0;
    CHECK(host.in(0).result == ACKED);
    CHECK(host.in(0).result == NOTHING);
    host.addr = 99;
    CHECK(descriptor(host, 1, 0).size() == 18);
}

static void every_address_can_be_set(Host &host)
{
    for (unsigned addr : {1u, 2u, 4u, 8u, 16u, 32u, 64u, 127u}) {
        host.bus_reset();
        CHECK(host.control({0x00, 5, static_cast<uint16_t>(addr), 0, 0}).result == ACKED);
        host.addr = addr;
        CHECK(descriptor(host, 1, 0).size() == 18);
    }
    CHECK(host.control({0x00, 5, 128, 0, 0}).result == STALLED);
}

static void address_does_not_change_without_the_hosts_ack(Host &host)
{
    host.bus_reset();
    CHECK(host.setup({0x00, 5, 77, 0, 0}).result == ACKED);
    Faults faults;
    faults.no_ack = true;
    CHECK(host.in(0, faults).result == NOTHING);
    Answer again = host.in(0);
    CHECK(again.result == ACKED && again.data.empty() && again.pid == PID_DATA1);
    host.addr = 77;
    CHECK(descriptor(host, 1, 0).size() == 18);
}

static void configurations_0_and_1(Host &host)
{
    host.enumerate();
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{1});
    CHECK(host.control({0x00, 9, 0, 0, 0}).result == ACKED);
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{0});
    CHECK(host.in(1).result == NOTHING);
    CHECK(host.control({0x00, 9, 2, 0, 0}).result == STALLED);
    CHECK(host.control({0x00, 9, 1, 0, 0}).result == ACKED);
    CHECK(host.in(1).result == NAKED);
    CHECK(host.control({0x00, 9, 0x0101, 0, 0}).result == STALLED);
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{1});
}

static void endpoint_1_is_silent_before_the_configuration(Host &host)
{
    host.bus_reset();
    CHECK(host.in(1).result == NOTHING);
    CHECK(host.out(1, PID_DATA0, {1}).result == NOTHING);
}

static void status_of_device_interface_and_endpoints(Host &host)
{
    host.enumerate();
    const Bytes zero = {0, 0};
    CHECK(host.control({0x80, 0, 0, 0, 2}).data == zero);
    CHECK(host.control({0x81, 0, 0, 0, 2}).data == zero);
    for (uint16_t ep : {0x00, 0x80, 0x01, 0x81})
        CHECK(host.control({0x82, 0, 0, ep, 2}).data == zero);
    for (uint16_t ep : {0x02, 0x82, 0x0F, 0x101})
        CHECK(host.control({0x82, 0, 0, ep, 2}).result == STALLED);
    CHECK(host.control({0x81, 0, 0, 1, 2}).result == STALLED);
    CHECK(host.control({0x83, 0, 0, 0, 2}).result == STALLED);
}

static void status_of_interface_and_bulk_endpoints_needs_a_configuration(Host &host)
{
    host.bus_reset();
    CHECK(host.control({0x80, 0, 0, 0, 2}).result == ACKED);
    CHECK(host.control({0x82, 0, 0, 0, 2}).result == ACKED);
    CHECK(host.control({0x81, 0, 0, 0, 2}).result == STALLED);
    CHECK(host.control({0x82, 0, 0, 0x81, 2}).result == STALLED);
    CHECK(host.control({0x02, 3, 0, 0x81, 0}).result == STALLED);
}

static void interface_0_has_alternate_setting_0(Host &host)
{
    host.enumerate();
    CHECK(host.control({0x81, 10, 0, 0, 1}).data == Bytes{0});
    CHECK(host.control({0x01, 11, 0, 0, 0}).result == ACKED);
    CHECK(host.control({0x01, 11, 1, 0, 0}).result == STALLED);
    CHECK(host.control({0x01, 11, 0, 1, 0}).result == STALLED);
    CHECK(host.control({0x81, 10, 0, 1, 1}).result == STALLED);
}

static void device_features_stall(Host &host)
{
    host.enumerate();
    for (uint16_t feature : {0, 1, 2})
        for (uint8_t request : {1, 3})
            CHECK(host.control({0x00, request, feature, 0, 0}).result == STALLED);
}

static void every_unknown_request_stalls_and_the_next_one_works(Host &host)
{
    host.enumerate();
    for (unsigned type : {0x00u, 0x01u, 0x02u, 0x20u, 0x21u, 0x40u, 0x41u, 0x60u})
        for (unsigned request = 0; request < 20; request++) {
            bool known = (type == 0x00 && (request == 5 || request == 9)) ||
                         (type == 0x01 && request == 11) || (type == 0x40 && request == 1);
            if (known)
                continue;
            Setup setup = {static_cast<uint8_t>(type), static_cast<uint8_t>(request), 0, 0, 0};
            CHECK(host.control(setup).result == STALLED);
        }
    for (unsigned type : {0x80u, 0xA0u, 0xA1u, 0xC0u, 0xC1u, 0xE0u})
        for (unsigned request : {1u, 2u, 3u, 4u, 5u, 7u, 9u, 10u, 11u, 12u, 16u, 22u, 255u}) {
            Setup setup = {static_cast<uint8_t>(type), static_cast<uint8_t>(request), 0, 0, 8};
            CHECK(host.control(setup).result == STALLED);
        }
    CHECK(descriptor(host, 1, 0).size() == 18);
}

static void writes_with_data_stall(Host &host)
{
    host.enumerate();
    CHECK(host.setup({0x00, 7, 0x0100, 0, 18}).result == ACKED);
    CHECK(host.out(0, PID_DATA1, Bytes(18, 0)).result == STALLED);
    CHECK(host.setup({0x00, 9, 0, 0, 1}).result == ACKED);
    CHECK(host.out(0, PID_DATA1, {0}).result == STALLED);
    CHECK(host.control({0x80, 8, 0, 0, 1}).data == Bytes{1});
}

Tests chapter9_tests()
{
    return {
        {"chapter9_device_descriptor_at_address_0", device_descriptor_at_address_0},
        {"chapter9_configuration_descriptor", configuration_descriptor},
        {"chapter9_strings_and_serial_number", strings_and_serial_number},
        {"chapter9_reads_of_every_length", reads_of_every_length},
        {"chapter9_read_of_no_bytes_has_only_a_status_stage",
         read_of_no_bytes_has_only_a_status_stage},
        {"chapter9_descriptors_that_do_not_exist_stall", descriptors_that_do_not_exist_stall},
        {"chapter9_address_changes_after_the_status_stage", address_changes_after_the_status_stage},
        {"chapter9_every_address_can_be_set", every_address_can_be_set},
        {"chapter9_address_does_not_change_without_the_hosts_ack",
         address_does_not_change_without_the_hosts_ack},
        {"chapter9_configurations_0_and_1", configurations_0_and_1},
        {"chapter9_endpoint_1_is_silent_before_the_configuration",
         endpoint_1_is_silent_before_the_configuration},
        {"chapter9_status_of_device_interface_and_endpoints",
         status_of_device_interface_and_endpoints},
        {"chapter9_status_of_interface_and_bulk_endpoints_needs_a_configuration",
         status_of_interface_and_bulk_endpoints_needs_a_configuration},
        {"chapter9_interface_0_has_alternate_setting_0", interface_0_has_alternate_setting_0},
        {"chapter9_device_features_stall", device_features_stall},
        {"chapter9_every_unknown_request_stalls_and_the_next_one_works",
         every_unknown_request_stalls_and_the_next_one_works},
        {"chapter9_writes_with_data_stall", writes_with_data_stall},
    };
}
