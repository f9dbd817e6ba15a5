/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in general: skip, ReLU and quantiser before any pooling, row by row. */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include "act.h"

#include <math.h>
#include <string.h>

#include "../base/clones.h"
#include "act_fast.h"
#include "bf16.h"
#include "stat.h"

struct flx_limits flx_limits_of(const struct flx_net *net, const struct flx_node *nd)
{
    int linear = nd->kind == FLX_NODE_LINEAR, quant = net->mode == FLX_NN_QUANT;
    float top = (float)flx_top_code(net), zero = (float)nd->zero_out, step = nd->step_code;
    struct flx_limits l = {.inv = 1 / step, .zero = zero, .top = top};
    l.low = !linear ? 0 : quant ? -(zero + 0.5F) * step : -INFINITY;
    l.high = quant ? (top - zero + 0.5F) * step : INFINITY;
    return l;
}

/* A row of per-channel constants, repeated for every place of a map row. */
static void tile(const float *from, const struct flx_node *nd, float *to)
{
    for (int x = 0; x < nd->conv_w; x++)
        memcpy(to + (size_t)x * (size_t)nd->out_c, from, (size_t)nd->out_c * sizeof *to);
}

FLX_CLONES static void affine_row(const float *s, const float *scale, const float *offset, size_t n,
                                  float *restrict val)
{
    for (size_t i = 0; i < n; i++)
        val[i] = s[i] * scale[i] + offset[i];
}

/* val += k (code - zero) for codes @p step apart in the row of the skipped map. */
FLX_CLONES static void add_codes(const uint8_t *e, size_t places, size_t step, size_t from_c,
                                 size_t c, float k, float zero, float *restrict val)
{
    if (step == from_c && c == from_c) {
        from_c = places * c;
        places = 1;
    }
    for (size_t x = 0; x < places; x++, e += step, val += c)
        for (size_t i = 0; i < from_c; i++)
            val[i] += k * ((float)e[i] - zero);
}

FLX_CLONES static void add_values(const float *e, size_t places, size_t step, size_t from_c,
                                  size_t c, float *restrict val)
{
    for (size_t x = 0; x < places; x++, e += step, val += c)
        for (size_t i = 0; i < from_c; i++)
            val[i] += e[i];
}

/* Real values of row @p y of the map of image @p n, before the ReLU. */
static void values_of_row(const struct flx_net *net, const struct flx_node *nd, int n, int y,
                          const float *scale, const float *offset, float *val)
{
    size_t c = (size_t)nd->out_c, w = (size_t)nd->conv_w;
    affine_row(nd->sums + ((size_t)n * (size_t)nd->conv_h + (size_t)y) * w * c, scale, offset,
               w * c, val);
    if (nd->skip < 0)
        return;
    const struct flx_node *from = &net->nodes[nd->skip];
    size_t row = (size_t)n * (size_t)from->out_h + (size_t)(y * nd->skip_stride);
    size_t from_c = (size_t)from->out_c, step = (size_t)nd->skip_stride * from_c;
    size_t at = row * (size_t)from->out_w * from_c;
    if (net->mode == FLX_NN_QUANT)
        add_codes(from->codes + at, w, step, from_c, c, from->step_out, (float)from->zero_out, val);
    else
        add_values(from->values + at, w, step, from_c, c, val);
}

FLX_CLONES static void encode(const float *val, size_t n, const struct flx_limits *l, int32_t *code,
                              float *restrict top)
{
    float inv = l->inv, add = l->zero + 0.5F, most = l->top;
    for (size_t i = 0; i < n; i++) {
        float x = val[i] * inv + add;
        x = x < 0 ? 0 : x;
        code[i] = (int32_t)(x > most ? most : x);
    }
    if (l->zero > 0)
        for (size_t i = 0; i < n; i++)
            top[i] = fabsf(val[i]) > top[i] ? fabsf(val[i]) : top[i];
    else
        for (size_t i = 0; i < n; i++)
            top[i] = val[i] > top[i] ? val[i] : top[i];
}

FLX_CLONES static void store_bytes(const int32_t *from, size_t n, uint8_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)from[i];
}

FLX_CLONES static void store_floor(const float *val, size_t n, float low, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = val[i] > low ? val[i] : low;
}

FLX_CLONES static void codes_back(const uint8_t *code, size_t n, int zero, uint16_t *restrict half,
                                  float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16((float)(code[i] - zero));
    else
        for (size_t i = 0; i < n; i++)
            full[i] = (float)(code[i] - zero);
}

FLX_CLONES static void values_back(const float *values, size_t n, uint16_t *restrict half,
                                   float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16(values[i]);
    else
        memcpy(full, values, n * sizeof *full);
}

/* What the forward pass leaves at out_size elements from @p at for the backward pass. */
static void keep_for_back(const struct flx_net *net, struct flx_node *nd, size_t at, size_t n)
{
    uint16_t *half = net->bf16 ? (uint16_t *)nd->out + at : NULL;
    float *full = net->bf16 ? NULL : (float *)nd->out + at;
    if (net->mode == FLX_NN_QUANT)
        codes_back(nd->codes + at, n, nd->zero_out, half, full);
    else
        values_back(nd->values + at, n, half, full);
}

/* Constants of a forward pass, tiled to a map row. */
struct rows {
    const float *scale, *offset;
    struct flx_limits limits;
    void *map; /* of one image, before pooling; NULL: straight to the output */
    float *top;
};

static void image_forward(const struct flx_net *net, struct flx_node *nd, int n,
                          const struct rows *r)
{
    size_t len = (size_t)nd->conv_w * (size_t)nd->out_c;
    int quant = net->mode == FLX_NN_QUANT;
    float val[len];
    int32_t code[len];
    for (int y = 0; y < nd->conv_h; y++) {
        size_t in = (size_t)y * len, out = (size_t)n * flx_map_size(nd) + in;
        values_of_row(net, nd, n, y, r->scale, r->offset, val);
        if (quant) {
            encode(val, len, &r->limits, code, r->top);
            store_bytes(code, len, r->map ? (uint8_t *)r->map + in : nd->codes + out);
        } else {
            store_floor(val, len, r->limits.low, r->map ? (float *)r->map + in : nd->values + out);
        }
    }
    if (r->map)
        flx_pool_forward(net, nd, n, r->map);
}

static int pools(const struct flx_node *nd)
{
    return nd->pool > 1 || nd->pool_stride > 1;
}

/* The same in vectors, with what the backward pass reads. */
static void fast_image(const struct flx_net *net, struct flx_node *nd, int n, void *map, int train,
                       float *top)
{
    size_t out = (size_t)n * flx_out_size(nd);
    uint16_t *half = train && !pools(nd) ? (uint16_t *)nd->out + out : NULL;
    if (net->mode == FLX_NN_QUANT)
        flx_fast_forward(net, nd, n, pools(nd) ? map : nd->codes + out, half, top);
    else
        flx_fast_values(net, nd, n, pools(nd) ? map : nd->values + out, half);
    if (pools(nd))
        flx_pool_forward(net, nd, n, map);
    if (pools(nd) && train)
        keep_for_back(net, nd, out, flx_out_size(nd));
}

void flx_act_forward(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                     int train)
{
    size_t len = (size_t)nd->conv_w * (size_t)nd->out_c, outs = flx_out_size(nd);
    float top[len], scale[len], offset[len];
    float *map = (float *)net->map + (size_t)p->t * flx_map_size(nd);
    struct rows r = {scale, offset, flx_limits_of(net, nd), pools(nd) ? map : NULL, top};
    if (flx_fast_fits(net, nd)) {
        for (int n = p->first; n < p->last; n++)
            fast_image(net, nd, n, map, train, &nd->top[p->t]);
        return;
    }
    memset(top, 0, sizeof top);
    tile(nd->scale, nd, scale);
    tile(nd->offset, nd, offset);
    for (int n = p->first; n < p->last; n++) {
        image_forward(net, nd, n, &r);
        if (train)
            keep_for_back(net, nd, (size_t)n * outs, outs);
    }
    for (size_t i = 0; i < len; i++)
        nd->top[p->t] = top[i] > nd->top[p->t] ? top[i] : nd->top[p->t];
}

/* g where the value lies within its bounds, else 0; sums of it, and times (s - mean). */
FLX_CLONES static void mask_row(const float *val, const float *s, const float *mean, size_t n,
                                float low, float high, float *restrict g, float *restrict sum,
                                float *restrict dot)
{
    for (size_t i = 0; i < n; i++) {
        float d = val[i] > low ? g[i] : 0;
        d = val[i] < high ? d : 0;
        g[i] = d;
        sum[i] += d;
        dot[i] += d * (s[i] - mean[i]);
    }
}

/* Leaves the gradient of the codes before pooling, masked, in dcode. @p part holds the
 * two sums a channel of the image. */
static void image_reduce(const struct flx_net *net, struct flx_node *nd, int n,
                         const struct rows *r, const float *mean, float *part)
{
    size_t c = (size_t)nd->out_c, len = (size_t)nd->conv_w * c;
    float val[len], sum[len], dot[len];
    memset(sum, 0, sizeof sum);
    memset(dot, 0, sizeof dot);
    if (nd->dcode != nd->dout)
        flx_pool_backward(net, nd, n);
    for (int y = 0; y < nd->conv_h; y++) {
        size_t at = (size_t)n * flx_map_size(nd) + (size_t)y * len;
        values_of_row(net, nd, n, y, r->scale, r->offset, val);
        mask_row(val, nd->sums + at, mean, len, r->limits.low, r->limits.high, nd->dcode + at, sum,
                 dot);
    }
    memset(part, 0, 2 * c * sizeof *part);
    for (size_t i = 0; i < len; i += c)
        for (size_t k = 0; k < c; k++) {
            part[k] += sum[i + k];
            part[c + k] += dot[i + k];
        }
}

FLX_CLONES static void spread_row(const float *g, const float *s, const float *a, const float *b,
                                  const float *d, size_t n, uint16_t *restrict half,
                                  float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16(a[i] * g[i] + (b[i] * s[i] + d[i]));
    else
        for (size_t i = 0; i < n; i++)
            full[i] = a[i] * g[i] + (b[i] * s[i] + d[i]);
}

/* Gradient of the sums of image @p n. */
static void image_spread(const struct flx_net *net, struct flx_node *nd, int n, const float *a,
                         const float *b, const float *d, void *dsums)
{
    size_t len = (size_t)nd->conv_w * (size_t)nd->out_c;
    for (int y = 0; y < nd->conv_h; y++) {
        size_t row = (size_t)y * len, at = (size_t)n * flx_map_size(nd) + row;
        spread_row(nd->dcode + at, nd->sums + at, a, b, d, len,
                   net->bf16 ? (uint16_t *)dsums + row : NULL,
                   net->bf16 ? NULL : (float *)dsums + row);
    }
}

/* The only node that adds node @p i, when it does so place by place; NULL: none such. */
static const struct flx_node *plain_reader(const struct flx_net *net, int i)
{
    const struct flx_node *nd = &net->nodes[i], *reader = NULL;
    for (int r = i + 1; r < net->n_nodes; r++) {
        const struct flx_node *by = &net->nodes[r];
        if (by->skip != i)
            continue;
        if (reader || by->skip_stride > 1 || by->out_c != nd->out_c)
            return NULL;
        reader = by;
    }
    return reader;
}

static void fast_reduce(const struct flx_net *net, int i, int n, float *part)
{
    struct flx_node *nd = &net->nodes[i];
    const struct flx_node *reader = pools(nd) ? NULL : plain_reader(net, i);
    if (reader) {
        flx_fast_reduce(net, nd, n, reader->dcode + (size_t)n * flx_map_size(reader),
                        nd->step_out / reader->step_code, part);
        return;
    }
    flx_skip_gradient(net, i, n);
    if (pools(nd))
        flx_pool_backward(net, nd, n);
    flx_fast_reduce(net, nd, n, NULL, 0, part);
}

static void slow_reduce(const struct flx_net *net, int i, int n, const struct rows *r,
                        const float *mean, float *part)
{
    struct flx_node *nd = &net->nodes[i];
    flx_skip_gradient(net, i, n);
    if (flx_pool_tiles(nd))
        flx_max_reduce(nd, n, part);
    else
        image_reduce(net, nd, n, r, mean, part);
}

void flx_act_reduce(const struct flx_net *net, int i, const struct flx_part *p)
{
    struct flx_node *nd = &net->nodes[i];
    size_t c = (size_t)nd->out_c, len = (size_t)nd->conv_w * c;
    float part[2 * c], scale[len], offset[len], mean[len];
    struct rows r = {scale, offset, flx_limits_of(net, nd), NULL, NULL};
    double *stat = nd->stat + (size_t)p->t * 2 * c;
    int first, last, fast = flx_fast_fits(net, nd) && !flx_pool_tiles(nd);
    flx_share(net, p->t, &first, &last);
    if (p->first == first)
        memset(stat, 0, 2 * c * sizeof *stat);
    if (!fast) {
        tile(nd->scale, nd, scale);
        tile(nd->offset, nd, offset);
        tile(nd->batch_mean, nd, mean);
    }
    for (int n = p->first; n < p->last; n++) {
        if (fast)
            fast_reduce(net, i, n, part);
        else
            slow_reduce(net, i, n, &r, mean, part);
        flx_add_to_double(stat, part, 2 * c);
    }
}

void flx_act_spread(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                    void *dsums)
{
    size_t c = (size_t)nd->out_c, len = (size_t)nd->conv_w * c;
    float a[len], b[len], d[len];
    size_t image = flx_map_size(nd) * (net->bf16 ? 2 : sizeof(float));
    tile(nd->slope, nd, a);
    tile(nd->slope + c, nd, b);
    tile(nd->slope + 2 * c, nd, d);
    for (int n = p->first; n < p->last; n++) {
        void *to = (char *)dsums + (size_t)(n - p->first) * image;
        if (flx_pool_tiles(nd))
            flx_max_spread(net, nd, n, to);
        else if (flx_fast_fits(net, nd))
            flx_fast_spread(nd, n, to);
        else
            image_spread(net, nd, n, a, b, d, to);
    }
}
