/* SPDX-License-Identifier: Apache-2.0 */
/** A network with random parameters and a random batch, repeatable under its seed. */
#ifndef FLEXOR_NN_RANDOM_H
#define FLEXOR_NN_RANDOM_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/nn.h"
#include "flexor/rng.h"
#include "flexor/status.h"

#define CLASSES      5
#define BATCH_MAX    24
#define IMAGES_BYTES (16 * 16 * 16 * 3)

struct fixture {
    struct flx_net *net;
    struct flx_rng rng;
    uint8_t images[IMAGES_BYTES], labels[BATCH_MAX];
};

static float normal(struct fixture *f)
{
    return (float)flx_rng_normal(&f->rng);
}

static void randomise(struct fixture *f, struct flx_node *nd)
{
    float he = sqrtf(2.0F / (float)(nd->kh * nd->kw * nd->in_c));
    for (size_t i = 0; i < nd->n_weights; i++) {
        if (nd->w)
            nd->w[i] = he * normal(f);
        for (int p = 0; p < nd->planes && nd->w8[p]; p++)
            nd->w8[p][i] = flx_rng_next(&f->rng) & 1 ? 1 : -1;
    }
    for (int o = 0; o < nd->out_c; o++) {
        for (int p = 1; p < nd->planes; p++)
            nd->ratio[p][o] = 0.5F + 0.1F * normal(f);
        nd->alpha[o] = nd->w8[0] ? he * (1 + 0.2F * normal(f)) : 1;
        nd->gamma[o] = 1 + 0.2F * normal(f);
        nd->beta[o] = 0.2F * normal(f);
    }
}

/* Creates the network; images of @p bytes in all. */
static void fixture_create(struct fixture *f, const struct flx_net_spec *spec,
                           const struct flx_net_config *config, uint64_t seed, size_t bytes)
{
    assert_true(bytes <= sizeof f->images && config->batch <= BATCH_MAX);
    flx_rng_init(&f->rng, seed, 0);
    assert_int_equal(flx_net_create(spec, config, &f->net), FLX_OK);
    for (size_t i = 0; i < bytes; i++)
        f->images[i] = (uint8_t)flx_rng_next(&f->rng);
    for (int i = 0; i < config->batch; i++)
        f->labels[i] = (uint8_t)flx_rng_below(&f->rng, CLASSES);
    for (int i = 0; i < f->net->n_nodes; i++)
        randomise(f, &f->net->nodes[i]);
}

static double loss_of(struct fixture *f)
{
    double loss;
    int correct;
    const struct flx_loss kind = {.smoothing = 0.1F};
    assert_int_equal(flx_net_forward(f->net, f->images, 1), FLX_OK);
    flx_net_loss(f->net, f->labels, f->net->batch, &kind, &loss, &correct);
    return loss;
}

#endif
