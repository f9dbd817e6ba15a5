/* SPDX-License-Identifier: Apache-2.0 */
/** Inner loops of direct convolution, one image a call, for AVX-512 with VNNI and BF16.
 *  Private to nn.
 *
 *  Maps are NHWC, weights OHWI outside and packed inside, scratch buffers 64-byte aligned.
 *  Vectors run over 16 output channels; a block of positions shares the loaded weights. */
#ifndef FLEXOR_NN_KERNELS_H
#define FLEXOR_NN_KERNELS_H
#include <stddef.h>
#include <stdint.h>

struct flx_kernel_shape {
    int in_h, in_w, in_c, out_h, out_w, out_c;
    int kh, kw, stride, pad;
};

/** Whether CPU and shape allow the forward pass; the two backward passes. */
int flx_kernel_forward_fits(const struct flx_kernel_shape *s);
int flx_kernel_backward_fits(const struct flx_kernel_shape *s);

/** Bytes of scratch that any of the passes needs. */
size_t flx_kernel_scratch(const struct flx_kernel_shape *s);

/** Weights of the forward pass: out_c * kh * kw * in_c bytes. */
void flx_kernel_pack_s8(const struct flx_kernel_shape *s, const int8_t *ohwi, int8_t *packed);

/** The same in bfloat16 for flx_kernel_forward_bf16. */
void flx_kernel_pack_bf16(const struct flx_kernel_shape *s, const float *ohwi, uint16_t *packed);

/** Weights of the gradient of the input, as many bfloat16 numbers; from @p w8, or if
 *  that is NULL from @p w. */
void flx_kernel_pack_back(const struct flx_kernel_shape *s, const int8_t *w8, const float *w,
                          uint16_t *packed);

/** sums = in * weights, exact below 2^24. */
void flx_kernel_forward(const struct flx_kernel_shape *s, const uint8_t *in, const int8_t *packed,
                        void *scratch, float *sums);

/** The same with float inputs and weights, rounded to bfloat16; sums in f32. */
void flx_kernel_forward_bf16(const struct flx_kernel_shape *s, const float *in,
                             const uint16_t *packed, void *scratch, float *sums);

/** Gradient of the input, from that of the sums (bfloat16). */
void flx_kernel_data(const struct flx_kernel_shape *s, const uint16_t *dsums,
                     const uint16_t *packed, void *scratch, float *din);

/** acc[kh][kw][in_c][out_c] += gradient of the weights; @p in in bfloat16. */
void flx_kernel_weights(const struct flx_kernel_shape *s, const uint16_t *in, const uint16_t *dsums,
                        void *scratch, float *acc);

#endif
