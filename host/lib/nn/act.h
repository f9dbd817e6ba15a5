/* SPDX-License-Identifier: Apache-2.0 */
/** Everything between two convolutions, in fused loops. Private to nn. */
#ifndef FLEXOR_NN_ACT_H
#define FLEXOR_NN_ACT_H
#include "nn_internal.h"

#define FLX_NO_GRADIENT 255

/* Functions with a part do that part of the batch; those without do what one thread
 * does for all. The parts of a share follow one another from its first image on. */

/** Partial sums of the sums of each channel, and of their squares; after the last part of
 *  a share its moments. */
void flx_act_statistics(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p);

/** Fills nd->scale and nd->offset (sums -> real value) from the parameters and the
 *  statistics of the batch (@p train, which also updates the running ones) or the
 *  running ones. */
void flx_act_affine(const struct flx_net *net, struct flx_node *nd, int train);

/** Skip, ReLU, quantiser and pool: codes or values, and for training arg, peak and
 *  out. Leaves the largest real value (of a linear node: magnitude) in nd->top.
 *  flx_max_forward is for nodes whose pool windows tile the map. */
void flx_act_forward(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                     int train);
void flx_max_forward(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                     int train);

/** Backward pass of node @p i: adds what the nodes say that add it to nd->dout, and sums
 *  the gradient; between the two flx_slopes; then from there to the gradient of the sums
 *  of this part. */
void flx_act_reduce(const struct flx_net *net, int i, const struct flx_part *p);
void flx_act_spread(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                    void *dsums);

/** dout += what the nodes that add node @p i say, for image @p n. */
void flx_skip_gradient(const struct flx_net *net, int i, int n);

/** Reduce and spread for nodes whose pool windows tile the map, for image @p n. */
void flx_max_reduce(struct flx_node *nd, int n, float *part);
void flx_max_spread(const struct flx_net *net, struct flx_node *nd, int n, void *dsums);

/** Pool windows of any kind, for image @p n; @p map holds its codes or values. */
void flx_pool_forward(const struct flx_net *net, struct flx_node *nd, int n, const void *map);
void flx_pool_backward(const struct flx_net *net, struct flx_node *nd, int n);

/** The logits, and from their gradient in nd->dout to that of the sums and the parameters'. */
void flx_logits_forward(struct flx_node *nd, const struct flx_part *p);
void flx_logits_reduce(const struct flx_net *net, struct flx_node *nd);
void flx_logits_spread(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                       void *dsums);

/** What flx_net_forward and the backward pass read of the caller's images. */
void flx_images_prepare(const struct flx_net *net, const uint8_t *images, int t, int train);

/** The real value of a code of node @p nd before pooling, and the bounds between which
 *  its gradient passes. */
struct flx_limits {
    float inv, zero, top; /* code = clamp(value inv + zero + 1/2, 0, top) */
    float low, high;
};
struct flx_limits flx_limits_of(const struct flx_net *net, const struct flx_node *nd);

#endif
