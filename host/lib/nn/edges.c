/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a net: images and logits. */
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "bf16.h"

void flx_logits_forward(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, n = (size_t)net->batch * c;
    for (size_t i = 0; i < n; i++)
        nd->values[i] = nd->sums[i] * nd->scale[i % c] + nd->offset[i % c];
}

void flx_logits_backward(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c;
    memset(nd->dbeta, 0, c * sizeof(float));
    memset(nd->dalpha, 0, c * sizeof(float));
    for (size_t i = 0; i < (size_t)net->batch * c; i++) {
        size_t ch = i % c;
        float d = nd->dout[i] * nd->scale[ch];
        nd->dbeta[ch] += nd->dout[i];
        nd->dalpha[ch] += nd->dout[i] * nd->sums[i] * nd->step_in;
        if (net->bf16)
            ((uint16_t *)nd->dsums)[i] = flx_bf16(d);
        else
            ((float *)nd->dsums)[i] = d;
    }
}

FLX_CLONES static void reduce_bytes(const uint8_t *from, size_t n, int shift, uint8_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(from[i] >> shift);
}

FLX_CLONES static void widen_bytes(const uint8_t *from, size_t n, int shift,
                                   uint16_t *restrict half, float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16((float)(from[i] >> shift));
    else
        for (size_t i = 0; i < n; i++)
            full[i] = (float)(from[i] >> shift);
}

void flx_images_prepare(struct flx_net *net, const uint8_t *images, int train)
{
    size_t size = (size_t)net->in_h * (size_t)net->in_w * (size_t)net->in_c;
    int shift = 8 - net->act_bits, floats = net->mode == FLX_NN_FLOAT;
    net->images = net->images_own ? net->images_own : images;
#pragma omp parallel for schedule(static) num_threads(net->threads)
    for (int n = 0; n < net->batch; n++) {
        size_t at = (size_t)n * size;
        if (floats)
            widen_bytes(images + at, size, 0, NULL, (float *)net->images_own + at);
        else if (shift)
            reduce_bytes(images + at, size, shift, (uint8_t *)net->images_own + at);
        if (train)
            widen_bytes(images + at, size, shift,
                        net->bf16 ? (uint16_t *)net->images_back + at : NULL,
                        net->bf16 ? NULL : (float *)net->images_back + at);
    }
}
