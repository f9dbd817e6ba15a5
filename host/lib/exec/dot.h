/* SPDX-License-Identifier: Apache-2.0 */
/** The inner loop of the fast reference: sums of small weights times u8 codes for a
 *  block of output positions and output channels. Exact, whatever the CPU. */
#ifndef FLEXOR_DOT_H
#define FLEXOR_DOT_H
#include <stddef.h>
#include <stdint.h>

#define FLX_DOT_LANES 16  /* output channels of one vector */
#define FLX_DOT_VECS  4   /* largest number of vectors of a block */
#define FLX_DOT_POS   12  /* largest number of positions of a block */
#define FLX_DOT_SUMS  384 /* largest number of sums of a block */
#define FLX_DOT_STEP  4   /* inputs that are multiplied and added together */
/* Binary planes of one pass: weights up to 63, with which pairs of products still
 * fit the 16 bits of AVX2. */
#define FLX_DOT_PLANES 6

/** Where the inputs of a position lie: @p runs pieces of 4·@p steps bytes (the
 *  rows of the kernel), @p run_stride bytes apart. The last bytes of a run may
 *  lie behind it: their weights are 0, but they are read. */
struct flx_dot_shape {
    int runs, steps;
    ptrdiff_t run_stride;
};

/** sums[position][vecs * 16] for flx_dot_positions(vecs) positions that begin at
 *  @p in. Weights: [runs][steps][vecs][16 channels][4 inputs], -63 to 63. */
typedef void flx_dot_fn(const struct flx_dot_shape *shape, int vecs, const uint8_t *const in[],
                        const int8_t *weights, int32_t *sums);

/** Positions of a block of 1..FLX_DOT_VECS vectors. */
int flx_dot_positions(int vecs);

enum flx_dot_kind { FLX_DOT_PLAIN = 0, FLX_DOT_AVX2 = 1, FLX_DOT_VNNI = 2, FLX_DOT_KINDS };

/** The inner loop of that kind, NULL when the CPU cannot run it. */
flx_dot_fn *flx_dot_get(enum flx_dot_kind kind);

/** The fastest kind that the CPU can run. */
enum flx_dot_kind flx_dot_best(void);

#endif
