/* SPDX-License-Identifier: Apache-2.0 */
/** Random models that the device runs, and device descriptions. */
#ifndef DEVICE_FIXTURE_H
#define DEVICE_FIXTURE_H
#include "device/desc.h"
#include "model_fixture.h"

/* A description with memories of any size; K, T and P as given. */
static inline struct flx_desc fixture_desc(int k, int t, int p, const struct flx_xornet *net,
                                           int act_bits)
{
    return (struct flx_desc){.version = 1,
                             .k = k,
                             .t = t,
                             .p = p,
                             .pixels = 1,
                             .n_out = net->n_out,
                             .nin_max = net->n_max,
                             .act_bits = act_bits,
                             .acc_bits = 22,
                             .rq_lanes = 1,
                             .xor_hash = flx_xornet_hash(net),
                             .act_words = 8192,
                             .weight_words = 16384,
                             .param_entries = 1024,
                             .layers = 16,
                             .results = 64,
                             .max_payload = 1024,
                             .window_max = 64,
                             .clk_khz = 12000,
                             .xor_n_min = net->n_min,
                             .xor_n_max = net->n_max,
                             .xor_kind = (int)net->kind,
                             .skip = 1,
                             .windows = 1,
                             .scaled = 1,
                             .pool_bits = 6};
}

/* One of the shapes that n_out (32 or 20) allows. */
static inline struct flx_desc fixture_random_desc(struct flx_rng *r, const struct flx_xornet *net,
                                                  int act_bits)
{
    static const int ks[] = {4, 8, 12, 16, 32, 64, 128};
    int k = ks[flx_rng_below(r, sizeof ks / sizeof ks[0])];
    struct flx_desc d = fixture_desc(k, (net->n_out == 20 ? 20 : 8) * fixture_pick(r, 1, 3),
                                     fixture_pick(r, 1, 3), net, act_bits);
    d.lanes = fixture_pick(r, 0, 2);
    d.acc_bits = d.lanes ? 28 : 22; /* lanes without an input count there */
    if (k % d.t == 0 && k <= 64) /* layer word 9 has no room for more granules beside the passes */
        d.pixels = fixture_pick(r, 1, 4);
    return d;
}

/* The mean of a map with one window a row, 4 or 8 columns wide: arrays of 2 or 4 pixels share its
 * positions among them. */
static inline void fixture_mean(struct flx_rng *r, struct flx_layer *l)
{
    int w = (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
    int h = (l->in_h + 2 * l->pad - l->kh) / l->stride + 1;
    int pool = w < 8 || h < 8 ? 4 : 8;
    if (w < pool || h < pool)
        return;
    l->pool = pool;
    l->pool_stride = w - pool + 1; /* a second window would stick out */
    l->pool_pad = 0;
    l->pool_kind = FLX_POOL_SUM;
    l->pool_shift = fixture_pick(r, 2, 6);
}

static inline int fixture_device_layer(struct flx_rng *r, struct flx_model *m, int last)
{
    int i = m->n_layers;
    struct flx_layer *l = &m->layers[i];
    flx_layer_defaults(l, i);
    if (i > 1 && fixture_pick(r, 0, 3) == 0)
        l->input = fixture_pick(r, 0, i - 1);
    const struct flx_layer *before = i ? &m->layers[l->input] : NULL;
    snprintf(l->name, sizeof l->name, "layer%c", 'a' + i);
    l->in_h = i ? before->out_h : m->in_h;
    l->in_w = i ? before->out_w : m->in_w;
    l->in_c = i ? before->out_c : m->in_c;
    l->out_c = last ? m->classes : fixture_pick(r, 1, 40);
    fixture_shape(r, l, last);
    fixture_pool(r, l);
    if (!last && fixture_pick(r, 0, 1))
        fixture_same(r, l);
    if (!last && fixture_pick(r, 0, 3) == 0)
        fixture_mean(r, l);
    for (int tries = 0; tries < 3 && l->skip == FLX_NO_SKIP; tries++)
        fixture_skip(r, m, i);
    l->in_zero = i ? 0 : fixture_pick(r, 0, (1 << m->act_bits) - 1);
    l->row_packed = i == 0;
    l->logits = last;
    l->shift = fixture_pick(r, 0, 3) ? fixture_pick(r, 8, 14) : fixture_pick(r, 0, 16);
    l->planes = fixture_pick(r, 0, 2) ? 1 : fixture_pick(r, 2, 3);
    l->plane_mode = (enum flx_plane_mode)fixture_pick(r, 0, 1);
    int n_in = fixture_pick(r, m->nets[0].n_min, m->nets[0].n_max);
    for (int p = 0; p < l->planes; p++)
        l->n_in[p] = n_in;
    int status = flx_layer_alloc(m, l);
    if (status)
        return status;
    fixture_fill(r, l);
    m->n_layers++;
    return 0;
}

/* One try at it; NULL when a bound of docs/numerics.md is broken. */
static inline struct flx_model *fixture_device_try(struct flx_rng *r, const struct flx_xornet *net,
                                                   int act_bits)
{
    struct flx_model *m = flx_model_new();
    if (!m)
        return NULL;
    snprintf(m->name, sizeof m->name, "random");
    m->in_h = fixture_pick(r, 1, 12);
    m->in_w = fixture_pick(r, 1, 12);
    m->in_c = fixture_pick(r, 1, 5);
    m->classes = fixture_pick(r, 1, 20);
    m->act_bits = act_bits;
    m->n_nets = 1;
    m->nets[0] = *net;
    int layers = fixture_pick(r, 1, 6), status = 0;
    for (int i = 0; i < layers && !status; i++)
        status = fixture_device_layer(r, m, i == layers - 1);
    if (!status && flx_model_check(m) == 0)
        return m;
    flx_model_free(m);
    return NULL;
}

/* A checked model on one given network. */
static inline struct flx_model *fixture_device_model(uint64_t seed, const struct flx_xornet *net,
                                                     int act_bits)
{
    struct flx_rng r;
    struct flx_model *m = NULL;
    flx_rng_init(&r, seed, 3);
    for (int i = 0; i < 100 && !m; i++)
        m = fixture_device_try(&r, net, act_bits);
    return m;
}

#endif
