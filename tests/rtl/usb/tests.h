/* SPDX-License-Identifier: Apache-2.0 */
/* Every test gets a device that was just connected, and a host that has done nothing yet. */
#ifndef TESTS_H
#define TESTS_H

#include "host.h"

struct Test {
    const char *name;
    void (*run)(Host &host);
};

using Tests = std::vector<Test>;

Tests line_tests();
Tests packet_tests();
Tests chapter9_tests();
Tests endpoint_tests();
Tests bulk_tests();
Tests state_tests();
Tests random_tests();

Bytes random_bytes(Host &host, size_t count);
/* count bytes through OUT, the loopback of the rig, and IN */
void round_trip(Host &host, size_t count);

#endif
