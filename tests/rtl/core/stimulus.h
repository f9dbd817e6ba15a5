/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler and stimulus writer of gen_case. */
#ifndef STIMULUS_H
#define STIMULUS_H
#include "golden.h"

struct shape {
    int k, t, p, rq, nout, nmin, nmax, kind, actw, amem, wmem, pmem, layers, res, win;
    int skip, windows, scaled, pool_bits, lanes, fan, pixels;
};

/* Does the chain fit the memories of the shape? Streamed weights need room for one block. */
int case_fits(const struct shape *s, const struct layer *l, int n, int stream);

/* Writes the stimulus for `runs` batches of p random images. */
void write_case(const struct shape *s, const struct net *net, struct layer *l, int n, int runs,
                int stream, int report, const char *path);

#endif
