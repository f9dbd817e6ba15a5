/* SPDX-License-Identifier: Apache-2.0 */
/* Forward and backward pass over the list of nodes. */
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "conv.h"
#include "flexor/status.h"

/* What node @p nd reads: in the forward pass, or as the backward pass reads it. */
static const void *input_of(const struct flx_net *net, const struct flx_node *nd, int backward)
{
    if (nd->input == FLX_NN_IMAGE)
        return backward ? net->images_back : net->images;
    const struct flx_node *from = &net->nodes[nd->input];
    if (backward)
        return from->out;
    return net->mode == FLX_NN_QUANT ? (const void *)from->codes : from->values;
}

/* The steps of this pass, which follow the running range. */
static void set_steps(const struct flx_net *net, struct flx_node *nd)
{
    int quant = net->mode == FLX_NN_QUANT, top = flx_top_code(net);
    float image = 1.0F / (float)(quant ? top : 255);
    float n = (float)(nd->pool * nd->pool);
    nd->step_in = nd->input == FLX_NN_IMAGE ? image : net->nodes[nd->input].step_out;
    nd->step_code = nd->step_out = 1;
    if (!quant || nd->kind == FLX_NODE_LOGITS)
        return;
    nd->step_code = nd->range / (float)(nd->kind == FLX_NODE_LINEAR ? top / 2 : top);
    nd->step_out = nd->step_code;
    if (nd->pool_kind == FLX_NN_POOL_MEAN)
        nd->step_out = nd->step_code * (float)(1 << nd->pool_shift) / n;
}

/* w += ratio w8, a ratio for each of the @p c filters. */
FLX_CLONES static void mix_weights(const int8_t *w8, const float *ratio, size_t c, size_t per,
                                   float *restrict w)
{
    for (size_t o = 0; o < c; o++)
        for (size_t k = o * per; k < (o + 1) * per; k++)
            w[k] += ratio[o] * (float)w8[k];
}

FLX_CLONES static void widen(const int8_t *from, size_t n, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

/* sums += ratio S_p, a ratio for each channel. */
FLX_CLONES static void mix_sums(const float *s, const float *ratio, size_t rows, size_t c,
                                float *restrict sums)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++)
            sums[r * c + i] += ratio[i] * s[r * c + i];
}

/* Weights of the backward pass: all planes together. */
static void set_back_weights(const struct flx_net *net, const struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, per = nd->n_weights / c;
    if (nd->planes < 2) {
        flx_conv_set_back(nd->conv, nd->w8[0], nd->w);
        return;
    }
    widen(nd->w8[0], nd->n_weights, net->mixed);
    for (int p = 1; p < nd->planes; p++)
        mix_weights(nd->w8[p], nd->ratio[p], c, per, net->mixed);
    flx_conv_set_back(nd->conv, NULL, net->mixed);
}

static int convolve(const struct flx_net *net, struct flx_node *nd)
{
    const void *src = input_of(net, nd, 0);
    int quant = net->mode == FLX_NN_QUANT;
    flx_conv_set_weights(nd->conv, quant ? (const void *)nd->w8[0] : nd->w);
    int status = flx_conv_forward(nd->conv, src, nd->sums);
    for (int p = 1; p < nd->planes && status == FLX_OK; p++) {
        flx_conv_set_weights(nd->conv, nd->w8[p]);
        status = flx_conv_forward(nd->conv, src, net->scratch);
        size_t rows = (size_t)(nd->conv_h * nd->conv_w), image = flx_map_size(nd);
#pragma omp parallel for schedule(static) num_threads(net->threads)
        for (int n = 0; n < net->batch; n++)
            mix_sums(net->scratch + (size_t)n * image, nd->ratio[p], rows, (size_t)nd->out_c,
                     nd->sums + (size_t)n * image);
    }
    return status;
}

static int forward_node(struct flx_net *net, struct flx_node *nd, int train)
{
    set_steps(net, nd);
    int status = convolve(net, nd);
    if (status != FLX_OK)
        return status;
    if (train)
        set_back_weights(net, nd);
    if (nd->kind == FLX_NODE_LOGITS) {
        flx_act_affine(net, nd, train);
        flx_logits_forward(net, nd);
        return FLX_OK;
    }
    if (train)
        flx_act_statistics(net, nd);
    flx_act_affine(net, nd, train);
    float top =
        flx_pool_tiles(nd) ? flx_max_forward(net, nd, train) : flx_act_forward(net, nd, train);
    if (net->mode == FLX_NN_QUANT && train)
        nd->range += net->range_momentum * (top - nd->range);
    return FLX_OK;
}

int flx_net_forward(struct flx_net *net, const uint8_t *images, int train)
{
    int status = FLX_OK;
    flx_images_prepare(net, images, train);
    for (int i = 0; i < net->n_nodes && status == FLX_OK; i++)
        status = forward_node(net, &net->nodes[i], train);
    return status;
}

FLX_CLONES static void add(const float *from, size_t n, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* Gradient of the input: overwrites that of the first reader, adds those of others. */
static int backward_data(const struct flx_net *net, const struct flx_node *nd, int first)
{
    struct flx_node *from = &net->nodes[nd->input];
    int status = flx_conv_backward_data(nd->conv, nd->dsums, first ? from->dout : net->scratch);
    if (status != FLX_OK || first)
        return status;
    size_t image = flx_out_size(from);
#pragma omp parallel for schedule(static) num_threads(net->threads)
    for (int n = 0; n < net->batch; n++)
        add(net->scratch + (size_t)n * image, image, from->dout + (size_t)n * image);
    return status;
}

/* dratio = sum over a filter of dw w8. */
static void ratio_gradients(const struct flx_node *nd)
{
    size_t per = nd->n_weights / (size_t)nd->out_c;
    for (int p = 1; p < nd->planes; p++)
        for (size_t o = 0; o < (size_t)nd->out_c; o++) {
            double sum = 0;
            for (size_t k = o * per; k < (o + 1) * per; k++)
                sum += (double)(nd->dw[k] * (float)nd->w8[p][k]);
            nd->dratio[p][o] = (float)sum;
        }
}

int flx_net_backward(struct flx_net *net)
{
    int status = FLX_OK, known[FLX_NN_MAX_NODES] = {0};
    known[net->n_nodes - 1] = 1; /* by flx_net_loss */
    for (int i = net->n_nodes - 1; i >= 0 && status == FLX_OK; i--) {
        struct flx_node *nd = &net->nodes[i];
        if (!known[i]) /* only skips read it */
            memset(nd->dout, 0, (size_t)net->batch * flx_out_size(nd) * sizeof(float));
        if (nd->kind == FLX_NODE_LOGITS)
            flx_logits_backward(net, nd);
        else
            flx_act_backward(net, i);
        status = flx_conv_backward_weights(nd->conv, input_of(net, nd, 1), nd->dsums, nd->dw);
        ratio_gradients(nd);
        if (status == FLX_OK && nd->input != FLX_NN_IMAGE) {
            status = backward_data(net, nd, !known[nd->input]);
            known[nd->input] = 1;
        }
    }
    return status;
}
