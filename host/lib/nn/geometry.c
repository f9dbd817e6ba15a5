/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "conv.h"
#include "flexor/status.h"
#include "nn_internal.h"

#define MAX_WINDOW 225 /* places of a maximum fit a byte, 255 stands for none */

static int set_input(const struct flx_net *net, const struct flx_node_spec *s, struct flx_node *nd)
{
    nd->in_h = net->in_h;
    nd->in_w = net->in_w;
    nd->in_c = net->in_c;
    if (s->input == FLX_NN_IMAGE)
        return FLX_OK;
    const struct flx_node *from = &net->nodes[s->input];
    nd->in_h = from->out_h;
    nd->in_w = from->out_w;
    nd->in_c = from->out_c;
    if (from->kind == FLX_NODE_LINEAR && s->pad > 0)
        return flx_fail(FLX_ERR_ARG, "%s: reads the signed %s, so its pad must be 0", s->name,
                        from->name);
    if (from->kind == FLX_NODE_LINEAR && s->kind == FLX_NODE_LOGITS)
        return flx_fail(FLX_ERR_ARG, "%s: logits cannot read the signed %s", s->name, from->name);
    return FLX_OK;
}

static int set_conv(const struct flx_node_spec *s, struct flx_node *nd)
{
    nd->out_c = s->out_c;
    nd->kh = s->kernel ? s->kernel : nd->in_h;
    nd->kw = s->kernel ? s->kernel : nd->in_w;
    nd->stride = s->stride;
    nd->pad = s->pad;
    if (nd->out_c < 1 || s->stride < 1 || s->pad < 0 || s->kernel < 0)
        return flx_fail(FLX_ERR_ARG, "%s: channels and stride must be positive", s->name);
    if (s->pad >= nd->kh || s->pad >= nd->kw)
        return flx_fail(FLX_ERR_ARG, "%s: a pad of %d is wider than its %dx%d kernel", s->name,
                        s->pad, nd->kh, nd->kw);
    if (nd->kh > nd->in_h + 2 * s->pad || nd->kw > nd->in_w + 2 * s->pad)
        return flx_fail(FLX_ERR_ARG, "%s: a %dx%d kernel does not fit a %dx%d input", s->name,
                        nd->kh, nd->kw, nd->in_h, nd->in_w);
    nd->conv_h = (nd->in_h + 2 * s->pad - nd->kh) / s->stride + 1;
    nd->conv_w = (nd->in_w + 2 * s->pad - nd->kw) / s->stride + 1;
    nd->n_weights = (size_t)nd->out_c * (size_t)(nd->kh * nd->kw * nd->in_c);
    return FLX_OK;
}

static int log2_up(int n)
{
    int bits = 0;
    while (bits < 30 && 1 << bits < n)
        bits++;
    return bits;
}

static int set_pool(const struct flx_net *net, const struct flx_node_spec *s, struct flx_node *nd)
{
    int whole = s->pool == 0, size = whole ? nd->conv_h : s->pool;
    nd->pool = size;
    nd->pool_stride = whole ? size : s->pool_stride;
    nd->pool_pad = whole ? 0 : s->pool_pad;
    nd->pool_kind = s->pool_kind;
    if (whole && nd->conv_h != nd->conv_w)
        return flx_fail(FLX_ERR_UNSUPPORTED, "%s: pooling a whole %dx%d map, which is no square",
                        s->name, nd->conv_h, nd->conv_w);
    if (size < 1 || nd->pool_stride < 1 || nd->pool_pad < 0 || nd->pool_pad >= size)
        return flx_fail(FLX_ERR_ARG, "%s: pool size and stride must be positive, its pad smaller",
                        s->name);
    if (size > nd->conv_h + 2 * nd->pool_pad || size > nd->conv_w + 2 * nd->pool_pad)
        return flx_fail(FLX_ERR_ARG,
                        "%s: %dx%d pooling does not fit a %dx%d map; use larger images", s->name,
                        size, size, nd->conv_h, nd->conv_w);
    nd->out_h = (nd->conv_h + 2 * nd->pool_pad - size) / nd->pool_stride + 1;
    nd->out_w = (nd->conv_w + 2 * nd->pool_pad - size) / nd->pool_stride + 1;
    if (s->kind == FLX_NODE_LOGITS && (nd->conv_h > 1 || nd->conv_w > 1 || size > 1))
        return flx_fail(FLX_ERR_ARG, "%s: logits are one place without pooling; use kernel 0",
                        s->name);
    if (size == 1 && nd->pool_stride == 1)
        nd->pool_kind = FLX_NN_POOL_MAX;
    if (nd->pool_kind == FLX_NN_POOL_MAX && size * size > MAX_WINDOW)
        return flx_fail(FLX_ERR_UNSUPPORTED, "%s: a maximum over more than 15x15 places", s->name);
    if (nd->pool_kind == FLX_NN_POOL_MEAN && s->kind == FLX_NODE_LINEAR)
        return flx_fail(FLX_ERR_UNSUPPORTED, "%s: a mean of signed codes; pool after a relu",
                        s->name);
    int bits = log2_up(size * size) - 1;
    if (net->mode == FLX_NN_QUANT && nd->pool_kind == FLX_NN_POOL_MEAN)
        nd->pool_shift = bits > 0 ? bits : 0;
    return FLX_OK;
}

static int set_skip(const struct flx_net *net, const struct flx_node_spec *s, struct flx_node *nd)
{
    nd->skip_stride = 1;
    if (s->skip == FLX_NN_NO_SKIP)
        return FLX_OK;
    const struct flx_node *from = &net->nodes[s->skip];
    int st = (from->out_h + nd->conv_h - 1) / nd->conv_h;
    nd->skip_stride = st;
    if (s->kind == FLX_NODE_LOGITS)
        return flx_fail(FLX_ERR_UNSUPPORTED, "%s: logits take no skip", s->name);
    if ((from->out_h + st - 1) / st != nd->conv_h || (from->out_w + st - 1) / st != nd->conv_w ||
        from->out_c > nd->out_c)
        return flx_fail(FLX_ERR_ARG, "%s: the %dx%dx%d of %s cannot be added to a %dx%dx%d map",
                        s->name, from->out_h, from->out_w, from->out_c, from->name, nd->conv_h,
                        nd->conv_w, nd->out_c);
    return FLX_OK;
}

int flx_node_geometry(const struct flx_net *net, int i, const struct flx_node_spec *spec,
                      struct flx_node *nd)
{
    snprintf(nd->name, sizeof nd->name, "%s", spec->name);
    nd->kind = spec->kind;
    nd->input = spec->input;
    nd->skip = spec->skip;
    nd->weight_bits = spec->weight_bits;
    nd->range = FLX_NN_RANGE0;
    nd->zero_out =
        net->mode == FLX_NN_QUANT && nd->kind == FLX_NODE_LINEAR ? 1 << (net->act_bits - 1) : 0;
    if (nd->input < FLX_NN_IMAGE || nd->input >= i || nd->skip >= i || nd->skip < FLX_NN_NO_SKIP ||
        nd->skip == FLX_NN_IMAGE)
        return flx_fail(FLX_ERR_ARG, "%s: reads a node that is not before it", nd->name);
    if (nd->weight_bits == 7 && net->act_bits == 8 && net->mode == FLX_NN_QUANT &&
        !flx_conv_has_vnni())
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "%s: 7-bit weights want a processor with VNNI, use weight_bits 6",
                        nd->name);
    int status = set_input(net, spec, nd);
    if (status == FLX_OK)
        status = set_conv(spec, nd);
    if (status == FLX_OK)
        status = set_pool(net, spec, nd);
    if (status == FLX_OK)
        status = set_skip(net, spec, nd);
    return status;
}

int flx_net_check(const struct flx_net *net)
{
    int read[FLX_NN_MAX_NODES] = {0};
    for (int i = 0; i < net->n_nodes; i++) {
        const struct flx_node *nd = &net->nodes[i];
        if ((nd->kind == FLX_NODE_LOGITS) != (i == net->n_nodes - 1))
            return flx_fail(FLX_ERR_ARG, "%s: the last node, and only it, makes logits", nd->name);
        if (nd->input >= 0)
            read[nd->input] = 1;
        if (nd->skip >= 0)
            read[nd->skip] = 1;
    }
    for (int i = 0; i < net->n_nodes - 1; i++)
        if (!read[i])
            return flx_fail(FLX_ERR_ARG, "%s: no node reads it", net->nodes[i].name);
    return FLX_OK;
}
