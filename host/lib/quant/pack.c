/* SPDX-License-Identifier: Apache-2.0 */
/* From the float network to integers (docs/numerics.md). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "quant.h"

#define MAX_M     32767
#define MAX_VALUE 2147483647.0

/* real / step_out = slope * S + offset, per output channel. */
static void folded(const struct flx_node *nd, double step_in, double step_out, int o, double *slope,
                   double *offset)
{
    double g = 1, mean = 0;
    if (nd->hidden) {
        g = (double)nd->gamma[o] / sqrt((double)nd->var[o] + (double)FLX_NN_BN_EPS);
        mean = (double)nd->mean[o];
    }
    *slope = g * (double)nd->alpha[o] * step_in / step_out;
    *offset = ((double)nd->beta[o] - g * mean) / step_out;
}

/* Whether the bounds of docs/numerics.md hold for multiplier and offset. */
static int fits(const struct flx_layer *l, double m, double beta, int shift)
{
    double inputs = (double)l->kh * l->kw * l->in_c, lanes = 2 * inputs + 4096;
    double half = !l->logits && shift > 0 ? ldexp(1, shift - 1) : 0;
    return fabs(m) <= MAX_M && fabs(m) * (255 * inputs + lanes) + fabs(beta) + half <= MAX_VALUE;
}

/* m and beta of every channel for @p shift; 0 when a bound breaks. */
static int try_shift(struct flx_layer *l, const struct flx_node *nd, double step_in,
                     double step_out, int shift)
{
    for (int o = 0; o < l->out_c; o++) {
        double slope, offset;
        folded(nd, step_in, step_out, o, &slope, &offset);
        double m = nearbyint(ldexp(slope, shift)), beta = nearbyint(ldexp(offset, shift));
        if (!fits(l, m, beta, shift))
            return 0;
        l->m[o] = (int16_t)m;
        l->beta[o] = (int32_t)beta;
    }
    return 1;
}

static int fold_layer(struct flx_layer *l, const struct flx_node *nd, double step_in,
                      double step_out)
{
    for (int shift = 31; shift >= 0; shift--)
        if (try_shift(l, nd, step_in, step_out, shift)) {
            l->shift = l->logits ? 0 : shift;
            return FLX_OK;
        }
    return flx_fail(FLX_ERR_OVERFLOW,
                    "layer %s: no shift keeps its integers in 32 bits; train longer or with a "
                    "smaller learning rate",
                    l->name);
}

static void pack_bits(struct flx_layer *l, const struct flx_xor_layer *x)
{
    for (int j = 0; j < x->n_in; j++)
        for (size_t s = 0; s < x->slicing.n_slices; s++)
            if (x->x[(size_t)j * x->stride + s] >= 0)
                l->bits[0][(size_t)j * l->n_words + s / 64] |= (uint64_t)1 << s % 64;
}

static int pack_layer(const struct flx_trainer *t, int i, double step_in, double step_out,
                      struct flx_model *m)
{
    const struct flx_node *nd = &t->net->nodes[i];
    struct flx_layer *l = &m->layers[i];
    snprintf(l->name, sizeof l->name, "%s", nd->name);
    l->in_h = nd->in_h;
    l->in_w = nd->in_w;
    l->in_c = nd->in_c;
    l->out_c = nd->out_c;
    l->kh = nd->kh;
    l->kw = nd->kw;
    l->stride = nd->stride;
    l->pad = nd->pad;
    l->pool = nd->pool;
    l->row_packed = i == 0;
    l->logits = !nd->hidden;
    l->planes = 1;
    l->plane_mode = FLX_PLANES_SCALED;
    l->order = t->o.order;
    l->n_in[0] = t->o.n_in;
    int status = flx_layer_alloc(m, l);
    if (status != FLX_OK)
        return status;
    pack_bits(l, &t->layers[i]);
    return fold_layer(l, nd, step_in, step_out);
}

int flx_trainer_pack(const struct flx_trainer *t, struct flx_model **out)
{
    if (!t->layers)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "float weights have no integer model: train with --mode flexor or binary");
    struct flx_model *m = flx_model_new();
    int status = m ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory for the model");
    if (status != FLX_OK)
        return status;
    snprintf(m->name, sizeof m->name, "%s", t->o.model);
    snprintf(m->dataset, sizeof m->dataset, "%s", t->dataset);
    m->in_h = t->in_h;
    m->in_w = t->in_w;
    m->in_c = t->in_c;
    m->classes = t->net->classes;
    m->act_bits = 8;
    m->n_nets = 1;
    m->nets[0] = t->xornet;
    m->n_layers = t->net->n_nodes;
    double step_in = 1.0 / 255;
    for (int i = 0; i < m->n_layers && status == FLX_OK; i++) {
        const struct flx_node *nd = &t->net->nodes[i];
        double step_out = nd->hidden ? (double)nd->range / 255 : 1;
        status = pack_layer(t, i, step_in, step_out, m);
        step_in = step_out;
    }
    if (status == FLX_OK)
        status = flx_model_check(m);
    if (status != FLX_OK) {
        flx_model_free(m);
        return status;
    }
    *out = m;
    return FLX_OK;
}

int flx_pack_checkpoint(const char *path, struct flx_model **out)
{
    struct flx_trainer *t = NULL;
    int status = flx_checkpoint_load(path, NULL, NULL, &t);
    if (status == FLX_OK)
        status = flx_trainer_pack(t, out);
    flx_trainer_free(t);
    return status;
}
