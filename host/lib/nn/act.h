/* SPDX-License-Identifier: Apache-2.0 */
/** Everything between two convolutions, in fused loops. Private to nn. */
#ifndef FLEXOR_NN_ACT_H
#define FLEXOR_NN_ACT_H
#include "nn_internal.h"

#define FLX_NO_GRADIENT 255

/** Mean and variance of the sums of each channel over the batch. */
void flx_act_statistics(const struct flx_net *net, struct flx_node *nd);

/** Fills nd->scale and nd->offset (sums -> real value) from the parameters and the
 *  statistics of the batch (@p train, which also updates the running ones) or the
 *  running ones. */
void flx_act_affine(const struct flx_net *net, struct flx_node *nd, int train);

/** Skip, ReLU, quantiser and pool: codes or values, and for training arg, peak and
 *  out. Returns the largest real value (of a linear node: magnitude). flx_max_forward
 *  is for nodes whose pool windows tile the map. */
float flx_act_forward(const struct flx_net *net, struct flx_node *nd, int train);
float flx_max_forward(const struct flx_net *net, struct flx_node *nd, int train);

/** From nd->dout, to which the gradients of the nodes that add node @p i are added
 *  first, to nd->dsums and the gradients of alpha, gamma, beta. */
void flx_act_backward(const struct flx_net *net, int i);

/** dcode += what the nodes that add node @p i say, for image @p n. */
void flx_skip_gradient(const struct flx_net *net, int i, int n);

/** Second half of the backward pass for nodes whose pool windows tile the map. */
void flx_max_reduce(const struct flx_net *net, struct flx_node *nd, int n, float *part);
void flx_max_spread(const struct flx_net *net, struct flx_node *nd, int n, const float *a,
                    const float *b, const float *d);

/** Pool windows of any kind, for image @p n; @p map holds its codes or values. */
void flx_pool_forward(const struct flx_net *net, struct flx_node *nd, int n, const void *map);
void flx_pool_backward(const struct flx_net *net, struct flx_node *nd, int n);

/** The same for the logits, whose gradient lies in nd->dout already. */
void flx_logits_forward(const struct flx_net *net, struct flx_node *nd);
void flx_logits_backward(const struct flx_net *net, struct flx_node *nd);

/** What flx_net_forward and the backward pass read of the caller's images. */
void flx_images_prepare(struct flx_net *net, const uint8_t *images, int train);

/** The real value of a code of node @p nd before pooling, and the bounds between which
 *  its gradient passes. */
struct flx_limits {
    float inv, zero, top; /* code = clamp(value inv + zero + 1/2, 0, top) */
    float low, high;
};
struct flx_limits flx_limits_of(const struct flx_net *net, const struct flx_node *nd);

/** Images first..last-1 of thread @p t. */
static inline void flx_share(const struct flx_net *net, int t, int *first, int *last)
{
    *first = (int)((long)net->batch * t / net->threads);
    *last = (int)((long)net->batch * (t + 1) / net->threads);
}

#endif
