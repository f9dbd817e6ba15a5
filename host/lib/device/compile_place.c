/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of maps. Two image buffers are at the bottom of the activation memory, since one
 * is filled while the other is used. Where they do not fit there is one, which is a map as
 * others are: the first layer is its last use, and images are sent between runs. A map keeps
 * its place from the layer that writes it to the last one that reads or adds it. Two ways of
 * filling are tried: the largest maps first, each as low as possible, which packs graphs
 * well; and layer after layer at the two ends in turn, which fits a chain whenever the input
 * and output of every layer fit together. */
#include <inttypes.h>

#include "compile_internal.h"
#include "flexor/status.h"

#define IMAGE 0 /* number of the image's map; layer i writes map i + 1 */
#define MAPS  (FLX_MAX_LAYERS + 1)

/* What is placed: maps that share one place count once. */
struct places {
    const struct flx_compiled *c;
    int n, owner[MAPS]; /* owner: the map whose place a map has, or itself */
    int last[MAPS]; /* number of the output of the last layer that needs the place of an owner */
    uint32_t low;   /* where maps begin */
    uint32_t base[MAPS];
    int placed[MAPS];
};

static const struct flx_map *map_of(const struct flx_compiled *c, int i)
{
    return i == IMAGE ? &c->image : &c->layer[i - 1].out;
}

static int last_use(const struct flx_model *m, int layer)
{
    int last = layer;
    for (int k = layer + 1; k < m->n_layers; k++)
        if (m->layers[k].input == layer || m->layers[k].skip == layer)
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

/* The first layer's output may overwrite a row-packed image word by word: only position y, x
 * reads column x of the image, and those below it do not read row y. Not where the image
 * is read once for every channel group. */
static int covers_image(const struct flx_desc *d, const struct flx_compiled *c)
{
    const struct flx_layer *l = &c->model->layers[0];
    const struct flx_map *to = &c->layer[0].out;
    return l->pool == 1 && l->out_c <= d->t && to->columns == c->image.columns &&
           to->pixel_words == c->image.pixel_words && to->rows <= c->image.rows;
}

/* @p low: words of two image buffers, or 0: one. */
static void find_places(struct places *p, const struct flx_desc *d, const struct flx_compiled *c,
                        uint32_t low)
{
    *p = (struct places){.c = c, .n = c->n_layers + 1, .low = low};
    p->last[IMAGE] = 1;
    p->placed[IMAGE] = low == 0;
    for (int i = 0; i < c->n_layers; i++) {
        p->owner[i + 1] = overwrites(c, i) ? p->owner[c->model->layers[i].skip + 1] : i + 1;
        p->last[p->owner[i + 1]] = last_use(c->model, i) + 1;
    }
    if (low == 0 && covers_image(d, c)) {
        p->placed[1] = 1;
        p->base[1] = 0;
    }
}

static int is_open(const struct places *p, int i)
{
    return p->owner[i] == i && !p->placed[i] && map_of(p->c, i)->words > 0;
}

/* Words a map at @p base would share with a placed one that lives at the same time:
 * that one's number, or -1. A layer's output and its inputs live together. */
static int conflict(const struct places *p, int i, uint32_t base)
{
    uint32_t words = map_of(p->c, i)->words;
    for (int k = 0; k < p->n; k++) {
        int together = p->placed[k] && k <= p->last[i] && i <= p->last[k];
        if (together && base < p->base[k] + map_of(p->c, k)->words && p->base[k] < base + words)
            return k;
    }
    return -1;
}

/* The lowest place, or the highest below @p top. */
static void place_low(struct places *p, int i)
{
    int k;
    p->base[i] = p->low;
    while ((k = conflict(p, i, p->base[i])) >= 0)
        p->base[i] = p->base[k] + map_of(p->c, k)->words;
    p->placed[i] = 1;
}

static int place_high(struct places *p, int i, uint32_t top)
{
    uint32_t words = map_of(p->c, i)->words, end = top;
    int k = 0;
    while (k >= 0) {
        if (end < p->low + words)
            return 0;
        k = conflict(p, i, end - words);
        if (k >= 0)
            end = p->base[k];
    }
    p->base[i] = end - words;
    return p->placed[i] = 1;
}

/* Words that the memory must have. */
static uint32_t extent(const struct places *p)
{
    uint32_t most = p->low;
    for (int i = 0; i < p->n; i++)
        if (p->placed[i] && p->base[i] + map_of(p->c, i)->words > most)
            most = p->base[i] + map_of(p->c, i)->words;
    return most;
}

static uint32_t largest_first(struct places *p)
{
    for (;;) {
        int best = -1;
        for (int i = 1; i < p->n; i++)
            if (is_open(p, i) && (best < 0 || map_of(p->c, i)->words > map_of(p->c, best)->words))
                best = i;
        if (best < 0)
            return extent(p);
        place_low(p, best);
    }
}

static int both_ends(struct places *p, uint32_t top)
{
    int turn = 0, fits = 1;
    for (int i = 1; i < p->n && fits; i++) {
        if (!is_open(p, i))
            continue;
        if (turn++ % 2)
            fits = place_high(p, i, top);
        else
            place_low(p, i);
    }
    return fits && extent(p) <= top;
}

/* Places all maps below @p top; @p need: what the first way took. */
static int place(struct places *p, const struct flx_desc *d, const struct flx_compiled *c,
                 uint32_t low, uint32_t top, uint32_t *need)
{
    find_places(p, d, c, low);
    *need = largest_first(p);
    if (*need <= top)
        return 1;
    find_places(p, d, c, low);
    return both_ends(p, top);
}

int flx_compile_place(const struct flx_desc *d, struct flx_compiled *c)
{
    uint32_t low = 2 * c->image.words, need, least;
    uint32_t top = d->act_words < UINT16_MAX + 1 ? d->act_words : UINT16_MAX + 1;
    struct places p;
    int ok = place(&p, d, c, low, top, &need);
    least = need;
    if (!ok && !d->store) {
        c->one_image = 1;
        ok = place(&p, d, c, 0, top, &least);
    }
    if (!ok)
        return flx_fail(FLX_ERR_CAPACITY,
                        "the activation memory needs %" PRIu32 " words (with two images, %" PRIu32
                        ", and maps that are needed at the same time: %" PRIu32 "), the device "
                        "has %" PRIu32 " of at most 65536: build it with AMEM_WORDS=%" PRIu32
                        " or a larger K",
                        least, low, need, d->act_words, least);
    c->image.base = 0;
    c->image_base1 = c->one_image ? 0 : c->image.words;
    for (int i = 0; i < c->n_layers; i++)
        if (c->layer[i].out.words > 0)
            c->layer[i].out.base = p.base[p.owner[i + 1]];
    return FLX_OK;
}
