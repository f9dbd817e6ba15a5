/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a net: images and logits. */
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "bf16.h"

void flx_logits_forward(struct flx_node *nd, const struct flx_part *p)
{
    size_t c = (size_t)nd->out_c;
    for (size_t i = (size_t)p->first * c; i < (size_t)p->last * c; i++)
        nd->values[i] = nd->sums[i] * nd->scale[i % c] + nd->offset[i % c];
}

void flx_logits_reduce(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c;
    memset(nd->dbeta, 0, c * sizeof(float));
    memset(nd->dalpha, 0, c * sizeof(float));
    for (size_t i = 0; i < (size_t)net->batch * c; i++) {
        nd->dbeta[i % c] += nd->dout[i];
        nd->dalpha[i % c] += nd->dout[i] * nd->sums[i] * nd->step_in;
    }
}

void flx_logits_spread(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p,
                       void *dsums)
{
    size_t c = (size_t)nd->out_c, first = (size_t)p->first * c;
    for (size_t i = first; i < (size_t)p->last * c; i++) {
        float d = nd->dout[i] * nd->scale[i % c];
        if (net->bf16)
            ((uint16_t *)dsums)[i - first] = flx_bf16(d);
        else
            ((float *)dsums)[i - first] = d;
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

void flx_images_prepare(const struct flx_net *net, const uint8_t *images, int t, int train)
{
    size_t size = (size_t)net->in_h * (size_t)net->in_w * (size_t)net->in_c;
    int shift = 8 - net->act_bits, floats = net->mode == FLX_NN_FLOAT, first, last;
    flx_share(net, t, &first, &last);
    size_t at = (size_t)first * size, n = (size_t)(last - first) * size;
    if (floats)
        widen_bytes(images + at, n, 0, NULL, (float *)net->images_own + at);
    else if (shift)
        reduce_bytes(images + at, n, shift, (uint8_t *)net->images_own + at);
    if (train)
        widen_bytes(images + at, n, shift, net->bf16 ? (uint16_t *)net->images_back + at : NULL,
                    net->bf16 ? NULL : (float *)net->images_back + at);
}
