/* SPDX-License-Identifier: Apache-2.0 */
/* Bit-sliced decoder: a row is the XOR of whole bit planes, so 64 slices a word
 * and up to 512 a register are decoded at once. Planes are walked in blocks that
 * keep all inputs in the first-level cache while the rows reuse them. */
#include <string.h>

#include "../base/clones.h"
#include "flexor/xornet.h"

#define BLOCK 64 /* words of a plane: 32 input planes are 16 KiB */

struct taps {
    int n;
    uint8_t at[FLX_XOR_MAX];
};

static void list_taps(struct taps *t, uint32_t row)
{
    t->n = 0;
    for (; row; row &= row - 1)
        t->at[t->n++] = (uint8_t)__builtin_ctz(row);
}

/* The rows of words w .. w+n-1. */
static inline __attribute__((always_inline)) void decode_block(const struct taps *rows, int n_out,
                                                               const uint64_t *restrict in,
                                                               uint64_t *restrict out, size_t n,
                                                               size_t stride)
{
    for (int i = 0; i < n_out; i++) {
        const struct taps *t = &rows[i];
        uint64_t *restrict y = out + (size_t)i * stride;
        const uint64_t *a = in + t->at[0] * stride;
        if (t->n == 1) {
            memcpy(y, a, n * sizeof *y);
            continue;
        }
        const uint64_t *b = in + t->at[1] * stride;
        for (size_t w = 0; w < n; w++)
            y[w] = a[w] ^ b[w];
        for (int k = 2; k < t->n; k++) {
            const uint64_t *c = in + t->at[k] * stride;
            for (size_t w = 0; w < n; w++)
                y[w] ^= c[w];
        }
    }
}

FLX_CLONES static void decode_planes(const struct taps *rows, int n_out, const uint64_t *in,
                                     uint64_t *out, size_t n_words, size_t stride)
{
    size_t w = 0;
    for (; w + BLOCK <= n_words; w += BLOCK)
        decode_block(rows, n_out, in + w, out + w, BLOCK, stride);
    if (w < n_words)
        decode_block(rows, n_out, in + w, out + w, n_words - w, stride);
}

void flx_xornet_decode(const struct flx_xornet *net, int n_in, const uint64_t *in, uint64_t *out,
                       size_t n_words, size_t stride)
{
    struct taps rows[FLX_XOR_MAX];
    for (int i = 0; i < net->n_out; i++)
        list_taps(&rows[i], flx_xornet_row(net, n_in, i));
    decode_planes(rows, net->n_out, in, out, n_words, stride);
}
