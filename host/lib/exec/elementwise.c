/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over channels that the compiler turns into vector code. */
#include <string.h>

#include "../base/clones.h"
#include "exec_internal.h"
#include "flexor/status.h"

/* V of one vector of channels. */
static inline __attribute__((always_inline)) void value(int32_t *restrict v,
                                                        const int32_t *restrict base,
                                                        const int32_t *restrict sums,
                                                        const int32_t *restrict mul)
{
    for (int c = 0; c < FLX_DOT_LANES; c++)
        v[c] = base[c] + mul[c] * sums[c];
}

FLX_CLONES void flx_accumulate(int32_t *v, const int32_t *base, size_t base_stride,
                               const int32_t *sums, const int32_t *mul, int positions, int vecs)
{
    size_t width = (size_t)vecs * FLX_DOT_LANES;
    for (int p = 0; p < positions; p++, v += width, sums += width, base += base_stride)
        for (size_t c = 0; c < width; c += FLX_DOT_LANES) {
            int32_t sum[FLX_DOT_LANES];
            value(sum, base + c, sums + c, mul + c);
            memcpy(v + c, sum, sizeof sum);
        }
}

/* Vectors of the compiler: it splits them where registers are shorter. */
typedef int32_t value_vec __attribute__((vector_size(FLX_DOT_LANES * sizeof(int32_t))));
typedef uint8_t code_vec __attribute__((vector_size(FLX_DOT_LANES)));

FLX_CLONES void flx_requantise(uint8_t *codes, const int32_t *v, int vectors, int shift, int max)
{
    int32_t half = shift > 0 ? (int32_t)(1U << (shift - 1)) : 0;
    for (int i = 0; i < vectors; i++, codes += FLX_DOT_LANES, v += FLX_DOT_LANES) {
        value_vec x;
        memcpy(&x, v, sizeof x);
        x = (x + half) >> shift;
        x &= ~(x >> 31); /* negative becomes 0 */
        value_vec over = x - max;
        x = max + (over & (over >> 31)); /* x above max becomes max */
        code_vec code = __builtin_convertvector(x, code_vec);
        memcpy(codes, &code, sizeof code);
    }
}

/* a[i] = max(a[i], b[i]) */
static inline __attribute__((always_inline)) void maximum(uint8_t *restrict a,
                                                          const uint8_t *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] = b[i] > a[i] ? b[i] : a[i];
}

FLX_CLONES void flx_max_pool(uint8_t *out, size_t out_row, int out_h, int out_w, uint8_t *in,
                             size_t in_row, size_t c, int size)
{
    for (int y = 0; y < out_h; y++, out += out_row, in += (size_t)size * in_row) {
        for (int py = 1; py < size; py++)
            maximum(in, in + (size_t)py * in_row, (size_t)(out_w * size) * c);
        for (int x = 0; x < out_w; x++) {
            const uint8_t *from = in + (size_t)(x * size) * c;
            uint8_t *to = out + (size_t)x * c;
            memcpy(to, from, c);
            for (int px = 1; px < size; px++)
                maximum(to, from + (size_t)px * c, c);
        }
    }
}

FLX_CLONES static int highest(const uint8_t *bytes, size_t n)
{
    uint8_t best = 0;
    for (size_t i = 0; i < n; i++)
        best = bytes[i] > best ? bytes[i] : best;
    return best;
}

int flx_exec_check_images(const struct flx_model *m, const uint8_t *images, int n)
{
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * (size_t)n;
    int max = (1 << m->act_bits) - 1;
    if (max < 255 && highest(images, bytes) > max)
        return flx_fail(FLX_ERR_ARG, "model %s takes images of %d-bit codes, 0 to %d", m->name,
                        m->act_bits, max);
    return FLX_OK;
}
