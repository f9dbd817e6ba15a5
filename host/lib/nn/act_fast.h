/* SPDX-License-Identifier: Apache-2.0 */
/** The loops of act.c for AVX-512 with BF16, channels in blocks of 16. Private to nn. */
#ifndef FLEXOR_NN_ACT_FAST_H
#define FLEXOR_NN_ACT_FAST_H
#include "act.h"

/** Whether CPU and node allow them. */
int flx_fast_fits(const struct flx_net *net, const struct flx_node *nd);

/** Codes of the map of image @p n before pooling, and the same less zero_out in bfloat16
 *  (@p half may be NULL). Raises *top to the largest real value or magnitude. */
void flx_fast_forward(const struct flx_net *net, const struct flx_node *nd, int n, uint8_t *codes,
                      uint16_t *half, float *top);

/** The same in float mode: values of the map before pooling. */
void flx_fast_values(const struct flx_net *net, const struct flx_node *nd, int n, float *values,
                     uint16_t *half);

/** Masks dcode of image @p n in place, after adding k times @p more (NULL: nothing).
 *  @p part: sums of the gradient, then of the gradient times (sum - mean). */
void flx_fast_reduce(const struct flx_net *net, struct flx_node *nd, int n, const float *more,
                     float k, float *part);

/** Gradient of the sums of image @p n. */
void flx_fast_spread(const struct flx_node *nd, int n, uint16_t *dsums);

#endif
