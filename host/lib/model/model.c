/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "model_internal.h"

#define MAX_MAP     ((int64_t)1 << 26) /* codes of one activation map */
#define MAX_WEIGHTS ((int64_t)1 << 30) /* of one layer */
#define MAX_SIDE    65535

struct flx_model *flx_model_new(void)
{
    return calloc(1, sizeof(struct flx_model));
}

static void layer_free(struct flx_layer *l)
{
    for (int p = 0; p < FLX_MAX_PLANES; p++) {
        free(l->bits[p]);
        l->bits[p] = NULL;
    }
    free(l->m);
    free(l->beta);
    l->m = NULL;
    l->beta = NULL;
}

void flx_model_free(struct flx_model *m)
{
    if (!m)
        return;
    for (int i = 0; i < FLX_MAX_LAYERS; i++)
        layer_free(&m->layers[i]);
    free(m);
}

void flx_layer_defaults(struct flx_layer *l, int i)
{
    *l = (struct flx_layer){.input = i == 0 ? FLX_IMAGE : i - 1,
                            .skip = FLX_NO_SKIP,
                            .stride = 1,
                            .skip_stride = 1,
                            .pool = 1,
                            .pool_stride = 1,
                            .row_packed = i == 0,
                            .planes = 1};
}

static int bad(const struct flx_layer *l, const char *what, int value)
{
    return flx_fail(FLX_ERR_ARG, "layer %s: impossible %s %d", l->name, what, value);
}

static int check_sides(const struct flx_layer *l)
{
    const struct {
        const char *what;
        int value, max;
    } sides[] = {
        {"input height", l->in_h, MAX_SIDE},
        {"input width", l->in_w, MAX_SIDE},
        {"number of input channels", l->in_c, MAX_SIDE},
        {"number of output channels", l->out_c, MAX_SIDE},
        {"kernel height", l->kh, MAX_SIDE},
        {"kernel width", l->kw, MAX_SIDE},
        {"stride", l->stride, MAX_SIDE},
        {"stride of the skip", l->skip_stride, MAX_SIDE},
        {"pool", l->pool, MAX_SIDE},
        {"stride of the pool", l->pool_stride, MAX_SIDE},
        {"number of planes", l->planes, FLX_MAX_PLANES},
    };
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        if (sides[i].value < 1 || sides[i].value > sides[i].max)
            return bad(l, sides[i].what, sides[i].value);
    if (l->pad < 0 || (l->pad >= l->kh && l->pad >= l->kw))
        return bad(l, "padding", l->pad);
    return FLX_OK;
}

/* Every window has at least one position of the map. */
static int derive_pool(struct flx_layer *l)
{
    int64_t h = l->conv_h + 2 * (int64_t)l->pool_pad, w = l->conv_w + 2 * (int64_t)l->pool_pad;
    int none = l->pool == 1, max = l->pool_kind == FLX_POOL_MAX;
    if (!max && l->pool_kind != FLX_POOL_SUM)
        return bad(l, "kind of pool", (int)l->pool_kind);
    if (none && (l->pool_stride != 1 || !max))
        return flx_fail(FLX_ERR_ARG,
                        "layer %s: a 1x1 pool is no pool: its stride is 1, its kind max", l->name);
    if (l->pool_pad < 0 || l->pool_pad > l->pool / 2)
        return bad(l, "padding of the pool", l->pool_pad);
    if (l->pool_shift < 0 || l->pool_shift > (max ? 0 : FLX_MAX_POOL_SHIFT))
        return bad(l, "shift of the pool", l->pool_shift);
    if (l->pool > h || l->pool > w)
        return flx_fail(FLX_ERR_ARG, "layer %s: %dx%d pooling does not fit its %dx%d map", l->name,
                        l->pool, l->pool, l->conv_h, l->conv_w);
    l->out_h = (int)((h - l->pool) / l->pool_stride) + 1;
    l->out_w = (int)((w - l->pool) / l->pool_stride) + 1;
    return FLX_OK;
}

/* Output shape; every map fits MAX_MAP. */
static int derive_shape(struct flx_layer *l)
{
    int64_t in_h = l->in_h + 2 * (int64_t)l->pad, in_w = l->in_w + 2 * (int64_t)l->pad;
    if (l->kh > in_h || l->kw > in_w)
        return flx_fail(FLX_ERR_ARG, "layer %s: a %dx%d kernel does not fit its %dx%d input",
                        l->name, l->kh, l->kw, l->in_h, l->in_w);
    int64_t h = (in_h - l->kh) / l->stride + 1, w = (in_w - l->kw) / l->stride + 1;
    if (in_h * in_w > MAX_MAP / l->in_c || h * w > MAX_MAP / l->out_c)
        return flx_fail(FLX_ERR_ARG, "layer %s: its map has more than %d codes", l->name,
                        (int)MAX_MAP);
    if ((int64_t)l->kh * l->kw > MAX_WEIGHTS / l->in_c / l->out_c)
        return flx_fail(FLX_ERR_ARG, "layer %s: more than %d weights", l->name, (int)MAX_WEIGHTS);
    l->conv_h = (int)h;
    l->conv_w = (int)w;
    return derive_pool(l);
}

/* The XOR network of every plane exists, takes its n_in, and all have one n_out. */
static int check_planes(const struct flx_model *m, const struct flx_layer *l)
{
    for (int p = 0; p < l->planes; p++) {
        if (l->net[p] < 0 || l->net[p] >= m->n_nets)
            return bad(l, "index of an XOR network", l->net[p]);
        const struct flx_xornet *net = &m->nets[l->net[p]];
        if (net->n_out < 1 || net->n_out > FLX_XOR_MAX)
            return bad(l, "n_out", net->n_out);
        if (l->n_in[p] < 1 || l->n_in[p] < net->n_min || l->n_in[p] > net->n_max ||
            l->n_in[p] > FLX_XOR_MAX)
            return bad(l, "n_in", l->n_in[p]);
        if (net->n_out != m->nets[l->net[0]].n_out)
            return flx_fail(FLX_ERR_ARG, "layer %s: its planes have different n_out", l->name);
    }
    return FLX_OK;
}

int flx_layer_derive(const struct flx_model *m, struct flx_layer *l)
{
    int status = check_sides(l);
    if (!status)
        status = derive_shape(l);
    if (!status)
        status = check_planes(m, l);
    if (!status)
        status = flx_slicing_init(&l->slicing, l->order, m->nets[l->net[0]].n_out, l->out_c, l->kh,
                                  l->kw, l->in_c, l->row_packed);
    if (!status)
        l->n_words = (l->slicing.n_slices + 63) / 64;
    return status;
}

int flx_layer_alloc(struct flx_model *m, struct flx_layer *l)
{
    int status = flx_layer_derive(m, l);
    if (status)
        return status;
    layer_free(l);
    size_t out_c = (size_t)l->out_c;
    size_t rows = l->plane_mode == FLX_PLANES_SCALED ? (size_t)l->planes : 1;
    l->m = calloc(rows * out_c, sizeof *l->m);
    l->beta = calloc(out_c, sizeof *l->beta);
    int missing = !l->m || !l->beta;
    for (int p = 0; p < l->planes; p++) {
        l->bits[p] = calloc((size_t)l->n_in[p] * l->n_words, sizeof *l->bits[p]);
        missing |= !l->bits[p];
    }
    if (missing) {
        layer_free(l);
        return flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
    }
    return FLX_OK;
}
