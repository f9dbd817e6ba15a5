/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"

#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"

#if defined(__x86_64__) && !defined(FLX_PORTABLE)
#include "kernels.h"

struct flx_direct {
    struct flx_kernel_shape k;
    int passes, narrow; /* narrow: a forward pass of floats in bfloat16 */
    size_t n_weights;
    void *fwd;      /* packed weights of the forward pass */
    uint16_t *back; /* of the gradient of the data */
    float *acc;     /* gradient of the weights, [kh][kw][in_c][out_c] */
    void *scratch;
};

static void *aligned(size_t bytes)
{
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static int allocate(struct flx_direct *d)
{
    d->fwd = aligned(d->n_weights * sizeof(uint16_t));
    d->back = aligned(d->n_weights * sizeof *d->back);
    d->acc = aligned(d->n_weights * sizeof *d->acc);
    d->scratch = aligned(flx_kernel_scratch(&d->k));
    if (!d->fwd || !d->back || !d->acc || !d->scratch)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for a convolution");
    return FLX_OK;
}

int flx_direct_create(const struct flx_conv_shape *s, struct flx_direct **out)
{
    struct flx_kernel_shape k = {.in_h = s->in_h,
                                 .in_w = s->in_w,
                                 .in_c = s->in_c,
                                 .out_h = s->out_h,
                                 .out_w = s->out_w,
                                 .out_c = s->out_c,
                                 .kh = s->kh,
                                 .kw = s->kw,
                                 .stride = s->stride,
                                 .pad = s->pad};
    int narrow = !s->integer && s->bf16_forward && s->in_c % 16 == 0;
    int passes = (s->integer || narrow) && flx_kernel_forward_fits(&k) ? FLX_DIRECT_FORWARD : 0;
    if (s->back == FLX_CONV_BF16 && flx_kernel_backward_fits(&k))
        passes |= FLX_DIRECT_BACKWARD;
    *out = NULL;
    if (!passes)
        return FLX_OK;
    struct flx_direct *d = calloc(1, sizeof *d);
    if (!d)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for a convolution");
    d->k = k;
    d->passes = passes;
    d->narrow = narrow;
    d->n_weights = (size_t)k.out_c * (size_t)(k.kh * k.kw * k.in_c);
    int status = allocate(d);
    if (status != FLX_OK)
        flx_direct_free(d);
    else
        *out = d;
    return status;
}

void flx_direct_free(struct flx_direct *d)
{
    if (!d)
        return;
    free(d->fwd);
    free(d->back);
    free(d->acc);
    free(d->scratch);
    free(d);
}

int flx_direct_has(const struct flx_direct *d, enum flx_direct_pass pass)
{
    return d && (d->passes & (int)pass);
}

void flx_direct_set_weights(struct flx_direct *d, const void *ohwi)
{
    if (d->narrow)
        flx_kernel_pack_bf16(&d->k, ohwi, d->fwd);
    else
        flx_kernel_pack_s8(&d->k, ohwi, d->fwd);
}

void flx_direct_set_back(struct flx_direct *d, const int8_t *w8, const float *w)
{
    flx_kernel_pack_back(&d->k, w8, w, d->back);
}

static size_t map_in(const struct flx_direct *d)
{
    return (size_t)(d->k.in_h * d->k.in_w) * (size_t)d->k.in_c;
}

static size_t map_out(const struct flx_direct *d)
{
    return (size_t)(d->k.out_h * d->k.out_w) * (size_t)d->k.out_c;
}

void flx_direct_forward(struct flx_direct *d, int n, const void *src, float *sums)
{
    const uint8_t *codes = src;
    const float *values = src;
    for (size_t i = 0; i < (size_t)n; i++, sums += map_out(d))
        if (d->narrow)
            flx_kernel_forward_bf16(&d->k, values + i * map_in(d), d->fwd, d->scratch, sums);
        else
            flx_kernel_forward(&d->k, codes + i * map_in(d), d->fwd, d->scratch, sums);
}

void flx_direct_backward_data(struct flx_direct *d, int n, const uint16_t *dsums, float *dsrc)
{
    for (size_t i = 0; i < (size_t)n; i++)
        flx_kernel_data(&d->k, dsums + i * map_out(d), d->back, d->scratch, dsrc + i * map_in(d));
}

void flx_direct_weights_begin(struct flx_direct *d)
{
    memset(d->acc, 0, d->n_weights * sizeof *d->acc);
}

void flx_direct_weights_add(struct flx_direct *d, int n, const uint16_t *src, const uint16_t *dsums)
{
    for (size_t i = 0; i < (size_t)n; i++)
        flx_kernel_weights(&d->k, src + i * map_in(d), dsums + i * map_out(d), d->scratch, d->acc);
}

void flx_direct_weights_end(struct flx_direct *d, float *dw)
{
    size_t out_c = (size_t)d->k.out_c, inputs = d->n_weights / out_c;
    for (size_t i = 0; i < inputs; i++)
        for (size_t o = 0; o < out_c; o++)
            dw[o * inputs + i] = d->acc[i * out_c + o];
}

#endif
