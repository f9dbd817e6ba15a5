/* SPDX-License-Identifier: Apache-2.0 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "conv.h"
#include "flexor/status.h"

/* LeNet-5 of the paper: 32C5-MP2-64C5-MP2-512FC-10. */
static const struct flx_node_spec lenet5[] = {{"conv1", 32, 5, 1, 0, 2, 1},
                                              {"conv2", 64, 5, 1, 0, 2, 1},
                                              {"fc1", 512, 0, 1, 0, 1, 1},
                                              {"fc2", 10, 0, 1, 0, 1, 0}};

static const struct flx_node_spec mlp[] = {
    {"fc1", 512, 0, 1, 0, 1, 1}, {"fc2", 512, 0, 1, 0, 1, 1}, {"fc3", 10, 0, 1, 0, 1, 0}};

static const struct flx_net_spec specs[] = {{"lenet5", 4, lenet5}, {"mlp", 3, mlp}};

const struct flx_net_spec *flx_net_spec_find(const char *name)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        if (!strcmp(specs[i].name, name))
            return &specs[i];
    return NULL;
}

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

static int set_geometry(struct flx_node *nd, const struct flx_node_spec *s, int h, int w, int c)
{
    snprintf(nd->name, sizeof nd->name, "%s", s->name);
    nd->in_h = h;
    nd->in_w = w;
    nd->in_c = c;
    nd->out_c = s->out_c;
    nd->kh = s->kernel ? s->kernel : h;
    nd->kw = s->kernel ? s->kernel : w;
    nd->stride = s->stride;
    nd->pad = s->pad;
    nd->pool = s->pool;
    nd->hidden = s->hidden;
    if (nd->kh > h + 2 * s->pad || nd->kw > w + 2 * s->pad)
        return flx_fail(FLX_ERR_ARG, "%s: a %dx%d kernel does not fit a %dx%d input", s->name,
                        nd->kh, nd->kw, h, w);
    nd->conv_h = (h + 2 * s->pad - nd->kh) / s->stride + 1;
    nd->conv_w = (w + 2 * s->pad - nd->kw) / s->stride + 1;
    nd->out_h = nd->conv_h / s->pool;
    nd->out_w = nd->conv_w / s->pool;
    if (nd->out_h < 1 || nd->out_w < 1)
        return flx_fail(FLX_ERR_ARG,
                        "%s: %dx%d pooling does not fit a %dx%d map; use larger "
                        "images",
                        s->name, s->pool, s->pool, nd->conv_h, nd->conv_w);
    nd->n_weights = (size_t)nd->out_c * (size_t)(nd->kh * nd->kw * c);
    return FLX_OK;
}

static int alloc_parameters(struct flx_node *nd, enum flx_nn_mode mode)
{
    size_t c = (size_t)nd->out_c;
    nd->w8 = mode == FLX_NN_QUANT ? buffer(nd->n_weights + 1, 1) : NULL;
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
    nd->range = FLX_NN_RANGE0;
    if ((!nd->w8 && !nd->w) || !nd->dw || !nd->alpha || !nd->dalpha || !nd->gamma || !nd->dgamma ||
        !nd->beta || !nd->dbeta || !nd->mean || !nd->var)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the weights of %s", nd->name);
    return FLX_OK;
}

static int alloc_buffers(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, batch = (size_t)net->batch;
    size_t sums = batch * (size_t)(nd->conv_h * nd->conv_w) * c;
    size_t outs = batch * (size_t)(nd->out_h * nd->out_w) * c;
    nd->sums = buffer(sums, sizeof(float));
    nd->dsums = buffer(sums, sizeof(float));
    nd->peak = buffer(outs, sizeof(float));
    nd->arg = buffer(outs, 1);
    nd->codes = buffer(outs, 1);
    nd->out = buffer(outs, sizeof(float));
    nd->dout = buffer(outs, sizeof(float));
    nd->scale = buffer(c, sizeof(float));
    nd->offset = buffer(c, sizeof(float));
    nd->batch_mean = buffer(c, sizeof(float));
    nd->batch_istd = buffer(c, sizeof(float));
    nd->stat = buffer((size_t)net->threads * 2 * c, sizeof(double));
    if (!nd->sums || !nd->dsums || !nd->peak || !nd->arg || !nd->codes || !nd->out || !nd->dout ||
        !nd->scale || !nd->offset || !nd->batch_mean || !nd->batch_istd || !nd->stat)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %s; use a smaller batch", nd->name);
    return FLX_OK;
}

static int create_node(struct flx_net *net, int i, const struct flx_node_spec *spec)
{
    struct flx_node *nd = &net->nodes[i], *prev = i ? nd - 1 : NULL;
    int status = set_geometry(nd, spec, prev ? prev->out_h : net->in_h,
                              prev ? prev->out_w : net->in_w, prev ? prev->out_c : net->in_c);
    if (status == FLX_OK)
        status = alloc_parameters(nd, net->mode);
    if (status == FLX_OK)
        status = alloc_buffers(net, nd);
    if (status != FLX_OK)
        return status;
    struct flx_conv_shape s = {.batch = net->batch,
                               .in_h = nd->in_h,
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
                               .need_data_gradient = i > 0,
                               .back = net->bf16 ? FLX_CONV_BF16 : FLX_CONV_F32};
    return flx_conv_create(&s, &nd->conv);
}

int flx_net_create(const struct flx_net_spec *spec, enum flx_nn_mode mode, int batch, int in_h,
                   int in_w, int in_c, int threads, struct flx_net **out)
{
    struct flx_net *net = calloc(1, sizeof *net);
    int status = net ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status != FLX_OK)
        return status;
    omp_set_num_threads(threads);
    net->mode = mode;
    net->batch = batch;
    net->threads = threads;
    net->bf16 = mode == FLX_NN_QUANT && flx_conv_has_bf16();
    net->in_h = in_h;
    net->in_w = in_w;
    net->in_c = in_c;
    net->classes = spec->nodes[spec->n_nodes - 1].out_c;
    net->bn_momentum = 0.1F;
    net->range_momentum = 0.01F;
    net->nodes = calloc((size_t)spec->n_nodes, sizeof *net->nodes);
    net->images_back = buffer((size_t)batch * (size_t)(in_h * in_w * in_c), sizeof(float));
    if (!net->nodes || !net->images_back)
        status = flx_fail(FLX_ERR_NOMEM, "out of memory");
    for (int i = 0; i < spec->n_nodes && status == FLX_OK; i++) {
        net->n_nodes = i + 1;
        status = create_node(net, i, &spec->nodes[i]);
    }
    if (status != FLX_OK) {
        flx_net_free(net);
        return status;
    }
    *out = net;
    return FLX_OK;
}

static void free_node(struct flx_node *nd)
{
    void *const all[] = {nd->w8,    nd->w,          nd->dw,        nd->alpha, nd->dalpha,
                         nd->gamma, nd->dgamma,     nd->beta,      nd->dbeta, nd->mean,
                         nd->var,   nd->sums,       nd->peak,      nd->arg,   nd->codes,
                         nd->out,   nd->dsums,      nd->dout,      nd->scale, nd->offset,
                         nd->stat,  nd->batch_mean, nd->batch_istd};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    flx_conv_free(nd->conv);
}

void flx_net_free(struct flx_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->n_nodes; i++)
        free_node(&net->nodes[i]);
    free(net->nodes);
    free(net->images_back);
    free(net);
}

/* Input of node @p i: for the forward pass, or as the backward pass reads it. */
static const void *input_of(const struct flx_net *net, int i, int backward)
{
    int codes = net->mode == FLX_NN_QUANT && !backward;
    if (i == 0)
        return codes ? (const void *)net->images : net->images_back;
    const struct flx_node *prev = &net->nodes[i - 1];
    return codes ? (const void *)prev->codes : prev->out;
}

static int forward_node(struct flx_net *net, int i, int train)
{
    struct flx_node *nd = &net->nodes[i];
    int quant = net->mode == FLX_NN_QUANT;
    nd->step_in = i ? nd[-1].step_out : 1.0F / 255;
    nd->step_out = quant && nd->hidden ? nd->range / 255 : 1;
    flx_conv_set_weights(nd->conv, quant ? (const void *)nd->w8 : nd->w, train);
    int status = flx_conv_forward(nd->conv, input_of(net, i, 0), nd->sums);
    if (status != FLX_OK)
        return status;
    if (nd->hidden && train)
        flx_act_statistics(net, nd);
    flx_act_affine(net, nd, train);
    if (!nd->hidden) {
        flx_logits_forward(net, nd);
        return FLX_OK;
    }
    float top = flx_act_forward(net, nd, train);
    if (quant && train)
        nd->range += net->range_momentum * (top - nd->range);
    return FLX_OK;
}

int flx_net_forward(struct flx_net *net, const uint8_t *images, int train)
{
    int status = FLX_OK;
    net->images = images;
    if (train || net->mode == FLX_NN_FLOAT)
        flx_act_widen(net, images, net->images_back, (size_t)(net->in_h * net->in_w * net->in_c));
    for (int i = 0; i < net->n_nodes && status == FLX_OK; i++)
        status = forward_node(net, i, train);
    return status;
}

const float *flx_net_logits(const struct flx_net *net)
{
    return net->nodes[net->n_nodes - 1].out;
}

int flx_net_backward(struct flx_net *net)
{
    int status = FLX_OK;
    for (int i = net->n_nodes - 1; i >= 0 && status == FLX_OK; i--) {
        struct flx_node *nd = &net->nodes[i];
        if (nd->hidden)
            flx_act_backward(net, nd);
        else
            flx_logits_backward(net, nd);
        status = flx_conv_backward_weights(nd->conv, input_of(net, i, 1), nd->dsums, nd->dw);
        if (status == FLX_OK && i > 0)
            status = flx_conv_backward_data(nd->conv, nd->dsums, nd[-1].dout);
    }
    return status;
}
