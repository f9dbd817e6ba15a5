/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer issues a word a cycle, and completes a set of sums only when the requantiser
 * has let go of the one before: a set takes as long as the slower of the two. A step
 * makes the sets of up to `pixels` outputs of a row, in the time of one. */
#include "fit_cycles.h"

#include "compile_internal.h"

/* A layer's start, and the way of its last sums through lanes and requantiser. */
#define LAYER_CYCLES 40

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Words that hold the T codes that are added to a position (flx_sequencer: READS). */
static uint64_t skip_words(const struct flx_desc *d)
{
    uint32_t granules = (uint32_t)d->t / FLX_K0, word = (uint32_t)d->k / FLX_K0;
    if (granules % word == 0)
        return granules / word;
    return word % granules == 0 ? 1 : (granules + word - 2) / word + 1;
}

/* Cycles that codes of several pixels come too early to be taken at once (flx_sequencer: LAG). */
static uint64_t skip_lag(const struct flx_desc *d)
{
    int latency = 2;
    for (int k = d->k; k > 1; k /= 2)
        latency++;
    int lag = (latency + 1) / d->pixels - (d->skip == 2 ? 0 : 1);
    return d->pixels > 1 && lag > 0 ? (uint64_t)lag : 0;
}

/* Cycles of a set in the requantiser (flx_sequencer: HOLD_*); all sets of a layer that adds
 * codes take the time of an addition. */
static uint64_t set_cycles(const struct flx_desc *d, const struct flx_layer *l, int sets)
{
    uint64_t t = (uint64_t)d->t, steps = t / (uint64_t)d->rq_lanes, times = d->skip == 2 ? 1 : 2;
    if (l->skip != FLX_NO_SKIP)
        return (l->logits ? (d->rq_lanes == 1 ? times * t : t) : times * steps) + skip_words(d) -
               1 + skip_lag(d);
    if (l->logits)
        return t;
    if (sets == 1)
        return steps;
    uint64_t pixels = (uint64_t)d->pixels;
    if (l->plane_mode == FLX_PLANES_SCALED)
        return most(steps, pixels > 1 ? most(5, 13 / pixels + 1) : 5);
    return most(steps, pixels > 1 ? 6 / pixels + 1 : 2);
}

/* Channel groups to which something is added: the skipped map may have fewer channels. */
static uint64_t groups_with_skip(const struct flx_desc *d, const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    if (l->skip == FLX_NO_SKIP)
        return 0;
    return flx_ceil_div((uint32_t)c->model->layers[l->skip].out_c, (uint32_t)d->t);
}

void flx_fit_cycles(const struct flx_desc *d, const struct flx_compiled *c, int i, uint64_t *busy,
                    uint64_t *cycles)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct flx_compiled_layer *cl = &c->layer[i];
    uint64_t rows = (uint64_t)l->out_h * (uint64_t)(l->pool * l->pool);
    uint64_t steps = flx_joined(l, d)
                         ? rows / (uint64_t)d->pixels
                         : rows * flx_ceil_div((uint32_t)l->out_w, (uint32_t)d->pixels);
    uint64_t groups = cl->words / cl->block_words, adding = groups_with_skip(d, c, i);
    int parts = cl->sets > 1 || d->lanes ? l->planes : 1; /* only plain lanes double */
    uint64_t sets = (uint64_t)parts, words = cl->block_words / sets;
    uint64_t hold = set_cycles(d, l, parts), set = most(words, hold);
    uint64_t last = most(words + skip_words(d), hold);
    *busy = groups * rows * (uint64_t)l->out_w * cl->block_words;
    *cycles = LAYER_CYCLES + (uint64_t)(d->t / d->rq_lanes) +
              steps * (groups * sets * set + adding * (last - set));
}
