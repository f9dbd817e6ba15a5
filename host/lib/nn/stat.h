/* SPDX-License-Identifier: Apache-2.0 */
/** Sums over a batch, and batch norm's share of the backward pass. Private to nn. */
#ifndef FLEXOR_NN_STAT_H
#define FLEXOR_NN_STAT_H
#include "nn_internal.h"

void flx_add_to_double(double *restrict to, const float *from, size_t n);

/** The gradient of the sums is a * (gradient of the code) + b * sum + d: fills these, and
 *  the gradients of the parameters, from the sums of the gradient and of the gradient
 *  times (sum - mean) in nd->stat. A gradient of codes is one of real values / step_code. */
void flx_slopes(const struct flx_net *net, struct flx_node *nd);

#endif
