/* SPDX-License-Identifier: Apache-2.0 */
/* Plain integer weights of a few bits, for layers that no XOR network codes. */
#include <math.h>

#include "quant.h"

#define LEAST_ALPHA 1e-12F /* of a channel whose weights are all 0 */

static void quantise_channel(const float *w, size_t n, int top, float *alpha, int8_t *w8)
{
    float largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fabsf(w[i]) > largest ? fabsf(w[i]) : largest;
    *alpha = largest / (float)top > LEAST_ALPHA ? largest / (float)top : LEAST_ALPHA;
    for (size_t i = 0; i < n; i++) {
        int odd = 2 * (int)floorf(w[i] / *alpha * 0.5F) + 1;
        odd = odd > top ? top : odd;
        w8[i] = (int8_t)(odd < -top ? -top : odd);
    }
}

void flx_int_forward(const struct flx_int_layer *l, float *alpha, int8_t *w8)
{
    size_t per = l->n_weights / (size_t)l->out_c;
    for (int o = 0; o < l->out_c; o++)
        quantise_channel(l->w + (size_t)o * per, per, (1 << l->bits) - 1, &alpha[o],
                         w8 + (size_t)o * per);
}

void flx_int_backward(const struct flx_int_layer *l, const float *alpha, const float *dw)
{
    size_t per = l->n_weights / (size_t)l->out_c;
    for (int o = 0; o < l->out_c; o++)
        for (size_t i = (size_t)o * per; i < ((size_t)o + 1) * per; i++)
            l->g[i] = dw[i] / alpha[o];
}
