/* SPDX-License-Identifier: Apache-2.0 */
/* The integer model of a trainer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "fold.h"
#include "quant.h"

static void pack_plane(struct flx_layer *l, int p, const struct flx_xor_layer *x)
{
    for (int j = 0; j < x->n_in; j++)
        for (size_t s = 0; s < x->slicing.n_slices; s++)
            if (x->x[(size_t)j * x->stride + s] >= 0)
                l->bits[p][(size_t)j * l->n_words + s / 64] |= (uint64_t)1 << s % 64;
}

/* Plane p holds the bit of value 2^(q-1-p); w = 2 u - (2^q - 1). */
static void pack_integers(struct flx_layer *l, const int8_t *w8)
{
    int q = l->planes;
    for (size_t s = 0; s < l->slicing.n_slices; s++)
        for (int r = 0; r < l->slicing.n_out; r++) {
            ptrdiff_t at = flx_slicing_index(&l->slicing, s, r);
            int u = at < 0 ? 0 : (w8[at] + (1 << q) - 1) / 2;
            for (int p = 0; p < q; p++)
                if (u >> (q - 1 - p) & 1)
                    l->bits[p][(size_t)r * l->n_words + s / 64] |= (uint64_t)1 << s % 64;
        }
}

static void set_shape(const struct flx_trainer *t, int i, struct flx_layer *l)
{
    const struct flx_node *nd = &t->net->nodes[i];
    flx_layer_defaults(l, i);
    snprintf(l->name, sizeof l->name, "%s", nd->name);
    l->input = nd->input;
    l->in_h = nd->in_h;
    l->in_w = nd->in_w;
    l->in_c = nd->in_c;
    l->out_c = nd->out_c;
    l->kh = nd->kh;
    l->kw = nd->kw;
    l->stride = nd->stride;
    l->pad = nd->pad;
    l->skip = nd->skip;
    l->skip_stride = nd->skip_stride;
    l->pool = nd->pool;
    l->pool_stride = nd->pool_stride;
    l->pool_pad = nd->pool_pad;
    l->pool_shift = nd->pool_shift;
    l->pool_kind = nd->pool_kind == FLX_NN_POOL_MEAN ? FLX_POOL_SUM : FLX_POOL_MAX;
    l->in_zero = nd->input >= 0 ? t->net->nodes[nd->input].zero_out : 0;
    l->row_packed = i == 0;
    l->logits = nd->kind == FLX_NODE_LOGITS;
    l->order = t->o.order;
}

static void set_planes(const struct flx_trainer *t, int i, struct flx_layer *l)
{
    const struct flx_coded *c = &t->coded[i];
    l->planes = c->planes ? c->planes : c->integer.bits;
    l->plane_mode = c->planes ? FLX_PLANES_SCALED : FLX_PLANES_BINARY;
    for (int p = 0; p < l->planes; p++) {
        l->net[p] = c->planes ? c->net[p] : t->identity;
        l->n_in[p] = c->planes ? c->plane[p].n_in : t->o.n_out;
    }
}

static int pack_layer(const struct flx_trainer *t, int i, struct flx_model *m)
{
    const struct flx_coded *c = &t->coded[i];
    struct flx_layer *l = &m->layers[i];
    set_shape(t, i, l);
    set_planes(t, i, l);
    int status = flx_layer_alloc(m, l);
    if (status != FLX_OK)
        return status;
    for (int p = 0; p < c->planes; p++)
        pack_plane(l, p, &c->plane[p]);
    if (!c->planes)
        pack_integers(l, t->net->nodes[i].w8[0]);
    return flx_fold_layer(t->net, i, l);
}

/* Weights as of now; the steps follow from a forward pass over anything. */
static int refresh(struct flx_trainer *t)
{
    size_t size = (size_t)(t->in_h * t->in_w * t->in_c);
    uint8_t *images = calloc((size_t)t->net->batch, size);
    if (!images)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    flx_trainer_weights(t);
    int status = flx_net_forward(t->net, images, 0);
    free(images);
    return status;
}

static void set_header(const struct flx_trainer *t, struct flx_model *m)
{
    snprintf(m->name, sizeof m->name, "%s", t->spec.name);
    snprintf(m->dataset, sizeof m->dataset, "%s", t->dataset);
    m->in_h = t->in_h;
    m->in_w = t->in_w;
    m->in_c = t->in_c;
    m->classes = t->net->classes;
    m->act_bits = t->o.act_bits;
    m->n_nets = t->n_nets;
    memcpy(m->nets, t->nets, sizeof t->nets);
    m->n_layers = t->net->n_nodes;
}

int flx_trainer_pack(struct flx_trainer *t, struct flx_model **out)
{
    if (!t->coded)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "float weights have no integer model: train with --mode flexor or binary");
    struct flx_model *m = flx_model_new();
    int status = m ? refresh(t) : flx_fail(FLX_ERR_NOMEM, "out of memory for the model");
    if (status == FLX_OK)
        set_header(t, m);
    for (int i = 0; status == FLX_OK && i < m->n_layers; i++)
        status = pack_layer(t, i, m);
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
