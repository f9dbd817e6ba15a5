/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over channels that the compiler turns into vector code. */
#include <string.h>

#include "../base/clones.h"
#include "exec_internal.h"
#include "flexor/status.h"

/* Vectors of the compiler: it splits them where registers are shorter. */
typedef int32_t value_vec __attribute__((vector_size(FLX_DOT_LANES * sizeof(int32_t))));
typedef int16_t half_vec __attribute__((vector_size(FLX_DOT_LANES * sizeof(int16_t))));
typedef uint8_t code_vec __attribute__((vector_size(FLX_DOT_LANES)));

#define INLINE static inline __attribute__((always_inline))

/* Through pointers: a vector as a result would depend on the target's ABI. */
INLINE void load(value_vec *x, const int32_t *from)
{
    memcpy(x, from, sizeof *x);
}

INLINE void load_codes(value_vec *x, const uint8_t *from)
{
    code_vec codes;
    memcpy(&codes, from, sizeof codes);
    /* In two steps: GCC takes a conversion to four times the width apart. */
    *x = __builtin_convertvector(__builtin_convertvector(codes, half_vec), value_vec);
}

FLX_CLONES void flx_accumulate(int32_t *v, const struct flx_scaling *s, const int32_t *sums,
                               int positions, int vecs)
{
    size_t width = (size_t)vecs * FLX_DOT_LANES;
    const int32_t *base = s->base;
    for (int p = 0; p < positions; p++, v += width, sums += width, base += s->base_stride)
        for (size_t c = 0; c < width; c += FLX_DOT_LANES) {
            value_vec x, mul, sum;
            load(&x, base + c);
            load(&mul, s->mul + c);
            load(&sum, sums + c);
            x += mul * sum;
            memcpy(v + c, &x, sizeof x);
        }
}

FLX_CLONES void flx_add_skip(int32_t *v, const struct flx_scaling *s, int positions, int vecs)
{
    size_t width = (size_t)vecs * FLX_DOT_LANES;
    for (int p = 0; p < positions; p++, v += width)
        for (size_t c = 0; c < width; c += FLX_DOT_LANES) {
            value_vec x, mul, codes;
            load(&x, v + c);
            load(&mul, s->skip_mul + c);
            load_codes(&codes, s->skip[p] + c);
            x += mul * codes;
            memcpy(v + c, &x, sizeof x);
        }
}

/* Positions of one vector of channels; @p with_skip is a constant where it is inlined. */
INLINE void requantise_vec(uint8_t *const out[], size_t first, size_t kept,
                           const struct flx_scaling *s, const int32_t *sums, size_t width,
                           int positions, const int with_skip)
{
    const int32_t *base = s->base + first;
    const uint8_t *const *skip = s->skip;
    size_t base_stride = s->base_stride;
    int shift = s->shift, max = s->max;
    value_vec mul, skip_mul = {0}, x, y;
    load(&mul, s->mul + first);
    if (with_skip)
        load(&skip_mul, s->skip_mul + first);
    for (int p = 0; p < positions; p++) {
        load(&x, base + (size_t)p * base_stride);
        load(&y, sums + (size_t)p * width + first);
        x += mul * y;
        if (with_skip) {
            load_codes(&y, skip[p] + first);
            x += skip_mul * y;
        }
        x >>= shift;
        x &= x > 0;
        y = x < max;
        x = (x & y) | (max & ~y);
        code_vec code = __builtin_convertvector(__builtin_convertvector(x, half_vec), code_vec);
        if (kept == FLX_DOT_LANES)
            memcpy(out[p] + first, &code, sizeof code);
        else
            memcpy(out[p] + first, &code, kept);
    }
}

FLX_CLONES void flx_requantise(uint8_t *const out[], size_t kept, const struct flx_scaling *s,
                               const int32_t *sums, int positions, int vecs)
{
    size_t width = (size_t)vecs * FLX_DOT_LANES;
    for (size_t c = 0; c < kept; c += FLX_DOT_LANES) {
        size_t keep = kept - c < FLX_DOT_LANES ? kept - c : FLX_DOT_LANES;
        if (s->skip)
            requantise_vec(out, c, keep, s, sums, width, positions, 1);
        else
            requantise_vec(out, c, keep, s, sums, width, positions, 0);
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
