/* SPDX-License-Identifier: Apache-2.0 */
/** Residual networks of real shapes with random weights. Multipliers and offsets follow
 *  from what random images do, layer by layer, so that activations stay alive. */
#ifndef RESNET_FIXTURE_H
#define RESNET_FIXTURE_H
#include <math.h>

#include "flexor/exec.h"
#include "flexor/status.h"
#include "model_fixture.h"

#define RESNET_IMAGES  4
#define RESNET_SAMPLES 64    /* positions of a layer that are looked at */
#define RESNET_ZERO    128   /* code of zero of a projection */
#define RESNET_LOGITS  40000 /* wanted standard deviation */

/** What is built: the stages of 2 or more blocks of two 3x3 convolutions. */
struct resnet_kind {
    const char *name;
    int side, classes;
    int stages, blocks, channels; /* channels of the first stage; each one doubles them */
    int first_bits, last_bits;    /* binary planes of the first and the last layer */
    int planes;                   /* scaled planes of the others */
    int big;                      /* 7x7 and a padded pool in front, 1x1 projections */
};

static const struct resnet_kind resnet_kinds[] = {
    {"resnet20", 32, 10, 3, 3, 16, 4, 6, 1, 0},
    {"two-planes", 32, 10, 3, 3, 16, 4, 6, 2, 0},
    {"resnet18-small", 64, 10, 4, 2, 16, 4, 4, 1, 1},
    {"resnet18", 224, 1000, 4, 2, 64, 4, 4, 1, 1},
};

/* The kind of that name, or NULL. */
static inline const struct resnet_kind *resnet_find(const char *name)
{
    for (size_t i = 0; i < sizeof resnet_kinds / sizeof resnet_kinds[0]; i++)
        if (strcmp(resnet_kinds[i].name, name) == 0)
            return &resnet_kinds[i];
    return NULL;
}

/* Layers that are appended one by one; the first failure stays. */
struct resnet_builder {
    const struct resnet_kind *kind;
    struct flx_model *m;
    struct flx_rng rng;
    int n_in; /* of the stage */
    int status;
};

/* A new layer that reads layer @p input: 1x1, one plane and so on. */
static inline struct flx_layer *resnet_layer(struct resnet_builder *b, int input, int kernel,
                                             int out_c, int stride)
{
    int i = b->m->n_layers++;
    struct flx_layer *l = &b->m->layers[i], *from = input < 0 ? NULL : &b->m->layers[input];
    flx_layer_defaults(l, i);
    snprintf(l->name, sizeof l->name, "conv%d", i + 1);
    l->input = input;
    l->in_h = from ? from->out_h : b->m->in_h;
    l->in_w = from ? from->out_w : b->m->in_w;
    l->in_c = from ? from->out_c : b->m->in_c;
    l->kh = l->kw = kernel;
    l->pad = kernel / 2;
    l->stride = stride;
    l->out_c = out_c;
    l->planes = b->kind->planes;
    return l;
}

static inline void resnet_integer(struct flx_layer *l, int bits)
{
    l->planes = bits;
    l->plane_mode = FLX_PLANES_BINARY;
}

/* Allocates a layer with random bits; integer weights are not coded. */
static inline void resnet_finish(struct resnet_builder *b, struct flx_layer *l)
{
    for (int p = 0; p < l->planes; p++)
        l->n_in[p] = l->plane_mode == FLX_PLANES_BINARY ? 32 : b->n_in;
    if (!b->status)
        b->status = flx_layer_alloc(b->m, l);
    if (b->status)
        return;
    fixture_fill(&b->rng, l);
    memset(l->m, 0, (size_t)(l->plane_mode ? 1 : l->planes) * (size_t)l->out_c * sizeof *l->m);
    memset(l->beta, 0, (size_t)l->out_c * sizeof *l->beta);
}

/* Two convolutions around a skip, which is a projection where sizes change in the big
 * networks. */
static inline void resnet_block(struct resnet_builder *b, int out_c, int stride, int last)
{
    int input = b->m->n_layers - 1, skip = input;
    if (b->kind->big && stride > 1) {
        resnet_finish(b, resnet_layer(b, input, 1, out_c, stride));
        skip = b->m->n_layers - 1;
    }
    resnet_finish(b, resnet_layer(b, input, 3, out_c, stride));
    struct flx_layer *l = resnet_layer(b, b->m->n_layers - 1, 3, out_c, 1);
    l->skip = skip;
    l->skip_stride = skip == input ? stride : 1;
    if (last) { /* the mean of the map */
        l->pool = l->pool_stride = l->in_h;
        l->pool_kind = FLX_POOL_SUM;
        l->pool_shift = (int)lround(log2((double)l->in_h * l->in_w));
    }
    resnet_finish(b, l);
}

static inline void resnet_layers(struct resnet_builder *b, const int n_in[], int n_n_in)
{
    const struct resnet_kind *k = b->kind;
    struct flx_layer *l = resnet_layer(b, FLX_IMAGE, k->big ? 7 : 3, k->channels, k->big ? 2 : 1);
    l->in_zero = 121;
    resnet_integer(l, k->first_bits);
    if (k->big) {
        l->pool = 3;
        l->pool_stride = 2;
        l->pool_pad = 1;
    }
    resnet_finish(b, l);
    for (int s = 0; s < k->stages; s++) {
        b->n_in = n_in[s < n_n_in ? s : n_n_in - 1];
        for (int i = 0; i < k->blocks; i++)
            resnet_block(b, k->channels << s, s > 0 && i == 0 ? 2 : 1,
                         s == k->stages - 1 && i == k->blocks - 1);
    }
    l = resnet_layer(b, b->m->n_layers - 1, 1, k->classes, 1);
    snprintf(l->name, sizeof l->name, "fc");
    l->logits = 1;
    resnet_integer(l, k->last_bits);
    resnet_finish(b, l);
}

/* A projection: only ever added, so its codes are values around RESNET_ZERO. */
static inline int resnet_is_signed(const struct flx_model *m, int i)
{
    for (int k = i + 1; k < m->n_layers; k++)
        if (m->layers[k].input == i)
            return 0;
    return !m->layers[i].logits;
}

/* Sum of one channel at one position, weights w. */
static inline double resnet_sum(const struct flx_layer *l, const int8_t *w, const uint8_t *in,
                                int y, int x)
{
    int sum = 0;
    for (int ky = 0; ky < l->kh; ky++)
        for (int kx = 0; kx < l->kw; kx++) {
            int iy = y * l->stride + ky - l->pad, ix = x * l->stride + kx - l->pad;
            int inside = iy >= 0 && iy < l->in_h && ix >= 0 && ix < l->in_w;
            for (int c = 0; c < l->in_c; c++, w++)
                sum += *w * (inside ? in[(iy * l->in_w + ix) * l->in_c + c] : l->in_zero);
        }
    return sum;
}

/* Mean and deviation of a channel's sums at random positions. */
static inline void resnet_measure(struct flx_rng *r, const struct flx_layer *l, const int8_t *w,
                                  const uint8_t *in, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    size_t map = (size_t)l->in_h * (size_t)l->in_w * (size_t)l->in_c;
    for (int i = 0; i < RESNET_SAMPLES; i++) {
        const uint8_t *image = in + flx_rng_below(r, RESNET_IMAGES) * map;
        int y = fixture_pick(r, 0, l->conv_h - 1), x = fixture_pick(r, 0, l->conv_w - 1);
        double s = resnet_sum(l, w, image, y, x);
        sum += s;
        squares += s * s;
    }
    *mean = sum / RESNET_SAMPLES;
    *deviation = sqrt(fmax(squares / RESNET_SAMPLES - *mean * *mean, 1));
}

/* Real multipliers and offsets of a layer, in codes. */
struct resnet_gains {
    double *m, *beta; /* [planes or 1][out_c], [out_c] */
    double skip;
};

/* The integer weights of a plane, or of all binary planes. */
static inline int resnet_weights(const struct flx_model *m, const struct flx_layer *l, int row,
                                 int8_t *w, int8_t *plane)
{
    size_t n = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int binary = l->plane_mode == FLX_PLANES_BINARY, status = 0;
    memset(w, 0, n);
    for (int p = binary ? 0 : row; p < (binary ? l->planes : row + 1) && !status; p++) {
        status = flx_layer_weights(m, l, p, plane);
        for (size_t i = 0; i < n; i++)
            w[i] = (int8_t)(2 * w[i] + plane[i]);
    }
    return status;
}

/* Gains that give every channel a deviation of about 45 codes around a small offset. */
static inline int resnet_choose(struct resnet_builder *b, int i, const uint8_t *in,
                                struct resnet_gains *g)
{
    const struct flx_layer *l = &b->m->layers[i];
    size_t filter = (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    size_t n = (size_t)l->out_c * filter;
    int rows = l->plane_mode == FLX_PLANES_BINARY ? 1 : l->planes, status = 0;
    double want = (l->logits ? RESNET_LOGITS : resnet_is_signed(b->m, i) ? 30 : 45) / sqrt(rows);
    int8_t *w = malloc(n), *plane = malloc(n);
    g->skip = l->skip == FLX_NO_SKIP ? 0 : 0.75;
    for (int o = 0; o < l->out_c; o++) {
        g->beta[o] = resnet_is_signed(b->m, i) ? RESNET_ZERO : fixture_pick(&b->rng, -20, 40);
        if (l->skip != FLX_NO_SKIP && resnet_is_signed(b->m, l->skip))
            g->beta[o] -= g->skip * RESNET_ZERO;
    }
    for (int row = 0; row < rows && !status; row++) {
        status = resnet_weights(b->m, l, row, w, plane);
        for (int o = 0; o < l->out_c; o++) {
            double mean, deviation, sign = fixture_pick(&b->rng, 0, 1) ? 1 : -1;
            resnet_measure(&b->rng, l, w + (size_t)o * filter, in, &mean, &deviation);
            double m = sign * want / deviation * fixture_pick(&b->rng, 70, 140) / 100;
            g->m[row * l->out_c + o] = m;
            g->beta[o] -= m * mean;
        }
    }
    free(w);
    free(plane);
    return status;
}

/* The largest shift whose integers are in their ranges and pass all checks. */
static inline int resnet_round(struct flx_model *m, struct flx_layer *l,
                               const struct resnet_gains *g)
{
    int rows = l->plane_mode == FLX_PLANES_BINARY ? 1 : l->planes, status = FLX_ERR_OVERFLOW;
    for (int shift = l->logits ? 0 : 22; shift >= 0 && status == FLX_ERR_OVERFLOW; shift--) {
        double most = fabs(ldexp(g->skip, shift));
        for (int i = 0; i < rows * l->out_c; i++) {
            most = fmax(most, fabs(ldexp(g->m[i], shift)));
            l->m[i] = (int16_t)fmax(-32767, fmin(32767, nearbyint(ldexp(g->m[i], shift))));
        }
        for (int o = 0; o < l->out_c; o++)
            l->beta[o] = (int32_t)fmax(-2e9, fmin(2e9, nearbyint(ldexp(g->beta[o], shift))));
        l->skip_m = (int)fmin(32767, nearbyint(ldexp(g->skip, shift)));
        l->shift = shift;
        if (most <= 32767)
            status = flx_model_check(m);
    }
    return status;
}

/* Multipliers of layer @p i, all before it being chosen. */
static inline int resnet_scale(struct resnet_builder *b, const uint8_t *images, int i)
{
    struct flx_layer *l = &b->m->layers[i];
    struct flx_exec *e = NULL;
    size_t codes = (size_t)RESNET_IMAGES * (size_t)l->in_h * (size_t)l->in_w * (size_t)l->in_c;
    size_t gains = (size_t)l->planes * (size_t)l->out_c;
    struct resnet_gains g = {malloc(gains * sizeof(double)), malloc(gains * sizeof(double)), 0};
    uint8_t *in = malloc(codes);
    int status = 0;
    if (i == 0)
        memcpy(in, images, codes);
    else
        status = flx_exec_create(b->m, 1, &e);
    if (e)
        status = flx_exec_activations(e, images, RESNET_IMAGES, l->input, in);
    if (!status)
        status = resnet_choose(b, i, in, &g);
    if (!status)
        status = resnet_round(b->m, l, &g);
    flx_exec_free(e);
    free(in);
    free(g.m);
    free(g.beta);
    return status;
}

/** A checked model of that kind, n_in[s] stored bits a slice in stage s (the last one for
 *  those behind it). NULL with flx_last_error. */
static inline struct flx_model *resnet_model(const struct resnet_kind *kind, const int n_in[],
                                             int n_n_in, uint64_t seed)
{
    struct resnet_builder b = {.kind = kind, .m = flx_model_new()};
    if (!b.m)
        return NULL;
    flx_rng_init(&b.rng, seed, 4);
    snprintf(b.m->name, sizeof b.m->name, "%s", kind->name);
    b.m->in_h = b.m->in_w = kind->side;
    b.m->in_c = 3;
    b.m->classes = kind->classes;
    b.m->act_bits = 8;
    b.m->n_nets = 1;
    b.status = flx_xornet_default(&b.m->nets[0]);
    resnet_layers(&b, n_in, n_n_in);
    uint8_t *images = malloc((size_t)RESNET_IMAGES * 3 * (size_t)kind->side * (size_t)kind->side);
    for (int i = 0; i < RESNET_IMAGES * 3 * kind->side * kind->side; i++)
        images[i] = (uint8_t)flx_rng_below(&b.rng, 256);
    for (int i = 0; i < b.m->n_layers && !b.status; i++)
        b.status = resnet_scale(&b, images, i);
    free(images);
    if (!b.status)
        return b.m;
    flx_model_free(b.m);
    return NULL;
}

#endif
