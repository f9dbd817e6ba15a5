/* SPDX-License-Identifier: Apache-2.0 */
/** Block RAM of a build: the memories of the RTL and the shapes that a block can take. */
#ifndef FLEXOR_FIT_MEMORY_H
#define FLEXOR_FIT_MEMORY_H
#include <stdint.h>

#include "fit_board.h"
#include "flexor/fit.h"

/** What a family of FPGAs offers; NULL when it is not known. */
struct flx_family {
    const char *name;
    struct {
        int width, depth;
    } shape[6];      /* of a block */
    int distributed; /* memories of so many bits at most are made of LUTs */
    int few;         /* and those of so many words */
    const char *lut; /* what nextpnr counts its logic in */
};
const struct flx_family *flx_family_find(const char *name);

/** An FPGA by nextpnr's name of it; NULL when it is not known. */
struct flx_part {
    const char *name;
    int cells, blocks, multipliers;
};
const struct flx_part *flx_part_find(const char *name);

/** Blocks for a memory of @p depth words of @p width bits. */
int flx_memory_blocks(const struct flx_family *f, int width, int depth);

/** Memories of a board's build for @p n_out weights a slice: how many are listed. */
int flx_fit_memories(const struct flx_family *f, const struct flx_board *b, int n_out,
                     struct flx_fit_memory use[FLX_FIT_MEMORIES]);

#endif
