/* SPDX-License-Identifier: Apache-2.0 */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
/* Weights through an XOR network, block by block of slices so that a block stays
 * in the first-level cache. */
#include <stdlib.h>
#include <string.h>

#include "../base/clones.h"
#include "flexor/status.h"
#include "quant.h"

#define BLOCK 64

/* Whether the four rows of a channel are neighbours in memory everywhere. */
static int has_quads(const struct flx_xor_layer *l)
{
    size_t t0 = (size_t)l->n_out / 4, row = l->stride;
    if (l->slicing.order != FLX_SLICE_TILE)
        return 0;
    for (size_t i = 0; i < t0 * row; i++)
        for (size_t k = 1; k < 4 && (size_t)l->index[i] < l->n_weights; k++)
            if (l->index[i + k * t0 * row] != l->index[i] + (int32_t)k)
                return 0;
    return 1;
}

int flx_xor_layer_init(struct flx_xor_layer *l, const struct flx_xornet *net, int n_in,
                       const struct flx_slicing *slicing, size_t n_weights, float s_tanh)
{
    memset(l, 0, sizeof *l);
    l->slicing = *slicing;
    l->n_in = n_in;
    l->n_out = net->n_out;
    l->s_tanh = s_tanh;
    l->n_weights = n_weights;
    l->stride = (slicing->n_slices + BLOCK - 1) / BLOCK * BLOCK;
    size_t stored = (size_t)n_in * l->stride, decoded = (size_t)l->n_out * l->stride;
    l->x = aligned_alloc(64, stored * sizeof *l->x);
    l->g = aligned_alloc(64, stored * sizeof *l->g);
    l->index = aligned_alloc(64, decoded * sizeof *l->index);
    if (!l->x || !l->g || !l->index) {
        flx_xor_layer_free(l);
        return flx_fail(FLX_ERR_NOMEM, "out of memory for encrypted weights");
    }
    memset(l->x, 0, stored * sizeof *l->x);
    memset(l->g, 0, stored * sizeof *l->g);
    for (int r = 0; r < l->n_out; r++) {
        l->rows[r] = flx_xornet_row(net, n_in, r);
        for (size_t s = 0; s < l->stride; s++) {
            ptrdiff_t at = s < slicing->n_slices ? flx_slicing_index(slicing, s, r) : -1;
            l->index[(size_t)r * l->stride + s] = (int32_t)(at < 0 ? (ptrdiff_t)n_weights : at);
        }
    }
    l->quads = has_quads(l);
    return FLX_OK;
}

void flx_xor_layer_free(struct flx_xor_layer *l)
{
    free(l->x);
    free(l->g);
    free(l->index);
    l->x = l->g = NULL;
    l->index = NULL;
}

/* Decoded bits (0 or 1) of one block: y[r][s]. */
FLX_CLONES static void decode_block(const struct flx_xor_layer *l, const float *x,
                                    uint8_t y[FLX_XOR_MAX][BLOCK])
{
    uint8_t bit[FLX_XOR_MAX][BLOCK];
    for (int j = 0; j < l->n_in; j++)
        for (int s = 0; s < BLOCK; s++)
            bit[j][s] = x[(size_t)j * l->stride + (size_t)s] >= 0;
    for (int r = 0; r < l->n_out; r++) {
        memset(y[r], 0, BLOCK);
        for (uint32_t taps = l->rows[r]; taps; taps &= taps - 1) {
            const uint8_t *b = bit[__builtin_ctz(taps)];
            for (int s = 0; s < BLOCK; s++)
                y[r][s] ^= b[s];
        }
    }
}

static void place_block(const struct flx_xor_layer *l, size_t at, uint8_t y[FLX_XOR_MAX][BLOCK],
                        int8_t *w8)
{
    for (int r = 0; r < l->n_out; r++) {
        const int32_t *index = l->index + (size_t)r * l->stride + at;
        for (int s = 0; s < BLOCK; s++)
            if ((size_t)index[s] < l->n_weights)
                w8[index[s]] = (int8_t)(2 * y[r][s] - 1);
    }
}

/* The same when the four inputs of a channel lie side by side. */
static void place_quads(const struct flx_xor_layer *l, size_t at, uint8_t y[FLX_XOR_MAX][BLOCK],
                        int8_t *w8)
{
    int t0 = l->n_out / 4;
    for (int r = 0; r < t0; r++) {
        const int32_t *index = l->index + (size_t)r * l->stride + at;
        for (int s = 0; s < BLOCK; s++) {
            int8_t quad[4];
            for (int k = 0; k < 4; k++)
                quad[k] = (int8_t)(2 * y[k * t0 + r][s] - 1);
            if ((size_t)index[s] < l->n_weights)
                memcpy(w8 + index[s], quad, sizeof quad);
        }
    }
}

void flx_xor_forward(const struct flx_xor_layer *l, int8_t *w8, int threads)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t at = 0; at < l->stride; at += BLOCK) {
        uint8_t y[FLX_XOR_MAX][BLOCK];
        decode_block(l, l->x + at, y);
        if (l->quads)
            place_quads(l, at, y, w8);
        else
            place_block(l, at, y, w8);
    }
}

/* 2^-t for 0 <= t <= 100, to 7 digits; the same on every machine. */
static inline float exp2_minus(float t)
{
    int32_t k = (int32_t)t;
    float f = ((float)k - t) * 0.69314718F; /* in (-ln 2, 0] */
    float p = 1 + f * (1 + f * (0.5F + f * (0.16666667F +
                                            f * (0.041666667F +
                                                 f * (0.0083333333F +
                                                      f * (0.0013888889F + f * 0.00019841270F))))));
    union {
        int32_t i;
        float f;
    } scale = {.i = (127 - k) * (1 << 23)};
    return p * scale.f;
}

/* acc[j][s] = sum over the rows with tap j of dy * y, y = +1 or -1. */
FLX_CLONES static void gather_block(const struct flx_xor_layer *l, size_t at, const float *dw,
                                    uint8_t y[FLX_XOR_MAX][BLOCK], float acc[FLX_XOR_MAX][BLOCK])
{
    memset(acc, 0, (size_t)l->n_in * sizeof acc[0]);
    for (int r = 0; r < l->n_out; r++) {
        const int32_t *index = l->index + (size_t)r * l->stride + at;
        float d[BLOCK];
        for (int s = 0; s < BLOCK; s++)
            d[s] = dw[index[s]] * (float)(2 * y[r][s] - 1);
        for (uint32_t taps = l->rows[r]; taps; taps &= taps - 1) {
            float *a = acc[__builtin_ctz(taps)];
            for (int s = 0; s < BLOCK; s++)
                a[s] += d[s];
        }
    }
}

/* Eq. 6: the product of the other signs is y * sign(x), so that
 * dx = S (1 - tanh^2(S x)) sign(x) acc. With e = exp(-2 S |x|) the surrogate is
 * S 4 e / (1 + e)^2. One loop a step, as the compiler vectorises no branches. */
FLX_CLONES static void surrogate_block(const struct flx_xor_layer *l, size_t at,
                                       float acc[FLX_XOR_MAX][BLOCK])
{
    float steep = l->s_tanh, t[BLOCK], sign[BLOCK];
    for (int j = 0; j < l->n_in; j++) {
        const float *x = l->x + (size_t)j * l->stride + at;
        float *restrict g = l->g + (size_t)j * l->stride + at;
        for (int s = 0; s < BLOCK; s++)
            sign[s] = (float)(2 * (x[s] >= 0) - 1);
        for (int s = 0; s < BLOCK; s++) {
            float u = 2.88539008F * steep * (x[s] * sign[s]); /* 2 / ln 2 */
            t[s] = u < 100 ? u : 100;
        }
        for (int s = 0; s < BLOCK; s++) {
            float e = exp2_minus(t[s]);
            g[s] = steep * (4 * e / ((1 + e) * (1 + e))) * sign[s] * acc[j][s];
        }
    }
}

/* The straight-through estimator: dx = sign(x) acc. */
FLX_CLONES static void straight_block(const struct flx_xor_layer *l, size_t at,
                                      float acc[FLX_XOR_MAX][BLOCK])
{
    for (int j = 0; j < l->n_in; j++) {
        const float *x = l->x + (size_t)j * l->stride + at;
        float *restrict g = l->g + (size_t)j * l->stride + at;
        for (int s = 0; s < BLOCK; s++)
            g[s] = (float)(2 * (x[s] >= 0) - 1) * acc[j][s];
    }
}

/* t = tanh(S x) and its slope S (1 - t^2), from e = exp(-2 S |x|). */
FLX_CLONES static void tanh_block(const struct flx_xor_layer *l, size_t at,
                                  float t[FLX_XOR_MAX][BLOCK], float slope[FLX_XOR_MAX][BLOCK])
{
    float steep = l->s_tanh, u[BLOCK], sign[BLOCK];
    for (int j = 0; j < l->n_in; j++) {
        const float *x = l->x + (size_t)j * l->stride + at;
        for (int s = 0; s < BLOCK; s++)
            sign[s] = (float)(2 * (x[s] >= 0) - 1);
        for (int s = 0; s < BLOCK; s++) {
            float v = 2.88539008F * steep * (x[s] * sign[s]);
            u[s] = v < 100 ? v : 100;
        }
        for (int s = 0; s < BLOCK; s++) {
            float e = exp2_minus(u[s]);
            t[j][s] = sign[s] * (1 - e) / (1 + e);
            slope[j][s] = steep * (4 * e / ((1 + e) * (1 + e)));
        }
    }
}

/* Derivative of the product of tanh: every tap times the other taps. */
FLX_CLONES static void analog_block(const struct flx_xor_layer *l, size_t at, const float *dw)
{
    float t[FLX_XOR_MAX][BLOCK], slope[FLX_XOR_MAX][BLOCK];
    tanh_block(l, at, t, slope);
    for (int j = 0; j < l->n_in; j++)
        memset(l->g + (size_t)j * l->stride + at, 0, BLOCK * sizeof *l->g);
    for (int r = 0; r < l->n_out; r++) {
        const int32_t *index = l->index + (size_t)r * l->stride + at;
        float sign = __builtin_popcount(l->rows[r]) % 2 ? 1 : -1, d[BLOCK];
        for (uint32_t taps = l->rows[r]; taps; taps &= taps - 1) {
            int j = __builtin_ctz(taps);
            float *restrict g = l->g + (size_t)j * l->stride + at;
            for (int s = 0; s < BLOCK; s++)
                d[s] = dw[index[s]] * sign * slope[j][s];
            for (uint32_t rest = l->rows[r] & ~(UINT32_C(1) << j); rest; rest &= rest - 1)
                for (int s = 0; s < BLOCK; s++)
                    d[s] *= t[__builtin_ctz(rest)][s];
            for (int s = 0; s < BLOCK; s++)
                g[s] += d[s];
        }
    }
}

static void signs_block(const struct flx_xor_layer *l, size_t at, const float *dw)
{
    uint8_t y[FLX_XOR_MAX][BLOCK];
    float acc[FLX_XOR_MAX][BLOCK];
    decode_block(l, l->x + at, y);
    gather_block(l, at, dw, y, acc);
    if (l->estimator == FLX_ESTIMATOR_STE)
        straight_block(l, at, acc);
    else
        surrogate_block(l, at, acc);
}

void flx_xor_backward(const struct flx_xor_layer *l, const float *dw, int threads)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t at = 0; at < l->stride; at += BLOCK) {
        if (l->estimator == FLX_ESTIMATOR_ANALOG)
            analog_block(l, at, dw);
        else
            signs_block(l, at, dw);
    }
}
