/* SPDX-License-Identifier: Apache-2.0 */
/** bfloat16 by hand: the upper half of a float, rounded to nearest even. */
#ifndef FLEXOR_NN_BF16_H
#define FLEXOR_NN_BF16_H
#include <stdint.h>
#include <string.h>

static inline uint16_t flx_bf16(float x)
{
    union {
        float f;
        uint32_t u;
    } v = {.f = x};
    return (uint16_t)((v.u + 0x7fffU + ((v.u >> 16) & 1U)) >> 16);
}

#endif
