/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of maps. The two image buffers are at the bottom of the activation memory,
 * since one is filled while the other is used. A map keeps its place from the layer that
 * writes it to the last one that reads or adds it. Two ways of filling are tried: the
 * largest maps first, each as low as possible, which packs graphs well; and layer after
 * layer at the two ends in turn, which fits a chain whenever the input and output of
 * every layer fit together. */
#include <inttypes.h>

#include "compile_internal.h"
#include "flexor/status.h"

/* What is placed: maps that share one place count once. */
struct places {
    const struct flx_compiled *c;
    int n, owner[FLX_MAX_LAYERS]; /* owner: the layer whose place a map has, or itself */
    int last[FLX_MAX_LAYERS];     /* last layer that needs the place of an owner */
    uint32_t base[FLX_MAX_LAYERS];
    int placed[FLX_MAX_LAYERS];
};

static int last_use(const struct flx_model *m, int i)
{
    int last = i;
    for (int k = i + 1; k < m->n_layers; k++)
        if (m->layers[k].input == i || m->layers[k].skip == i)
            last = k;
    return last;
}

/* Layer i may overwrite the map that it adds: a code is read before its place is written. */
static int overwrites(const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    if (l->skip == FLX_NO_SKIP || l->logits || l->pool != 1 || l->skip_stride != 1 ||
        l->input == l->skip || last_use(c->model, l->skip) != i)
        return 0;
    const struct flx_map *from = &c->layer[l->skip].out, *to = &c->layer[i].out;
    return from->rows == to->rows && from->columns == to->columns &&
           from->pixel_words == to->pixel_words;
}

static void find_places(struct places *p, const struct flx_compiled *c)
{
    *p = (struct places){.c = c, .n = c->n_layers};
    for (int i = 0; i < p->n; i++) {
        p->owner[i] = overwrites(c, i) ? p->owner[c->model->layers[i].skip] : i;
        p->last[p->owner[i]] = last_use(c->model, i);
    }
}

static int is_open(const struct places *p, int i)
{
    return p->owner[i] == i && !p->placed[i] && p->c->layer[i].out.words > 0;
}

/* Words a map at @p base would share with a placed one that lives at the same time:
 * that one's number, or -1. A layer's output and its inputs live together. */
static int conflict(const struct places *p, int i, uint32_t base)
{
    uint32_t words = p->c->layer[i].out.words;
    for (int k = 0; k < p->n; k++) {
        int together = p->placed[k] && k <= p->last[i] && i <= p->last[k];
        if (together && base < p->base[k] + p->c->layer[k].out.words && p->base[k] < base + words)
            return k;
    }
    return -1;
}

/* The lowest place from @p low on, or the highest below @p top. */
static void place_low(struct places *p, int i, uint32_t low)
{
    int k;
    p->base[i] = low;
    while ((k = conflict(p, i, p->base[i])) >= 0)
        p->base[i] = p->base[k] + p->c->layer[k].out.words;
    p->placed[i] = 1;
}

static int place_high(struct places *p, int i, uint32_t low, uint32_t top)
{
    uint32_t words = p->c->layer[i].out.words, end = top;
    int k = 0;
    while (k >= 0) {
        if (end < low + words)
            return 0;
        k = conflict(p, i, end - words);
        if (k >= 0)
            end = p->base[k];
    }
    p->base[i] = end - words;
    return p->placed[i] = 1;
}

/* Words that the memory must have. */
static uint32_t extent(const struct places *p, uint32_t low)
{
    uint32_t most = low;
    for (int i = 0; i < p->n; i++)
        if (p->placed[i] && p->base[i] + p->c->layer[i].out.words > most)
            most = p->base[i] + p->c->layer[i].out.words;
    return most;
}

static uint32_t largest_first(struct places *p, const struct flx_compiled *c, uint32_t low)
{
    find_places(p, c);
    for (;;) {
        int best = -1;
        for (int i = 0; i < p->n; i++)
            if (is_open(p, i) && (best < 0 || c->layer[i].out.words > c->layer[best].out.words))
                best = i;
        if (best < 0)
            return extent(p, low);
        place_low(p, best, low);
    }
}

static int both_ends(struct places *p, const struct flx_compiled *c, uint32_t low, uint32_t top)
{
    int turn = 0, fits = 1;
    find_places(p, c);
    for (int i = 0; i < p->n && fits; i++) {
        if (!is_open(p, i))
            continue;
        if (turn++ % 2)
            fits = place_high(p, i, low, top);
        else
            place_low(p, i, low);
    }
    return fits && extent(p, low) <= top;
}

int flx_compile_place(const struct flx_desc *d, struct flx_compiled *c)
{
    uint32_t low = 2 * c->image.words;
    uint32_t top = d->act_words < UINT16_MAX + 1 ? d->act_words : UINT16_MAX + 1;
    struct places p;
    c->image.base = 0;
    c->image_base1 = c->image.words;
    uint32_t need = largest_first(&p, c, low);
    if (need > top && !both_ends(&p, c, low, top))
        return flx_fail(FLX_ERR_CAPACITY,
                        "the activation memory needs %" PRIu32 " words (two images %" PRIu32
                        ", maps that are needed at the same time %" PRIu32 "), the device has "
                        "%" PRIu32 " of at most 65536: build it with AMEM_WORDS=%" PRIu32
                        " or a larger K",
                        need, low, need - low, d->act_words, need);
    for (int i = 0; i < c->n_layers; i++)
        if (c->layer[i].out.words > 0)
            c->layer[i].out.base = p.base[p.owner[i]];
    return FLX_OK;
}
