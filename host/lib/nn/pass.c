/* SPDX-License-Identifier: Apache-2.0 */
/* Forward and backward pass over the list of nodes. Every thread takes its share of the
 * batch through a node; they meet where batch norm needs the sums of all shares. Between
 * two such meetings a share goes through the end of one node and the beginning of the
 * next in parts that stay in the cache. */
#include <omp.h>
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "conv.h"
#include "flexor/status.h"
#include "stat.h"

#define PART_SUMS 65536 /* sums of a part, so that all that goes with them fits the cache */

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

/* Images in a part that ends or begins with node @p nd. */
static int part_size(const struct flx_net *net, const struct flx_node *nd, int whole)
{
    size_t n = PART_SUMS / flx_map_size(nd);
    return whole || n > (size_t)net->batch ? net->batch : n ? (int)n : 1;
}

static int convolve(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p)
{
    const void *src = input_of(net, nd, p->first);
    struct flx_conv *conv = nd->conv[p->t];
    size_t at = (size_t)p->first * flx_map_size(nd);
    size_t rows = (size_t)(p->last - p->first) * (size_t)(nd->conv_h * nd->conv_w);
    int status = flx_conv_forward(conv, p->last - p->first, src, nd->sums + at);
    for (int k = 1; k < nd->planes && status == FLX_OK; k++) {
        flx_conv_set_weights(conv, nd->w8[k]);
        status = flx_conv_forward(conv, p->last - p->first, src, net->scratch + at);
        mix_sums(net->scratch + at, nd->ratio[k], rows, (size_t)nd->out_c, nd->sums + at);
    }
    return status;
}

/* From the input to the partial sums of batch norm. */
static int forward_first(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                         int train)
{
    int status = convolve(net, nd, p);
    if (train && status == FLX_OK && nd->kind != FLX_NODE_LOGITS)
        flx_act_statistics(net, nd, p);
    return status;
}

static void forward_second(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                           int train)
{
    if (nd->kind == FLX_NODE_LOGITS)
        flx_logits_forward(nd, p);
    else if (flx_pool_tiles(nd))
        flx_max_forward(net, nd, p, train);
    else
        flx_act_forward(net, nd, p, train);
}

/* The end of node @p i, if there is one, and the beginning of the next. */
static int forward_step(const struct flx_net *net, int i, int t, int train)
{
    struct flx_node *done = i >= 0 ? &net->nodes[i] : NULL;
    struct flx_node *next = i + 1 < net->n_nodes ? &net->nodes[i + 1] : NULL;
    int first, last, status = FLX_OK;
    int size = next
                   ? part_size(net, next, next->planes > 1 || flx_conv_forward_whole(next->conv[t]))
                   : net->batch;
    if (next) {
        flx_conv_set_weights(next->conv[t], next->w ? (const void *)next->w : next->w8[0]);
        if (train)
            set_back_weights(net, next, t);
    }
    if (done)
        done->top[t] = 0;
    flx_share(net, t, &first, &last);
    for (int at = first; at < last && status == FLX_OK; at += size) {
        struct flx_part p = {t, at, at + size < last ? at + size : last};
        if (done)
            forward_second(net, done, &p, train);
        if (next)
            status = forward_first(net, next, &p, train);
    }
    return status;
}

/* The work of one thread, or of several ones when OpenMP gives fewer than asked for. */
static int forward_shares(const struct flx_net *net, const uint8_t *images, int train)
{
    int me = omp_get_thread_num(), team = omp_get_num_threads(), status = FLX_OK;
    for (int t = me; t < net->threads; t += team)
        flx_images_prepare(net, images, t, train);
    for (int i = -1; i < net->n_nodes; i++) {
        for (int t = me; t < net->threads && status == FLX_OK; t += team)
            status = forward_step(net, i, t, train);
#pragma omp barrier
#pragma omp single
        if (i + 1 < net->n_nodes)
            flx_act_affine(net, &net->nodes[i + 1], train);
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
static int backward_data(const struct flx_net *net, const struct flx_node *nd,
                         const struct flx_part *p, const void *dsums, int is_first)
{
    struct flx_node *from = &net->nodes[nd->input];
    int n = p->last - p->first;
    size_t size = flx_out_size(from), at = (size_t)p->first * size;
    int status = flx_conv_backward_data(nd->conv[p->t], n, dsums,
                                        (is_first ? from->dout : net->scratch) + at);
    if (status == FLX_OK && !is_first)
        add(net->scratch + at, (size_t)n * size, from->dout + at);
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
static void backward_first(const struct flx_net *net, int i, const struct flx_part *p, int known)
{
    struct flx_node *nd = &net->nodes[i];
    size_t size = flx_out_size(nd), n = (size_t)(p->last - p->first);
    if (!known) /* only skips read it */
        memset(nd->dout + (size_t)p->first * size, 0, n * size * sizeof(float));
    if (nd->kind != FLX_NODE_LOGITS)
        flx_act_reduce(net, i, p);
}

/* From there to the gradients of the weights and the input. */
static int backward_second(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                           int is_first)
{
    int first, last;
    flx_share(net, p->t, &first, &last);
    size_t at = (size_t)first * flx_map_size(nd) * (net->bf16 ? 2 : sizeof(float));
    void *dsums = (char *)net->dsums + at;
    if (nd->kind == FLX_NODE_LOGITS)
        flx_logits_spread(net, nd, p, dsums);
    else
        flx_act_spread(net, nd, p, dsums);
    int status = flx_conv_weights_add(nd->conv[p->t], p->last - p->first,
                                      back_input_of(net, nd, p->first), dsums);
    if (status == FLX_OK && nd->input != FLX_NN_IMAGE)
        status = backward_data(net, nd, p, dsums, is_first);
    return status;
}

/* The end of node @p i, if there is one, and the beginning of the one before it. */
static int backward_step(const struct flx_net *net, int i, int t, const int *known)
{
    struct flx_node *nd = i < net->n_nodes ? &net->nodes[i] : NULL;
    int first, last, status = FLX_OK;
    int is_first = nd && nd->input != FLX_NN_IMAGE && !known[nd->input];
    int is_known = i > 0 && (known[i - 1] || (nd && nd->input == i - 1));
    int size = nd ? part_size(net, nd, flx_conv_backward_whole(nd->conv[t])) : net->batch;
    if (nd)
        flx_conv_weights_begin(nd->conv[t]);
    flx_share(net, t, &first, &last);
    for (int at = first; at < last && status == FLX_OK; at += size) {
        struct flx_part p = {t, at, at + size < last ? at + size : last};
        if (nd)
            status = backward_second(net, nd, &p, is_first);
        if (i > 0)
            backward_first(net, i - 1, &p, is_known);
    }
    if (nd)
        flx_conv_weights_end(nd->conv[t], nd->share_dw[t]);
    return status;
}

static int backward_shares(const struct flx_net *net)
{
    int me = omp_get_thread_num(), team = omp_get_num_threads(), status = FLX_OK;
    int known[FLX_NN_MAX_NODES] = {0};
    known[net->n_nodes - 1] = 1; /* by flx_net_loss */
    for (int i = net->n_nodes; i >= 0; i--) {
        for (int t = me; t < net->threads && status == FLX_OK; t += team)
            status = backward_step(net, i, t, known);
        if (i < net->n_nodes && net->nodes[i].input != FLX_NN_IMAGE)
            known[net->nodes[i].input] = 1;
#pragma omp barrier
#pragma omp single
        if (i == net->n_nodes)
            flx_logits_reduce(net, &net->nodes[i - 1]);
        else if (i > 0)
            flx_slopes(net, &net->nodes[i - 1]);
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
