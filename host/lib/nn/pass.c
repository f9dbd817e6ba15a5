/* SPDX-License-Identifier: Apache-2.0 */
/* Forward and backward pass over the list of nodes. Every thread takes its share of the
 * batch through a node; they meet where batch norm needs the sums of all shares. */
#include <omp.h>
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "conv.h"
#include "flexor/status.h"
#include "stat.h"

static size_t in_size(const struct flx_node *nd)
{
    return (size_t)nd->in_h * (size_t)nd->in_w * (size_t)nd->in_c;
}

/* Element @p at of an array of elements of @p size bytes. */
static const void *element(const void *p, size_t at, size_t size)
{
    return (const char *)p + at * size;
}

/* What node @p nd reads from image @p n on, in the forward pass. */
static const void *input_of(const struct flx_net *net, const struct flx_node *nd, int n)
{
    size_t at = (size_t)n * in_size(nd), size = net->mode == FLX_NN_QUANT ? 1 : sizeof(float);
    if (nd->input == FLX_NN_IMAGE)
        return element(net->images, at, size);
    const struct flx_node *from = &net->nodes[nd->input];
    return element(size == 1 ? (const void *)from->codes : from->values, at, size);
}

/* The same for the backward pass. */
static const void *back_input_of(const struct flx_net *net, const struct flx_node *nd, int n)
{
    const void *all = nd->input == FLX_NN_IMAGE ? net->images_back : net->nodes[nd->input].out;
    return element(all, (size_t)n * in_size(nd), net->bf16 ? 2 : sizeof(float));
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
static void set_back_weights(const struct flx_net *net, const struct flx_node *nd, int t)
{
    size_t c = (size_t)nd->out_c, per = nd->n_weights / c;
    float *mixed = net->mixed + (size_t)t * nd->n_weights;
    if (nd->planes < 2) {
        flx_conv_set_back(nd->conv[t], nd->w8[0], nd->w);
        return;
    }
    widen(nd->w8[0], nd->n_weights, mixed);
    for (int p = 1; p < nd->planes; p++)
        mix_weights(nd->w8[p], nd->ratio[p], c, per, mixed);
    flx_conv_set_back(nd->conv[t], NULL, mixed);
}

static int convolve(const struct flx_net *net, struct flx_node *nd, int t)
{
    int first, last;
    flx_share(net, t, &first, &last);
    const void *src = input_of(net, nd, first);
    size_t at = (size_t)first * flx_map_size(nd);
    size_t rows = (size_t)(last - first) * (size_t)(nd->conv_h * nd->conv_w);
    flx_conv_set_weights(nd->conv[t], nd->w ? (const void *)nd->w : nd->w8[0]);
    int status = flx_conv_forward(nd->conv[t], src, nd->sums + at);
    for (int p = 1; p < nd->planes && status == FLX_OK; p++) {
        flx_conv_set_weights(nd->conv[t], nd->w8[p]);
        status = flx_conv_forward(nd->conv[t], src, net->scratch + at);
        mix_sums(net->scratch + at, nd->ratio[p], rows, (size_t)nd->out_c, nd->sums + at);
    }
    return status;
}

/* From the input to the partial sums of batch norm. */
static int forward_first(const struct flx_net *net, struct flx_node *nd, int t, int train)
{
    int status = convolve(net, nd, t);
    if (train && status == FLX_OK)
        set_back_weights(net, nd, t);
    if (train && status == FLX_OK && nd->kind != FLX_NODE_LOGITS)
        flx_act_statistics(net, nd, t);
    return status;
}

static void forward_second(const struct flx_net *net, struct flx_node *nd, int t, int train)
{
    if (nd->kind == FLX_NODE_LOGITS)
        flx_logits_forward(net, nd, t);
    else if (flx_pool_tiles(nd))
        flx_max_forward(net, nd, t, train);
    else
        flx_act_forward(net, nd, t, train);
}

/* The work of one thread, or of several ones when OpenMP gives fewer than asked for. */
static int forward_shares(const struct flx_net *net, const uint8_t *images, int train)
{
    int me = omp_get_thread_num(), team = omp_get_num_threads(), status = FLX_OK;
    for (int t = me; t < net->threads; t += team)
        flx_images_prepare(net, images, t, train);
    for (int i = 0; i < net->n_nodes; i++) {
        struct flx_node *nd = &net->nodes[i];
        for (int t = me; t < net->threads && status == FLX_OK; t += team)
            status = forward_first(net, nd, t, train);
#pragma omp barrier
#pragma omp single
        flx_act_affine(net, nd, train);
        for (int t = me; t < net->threads && status == FLX_OK; t += team)
            forward_second(net, nd, t, train);
    }
    return status;
}

static int failed(void)
{
    return flx_fail(FLX_ERR_NOMEM, "oneDNN could not compute a convolution: out of memory?");
}

int flx_net_forward(struct flx_net *net, const uint8_t *images, int train)
{
    int bad = 0;
    net->images = net->images_own ? net->images_own : images;
    for (int i = 0; i < net->n_nodes; i++)
        set_steps(net, &net->nodes[i]);
#pragma omp parallel num_threads(net->threads) reduction(| : bad)
    bad = forward_shares(net, images, train) != FLX_OK;
    for (int i = 0; i < net->n_nodes && train && net->mode == FLX_NN_QUANT; i++) {
        struct flx_node *nd = &net->nodes[i];
        float top = 0;
        for (int t = 0; t < net->threads; t++)
            top = nd->top[t] > top ? nd->top[t] : top;
        if (nd->kind != FLX_NODE_LOGITS)
            nd->range += net->range_momentum * (top - nd->range);
    }
    return bad ? failed() : FLX_OK;
}

FLX_CLONES static void add(const float *from, size_t n, float *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* Gradient of the input: overwrites that of the first reader, adds those of others. */
static int backward_data(const struct flx_net *net, const struct flx_node *nd, int t, int is_first)
{
    struct flx_node *from = &net->nodes[nd->input];
    int first, last;
    flx_share(net, t, &first, &last);
    size_t at = (size_t)first * flx_out_size(from), n = (size_t)(last - first) * flx_out_size(from);
    const void *dsums =
        element(nd->dsums, (size_t)first * flx_map_size(nd), net->bf16 ? 2 : sizeof(float));
    int status =
        flx_conv_backward_data(nd->conv[t], dsums, (is_first ? from->dout : net->scratch) + at);
    if (status == FLX_OK && !is_first)
        add(net->scratch + at, n, from->dout + at);
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

/* From the gradient of the output to the sums that batch norm needs. */
static void backward_first(const struct flx_net *net, int i, int t, int known)
{
    struct flx_node *nd = &net->nodes[i];
    size_t size = flx_out_size(nd);
    int first, last;
    flx_share(net, t, &first, &last);
    if (!known) /* only skips read it */
        memset(nd->dout + (size_t)first * size, 0, (size_t)(last - first) * size * sizeof(float));
    if (nd->kind != FLX_NODE_LOGITS)
        flx_act_reduce(net, i, t);
}

static int backward_second(const struct flx_net *net, struct flx_node *nd, int t, int is_first)
{
    int first, last;
    flx_share(net, t, &first, &last);
    if (nd->kind == FLX_NODE_LOGITS)
        flx_logits_spread(net, nd, t);
    else
        flx_act_spread(net, nd, t);
    const void *dsums =
        element(nd->dsums, (size_t)first * flx_map_size(nd), net->bf16 ? 2 : sizeof(float));
    int status = flx_conv_backward_weights(nd->conv[t], back_input_of(net, nd, first), dsums,
                                           nd->share_dw[t]);
    if (status == FLX_OK && nd->input != FLX_NN_IMAGE)
        status = backward_data(net, nd, t, is_first);
    return status;
}

static int backward_shares(const struct flx_net *net)
{
    int me = omp_get_thread_num(), team = omp_get_num_threads(), status = FLX_OK;
    int known[FLX_NN_MAX_NODES] = {0};
    known[net->n_nodes - 1] = 1; /* by flx_net_loss */
    for (int i = net->n_nodes - 1; i >= 0; i--) {
        struct flx_node *nd = &net->nodes[i];
        int is_first = nd->input != FLX_NN_IMAGE && !known[nd->input];
        for (int t = me; t < net->threads; t += team)
            backward_first(net, i, t, known[i]);
#pragma omp barrier
#pragma omp single
        {
            if (nd->kind == FLX_NODE_LOGITS)
                flx_logits_reduce(net, nd);
            else
                flx_slopes(net, nd);
        }
        for (int t = me; t < net->threads && status == FLX_OK; t += team)
            status = backward_second(net, nd, t, is_first);
        if (nd->input != FLX_NN_IMAGE)
            known[nd->input] = 1;
    }
    return status;
}

int flx_net_backward(struct flx_net *net)
{
    int bad = 0;
#pragma omp parallel num_threads(net->threads) reduction(| : bad)
    bad = backward_shares(net) != FLX_OK;
    if (bad)
        return failed();
#pragma omp parallel for schedule(dynamic, 1) num_threads(net->threads)
    for (int i = 0; i < net->n_nodes; i++) {
        struct flx_node *nd = &net->nodes[i];
        for (int t = 1; t < net->threads; t++)
            add(nd->share_dw[t], nd->n_weights, nd->dw);
        ratio_gradients(nd);
    }
    return FLX_OK;
}
