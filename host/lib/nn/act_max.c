/* SPDX-License-Identifier: Apache-2.0 */
/* The common pooled node in one pass: maximum over windows that tile the map, ReLU and
 * quantiser. */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "bf16.h"

/* One place of the pool windows of a whole output row: keeps the largest value,
 * its sum and its place. */
FLX_CLONES static void pool_row(const struct flx_node *nd, const float *s, int place,
                                float *restrict best, float *restrict peak, int32_t *restrict arg)
{
    size_t c = (size_t)nd->out_c, step = (size_t)nd->pool * c;
    const float *scale = nd->scale, *offset = nd->offset;
    for (size_t ox = 0; ox < (size_t)nd->out_w; ox++, s += step, best += c, peak += c, arg += c) {
        if (place == 0) {
            for (size_t i = 0; i < c; i++) {
                best[i] = s[i] * scale[i] + offset[i];
                peak[i] = s[i];
                arg[i] = 0;
            }
            continue;
        }
        for (size_t i = 0; i < c; i++) {
            float v = s[i] * scale[i] + offset[i];
            int more = v > best[i];
            best[i] = more ? v : best[i];
            peak[i] = more ? s[i] : peak[i];
            arg[i] = more ? place : arg[i];
        }
    }
}

/* Quantiser: codes, and in place the mask of its gradient. */
FLX_CLONES static void quantise(const float *best, size_t n, float inv, float most,
                                int32_t *restrict place, int32_t *restrict code,
                                float *restrict top)
{
    for (size_t i = 0; i < n; i++) {
        float x = best[i] * inv + 0.5F;
        top[i] = best[i] > top[i] ? best[i] : top[i];
        place[i] = best[i] > 0 ? place[i] : FLX_NO_GRADIENT;
        place[i] = x < most + 1 ? place[i] : FLX_NO_GRADIENT;
        x = x < 0 ? 0 : x;
        code[i] = (int32_t)(x > most ? most : x);
    }
}

FLX_CLONES static void store_bytes(const int32_t *from, size_t n, uint8_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)from[i];
}

FLX_CLONES static void widen_codes(const int32_t *code, size_t n, uint16_t *restrict half,
                                   float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16((float)code[i]);
    else
        for (size_t i = 0; i < n; i++)
            full[i] = (float)code[i];
}

FLX_CLONES static void relu(const float *best, size_t n, float *restrict values,
                            int32_t *restrict place)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = best[i] > 0 ? best[i] : 0;
        place[i] = best[i] > 0 ? place[i] : FLX_NO_GRADIENT;
    }
}

FLX_CLONES static void copy_values(const float *values, size_t n, uint16_t *restrict half,
                                   float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16(values[i]);
    else
        memcpy(full, values, n * sizeof *full);
}

static void row_forward(const struct flx_net *net, struct flx_node *nd, int n, int oy, int train,
                        float *top)
{
    size_t c = (size_t)nd->out_c, len = (size_t)nd->out_w * c;
    size_t at = ((size_t)n * (size_t)nd->out_h + (size_t)oy) * len;
    float best[len];
    int32_t place[len], code[len];
    for (int p = 0; p < nd->pool * nd->pool; p++) {
        int y = n * nd->conv_h + oy * nd->pool + p / nd->pool, x = p % nd->pool;
        const float *s = nd->sums + ((size_t)y * (size_t)nd->conv_w + (size_t)x) * c;
        pool_row(nd, s, p, best, nd->peak + at, place);
    }
    uint16_t *half = net->bf16 ? (uint16_t *)nd->out + at : NULL;
    float *full = net->bf16 ? NULL : (float *)nd->out + at;
    if (net->mode == FLX_NN_FLOAT) {
        relu(best, len, nd->values + at, place);
        if (train)
            copy_values(nd->values + at, len, half, full);
    } else {
        quantise(best, len, 1 / nd->step_code, (float)flx_top_code(net), place, code, top);
        store_bytes(code, len, nd->codes + at);
        if (train)
            widen_codes(code, len, half, full);
    }
    if (train)
        store_bytes(place, len, nd->arg + at);
}

void flx_max_forward(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                     int train)
{
    size_t len = (size_t)nd->out_w * (size_t)nd->out_c;
    float top[len], largest = nd->top[p->t];
    memset(top, 0, sizeof top);
    for (int n = p->first; n < p->last; n++)
        for (int oy = 0; oy < nd->out_h; oy++)
            row_forward(net, nd, n, oy, train, top);
    for (size_t i = 0; i < len; i++)
        largest = top[i] > largest ? top[i] : largest;
    nd->top[p->t] = largest;
}

/* Sums of the gradient, and of the gradient times (peak - mean). */
FLX_CLONES static void sum_gradient(const float *dout, const float *peak, const uint8_t *arg,
                                    const float *mean, size_t rows, size_t c, float *restrict sum,
                                    float *restrict dot)
{
    memset(sum, 0, c * sizeof *sum);
    memset(dot, 0, c * sizeof *dot);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++) {
            size_t at = r * c + i;
            float g = arg[at] == FLX_NO_GRADIENT ? 0 : dout[at];
            sum[i] += g;
            dot[i] += g * (peak[at] - mean[i]);
        }
}

void flx_max_reduce(struct flx_node *nd, int n, float *part)
{
    size_t c = (size_t)nd->out_c, at = (size_t)n * flx_out_size(nd);
    sum_gradient(nd->dout + at, nd->peak + at, nd->arg + at, nd->batch_mean,
                 (size_t)(nd->out_h * nd->out_w), c, part, part + c);
}

/* One row of the map; dout and arg NULL: it lies outside all pool windows. */
FLX_CLONES static void scatter_row(const struct flx_node *nd, const float *s, const float *dout,
                                   const uint8_t *arg, int y, const float *const k[3],
                                   float *restrict full)
{
    size_t c = (size_t)nd->out_c;
    const float *a = k[0], *b = k[1], *d = k[2];
    for (int x = 0; x < nd->conv_w; x++, s += c, full += c) {
        int place = y % nd->pool * nd->pool + x % nd->pool;
        size_t at = (size_t)(x / nd->pool) * c;
        if (!dout || x / nd->pool >= nd->out_w)
            for (size_t i = 0; i < c; i++)
                full[i] = b[i] * s[i] + d[i];
        else
            for (size_t i = 0; i < c; i++)
                full[i] = b[i] * s[i] + d[i] + (arg[at + i] == place ? a[i] * dout[at + i] : 0);
    }
}

FLX_CLONES static void narrow(const float *from, size_t n, uint16_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = flx_bf16(from[i]);
}

void flx_max_spread(const struct flx_net *net, struct flx_node *nd, int n, void *dsums)
{
    const float *const k[3] = {nd->slope, nd->slope + nd->out_c, nd->slope + 2 * nd->out_c};
    size_t c = (size_t)nd->out_c, len = (size_t)nd->conv_w * c;
    float row[len];
    for (int y = 0; y < nd->conv_h; y++) {
        size_t line = (size_t)y * len, at = (size_t)n * flx_map_size(nd) + line;
        size_t out_row = (size_t)n * (size_t)nd->out_h + (size_t)(y / nd->pool);
        size_t o = out_row * (size_t)nd->out_w * c;
        int in = y / nd->pool < nd->out_h;
        scatter_row(nd, nd->sums + at, in ? nd->dout + o : NULL, in ? nd->arg + o : NULL, y, k,
                    net->bf16 ? row : (float *)dsums + line);
        if (net->bf16)
            narrow(row, len, (uint16_t *)dsums + line);
    }
}
