/* SPDX-License-Identifier: Apache-2.0 */
#include "fit_memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "desc.h"
#include "flx_proto.h"

/* Shapes: Lattice FPGA-TN-02002 (iCE40 memory usage) and FPGA-TN-02204 (ECP5 memory usage). */
static const struct flx_family families[] = {
    {"ice40", {{16, 256}, {8, 512}, {4, 1024}, {2, 2048}}, 0, 0, "logic cells"},
    {"ecp5", {{36, 512}, {18, 1024}, {9, 2048}, {4, 4096}, {2, 8192}, {1, 16384}}, 1024, 0, "LUTs"},
};

static const struct flx_part parts[] = {
    {"up5k", 5280, 30, 8},  {"hx1k", 1280, 16, 0},   {"hx8k", 7680, 32, 0},
    {"25k", 24288, 56, 28}, {"45k", 43848, 108, 72}, {"85k", 83640, 208, 156},
};

const struct flx_family *flx_family_find(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (!strcmp(families[i].name, name))
            return &families[i];
    return NULL;
}

/* Words of the row cache in front of a store. */
#define CACHE_WORDS 256

const struct flx_part *flx_part_find(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strcmp(parts[i].name, name))
            return &parts[i];
    return NULL;
}

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

int flx_memory_blocks(const struct flx_family *f, int width, int depth)
{
    int best = INT_MAX;
    if (width * depth <= f->distributed || depth <= f->few)
        return 0;
    for (int i = 0; i < 6 && f->shape[i].width; i++) {
        int n = ceil_div(width, f->shape[i].width) * ceil_div(depth, f->shape[i].depth);
        best = n < best ? n : best;
    }
    return best;
}

/* Smallest n with 2^n >= v. */
static int log2_up(int v)
{
    int n = 0;
    while (1 << n < v)
        n++;
    return n;
}

/* Frames; FIFOs between the clocks (a UART sends byte by byte, without one); and what a USB device
 * needs. */
static int link_blocks(const struct flx_family *f, const struct flx_board *b)
{
    int frame = flx_memory_blocks(f, 8, 2 * b->core[FLX_CORE_MAX_PAYLOAD]);
    if (b->link == FLX_LINK_UART)
        return frame + flx_memory_blocks(f, 8, 1 << b->rx_log2);
    return frame + 2 + flx_memory_blocks(f, 8, 256) + flx_memory_blocks(f, 8, 128) +
           flx_memory_blocks(f, 8, 256);
}

/* The core's memories have output registers too: its clock may need them (flx_core: REG). */
static bool core_registers(const int *c)
{
    return c[FLX_CORE_PIPE] && c[FLX_CORE_PIXELS] < 4;
}

/* Words share blocks, two bytes each, if there are up to 256, or 1024 with PIXELS (flx_weight_buf).
 */
static int weight_blocks(const struct flx_family *f, const int *c, int n_out)
{
    int slices = c[FLX_CORE_K] * c[FLX_CORE_T] / n_out, words = c[FLX_CORE_WMEM_WORDS];
    int bytes = (int)flx_word_bytes(slices, c[FLX_CORE_NIN_MAX]);
    int pixels = c[FLX_CORE_PIXELS] > 1;
    if (core_registers(c) || words > (pixels ? 1024 : 256))
        return bytes * flx_memory_blocks(f, 8, words);
    return bytes / 2 * flx_memory_blocks(f, 16, words) + bytes % 2 * flx_memory_blocks(f, 8, words);
}

/* The memories that have an output register with PIPE: on the ECP5 a primitive
 * (rtl/tech/flx_ram_reg.v), which reads and writes at most 18 bits. */
static struct flx_family with_registers(const struct flx_family *f, const int *c)
{
    struct flx_family r = *f;
    if (c[FLX_CORE_PIPE] && !strcmp(f->name, "ecp5")) {
        r.shape[0] = r.shape[1];
        r.distributed = 0;
        r.few = 16;
    }
    return r;
}

/* Sums of windows that wait, if they are many (flx_pool). */
static int pool_blocks(const struct flx_family *f, const int *c)
{
    int rq = c[FLX_CORE_RQ], depth = c[FLX_CORE_T] / rq * c[FLX_CORE_PIXELS];
    if (c[FLX_CORE_PIXELS] == 1 || !c[FLX_CORE_POOL_BITS] || depth < 16)
        return 0;
    return flx_memory_blocks(f, rq * (c[FLX_CORE_ACT_W] + c[FLX_CORE_POOL_BITS]),
                             1 << log2_up(depth - 4));
}

/* What the planes of a set have left: every step of every position (flx_requant). */
static int plane_blocks(const struct flx_family *f, const int *c)
{
    int bits = c[FLX_CORE_SCALED] == 2 ? c[FLX_CORE_ACC_W] : 32, rq = c[FLX_CORE_RQ];
    int steps = c[FLX_CORE_T] / rq * c[FLX_CORE_PIXELS];
    return flx_memory_blocks(f, bits * rq, c[FLX_CORE_PIXELS] > 1 ? 1 << log2_up(steps) : 64);
}

int flx_fit_memories(const struct flx_family *f, const struct flx_board *b, int n_out,
                     struct flx_fit_memory use[FLX_FIT_MEMORIES])
{
    const int *c = b->core;
    int granule = 4 * c[FLX_CORE_ACT_W], p = c[FLX_CORE_P], rq = c[FLX_CORE_RQ];
    int maps = c[FLX_CORE_AMEM_KIND] ? CACHE_WORDS : c[FLX_CORE_AMEM_WORDS];
    int program = FLX_PROG_HDR_WORDS + FLX_PROG_LAYER_WORDS * c[FLX_CORE_PROG_LAYERS];
    int counters = 8 << log2_up(c[FLX_CORE_PROG_LAYERS]);
    int ring = c[FLX_CORE_LOADER] ? 1 << log2_up(c[FLX_CORE_WIN_MAX]) : 0;
    int fast = c[FLX_CORE_PIXELS] > 1;
    const struct flx_family reg = with_registers(f, c);
    const struct flx_family *core = core_registers(c) ? &reg : f;
    const struct flx_fit_memory all[FLX_FIT_MEMORIES] = {
        {"activations", p * c[FLX_CORE_K] / 4 * flx_memory_blocks(&reg, granule, maps)},
        {"weights", weight_blocks(core, c, n_out)},
        {"parameters", rq * flx_memory_blocks(core, 48, c[FLX_CORE_PMEM_CH] / rq)},
        {"program", flx_memory_blocks(f, 32, program)},
        {"planes", c[FLX_CORE_SCALED] ? p * plane_blocks(fast ? &reg : f, c) : 0},
        {"pools", p * pool_blocks(&reg, c)},
        {"results", p * flx_memory_blocks(&reg, 32, 2 << log2_up(c[FLX_CORE_RES_WORDS]))},
        {"counters", c[FLX_CORE_COUNTERS] ? flx_memory_blocks(f, 32, counters) : 0},
        {"link and images", link_blocks(f, b) + flx_memory_blocks(f, c[FLX_CORE_ACT_W], ring)},
    };
    memcpy(use, all, sizeof all);
    return FLX_FIT_MEMORIES;
}
