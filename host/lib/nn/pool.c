/* SPDX-License-Identifier: Apache-2.0 */
/* Pool windows of any kind, and the gradients that skips bring. */
#include <string.h>

#include "../base/clones.h"
#include "act.h"

/* The places of a window that exist: rows y0..y1-1, columns x0..x1-1. */
struct window {
    int top, left, y0, y1, x0, x1;
};

static struct window window_at(const struct flx_node *nd, int oy, int ox)
{
    struct window w = {.top = oy * nd->pool_stride - nd->pool_pad,
                       .left = ox * nd->pool_stride - nd->pool_pad};
    w.y0 = w.top < 0 ? 0 : w.top;
    w.x0 = w.left < 0 ? 0 : w.left;
    w.y1 = w.top + nd->pool > nd->conv_h ? nd->conv_h : w.top + nd->pool;
    w.x1 = w.left + nd->pool > nd->conv_w ? nd->conv_w : w.left + nd->pool;
    return w;
}

FLX_CLONES static void max_codes(const uint8_t *s, size_t c, uint8_t place, int first,
                                 uint8_t *restrict best, uint8_t *restrict arg)
{
    for (size_t i = 0; i < c; i++) {
        int more = first || s[i] > best[i];
        best[i] = more ? s[i] : best[i];
        arg[i] = more ? place : arg[i];
    }
}

FLX_CLONES static void max_values(const float *s, size_t c, uint8_t place, int first,
                                  float *restrict best, uint8_t *restrict arg)
{
    for (size_t i = 0; i < c; i++) {
        int more = first || s[i] > best[i];
        best[i] = more ? s[i] : best[i];
        arg[i] = more ? place : arg[i];
    }
}

FLX_CLONES static void add_codes(const uint8_t *s, size_t c, int32_t *restrict sum)
{
    for (size_t i = 0; i < c; i++)
        sum[i] += s[i];
}

FLX_CLONES static void add_scaled(const float *s, size_t c, float k, float *restrict sum)
{
    for (size_t i = 0; i < c; i++)
        sum[i] += k * s[i];
}

static void max_window(const struct flx_node *nd, const struct window *w, size_t out,
                       const void *map, int quant)
{
    size_t c = (size_t)nd->out_c;
    for (int y = w->y0, first = 1; y < w->y1; y++)
        for (int x = w->x0; x < w->x1; x++, first = 0) {
            size_t at = ((size_t)y * (size_t)nd->conv_w + (size_t)x) * c;
            uint8_t place = (uint8_t)((y - w->top) * nd->pool + x - w->left);
            if (quant)
                max_codes((const uint8_t *)map + at, c, place, first, nd->codes + out,
                          nd->arg + out);
            else
                max_values((const float *)map + at, c, place, first, nd->values + out,
                           nd->arg + out);
        }
}

/* code = clamp((sum + half) >> shift); a clamped one has no gradient. */
static void round_mean(const struct flx_node *nd, const int32_t *sum, int top, size_t out)
{
    int half = nd->pool_shift ? 1 << (nd->pool_shift - 1) : 0;
    for (size_t i = 0; i < (size_t)nd->out_c; i++) {
        int code = (sum[i] + half) >> nd->pool_shift;
        nd->codes[out + i] = (uint8_t)(code > top ? top : code);
        nd->arg[out + i] = code > top ? FLX_NO_GRADIENT : 0;
    }
}

static void mean_window(const struct flx_node *nd, const struct window *w, size_t out,
                        const void *map, int top)
{
    size_t c = (size_t)nd->out_c;
    float k = 1.0F / (float)(nd->pool * nd->pool);
    int32_t sum[c];
    memset(sum, 0, sizeof sum);
    if (!top) {
        memset(nd->values + out, 0, c * sizeof(float));
        memset(nd->arg + out, 0, c);
    }
    for (int y = w->y0; y < w->y1; y++)
        for (int x = w->x0; x < w->x1; x++) {
            size_t at = ((size_t)y * (size_t)nd->conv_w + (size_t)x) * c;
            if (top)
                add_codes((const uint8_t *)map + at, c, sum);
            else
                add_scaled((const float *)map + at, c, k, nd->values + out);
        }
    if (top)
        round_mean(nd, sum, top, out);
}

void flx_pool_forward(const struct flx_net *net, struct flx_node *nd, int n, const void *map)
{
    int quant = net->mode == FLX_NN_QUANT, top = quant ? flx_top_code(net) : 0;
    size_t out = (size_t)n * flx_out_size(nd);
    for (int oy = 0; oy < nd->out_h; oy++)
        for (int ox = 0; ox < nd->out_w; ox++, out += (size_t)nd->out_c) {
            struct window w = window_at(nd, oy, ox);
            if (nd->pool_kind == FLX_NN_POOL_MAX)
                max_window(nd, &w, out, map, quant);
            else
                mean_window(nd, &w, out, map, top);
        }
}

/* d += k g where the window's arg is @p place. */
FLX_CLONES static void give(const float *g, const uint8_t *arg, int place, size_t c, float k,
                            float *restrict d)
{
    for (size_t i = 0; i < c; i++)
        d[i] += arg[i] == place ? k * g[i] : 0;
}

void flx_pool_backward(const struct flx_net *net, struct flx_node *nd, int n)
{
    size_t c = (size_t)nd->out_c, out = (size_t)n * flx_out_size(nd);
    float *map = nd->dcode + (size_t)n * flx_map_size(nd);
    int mean = nd->pool_kind == FLX_NN_POOL_MEAN, quant = net->mode == FLX_NN_QUANT;
    float share = 1.0F / (float)(quant ? 1 << nd->pool_shift : nd->pool * nd->pool);
    memset(map, 0, flx_map_size(nd) * sizeof *map);
    for (int oy = 0; oy < nd->out_h; oy++)
        for (int ox = 0; ox < nd->out_w; ox++, out += c) {
            struct window w = window_at(nd, oy, ox);
            for (int y = w.y0; y < w.y1; y++)
                for (int x = w.x0; x < w.x1; x++) {
                    int place = mean ? 0 : (y - w.top) * nd->pool + x - w.left;
                    give(nd->dout + out, nd->arg + out, place, c, mean ? share : 1,
                         map + ((size_t)y * (size_t)nd->conv_w + (size_t)x) * c);
                }
        }
}

/* The part of reader @p r for image @p n: its values are step_out of @p nd a code. */
static void pull(const struct flx_node *nd, const struct flx_node *r, int n)
{
    size_t from_c = (size_t)r->out_c, c = (size_t)nd->out_c, st = (size_t)r->skip_stride;
    float k = nd->step_out / r->step_code;
    for (size_t y = 0; y < (size_t)r->conv_h; y++) {
        size_t row = (size_t)n * (size_t)nd->out_h + y * st;
        float *to = nd->dout + row * (size_t)nd->out_w * c;
        const float *from = r->dcode + (size_t)n * flx_map_size(r) + y * (size_t)r->conv_w * from_c;
        if (st == 1 && c == from_c) {
            add_scaled(from, (size_t)r->conv_w * c, k, to);
            continue;
        }
        for (size_t x = 0; x < (size_t)r->conv_w; x++)
            add_scaled(from + x * from_c, c, k, to + x * st * c);
    }
}

void flx_skip_gradient(const struct flx_net *net, int i, int n)
{
    for (int r = i + 1; r < net->n_nodes; r++)
        if (net->nodes[r].skip == i)
            pull(&net->nodes[i], &net->nodes[r], n);
}
