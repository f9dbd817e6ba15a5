/* SPDX-License-Identifier: Apache-2.0 */
/** Direct convolution over a batch: on CPUs with VNNI and BF16, several times faster than
 *  oneDNN for the few channels of small networks. One thread. Private to nn; conv.c asks
 *  here first. */
#ifndef FLEXOR_NN_DIRECT_H
#define FLEXOR_NN_DIRECT_H
#include "conv.h"

struct flx_direct;

/** Which passes it takes over. */
enum flx_direct_pass { FLX_DIRECT_FORWARD = 1, FLX_DIRECT_BACKWARD = 2 };

/** *out is NULL when it takes over nothing. FLX_ERR_NOMEM. */
int flx_direct_create(const struct flx_conv_shape *shape, struct flx_direct **out);
void flx_direct_free(struct flx_direct *d);

/** Whether it takes over that pass; @p d may be NULL. */
int flx_direct_has(const struct flx_direct *d, enum flx_direct_pass pass);

/** As flx_conv_set_weights, flx_conv_set_back. */
void flx_direct_set_weights(struct flx_direct *d, const void *ohwi);
void flx_direct_set_back(struct flx_direct *d, const int8_t *w8, const float *w);

/** As those of conv.h. */
void flx_direct_forward(struct flx_direct *d, int n, const void *src, float *sums);
void flx_direct_backward_data(struct flx_direct *d, int n, const uint16_t *dsums, float *dsrc);
void flx_direct_weights_begin(struct flx_direct *d);
void flx_direct_weights_add(struct flx_direct *d, int n, const uint16_t *src,
                            const uint16_t *dsums);
void flx_direct_weights_end(struct flx_direct *d, float *dw);

#endif
