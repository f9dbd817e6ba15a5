/* SPDX-License-Identifier: Apache-2.0 */
/** Random small models for tests. Seeded: FLX_SEED in the environment, else a
 *  fixed number; print it where it is used. */
#ifndef MODEL_FIXTURE_H
#define MODEL_FIXTURE_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/model.h"
#include "flexor/rng.h"

static inline uint64_t fixture_seed(void)
{
    const char *text = getenv("FLX_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20240607;
    fprintf(stderr, "FLX_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* lo..hi, both included */
static inline int fixture_pick(struct flx_rng *r, int lo, int hi)
{
    return lo + (int)flx_rng_below(r, (uint64_t)(hi - lo + 1));
}

static inline void fixture_bytes(struct flx_rng *r, uint8_t *bytes, size_t n, int max)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)flx_rng_below(r, (uint64_t)max + 1);
}

/* A network of any kind; n_out 32 or 20. */
static inline int fixture_net(struct flx_rng *r, struct flx_xornet *net, int n_out)
{
    uint64_t seed = flx_rng_below(r, 1000);
    int n_in = fixture_pick(r, 7, n_out);
    switch (fixture_pick(r, 0, 2)) {
    case 0:
        return flx_xornet_nested(net, n_out, n_out == 32 ? 13 : 8, seed);
    case 1:
        return flx_xornet_random(net, n_in, n_out, 2, seed);
    default:
        return flx_xornet_random(net, n_in, n_out, 0, seed);
    }
}

/* Random bits, multipliers and offsets in an allocated layer; values that the
 * bounds of docs/numerics.md allow, and that do not all end in a clamp. */
static inline void fixture_fill(struct flx_rng *r, struct flx_layer *l)
{
    for (int p = 0; p < l->planes; p++)
        for (int j = 0; j < l->n_in[p]; j++)
            for (size_t s = 0; s < l->slicing.n_slices; s++)
                l->bits[p][(size_t)j * l->n_words + s / 64] |= flx_rng_below(r, 2) << (s % 64);
    int rows = l->plane_mode == FLX_PLANES_SCALED ? l->planes : 1;
    for (int i = 0; i < rows * l->out_c; i++)
        l->m[i] = (int16_t)fixture_pick(r, -40, 60);
    for (int o = 0; o < l->out_c; o++)
        l->beta[o] = fixture_pick(r, -100000, 300000);
}

/* Kernel, stride, padding and pooling that fit the input. */
static inline void fixture_shape(struct flx_rng *r, struct flx_layer *l, int last)
{
    if (last || (l->in_h <= 2 && l->in_w <= 2)) { /* fully connected */
        l->kh = l->in_h;
        l->kw = l->in_w;
        return;
    }
    l->kh = fixture_pick(r, 1, l->in_h < 5 ? l->in_h : 5);
    l->kw = fixture_pick(r, 1, l->in_w < 5 ? l->in_w : 5);
    l->stride = fixture_pick(r, 1, 3);
    l->pad = fixture_pick(r, 0, (l->kh > l->kw ? l->kh : l->kw) - 1);
    int h = (l->in_h + 2 * l->pad - l->kh) / l->stride + 1;
    int w = (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
    int most = h < w ? h : w;
    l->pool = l->pool_stride = fixture_pick(r, 1, most < 3 ? most : 3);
}

/* Any pool that fits the positions of the layer; fixture_shape has chosen a plain one. */
static inline void fixture_pool(struct flx_rng *r, struct flx_layer *l)
{
    int h = (l->in_h + 2 * l->pad - l->kh) / l->stride + 1;
    int w = (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
    int most = h < w ? h : w;
    if (l->pool == 1 || most < 2) {
        l->pool = l->pool_stride = 1;
        return;
    }
    l->pool = fixture_pick(r, 2, most < 5 ? most : 5);
    l->pool_stride = fixture_pick(r, 1, 4);
    l->pool_pad = fixture_pick(r, 0, l->pool / 2);
    l->pool_kind = (enum flx_pool_kind)fixture_pick(r, 0, 1);
    l->pool_shift = l->pool_kind == FLX_POOL_SUM ? fixture_pick(r, 0, 6) : 0;
}

/* A convolution that keeps the size, or divides it by its stride. */
static inline void fixture_same(struct flx_rng *r, struct flx_layer *l)
{
    l->kh = l->kw = 2 * fixture_pick(r, 0, 3) + 1;
    l->pad = l->kh / 2;
    l->stride = fixture_pick(r, 1, 2);
    l->pool = l->pool_stride = 1;
    if (fixture_pick(r, 0, 3) == 0) {
        l->pool = fixture_pick(r, 2, 3);
        fixture_pool(r, l);
    }
}

/* Adds an earlier layer whose map is large enough, if there is one. */
static inline void fixture_skip(struct flx_rng *r, struct flx_model *m, int i)
{
    struct flx_layer *l = &m->layers[i];
    int h = (l->in_h + 2 * l->pad - l->kh) / l->stride + 1;
    int w = (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
    int from = i > 0 ? fixture_pick(r, 0, i - 1) : 0, stride = fixture_pick(r, 1, 2);
    if (i == 0 || (h - 1) * stride + 1 > m->layers[from].out_h ||
        (w - 1) * stride + 1 > m->layers[from].out_w)
        return;
    l->skip = from;
    l->skip_stride = stride;
    l->skip_m = fixture_pick(r, -5000, 5000);
}

/* Appends a layer; it reads the one before or, rarely, another. */
static inline int fixture_layer(struct flx_rng *r, struct flx_model *m, int last)
{
    int i = m->n_layers;
    struct flx_layer *l = &m->layers[i];
    flx_layer_defaults(l, i);
    snprintf(l->name, sizeof l->name, "layer%c", 'a' + i);
    if (i > 1 && fixture_pick(r, 0, 3) == 0)
        l->input = fixture_pick(r, 0, i - 1);
    l->in_h = i ? m->layers[l->input].out_h : m->in_h;
    l->in_w = i ? m->layers[l->input].out_w : m->in_w;
    l->in_c = i ? m->layers[l->input].out_c : m->in_c;
    l->out_c = last ? m->classes : fixture_pick(r, 1, fixture_pick(r, 0, 4) ? 40 : 90);
    fixture_shape(r, l, last);
    fixture_pool(r, l);
    if (!last && fixture_pick(r, 0, 1))
        fixture_same(r, l);
    for (int tries = 0; tries < 3 && l->skip == FLX_NO_SKIP; tries++)
        fixture_skip(r, m, i);
    l->in_zero = fixture_pick(r, 0, 1) ? fixture_pick(r, 0, (1 << m->act_bits) - 1) : 0;
    l->logits = last;
    l->shift = fixture_pick(r, 0, 1) ? fixture_pick(r, 0, 16) : 12;
    l->planes = fixture_pick(r, 0, 9) ? fixture_pick(r, 1, 3) : fixture_pick(r, 4, FLX_MAX_PLANES);
    l->plane_mode = (enum flx_plane_mode)fixture_pick(r, 0, 1);
    /* The sums of a wide integer weight would not fit the accumulator. */
    if (l->kh * l->kw * l->in_c * 255 * ((1 << l->planes) - 1) >= 1 << 21)
        l->plane_mode = FLX_PLANES_SCALED;
    l->order = (enum flx_slice_order)fixture_pick(r, 0, 1);
    for (int p = 0; p < l->planes; p++) {
        l->net[p] = fixture_pick(r, 0, m->n_nets - 1);
        const struct flx_xornet *net = &m->nets[l->net[p]];
        l->n_in[p] = fixture_pick(r, net->n_min, net->n_max);
    }
    int status = flx_layer_alloc(m, l);
    if (status)
        return status;
    fixture_fill(r, l);
    m->n_layers++;
    return 0;
}

/* One try at a model; NULL when a rule is broken, as that every output is used. */
static inline struct flx_model *fixture_try(struct flx_rng *r)
{
    struct flx_model *m = flx_model_new();
    if (!m)
        return NULL;
    snprintf(m->name, sizeof m->name, "random");
    snprintf(m->dataset, sizeof m->dataset, "none");
    m->in_h = fixture_pick(r, 1, 14);
    m->in_w = fixture_pick(r, 1, 14);
    m->in_c = fixture_pick(r, 1, 5);
    m->classes = fixture_pick(r, 1, 20);
    m->act_bits = fixture_pick(r, 0, 4) ? 8 : 4;
    m->n_nets = fixture_pick(r, 1, 3);
    int n_out = fixture_pick(r, 0, 1) ? 32 : 20, status = 0;
    for (int i = 0; i < m->n_nets && !status; i++)
        status = fixture_net(r, &m->nets[i], n_out);
    int layers = fixture_pick(r, 1, 7);
    for (int i = 0; i < layers && !status; i++)
        status = fixture_layer(r, m, i == layers - 1);
    if (!status && flx_model_check(m) == 0)
        return m;
    flx_model_free(m);
    return NULL;
}

/* A model that flx_model_check accepts. */
static inline struct flx_model *fixture_model(uint64_t seed)
{
    struct flx_rng r;
    struct flx_model *m = NULL;
    flx_rng_init(&r, seed, 0);
    for (int i = 0; i < 100 && !m; i++)
        m = fixture_try(&r);
    return m;
}

/* Random images for a model; the caller frees them. */
static inline uint8_t *fixture_images(const struct flx_model *m, int n, uint64_t seed)
{
    struct flx_rng r;
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * (size_t)n;
    uint8_t *images = malloc(bytes + 1);
    flx_rng_init(&r, seed, 1);
    if (images)
        fixture_bytes(&r, images, bytes, (1 << m->act_bits) - 1);
    return images;
}

/* One convolution (valid, stride 1) or, with a kernel as large as the input, a
 * fully connected layer at 19 bits for 32 weights. */
static inline int fixture_add(struct flx_rng *r, struct flx_model *m, const char *name, int k,
                              int out_c, int pool)
{
    struct flx_layer *l = &m->layers[m->n_layers], *before = l - 1;
    int first = m->n_layers == 0;
    flx_layer_defaults(l, m->n_layers);
    snprintf(l->name, sizeof l->name, "%s", name);
    l->in_h = first ? m->in_h : before->out_h;
    l->in_w = first ? m->in_w : before->out_w;
    l->in_c = first ? m->in_c : before->out_c;
    l->out_c = out_c;
    l->kh = l->kw = k;
    l->pool = l->pool_stride = pool;
    l->n_in[0] = 19;
    l->shift = 12;
    int status = flx_layer_alloc(m, l);
    if (status)
        return status;
    fixture_fill(r, l);
    m->n_layers++;
    return 0;
}

/* The shape of LeNet-5 with random weights: 28x28x1, two 5x5 convolutions with
 * 2x2 pooling, 512 and 10 fully connected. */
static inline struct flx_model *fixture_lenet5(uint64_t seed)
{
    struct flx_rng r;
    flx_rng_init(&r, seed, 2);
    struct flx_model *m = flx_model_new();
    if (!m)
        return NULL;
    snprintf(m->name, sizeof m->name, "lenet5");
    m->in_h = m->in_w = 28;
    m->in_c = 1;
    m->classes = 10;
    m->act_bits = 8;
    m->n_nets = 1;
    int status = flx_xornet_nested(&m->nets[0], 32, 13, 1);
    status = status ? status : fixture_add(&r, m, "conv1", 5, 32, 2);
    status = status ? status : fixture_add(&r, m, "conv2", 5, 64, 2);
    status = status ? status : fixture_add(&r, m, "fc1", 4, 512, 1);
    status = status ? status : fixture_add(&r, m, "fc2", 1, 10, 1);
    m->layers[3].logits = 1;
    if (!status && flx_model_check(m) == 0)
        return m;
    flx_model_free(m);
    return NULL;
}

#endif
