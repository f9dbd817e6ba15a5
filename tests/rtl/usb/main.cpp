/* SPDX-License-Identifier: Apache-2.0 */
/* usb_test [SEED [PATTERN]]: runs the tests whose names match, each with the seed. */
#include <cstdio>
#include <cstdlib>
#include <regex>

#include "tests.h"

Bytes random_bytes(Host &host, size_t count)
{
    Bytes data(count);
    for (uint8_t &byte : data)
        byte = static_cast<uint8_t>(host.rig.random());
    return data;
}

void round_trip(Host &host, size_t count)
{
    Bytes sent = random_bytes(host, count), got;
    host.rig.loopback = true;
    for (size_t at = 0; at < count;) {
        size_t n = std::min<size_t>(1 + host.rig.pick(100), count - at);
        Bytes part(sent.begin() + static_cast<long>(at), sent.begin() + static_cast<long>(at + n));
        host.write(part);
        while (got.size() < at + n) {
            Bytes more = host.read_transfer();
            got.insert(got.end(), more.begin(), more.end());
        }
        at += n;
    }
    CHECK(got == sent);
}

static bool passes(const Test &test, unsigned seed)
{
    try {
        Rig rig(seed);
        Host host(rig);
        test.run(host);
        std::printf("PASS %s\n", test.name);
        return true;
    } catch (const Failure &failure) {
        std::printf("FAIL %s (seed %u): %s\n", test.name, seed, failure.what());
        return false;
    }
}

int main(int argc, char **argv)
{
    unsigned seed = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 0)) : 1;
    std::regex pattern(argc > 2 ? argv[2] : ".");
    int failed = 0, run = 0;
    std::printf("seed %u\n", seed);
    for (const auto &group : {line_tests(), packet_tests(), chapter9_tests(), endpoint_tests(),
                              bulk_tests(), state_tests(), random_tests()})
        for (const Test &test : group)
            if (std::regex_search(test.name, pattern)) {
                failed += !passes(test, seed);
                run++;
                std::fflush(stdout);
            }
    std::printf("%d tests, %d failed\n", run, failed);
    return failed != 0 || run == 0;
}
