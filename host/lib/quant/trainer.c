/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant.h"

#define N_MIN_32 13 /* of the default nested network with 32 outputs */

/* Smallest n_min whose pairs suffice for the rows that are not inputs. */
static int smallest_n_min(int n_out)
{
    int n = 1;
    while (n * (n - 1) / 2 < n_out - n)
        n++;
    return n;
}

static int make_xornet(const struct flx_train_options *o, struct flx_xornet *net)
{
    uint64_t seed = (uint64_t)o->xor_seed;
    if (o->xor_kind != FLX_TRAIN_NESTED)
        return flx_xornet_random(net, o->n_in, o->n_out,
                                 o->xor_kind == FLX_TRAIN_FILL ? 0 : o->taps, seed);
    int n_min = (N_MIN_32 * o->n_out + 31) / 32, least = smallest_n_min(o->n_out);
    n_min = n_min < o->n_in ? n_min : o->n_in;
    if (n_min < least)
        n_min = least;
    if (o->n_in < n_min)
        return flx_fail(FLX_ERR_ARG, "the nested XOR network for --nout %d wants --nin %d or more",
                        o->n_out, n_min);
    return flx_xornet_nested(net, o->n_out, n_min, seed);
}

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

static int add_node_params(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_xor_layer *l = t->layers ? &t->layers[i] : NULL;
    size_t c = (size_t)nd->out_c;
    int status = l ? add_param(t, nd->name, "x", l->x, l->g, (size_t)l->n_in * l->stride)
                   : add_param(t, nd->name, "w", nd->w, nd->dw, nd->n_weights);
    struct flx_param *weights = &t->params[t->n_params - 1];
    weights->clip = l ? (float)(t->o.clip / t->o.s_tanh) : 0;
    weights->decay = (float)t->o.decay;
    if (status == FLX_OK && l)
        status = add_param(t, nd->name, "alpha", nd->alpha, nd->dalpha, c);
    if (status == FLX_OK && nd->hidden)
        status = add_param(t, nd->name, "gamma", nd->gamma, nd->dgamma, c);
    if (status == FLX_OK)
        status = add_param(t, nd->name, "beta", nd->beta, nd->dbeta, c);
    return status;
}

/* First weights: He's deviation for floats, and for the scale of binary ones. */
static void draw_weights(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    float he = sqrtf(2.0F / (float)(nd->kh * nd->kw * nd->in_c));
    struct flx_rng rng;
    flx_rng_init(&rng, (uint64_t)t->o.seed, FLX_STREAM_INIT + 16 * (uint64_t)i);
    if (!t->layers) {
        for (size_t k = 0; k < nd->n_weights; k++)
            nd->w[k] = he * (float)flx_rng_normal(&rng);
        return;
    }
    struct flx_xor_layer *l = &t->layers[i];
    for (int j = 0; j < l->n_in; j++)
        for (size_t s = 0; s < l->slicing.n_slices; s++)
            l->x[(size_t)j * l->stride + s] = (float)(t->o.init * flx_rng_normal(&rng));
    for (int o = 0; o < nd->out_c; o++)
        nd->alpha[o] = he;
}

static int create_layer(struct flx_trainer *t, int i)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_slicing slicing;
    int status = FLX_OK;
    if (t->layers) {
        status = flx_slicing_init(&slicing, t->o.order, t->o.n_out, nd->out_c, nd->kh, nd->kw,
                                  nd->in_c, i == 0);
        if (status == FLX_OK)
            status = flx_xor_layer_init(&t->layers[i], &t->xornet, t->o.n_in, &slicing,
                                        nd->n_weights, (float)t->o.s_tanh);
    }
    if (status == FLX_OK)
        status = add_node_params(t, i);
    if (status == FLX_OK)
        draw_weights(t, i);
    return status;
}

int flx_trainer_create(const struct flx_train_options *o, int h, int w, int c, const char *dataset,
                       struct flx_trainer **out)
{
    struct flx_trainer *t = calloc(1, sizeof *t);
    int status = t ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status != FLX_OK)
        return status;
    t->o = *o;
    t->in_h = h;
    t->in_w = w;
    t->in_c = c;
    snprintf(t->dataset, sizeof t->dataset, "%s", dataset);
    int quant = o->mode != FLX_TRAIN_FLOAT;
    if (quant)
        status = make_xornet(o, &t->xornet);
    if (status == FLX_OK)
        status = flx_net_create(flx_net_spec_find(o->model), quant ? FLX_NN_QUANT : FLX_NN_FLOAT,
                                o->batch, h, w, c, o->threads, &t->net);
    if (status == FLX_OK && quant) {
        t->layers = calloc((size_t)t->net->n_nodes, sizeof *t->layers);
        if (!t->layers)
            status = flx_fail(FLX_ERR_NOMEM, "out of memory");
    }
    for (int i = 0; status == FLX_OK && i < t->net->n_nodes; i++)
        status = create_layer(t, i);
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
    for (int i = 0; t->layers && i < t->net->n_nodes; i++)
        flx_xor_layer_free(&t->layers[i]);
    free(t->layers);
    flx_net_free(t->net);
    free(t);
}

void flx_trainer_weights(struct flx_trainer *t)
{
    for (int i = 0; t->layers && i < t->net->n_nodes; i++)
        flx_xor_forward(&t->layers[i], t->net->nodes[i].w8, t->o.threads);
}

/* Linear rise, then a cosine to 0. */
static float learning_rate(const struct flx_train_options *o, uint64_t step, uint64_t steps)
{
    double at = ((double)step + 1) / (double)steps, rise = o->warmup;
    if (at < rise)
        return (float)(o->lr * at / rise);
    double rest = rise < 1 ? (at - rise) / (1 - rise) : 0;
    return (float)(o->lr * 0.5 * (1 + cos(3.14159265358979323846 * rest)));
}

int flx_trainer_step(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels,
                     uint64_t steps_per_epoch)
{
    struct flx_net *net = t->net;
    double loss;
    int correct;
    flx_trainer_weights(t);
    int status = flx_net_forward(net, images, 1);
    if (status != FLX_OK)
        return status;
    flx_net_loss(net, labels, net->batch, (float)t->o.smoothing, &loss, &correct);
    if (!isfinite(loss))
        return flx_fail(FLX_ERR_ARG,
                        "the loss is no number in step %llu of epoch %d: use a "
                        "smaller --lr",
                        (unsigned long long)t->step + 1, t->epoch + 1);
    status = flx_net_backward(net);
    if (status != FLX_OK)
        return status;
    for (int i = 0; t->layers && i < net->n_nodes; i++)
        flx_xor_backward(&t->layers[i], net->nodes[i].dw, t->o.threads);
    uint64_t step = (uint64_t)t->epoch * steps_per_epoch + t->step;
    float lr = learning_rate(&t->o, step, steps_per_epoch * (uint64_t)t->o.epochs);
    if (t->o.sgd)
        flx_sgd_step(t->params, t->n_params, lr, (float)t->o.momentum, t->o.threads);
    else
        flx_adam_step(t->params, t->n_params, lr, step + 1, t->o.threads);
    t->loss_sum += loss;
    t->correct += (uint64_t)correct;
    t->step++;
    return FLX_OK;
}

static int count_correct(const float *logits, int classes, const uint8_t *labels, int n)
{
    int correct = 0;
    for (int i = 0; i < n; i++) {
        const float *l = logits + (size_t)i * (size_t)classes;
        int best = 0;
        for (int k = 1; k < classes; k++)
            best = l[k] > l[best] ? k : best;
        correct += best == labels[i];
    }
    return correct;
}

int flx_trainer_evaluate(struct flx_trainer *t, const struct flx_dataset *d, int *correct)
{
    size_t size = (size_t)(t->in_h * t->in_w * t->in_c);
    int batch = t->o.batch, status = FLX_OK;
    uint8_t *last = calloc((size_t)batch, size); /* a batch that the images do not fill */
    if (!last)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    *correct = 0;
    flx_trainer_weights(t);
    for (int at = 0; at < d->n && status == FLX_OK; at += batch) {
        int n = d->n - at < batch ? d->n - at : batch;
        const uint8_t *images = d->images + (size_t)at * size;
        if (n < batch)
            images = memcpy(last, images, (size_t)n * size);
        status = flx_net_forward(t->net, images, 0);
        if (status == FLX_OK)
            *correct += count_correct(flx_net_logits(t->net), t->net->classes, d->labels + at, n);
    }
    free(last);
    return status;
}
