/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "flexor/status.h"
#include "nn_internal.h"

/* 64-byte aligned, zeroed. NULL without memory. */
static void *buffer(size_t n, size_t size)
{
    size_t bytes = (n * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes ? bytes : 64);
    if (p)
        memset(p, 0, bytes);
    return p;
}

static float *filled(size_t n, float value)
{
    float *p = buffer(n, sizeof *p);
    for (size_t i = 0; p && i < n; i++)
        p[i] = value;
    return p;
}

static int alloc_parameters(struct flx_node *nd, enum flx_nn_mode mode)
{
    size_t c = (size_t)nd->out_c;
    int full = 1;
    for (int p = 0; p < nd->planes && mode == FLX_NN_QUANT; p++) {
        nd->w8[p] = buffer(nd->n_weights + 1, 1);
        nd->ratio[p] = p ? filled(c, 0) : NULL;
        nd->dratio[p] = p ? filled(c, 0) : NULL;
        full = full && nd->w8[p] && (!p || (nd->ratio[p] && nd->dratio[p]));
    }
    nd->w = mode == FLX_NN_FLOAT ? filled(nd->n_weights + 1, 0) : NULL;
    nd->dw = filled(nd->n_weights + 1, 0);
    nd->alpha = filled(c, 1);
    nd->dalpha = filled(c, 0);
    nd->gamma = filled(c, 1);
    nd->dgamma = filled(c, 0);
    nd->beta = filled(c, 0);
    nd->dbeta = filled(c, 0);
    nd->mean = filled(c, 0);
    nd->var = filled(c, 1);
    if (!full || (!nd->w8[0] && !nd->w) || !nd->dw || !nd->alpha || !nd->dalpha || !nd->gamma ||
        !nd->dgamma || !nd->beta || !nd->dbeta || !nd->mean || !nd->var)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the weights of %s", nd->name);
    return FLX_OK;
}

static int alloc_buffers(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, batch = (size_t)net->batch;
    size_t sums = batch * flx_map_size(nd), outs = batch * flx_out_size(nd);
    int tiles = flx_pool_tiles(nd), apart = nd->pool > 1 || nd->pool_stride > 1;
    int floats = net->mode == FLX_NN_FLOAT || nd->kind == FLX_NODE_LOGITS;
    nd->sums = buffer(sums, sizeof(float));
    nd->peak = buffer(tiles ? outs : 1, sizeof(float));
    nd->arg = buffer(apart ? outs : 1, 1);
    nd->codes = buffer(net->mode == FLX_NN_QUANT ? outs : 1, 1);
    nd->values = buffer(floats ? outs : 1, sizeof(float));
    nd->out = buffer(outs, net->bf16 ? 2 : sizeof(float));
    nd->dout = buffer(outs, sizeof(float));
    nd->dcode = apart && !tiles ? buffer(sums, sizeof(float)) : nd->dout;
    nd->scale = buffer(c, sizeof(float));
    nd->offset = buffer(c, sizeof(float));
    nd->batch_mean = buffer(c, sizeof(float));
    nd->batch_istd = buffer(c, sizeof(float));
    nd->stat = buffer((size_t)net->threads * 2 * c, sizeof(double));
    nd->slope = buffer(3 * c, sizeof(float));
    nd->top = buffer((size_t)net->threads, sizeof(float));
    if (!nd->sums || !nd->peak || !nd->arg || !nd->codes || !nd->values || !nd->out || !nd->dout ||
        !nd->dcode || !nd->scale || !nd->offset || !nd->batch_mean || !nd->batch_istd ||
        !nd->stat || !nd->slope || !nd->top)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %s; use a smaller batch", nd->name);
    return FLX_OK;
}

/* Every thread convolves its own share of the batch, so that threads meet only where
 * batch norm needs all of it. */
static int create_shares(const struct flx_net *net, struct flx_node *nd)
{
    struct flx_conv_shape s = {.in_h = nd->in_h,
                               .in_w = nd->in_w,
                               .in_c = nd->in_c,
                               .out_c = nd->out_c,
                               .kh = nd->kh,
                               .kw = nd->kw,
                               .stride = nd->stride,
                               .pad = nd->pad,
                               .out_h = nd->conv_h,
                               .out_w = nd->conv_w,
                               .integer = net->mode == FLX_NN_QUANT,
                               .bf16_forward = net->bf16_forward,
                               .need_data_gradient = nd->input != FLX_NN_IMAGE,
                               .back = net->bf16 ? FLX_CONV_BF16 : FLX_CONV_F32};
    int status = FLX_OK;
    nd->conv = calloc((size_t)net->threads, sizeof *nd->conv);
    nd->share_dw = calloc((size_t)net->threads, sizeof *nd->share_dw);
    if (!nd->conv || !nd->share_dw)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    nd->share_dw[0] = nd->dw;
    for (int t = 0; t < net->threads && status == FLX_OK; t++) {
        int first, last;
        flx_share(net, t, &first, &last);
        s.batch = last - first;
        if (t)
            nd->share_dw[t] = filled(nd->n_weights, 0);
        status = nd->share_dw[t] ? flx_conv_create(&s, &nd->conv[t])
                                 : flx_fail(FLX_ERR_NOMEM, "out of memory");
    }
    return status;
}

static int create_node(struct flx_net *net, int i, int planes, const struct flx_node_spec *spec)
{
    struct flx_node *nd = &net->nodes[i];
    int status = flx_node_geometry(net, i, spec, nd);
    if (status != FLX_OK)
        return status;
    nd->planes = nd->weight_bits || net->mode == FLX_NN_FLOAT ? 1 : planes;
    status = alloc_parameters(nd, net->mode);
    if (status == FLX_OK)
        status = alloc_buffers(net, nd);
    if (status != FLX_OK)
        return status;
    return create_shares(net, nd);
}

/* Buffers that all nodes use in turn. */
static int alloc_shared(struct flx_net *net)
{
    size_t batch = (size_t)net->batch, map = 1, scratch = 1, weights = 1, dsums = 1;
    size_t image = batch * (size_t)net->in_h * (size_t)net->in_w * (size_t)net->in_c;
    int readers[FLX_NN_MAX_NODES] = {0};
    for (int i = 0; i < net->n_nodes; i++) {
        const struct flx_node *nd = &net->nodes[i];
        size_t sums = batch * flx_map_size(nd);
        dsums = sums > dsums ? sums : dsums;
        if (nd->pool > 1 || nd->pool_stride > 1)
            map = flx_map_size(nd) > map ? flx_map_size(nd) : map;
        if (nd->planes > 1) {
            scratch = sums > scratch ? sums : scratch;
            weights = nd->n_weights > weights ? nd->n_weights : weights;
        }
        if (nd->input >= 0 && readers[nd->input]++) {
            size_t outs = batch * flx_out_size(&net->nodes[nd->input]);
            scratch = outs > scratch ? outs : scratch;
        }
    }
    int own = net->mode == FLX_NN_FLOAT || net->act_bits < 8;
    net->images_own = own ? buffer(image, net->mode == FLX_NN_FLOAT ? sizeof(float) : 1) : NULL;
    net->images_back = buffer(image, net->bf16 ? 2 : sizeof(float));
    net->map = buffer((size_t)net->threads * map, sizeof(float));
    net->dsums = buffer(dsums, net->bf16 ? 2 : sizeof(float));
    net->scratch = buffer(scratch, sizeof(float));
    net->mixed = buffer((size_t)net->threads * weights, sizeof(float));
    if ((own && !net->images_own) || !net->images_back || !net->map || !net->dsums ||
        !net->scratch || !net->mixed)
        return flx_fail(FLX_ERR_NOMEM, "out of memory; use a smaller batch");
    return FLX_OK;
}

static int check_config(const struct flx_net_spec *spec, const struct flx_net_config *c)
{
    if (spec->n_nodes < 1 || spec->n_nodes > FLX_NN_MAX_NODES)
        return flx_fail(FLX_ERR_ARG, "a network has 1 to %d nodes, this one %d", FLX_NN_MAX_NODES,
                        spec->n_nodes);
    if (c->mode == FLX_NN_QUANT && c->act_bits != 8 && c->act_bits != 4)
        return flx_fail(FLX_ERR_ARG, "activations of %d bits: use 8 or 4", c->act_bits);
    if (c->mode == FLX_NN_QUANT && (c->planes < 1 || c->planes > FLX_NN_MAX_PLANES))
        return flx_fail(FLX_ERR_ARG, "%d planes: use 1 to %d", c->planes, FLX_NN_MAX_PLANES);
    if (c->batch < 1 || c->in_h < 1 || c->in_w < 1 || c->in_c < 1 || c->threads < 1)
        return flx_fail(FLX_ERR_ARG, "batch, image and threads must be positive");
    return FLX_OK;
}

int flx_net_create(const struct flx_net_spec *spec, const struct flx_net_config *config,
                   struct flx_net **out)
{
    int status = check_config(spec, config);
    if (status != FLX_OK)
        return status;
    struct flx_net *net = calloc(1, sizeof *net);
    if (!net)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    net->mode = config->mode;
    net->act_bits = config->mode == FLX_NN_QUANT ? config->act_bits : 8;
    net->batch = config->batch;
    net->threads = config->threads < config->batch ? config->threads : config->batch;
    net->bf16 = !config->f32 && flx_conv_has_bf16();
    net->bf16_forward = config->bf16_forward;
    net->in_h = config->in_h;
    net->in_w = config->in_w;
    net->in_c = config->in_c;
    net->classes = spec->nodes[spec->n_nodes - 1].out_c;
    net->bn_momentum = 0.1F;
    net->range_momentum = 0.01F;
    net->nodes = calloc((size_t)spec->n_nodes, sizeof *net->nodes);
    if (!net->nodes)
        status = flx_fail(FLX_ERR_NOMEM, "out of memory");
    omp_set_num_threads(1); /* what oneDNN plans for */
    for (int i = 0; i < spec->n_nodes && status == FLX_OK; i++) {
        net->n_nodes = i + 1;
        status = create_node(net, i, config->planes, &spec->nodes[i]);
    }
    omp_set_num_threads(net->threads);
    if (status == FLX_OK)
        status = flx_net_check(net);
    if (status == FLX_OK)
        status = alloc_shared(net);
    if (status != FLX_OK) {
        flx_net_free(net);
        return status;
    }
    *out = net;
    return FLX_OK;
}

static void free_node(struct flx_node *nd, int threads)
{
    void *const all[] = {nd->w,      nd->dw,    nd->alpha,      nd->dalpha,    nd->gamma,
                         nd->dgamma, nd->beta,  nd->dbeta,      nd->mean,      nd->var,
                         nd->sums,   nd->peak,  nd->arg,        nd->codes,     nd->out,
                         nd->values, nd->scale, nd->offset,     nd->stat,      nd->dout,
                         nd->slope,  nd->top,   nd->batch_mean, nd->batch_istd};
    if (nd->dcode != nd->dout)
        free(nd->dcode);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    for (int p = 0; p < FLX_NN_MAX_PLANES; p++) {
        free(nd->w8[p]);
        free(nd->ratio[p]);
        free(nd->dratio[p]);
    }
    for (int t = 0; t < threads && nd->conv && nd->share_dw; t++) {
        flx_conv_free(nd->conv[t]);
        free(t ? nd->share_dw[t] : NULL);
    }
    free(nd->conv);
    free(nd->share_dw);
}

void flx_net_free(struct flx_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->n_nodes; i++)
        free_node(&net->nodes[i], net->threads);
    free(net->nodes);
    free(net->images_own);
    free(net->images_back);
    free(net->map);
    free(net->dsums);
    free(net->scratch);
    free(net->mixed);
    free(net);
}

const float *flx_net_logits(const struct flx_net *net)
{
    return net->nodes[net->n_nodes - 1].values;
}
