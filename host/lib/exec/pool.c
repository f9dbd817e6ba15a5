/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling of code maps: loops over channels that the compiler turns into vector code. */
#include <string.h>

#include "../base/clones.h"
#include "exec_internal.h"

size_t flx_pool_scratch(const struct flx_pool *pool)
{
    size_t row = (size_t)pool->in_w * pool->c, sums = pool->c * sizeof(int32_t);
    return row > sums ? row : sums;
}

struct flx_pool flx_plan_pool(const struct flx_plan *plan, size_t out_row, int act_bits)
{
    const struct flx_layer *l = plan->l;
    return (struct flx_pool){.size = l->pool,
                             .stride = l->pool_stride,
                             .pad = l->pool_pad,
                             .shift = l->pool_shift,
                             .max = (1 << act_bits) - 1,
                             .in_h = plan->conv_h,
                             .in_w = plan->conv_w,
                             .out_h = l->out_h,
                             .out_w = l->out_w,
                             .in_row = (size_t)plan->conv_w * (size_t)l->out_c,
                             .out_row = out_row,
                             .c = (size_t)l->out_c};
}

/* The part of window @p i that lies inside 0..end. */
static inline int window(const struct flx_pool *pool, int i, int end, int *first)
{
    int from = i * pool->stride - pool->pad, to = from + pool->size;
    *first = from > 0 ? from : 0;
    return to < end ? to : end;
}

/* to[i] = max(a[i], b[i]) */
static inline __attribute__((always_inline)) void maximum(uint8_t *to, const uint8_t *a,
                                                          const uint8_t *b, size_t n)
{
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++)
        to[i] = b[i] > a[i] ? b[i] : a[i];
}

/* Rows first, then the columns of the row of maxima. */
FLX_CLONES void flx_max_pool(const struct flx_pool *pool, uint8_t *out, const uint8_t *in,
                             uint8_t *scratch)
{
    size_t c = pool->c, row = (size_t)pool->in_w * c;
    for (int oy = 0; oy < pool->out_h; oy++, out += pool->out_row) {
        int y, y_end = window(pool, oy, pool->in_h, &y);
        const uint8_t *best = in + (size_t)y * pool->in_row;
        while (++y < y_end) {
            maximum(scratch, best, in + (size_t)y * pool->in_row, row);
            best = scratch;
        }
        for (int ox = 0; ox < pool->out_w; ox++) {
            int x, x_end = window(pool, ox, pool->in_w, &x);
            uint8_t *to = out + (size_t)ox * c;
            memcpy(to, best + (size_t)x * c, c);
            while (++x < x_end)
                maximum(to, to, best + (size_t)x * c, c);
        }
    }
}

static inline __attribute__((always_inline)) void add(int32_t *restrict sums,
                                                      const uint8_t *restrict codes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += codes[i];
}

FLX_CLONES void flx_sum_pool(const struct flx_pool *pool, uint8_t *out, const uint8_t *in,
                             int32_t *scratch)
{
    int32_t half = pool->shift > 0 ? 1 << (pool->shift - 1) : 0;
    for (int oy = 0; oy < pool->out_h; oy++, out += pool->out_row)
        for (int ox = 0; ox < pool->out_w; ox++) {
            int y, x_first, y_end = window(pool, oy, pool->in_h, &y);
            int x_end = window(pool, ox, pool->in_w, &x_first);
            memset(scratch, 0, pool->c * sizeof *scratch);
            for (; y < y_end; y++)
                for (int x = x_first; x < x_end; x++)
                    add(scratch, in + (size_t)y * pool->in_row + (size_t)x * pool->c, pool->c);
            for (size_t i = 0; i < pool->c; i++) {
                int32_t code = (scratch[i] + half) >> pool->shift;
                out[(size_t)ox * pool->c + i] = (uint8_t)(code < pool->max ? code : pool->max);
            }
        }
}
