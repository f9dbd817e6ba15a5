/* SPDX-License-Identifier: Apache-2.0 */
/* One step of training, and the float evaluation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "quant.h"

void flx_trainer_weights(struct flx_trainer *t)
{
    for (int i = 0; t->coded && i < t->net->n_nodes; i++) {
        const struct flx_coded *c = &t->coded[i];
        struct flx_node *nd = &t->net->nodes[i];
        for (int p = 0; p < c->planes; p++)
            flx_xor_forward(&c->plane[p], nd->w8[p], t->o.threads);
        if (c->integer.bits)
            flx_int_forward(&c->integer, nd->alpha, nd->w8[0]);
    }
}

/* Gradient of plane p > 0, whose sums count ratio times. */
static const float *scaled_gradient(const struct flx_coded *c, const struct flx_node *nd, int p)
{
    size_t per = nd->n_weights / (size_t)nd->out_c;
    for (int o = 0; o < nd->out_c; o++)
        for (size_t k = (size_t)o * per; k < ((size_t)o + 1) * per; k++)
            c->scaled[k] = nd->dw[k] * nd->ratio[p][o];
    return c->scaled;
}

static void weights_backward(struct flx_trainer *t)
{
    for (int i = 0; t->coded && i < t->net->n_nodes; i++) {
        const struct flx_coded *c = &t->coded[i];
        const struct flx_node *nd = &t->net->nodes[i];
        for (int p = 0; p < c->planes; p++)
            flx_xor_backward(&c->plane[p], p ? scaled_gradient(c, nd, p) : nd->dw, t->o.threads);
        if (c->integer.bits)
            flx_int_backward(&c->integer, nd->alpha, nd->dw);
    }
}

static void set_s(struct flx_trainer *t, double s)
{
    for (int i = 0; t->coded && i < t->net->n_nodes; i++)
        for (int p = 0; p < t->coded[i].planes; p++) {
            t->coded[i].plane[p].s_tanh = (float)s;
            t->params[t->coded[i].param[p]].clip = (float)(t->o.clip / s);
        }
}

static void update(struct flx_trainer *t, uint64_t step, uint64_t steps_per_epoch)
{
    float lr = (float)flx_schedule_lr(&t->o, step, steps_per_epoch);
    weights_backward(t);
    if (t->o.sgd)
        flx_sgd_step(t->params, t->n_params, lr, (float)t->o.momentum, t->o.threads);
    else
        flx_adam_step(t->params, t->n_params, lr, step + 1, t->o.threads);
}

/* Gradients of one shard, or of the whole batch. */
static int shard(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels, double *loss,
                 int *correct)
{
    struct flx_loss kind;
    int status = flx_trainer_loss(t, images, &kind);
    if (status == FLX_OK)
        status = flx_net_forward(t->net, images, 1);
    if (status != FLX_OK)
        return status;
    flx_net_loss(t->net, labels, t->net->batch, &kind, loss, correct);
    if (!isfinite(*loss))
        return flx_fail(FLX_ERR_ARG,
                        "the loss is no number in step %llu of epoch %d: use a "
                        "smaller --lr",
                        (unsigned long long)t->step + 1, t->epoch + 1);
    return flx_net_backward(t->net);
}

static int all_shards(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels,
                      double *loss, int *correct)
{
    int n = t->o.shards, batch = t->net->batch, status = FLX_OK, first, end;
    size_t size = (size_t)(t->in_h * t->in_w * t->in_c);
    if (n == 1)
        return shard(t, images, labels, loss, correct);
    flx_ranks_shards(t, &first, &end);
    flx_shards_begin(t);
    for (int k = first; k < end && status == FLX_OK; k++) {
        size_t at = (size_t)k * (size_t)batch;
        flx_shards_restart(t);
        status = shard(t, images + at * size, labels + at, loss, correct);
        flx_shard_take(t, *loss, *correct, t->parts + (size_t)k * t->shard_floats);
    }
    status = flx_group_agree(t->group, status);
    if (status == FLX_OK)
        status = flx_ranks_parts(t);
    if (status == FLX_OK)
        flx_shards_sum(t, t->parts, n, loss, correct);
    return status;
}

int flx_trainer_step(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels,
                     uint64_t steps_per_epoch)
{
    uint64_t step = (uint64_t)t->epoch * steps_per_epoch + t->step;
    double loss = 0;
    int correct = 0;
    set_s(t, flx_schedule_s(&t->o, step, steps_per_epoch));
    flx_trainer_weights(t);
    int status = all_shards(t, images, labels, &loss, &correct);
    if (status != FLX_OK)
        return status;
    update(t, step, steps_per_epoch);
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
    int batch = t->net->batch, rank = t->group ? t->group->rank : 0;
    int stride = t->group ? batch * t->group->size : batch; /* ranks take batches in turn */
    uint8_t *last = calloc((size_t)batch, size); /* a batch that the images do not fill */
    int status = last ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    *correct = 0;
    flx_trainer_weights(t);
    for (int at = rank * batch; at < d->n && status == FLX_OK; at += stride) {
        int n = d->n - at < batch ? d->n - at : batch;
        const uint8_t *images = d->images + (size_t)at * size;
        if (n < batch)
            images = memcpy(last, images, (size_t)n * size);
        status = flx_net_forward(t->net, images, 0);
        if (status == FLX_OK)
            *correct += count_correct(flx_net_logits(t->net), t->net->classes, d->labels + at, n);
    }
    free(last);
    status = flx_group_agree(t->group, status);
    return status == FLX_OK ? flx_ranks_add(t, correct) : status;
}
