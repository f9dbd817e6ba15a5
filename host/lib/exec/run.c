/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of the fast reference: blocks of positions x channels through the
 * inner loop, then requantised and pooled while they are in the cache. */
#include <string.h>

#include "exec_internal.h"

/* A block of channels, and the positions of all images in turn. */
struct walk {
    const struct flx_exec *e;
    const struct flx_plan *plan;
    const uint8_t *in, *skip;         /* skip: NULL when there is nothing to add */
    uint8_t *out;                     /* codes, NULL for logits */
    size_t in_map, out_map, skip_map; /* bytes between the maps of two images */
    int32_t *logits;
    int first, vecs;       /* channels */
    int images, image, at; /* the next position */
};

struct block {
    int n;
    const uint8_t *in[FLX_DOT_POS], *skip[FLX_DOT_POS];
    uint8_t *out[FLX_DOT_POS];
};

/* Addresses of the next block; past the end the last position is repeated. */
static void next_block(struct walk *w, struct block *b)
{
    const struct flx_plan *plan = w->plan;
    int positions = plan->conv_h * plan->conv_w, most = flx_dot_positions(w->vecs), n = 0;
    while (n < most && w->image < w->images) {
        int end = most - n < positions - w->at ? w->at + most - n : positions;
        const uint8_t *in = w->in + (size_t)w->image * w->in_map;
        const uint8_t *skip = w->skip ? w->skip + (size_t)w->image * w->skip_map : NULL;
        for (int at = w->at, p = n; at < end; at++, p++) {
            b->in[p] = in + plan->in_at[at];
            if (w->out)
                b->out[p] = w->out + (size_t)w->image * w->out_map + plan->out_at[at];
            if (skip)
                b->skip[p] = skip + plan->skip_at[at];
        }
        n += end - w->at;
        w->at = end < positions ? end : 0;
        w->image += end == positions;
    }
    b->n = n;
    for (; n < most; n++)
        b->in[n] = b->in[b->n - 1];
}

/* Sums of a block in the last pass, V of all passes before it in @p v. */
static void block_sums(const struct walk *w, const struct block *b, struct flx_scaling *s,
                       int32_t *v, int32_t *sums)
{
    const struct flx_plan *plan = w->plan;
    size_t channels = (size_t)plan->channels, first = (size_t)w->first;
    const int8_t *weights = plan->weights + plan->pass_bytes / channels * first;
    for (int p = 0; p < plan->passes; p++, weights += plan->pass_bytes) {
        s->mul = plan->mul + (size_t)p * channels + first;
        w->e->dot(&plan->shape, w->vecs, b->in, weights, sums);
        if (p == plan->passes - 1)
            return;
        flx_accumulate(v, s, sums, b->n, w->vecs);
        s->base = v;
        s->base_stride = (size_t)w->vecs * FLX_DOT_LANES;
    }
}

static void run_channels(struct walk *w)
{
    const struct flx_plan *plan = w->plan;
    size_t width = (size_t)w->vecs * FLX_DOT_LANES, rest = (size_t)(plan->l->out_c - w->first);
    size_t kept = rest < width ? rest : width, out_c = (size_t)plan->l->out_c;
    while (w->image < w->images) {
        _Alignas(64) int32_t v[FLX_DOT_SUMS], sums[FLX_DOT_SUMS];
        struct block b;
        int32_t *logits = w->logits + (size_t)w->image * out_c + w->first;
        next_block(w, &b);
        struct flx_scaling s = {.base = plan->beta + w->first,
                                .skip_mul = plan->skip_mul + w->first,
                                .skip = w->skip ? b.skip : NULL,
                                .shift = plan->l->shift,
                                .max = (1 << w->e->m->act_bits) - 1};
        block_sums(w, &b, &s, v, sums);
        if (w->out) {
            flx_requantise(b.out, kept, &s, sums, b.n, w->vecs);
            continue;
        }
        flx_accumulate(v, &s, sums, b.n, w->vecs);
        if (s.skip)
            flx_add_skip(v, &s, b.n, w->vecs);
        for (int p = 0; p < b.n; p++)
            memcpy(logits + (size_t)p * out_c, v + (size_t)p * width, kept * sizeof *v);
    }
}

static void pool_maps(const struct flx_exec *e, const struct flx_maps *maps,
                      const struct flx_plan *plan, int n)
{
    struct flx_pool pool = flx_plan_pool(plan, e->views.view[plan->out].row, e->m->act_bits);
    const uint8_t *in = maps->unpooled;
    for (int i = 0; i < n; i++, in += (size_t)pool.in_h * pool.in_row) {
        uint8_t *out = flx_view_map(e, maps, plan->out, i);
        if (plan->l->pool_kind == FLX_POOL_MAX)
            flx_max_pool(&pool, out, in, maps->scratch);
        else
            flx_sum_pool(&pool, out, in, maps->scratch);
    }
}

/* The other views of a layer's output, from its first one. */
static void copy_views(const struct flx_exec *e, const struct flx_maps *maps, int first, int n)
{
    const struct flx_view *from = &e->views.view[first];
    for (int v = first + 1; v < e->views.n && e->views.view[v].source == from->source; v++)
        for (int i = 0; i < n; i++) {
            const uint8_t *in = flx_view_map(e, maps, first, i);
            uint8_t *out = flx_view_map(e, maps, v, i);
            for (int y = 0; y < from->h; y++, in += from->row, out += e->views.view[v].row)
                memcpy(out, in, (size_t)from->w * (size_t)from->c);
        }
}

/* Where the channels from @p first read and write. */
static struct walk walk_of(const struct flx_exec *e, const struct flx_maps *maps,
                           const struct flx_plan *plan, int first, int n)
{
    const struct flx_view *view = e->views.view;
    int vecs = (plan->channels - first) / FLX_DOT_LANES;
    struct walk w = {.e = e, .plan = plan, .first = first, .images = n};
    w.vecs = vecs < FLX_DOT_VECS ? vecs : FLX_DOT_VECS;
    w.in = maps->buffer[view[plan->in].buffer];
    w.in_map = view[plan->in].map;
    if (plan->skip >= 0 && first < view[plan->skip].c) {
        w.skip = maps->buffer[view[plan->skip].buffer] + first;
        w.skip_map = view[plan->skip].map;
    }
    if (plan->l->pool > 1) {
        w.out = maps->unpooled + first;
        w.out_map = (size_t)(plan->conv_h * plan->conv_w) * (size_t)plan->l->out_c;
    } else if (plan->out >= 0) {
        w.out = maps->buffer[view[plan->out].buffer] + first;
        w.out_map = view[plan->out].map;
    }
    return w;
}

void flx_plan_run(const struct flx_exec *e, const struct flx_maps *maps, int layer, int n,
                  int32_t *logits)
{
    const struct flx_plan *plan = &e->plans[layer];
    for (int first = 0; first < plan->channels; first += FLX_DOT_VECS * FLX_DOT_LANES) {
        struct walk w = walk_of(e, maps, plan, first, n);
        w.logits = logits;
        run_channels(&w);
    }
    if (plan->out < 0)
        return;
    if (plan->l->pool > 1)
        pool_maps(e, maps, plan, n);
    copy_views(e, maps, plan->out, n);
}
