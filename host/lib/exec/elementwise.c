/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over channels that the compiler turns into vector code. */
#include "../base/clones.h"
#include "exec_internal.h"
#include "flexor/status.h"

FLX_CLONES void flx_accumulate(int32_t *restrict v, const int32_t *restrict base, int base_stride,
                               const int32_t *restrict sums, const int32_t *restrict mul,
                               int positions, int width)
{
    for (int p = 0; p < positions; p++)
        for (int c = 0; c < width; c++)
            v[p * width + c] = base[p * base_stride + c] + mul[c] * sums[p * width + c];
}

FLX_CLONES void flx_requantise(uint8_t *restrict codes, const int32_t *restrict v, int n, int shift,
                               int max)
{
    int32_t half = shift > 0 ? (int32_t)(1U << (shift - 1)) : 0;
    for (int i = 0; i < n; i++) {
        int32_t code = (v[i] + half) >> shift;
        code = code < 0 ? 0 : code;
        codes[i] = (uint8_t)(code > max ? max : code);
    }
}

FLX_CLONES void flx_max_pool(uint8_t *restrict out, size_t out_row, int out_h, int out_w,
                             const uint8_t *restrict in, int in_w, int c, int size)
{
    for (int y = 0; y < out_h; y++)
        for (int x = 0; x < out_w; x++) {
            uint8_t *restrict to = out + (size_t)y * out_row + (size_t)(x * c);
            const uint8_t *from = in + (size_t)((y * in_w + x) * size) * (size_t)c;
            for (int i = 0; i < c; i++)
                to[i] = from[i];
            for (int py = 0; py < size; py++)
                for (int px = 0; px < size; px++) {
                    const uint8_t *restrict a = from + (size_t)(py * in_w + px) * (size_t)c;
                    for (int i = 0; i < c; i++)
                        to[i] = a[i] > to[i] ? a[i] : to[i];
                }
        }
}

FLX_CLONES static int highest(const uint8_t *bytes, size_t n)
{
    uint8_t best = 0;
    for (size_t i = 0; i < n; i++)
        best = bytes[i] > best ? bytes[i] : best;
    return best;
}

int flx_exec_check_images(const struct flx_model *m, const uint8_t *images, int n)
{
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * (size_t)n;
    int max = (1 << m->act_bits) - 1;
    if (max < 255 && highest(images, bytes) > max)
        return flx_fail(FLX_ERR_ARG, "model %s takes images of %d-bit codes, 0 to %d", m->name,
                        m->act_bits, max);
    return FLX_OK;
}
