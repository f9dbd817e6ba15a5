/* SPDX-License-Identifier: Apache-2.0 */
/** Convolution by oneDNN, NHWC activations, OHWI weights outside. Private to nn. */
#ifndef FLEXOR_NN_CONV_H
#define FLEXOR_NN_CONV_H
#include "flexor/nn.h"

/** Element type of the tensors that only the backward pass reads. */
enum flx_conv_type { FLX_CONV_F32 = 0, FLX_CONV_BF16 = 1 };

struct flx_conv_shape {
    int batch, in_h, in_w, in_c, out_c, kh, kw, stride, pad, out_h, out_w;
    int integer;             /* forward: u8 x s8 -> f32, else f32 */
    int bf16_forward;        /* not integer: f32 in and out, products in bfloat16 */
    int need_data_gradient;  /* 0 for the first node */
    enum flx_conv_type back; /* of src and dsums in the backward pass */
};

/** 1 when the processor computes with bfloat16. */
int flx_conv_has_bf16(void);

/** 1 when its dot products of bytes never saturate. */
int flx_conv_has_vnni(void);

int flx_conv_create(const struct flx_conv_shape *shape, struct flx_conv **out);
void flx_conv_free(struct flx_conv *c);

/** Takes over the weights of the forward pass, s8 (integer) or float, OHWI. */
void flx_conv_set_weights(struct flx_conv *c, const void *ohwi);

/** The same for the gradient of the data: from @p w8, or if that is NULL from @p w. */
void flx_conv_set_back(struct flx_conv *c, const int8_t *w8, const float *w);

/** 1 when a pass takes all images of the shape's batch at once and no fewer. */
int flx_conv_forward_whole(const struct flx_conv *c);
int flx_conv_backward_whole(const struct flx_conv *c);

/** @p n images. */
int flx_conv_forward(struct flx_conv *c, int n, const void *src, float *sums);
int flx_conv_backward_data(struct flx_conv *c, int n, const void *dsums, float *dsrc);

/** Gradient of the weights: begin, then images in any number of calls, then end. */
void flx_conv_weights_begin(struct flx_conv *c);
int flx_conv_weights_add(struct flx_conv *c, int n, const void *src, const void *dsums);
void flx_conv_weights_end(struct flx_conv *c, float *dw);

#endif
