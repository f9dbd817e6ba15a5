// SPDX-License-Identifier: Apache-2.0
// The board's two clocks, which have no common phase, and the time they make.
#ifndef CLOCKS_H
#define CLOCKS_H

constexpr double US = 1e6; // times are in picoseconds

struct Clocks {
    double io_period, clk_period;
    double now = 0, next_io = 0, next_clk = 5000;

    // Goes on to the next edge: calls io() or clk() then.
    template <class Io, class Clk> void step(Io io, Clk clk)
    {
        if (next_io <= next_clk) {
            now = next_io;
            next_io += io_period;
            io();
        } else {
            now = next_clk;
            next_clk += clk_period;
            clk();
        }
    }
};

#endif
