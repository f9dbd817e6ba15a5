/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a batch with batch norm statistics of their own. A part is a row of floats:
 * gradients and statistics after its backward pass, its loss, its correct answers. All
 * sums are formed in the order of the shards, so that it does not matter which process
 * worked on which of them. */
#include <stdlib.h>
#include <string.h>

#include "../base/clones.h"
#include "flexor/status.h"
#include "quant.h"

#define NODE_FIELDS (FLX_NN_MAX_PLANES + 6)

static void add_field(struct flx_trainer *t, float *p, size_t n, int statistic, int largest)
{
    t->fields[t->n_fields++] =
        (struct flx_shard_field){.p = p, .n = n, .largest = largest, .statistic = statistic};
    t->shard_floats += n;
}

static void list_fields(struct flx_trainer *t)
{
    t->shard_floats = 2; /* loss, correct answers */
    for (int i = 0; i < t->net->n_nodes; i++) {
        struct flx_node *nd = &t->net->nodes[i];
        size_t c = (size_t)nd->out_c;
        add_field(t, nd->dw, nd->n_weights, 0, 0);
        add_field(t, nd->dalpha, c, 0, 0);
        for (int p = 1; t->coded && p < t->coded[i].planes; p++)
            add_field(t, nd->dratio[p], c, 0, 0);
        add_field(t, nd->dbeta, c, 0, 0);
        if (nd->kind == FLX_NODE_LOGITS)
            continue;
        add_field(t, nd->dgamma, c, 0, 0);
        add_field(t, nd->mean, c, 1, 0);
        add_field(t, nd->var, c, 1, 0);
        add_field(t, &nd->range, 1, 1, 1);
    }
}

int flx_shards_create(struct flx_trainer *t)
{
    t->fields = calloc((size_t)t->net->n_nodes * NODE_FIELDS, sizeof *t->fields);
    if (!t->fields)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    list_fields(t);
    t->parts = malloc((size_t)t->o.shards * t->shard_floats * sizeof *t->parts);
    t->start = malloc(t->shard_floats * sizeof *t->start);
    if (!t->parts || !t->start)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d shards", t->o.shards);
    return FLX_OK;
}

static float *copy_out(const struct flx_shard_field *f, float *to)
{
    memcpy(to, f->p, f->n * sizeof *to);
    return to + f->n;
}

void flx_shards_begin(struct flx_trainer *t)
{
    float *to = t->start;
    for (int i = 0; i < t->n_fields; i++)
        if (t->fields[i].statistic)
            to = copy_out(&t->fields[i], to);
}

void flx_shards_restart(struct flx_trainer *t)
{
    const float *from = t->start;
    for (int i = 0; i < t->n_fields; i++) {
        const struct flx_shard_field *f = &t->fields[i];
        if (!f->statistic)
            continue;
        memcpy(f->p, from, f->n * sizeof *from);
        from += f->n;
    }
}

void flx_shard_take(const struct flx_trainer *t, double loss, int correct, float *part)
{
    *part++ = (float)loss;
    *part++ = (float)correct;
    for (int i = 0; i < t->n_fields; i++)
        part = copy_out(&t->fields[i], part);
}

/* to = mean of n rows. The loop over the rows is outside, so that each sum has one order. */
FLX_CLONES static void mean_rows(const float *rows, size_t stride, int n, size_t len,
                                 float *restrict to)
{
    float scale = 1 / (float)n;
    memcpy(to, rows, len * sizeof *to);
    for (int k = 1; k < n; k++)
        for (size_t i = 0; i < len; i++)
            to[i] += rows[(size_t)k * stride + i];
    for (size_t i = 0; i < len; i++)
        to[i] *= scale;
}

static void largest_of_rows(const float *rows, size_t stride, int n, size_t len, float *to)
{
    memcpy(to, rows, len * sizeof *to);
    for (int k = 1; k < n; k++)
        for (size_t i = 0; i < len; i++)
            if (rows[(size_t)k * stride + i] > to[i])
                to[i] = rows[(size_t)k * stride + i];
}

void flx_shards_sum(struct flx_trainer *t, const float *parts, int n, double *loss, int *correct)
{
    size_t stride = t->shard_floats, at = 2;
    *loss = 0;
    *correct = 0;
    for (int k = 0; k < n; k++) {
        *loss += (double)parts[(size_t)k * stride] / n;
        *correct += (int)parts[(size_t)k * stride + 1];
    }
    for (int i = 0; i < t->n_fields; i++) {
        const struct flx_shard_field *f = &t->fields[i];
        if (f->largest)
            largest_of_rows(parts + at, stride, n, f->n, f->p);
        else
            mean_rows(parts + at, stride, n, f->n, f->p);
        at += f->n;
    }
}
