/* SPDX-License-Identifier: Apache-2.0 */
/** Everything between two convolutions, in fused loops. Private to nn. */
#ifndef FLEXOR_NN_ACT_H
#define FLEXOR_NN_ACT_H
#include "flexor/nn.h"

/** Mean and variance of the sums of each channel over the batch. */
void flx_act_statistics(const struct flx_net *net, struct flx_node *nd);

/** Fills nd->scale and nd->offset (sums -> real value) from the parameters and the
 *  statistics of the batch (@p train, which also updates the running ones) or the
 *  running ones. */
void flx_act_affine(const struct flx_net *net, struct flx_node *nd, int train);

/** Pool, ReLU and quantiser: nd->out, codes, and for training peak and arg.
 *  Returns the largest real value. */
float flx_act_forward(const struct flx_net *net, struct flx_node *nd, int train);

/** From nd->dout to nd->dsums and the gradients of alpha, gamma, beta. */
void flx_act_backward(const struct flx_net *net, struct flx_node *nd);

/** The same for the logits, whose gradient lies in nd->dout already. */
void flx_logits_forward(const struct flx_net *net, struct flx_node *nd);
void flx_logits_backward(const struct flx_net *net, struct flx_node *nd);

/** Bytes to the element type of the backward pass. */
void flx_act_widen(const struct flx_net *net, const uint8_t *from, void *to, size_t per_image);

#endif
