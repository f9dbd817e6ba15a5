/* SPDX-License-Identifier: Apache-2.0 */
/* Construction of a network in training. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant.h"

#define SUM_LIMIT 2097152 /* accumulator: 22 bits, signed */

static int add_param(struct flx_trainer *t, const char *node, const char *what, float *w, float *g,
                     size_t n)
{
    struct flx_param *p = &t->params[t->n_params];
    snprintf(p->name, sizeof p->name, "%s.%s", node, what);
    p->n = n;
    p->w = w;
    p->g = g;
    p->m = calloc(n, sizeof *p->m);
    p->v = calloc(n, sizeof *p->v);
    t->n_params++;
    return p->m && p->v ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory for the optimiser");
}

/* A parameter with weight decay. */
static int add_weights(struct flx_trainer *t, const char *node, const char *what, float *w,
                       float *g, size_t n)
{
    int status = add_param(t, node, what, w, g, n);
    t->params[t->n_params - 1].decay = (float)t->o.decay;
    return status;
}

static int add_plane_params(struct flx_trainer *t, int i, int p)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_coded *c = &t->coded[i];
    struct flx_xor_layer *l = &c->plane[p];
    char what[16] = "x";
    if (p)
        snprintf(what, sizeof what, "x%d", p);
    c->param[p] = t->n_params;
    int status = add_weights(t, nd->name, what, l->x, l->g, (size_t)l->n_in * l->stride);
    if (status == FLX_OK && p) {
        snprintf(what, sizeof what, "ratio%d", p);
        status = add_param(t, nd->name, what, nd->ratio[p], nd->dratio[p], (size_t)nd->out_c);
    }
    return status;
}

static int add_node_params(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_coded *coded = t->coded ? &t->coded[i] : NULL;
    size_t c = (size_t)nd->out_c;
    int status = FLX_OK;
    if (!coded)
        status = add_weights(t, nd->name, "w", nd->w, nd->dw, nd->n_weights);
    else if (coded->integer.bits)
        status = add_weights(t, nd->name, "w", coded->integer.w, coded->integer.g, nd->n_weights);
    for (int p = 0; coded && p < coded->planes && status == FLX_OK; p++)
        status = add_plane_params(t, i, p);
    /* Batch norm divides alpha out: what its epsilon leaves of the gradient is noise. */
    if (status == FLX_OK && coded && coded->planes && nd->kind == FLX_NODE_LOGITS)
        status = add_param(t, nd->name, "alpha", nd->alpha, nd->dalpha, c);
    if (status == FLX_OK && nd->kind != FLX_NODE_LOGITS)
        status = add_param(t, nd->name, "gamma", nd->gamma, nd->dgamma, c);
    if (status == FLX_OK)
        status = add_param(t, nd->name, "beta", nd->beta, nd->dbeta, c);
    return status;
}

static void draw_plane(struct flx_trainer *t, int i, int p, float he)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_xor_layer *l = &t->coded[i].plane[p];
    struct flx_rng rng;
    flx_rng_init(&rng, (uint64_t)t->o.seed,
                 FLX_STREAM_INIT + 16 * ((uint64_t)i + FLX_NN_MAX_NODES * (uint64_t)p));
    for (int j = 0; j < l->n_in; j++)
        for (size_t s = 0; s < l->slicing.n_slices; s++)
            l->x[(size_t)j * l->stride + s] = (float)(t->o.init * flx_rng_normal(&rng));
    int given = t->o.alpha_init > 0;
    for (int o = 0; o < nd->out_c; o++)
        if (p == 0)
            nd->alpha[o] = given ? (float)t->o.alpha_init : he;
        else
            nd->ratio[p][o] = given ? 1 : ldexpf(1, -p);
}

/* First weights: He's deviation for floats and integers, and for the scale of coded ones. */
static void draw_weights(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_coded *coded = t->coded ? &t->coded[i] : NULL;
    float he = sqrtf(2.0F / (float)(nd->kh * nd->kw * nd->in_c));
    if (coded && coded->planes) {
        for (int p = 0; p < coded->planes; p++)
            draw_plane(t, i, p, he);
        return;
    }
    float *w = coded ? coded->integer.w : nd->w;
    struct flx_rng rng;
    flx_rng_init(&rng, (uint64_t)t->o.seed, FLX_STREAM_INIT + 16 * (uint64_t)i);
    for (size_t k = 0; k < nd->n_weights; k++)
        w[k] = he * (float)flx_rng_normal(&rng);
}

static int create_planes(struct flx_trainer *t, int i, int n_in, int least)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_coded *c = &t->coded[i];
    struct flx_slicing slicing;
    int status = flx_slicing_init(&slicing, t->o.order, t->o.n_out, nd->out_c, nd->kh, nd->kw,
                                  nd->in_c, i == 0);
    c->planes = t->o.planes;
    for (int p = 0; p < c->planes && status == FLX_OK; p++) {
        status = flx_trainer_find_net(t, n_in, p, least, &c->net[p]);
        if (status == FLX_OK)
            status = flx_xor_layer_init(&c->plane[p], &t->nets[c->net[p]], n_in, &slicing,
                                        nd->n_weights, (float)t->o.s_tanh);
        c->plane[p].estimator = t->o.estimator;
    }
    if (status == FLX_OK && c->planes > 1) {
        c->scaled = calloc(nd->n_weights + 1, sizeof *c->scaled);
        if (!c->scaled)
            status = flx_fail(FLX_ERR_NOMEM, "out of memory for the weights of %s", nd->name);
    }
    return status;
}

/* The bound of sums in docs/numerics.md, before hours of training. */
static int check_sums(const struct flx_trainer *t, const struct flx_node *nd)
{
    double inputs = (double)nd->n_weights / nd->out_c, top = (1 << t->o.act_bits) - 1;
    double weight = nd->weight_bits ? (1 << nd->weight_bits) - 1 : 1;
    if (inputs * top * weight < SUM_LIMIT)
        return FLX_OK;
    return flx_fail(FLX_ERR_OVERFLOW,
                    "%s: sums of %.0f inputs with weights up to %.0f can overflow the 22-bit "
                    "accumulator: use fewer bits (--first-bits, --last-bits) or inputs",
                    nd->name, inputs, weight);
}

static int create_integer(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_int_layer *l = &t->coded[i].integer;
    l->bits = nd->weight_bits;
    l->out_c = nd->out_c;
    l->n_weights = nd->n_weights;
    l->w = calloc(nd->n_weights, sizeof *l->w);
    l->g = calloc(nd->n_weights, sizeof *l->g);
    if (!l->w || !l->g)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the weights of %s", nd->name);
    return FLX_OK;
}

/* Encrypted or integer weights of every node. */
static int create_coded(struct flx_trainer *t)
{
    int n_in[FLX_NN_MAX_NODES], least = t->o.n_out, integers = 0;
    int status = flx_trainer_rates(t, n_in);
    double stored = 0, weights = 0;
    t->coded = calloc((size_t)t->net->n_nodes, sizeof *t->coded);
    if (!t->coded)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    for (int i = 0; i < t->net->n_nodes && status == FLX_OK; i++)
        least = n_in[i] && n_in[i] < least ? n_in[i] : least;
    for (int i = 0; i < t->net->n_nodes && status == FLX_OK; i++) {
        double n = n_in[i] ? (double)t->net->nodes[i].n_weights : 0;
        status = check_sums(t, &t->net->nodes[i]);
        if (status == FLX_OK)
            status = n_in[i] ? create_planes(t, i, n_in[i], least) : create_integer(t, i);
        integers += !n_in[i];
        weights += n;
        stored += n * t->o.planes * n_in[i] / t->o.n_out;
    }
    t->bits_per_weight = weights > 0 ? stored / weights : 0;
    if (status == FLX_OK && integers)
        status = flx_trainer_find_identity(t, &t->identity);
    return status;
}

static int build(struct flx_trainer *t, int quant)
{
    struct flx_net_config config = {.mode = quant ? FLX_NN_QUANT : FLX_NN_FLOAT,
                                    .act_bits = t->o.act_bits,
                                    .planes = quant ? t->o.planes : 1,
                                    .batch = t->o.batch / t->o.shards,
                                    .in_h = t->in_h,
                                    .in_w = t->in_w,
                                    .in_c = t->in_c,
                                    .threads = t->o.threads,
                                    .bf16_forward = t->o.bf16_forward};
    int status = flx_train_network(&t->o, t->classes, &t->spec);
    if (status == FLX_OK)
        status = flx_net_create(&t->spec, &config, &t->net);
    if (status == FLX_OK && quant)
        status = create_coded(t);
    for (int i = 0; status == FLX_OK && i < t->net->n_nodes; i++) {
        status = add_node_params(t, i);
        if (status == FLX_OK)
            draw_weights(t, i);
    }
    if (status == FLX_OK && t->o.shards > 1)
        status = flx_shards_create(t);
    return status;
}

int flx_trainer_create(const struct flx_train_options *o, int h, int w, int c, int classes,
                       const char *dataset, struct flx_trainer **out)
{
    struct flx_trainer *t = calloc(1, sizeof *t);
    int status = t ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status != FLX_OK)
        return status;
    t->o = *o;
    t->in_h = h;
    t->in_w = w;
    t->in_c = c;
    t->classes = classes;
    t->identity = -1;
    t->bits_per_weight = 32;
    snprintf(t->dataset, sizeof t->dataset, "%s", dataset);
    status = build(t, o->mode != FLX_TRAIN_FLOAT);
    if (status != FLX_OK) {
        flx_trainer_free(t);
        return status;
    }
    *out = t;
    return FLX_OK;
}

void flx_trainer_free(struct flx_trainer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_params; i++) {
        free(t->params[i].m);
        free(t->params[i].v);
    }
    for (int i = 0; t->coded && i < t->net->n_nodes; i++) {
        struct flx_coded *c = &t->coded[i];
        for (int p = 0; p < c->planes; p++)
            flx_xor_layer_free(&c->plane[p]);
        free(c->integer.w);
        free(c->integer.g);
        free(c->scaled);
    }
    free(t->coded);
    free(t->fields);
    free(t->parts);
    free(t->start);
    flx_trainer_free(t->teacher);
    flx_net_free(t->net);
    free(t);
}
