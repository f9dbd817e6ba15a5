/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of the fast reference: blocks of positions x channels through the
 * inner loop, then requantised and pooled while they are in the cache. */
#include <string.h>

#include "exec_internal.h"

/* A block of channels, and the positions of all images in turn. */
struct walk {
    const struct flx_exec *e;
    const struct flx_plan *plan;
    const uint8_t *in;
    uint8_t *out;    /* codes */
    size_t out_map;  /* bytes between the maps of two images in out */
    int32_t *logits; /* instead of codes */
    int first, vecs; /* channels */
    int count;       /* positions of all images */
    int image, at;   /* the next position */
    int max;         /* largest code */
};

/* Addresses of the next block; past the end the last position is repeated. */
static int next_block(struct walk *w, const uint8_t *in[], size_t out[])
{
    const struct flx_plan *plan = w->plan;
    int positions = plan->conv_h * plan->conv_w, n = 0;
    for (int p = 0; p < flx_dot_positions(w->vecs); p++) {
        if (w->count == 0) {
            in[p] = in[p - 1];
            continue;
        }
        in[p] = w->in + (size_t)w->image * plan->in_map + plan->in_at[w->at];
        out[p] = (size_t)w->image * w->out_map + plan->out_at[w->at];
        w->count--;
        n++;
        if (++w->at == positions) {
            w->at = 0;
            w->image++;
        }
    }
    return n;
}

/* V of a block: the planes one after the other, each exact. */
static void block_values(const struct walk *w, const uint8_t *const in[], int32_t *v)
{
    const struct flx_plan *plan = w->plan;
    size_t skip = plan->plane_bytes / (size_t)plan->channels * (size_t)w->first;
    const int32_t *base = plan->beta + w->first;
    size_t base_stride = 0;
    for (int p = 0; p < plan->l->planes; p++) {
        _Alignas(64) int32_t sums[FLX_DOT_SUMS];
        w->e->dot(&plan->shape, w->vecs, in, plan->weights + (size_t)p * plan->plane_bytes + skip,
                  sums);
        flx_accumulate(v, base, base_stride, sums, plan->mul + p * plan->channels + w->first,
                       flx_dot_positions(w->vecs), w->vecs);
        base = v;
        base_stride = (size_t)w->vecs * FLX_DOT_LANES;
    }
}

static void run_channels(struct walk *w)
{
    const struct flx_layer *l = w->plan->l;
    const uint8_t *in[FLX_DOT_POS];
    size_t out[FLX_DOT_POS];
    int width = w->vecs * FLX_DOT_LANES;
    size_t kept = (size_t)(l->out_c - w->first < width ? l->out_c - w->first : width);
    while (w->count > 0) {
        _Alignas(64) int32_t v[FLX_DOT_SUMS];
        _Alignas(64) uint8_t codes[FLX_DOT_SUMS];
        int n = next_block(w, in, out);
        block_values(w, in, v);
        if (!w->logits)
            flx_requantise(codes, v, n * w->vecs, l->shift, w->max);
        for (int p = 0; p < n; p++)
            if (w->logits)
                memcpy(w->logits + out[p] + w->first, v + p * width, kept * sizeof *v);
            else
                memcpy(w->out + out[p] + w->first, codes + p * width, kept);
    }
}

static void pool_maps(const struct flx_plan *plan, const struct flx_plan *next,
                      const struct flx_maps *maps, uint8_t *out, int n)
{
    const struct flx_layer *l = plan->l;
    size_t map = (size_t)(plan->conv_h * plan->conv_w) * (size_t)l->out_c;
    size_t corner = (size_t)next->l->pad * (next->in_row + (size_t)l->out_c);
    for (int i = 0; i < n; i++)
        flx_max_pool(out + (size_t)i * next->in_map + corner, next->in_row, l->out_h, l->out_w,
                     maps->unpooled + (size_t)i * map, (size_t)(plan->conv_w * l->out_c),
                     (size_t)l->out_c, l->pool);
}

void flx_plan_run(const struct flx_exec *e, const struct flx_maps *maps, int layer, int n,
                  int32_t *logits)
{
    const struct flx_plan *plan = &e->plans[layer];
    const struct flx_layer *l = plan->l;
    int pooled = l->pool > 1;
    for (int first = 0; first < plan->channels; first += FLX_DOT_VECS * FLX_DOT_LANES) {
        int vecs = (plan->channels - first) / FLX_DOT_LANES;
        struct walk w = {.e = e, .plan = plan, .in = maps->in[layer], .first = first};
        w.vecs = vecs < FLX_DOT_VECS ? vecs : FLX_DOT_VECS;
        w.count = n * plan->conv_h * plan->conv_w;
        w.out = pooled ? maps->unpooled : l->logits ? NULL : maps->in[layer + 1];
        w.out_map = pooled || l->logits ? (size_t)(plan->conv_h * plan->conv_w) * (size_t)l->out_c
                                        : e->plans[layer + 1].in_map;
        w.logits = l->logits ? logits : NULL;
        w.max = (1 << e->m->act_bits) - 1;
        run_channels(&w);
    }
    if (pooled)
        pool_maps(plan, &e->plans[layer + 1], maps, maps->in[layer + 1], n);
}
