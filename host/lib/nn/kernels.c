/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include <string.h>

#include "bf16.h"

#if defined(__x86_64__) && !defined(FLX_PORTABLE)
#include <immintrin.h>

#define ISA  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512bf16")))
#define LOOP static inline __attribute__((always_inline))

#define LANES 16
#define SUMS  16 /* vectors of sums that stay in registers */

static int has_isa(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

/* Vectors of channels in a block: 16 positions x 1, or on narrow maps 8 x 2. */
static int vectors(int width)
{
    return width % SUMS ? 2 : 1;
}

static int block_fits(int width, int channels)
{
    return width % (SUMS / 2) == 0 && channels % (LANES * vectors(width)) == 0;
}

int flx_kernel_forward_fits(const struct flx_kernel_shape *s)
{
    return has_isa() && s->in_c % 4 == 0 && block_fits(s->out_w, s->out_c);
}

int flx_kernel_backward_fits(const struct flx_kernel_shape *s)
{
    return has_isa() && s->stride == 1 && s->out_w == s->in_w && s->out_h == s->in_h &&
           s->out_c % LANES == 0 && s->in_c % LANES == 0 && block_fits(s->in_w, s->in_c);
}

size_t flx_kernel_scratch(const struct flx_kernel_shape *s)
{
    size_t in = (size_t)(s->in_h + 2 * s->pad) * (size_t)(s->in_w + 2 * s->pad) * (size_t)s->in_c;
    size_t out = (size_t)(s->out_h + 2 * s->kh) * (size_t)(s->out_w + 2 * s->kw);
    return (3 * in + out * (size_t)s->out_c) * sizeof(uint16_t) + 4 * 64;
}

/* [block of channels][ky][step of 4 inputs][channel][4] */
void flx_kernel_pack_s8(const struct flx_kernel_shape *s, const int8_t *ohwi, int8_t *packed)
{
    int block = LANES * vectors(s->out_w), run = s->kw * s->in_c;
    for (int b = 0; b < s->out_c; b += block)
        for (int ky = 0; ky < s->kh; ky++)
            for (int j = 0; j < run; j += 4)
                for (int o = b; o < b + block; o++, packed += 4)
                    memcpy(packed, ohwi + (size_t)(o * s->kh + ky) * (size_t)run + j, 4);
}

/* [block of channels][ky][pair of inputs][channel][2] */
void flx_kernel_pack_bf16(const struct flx_kernel_shape *s, const float *ohwi, uint16_t *packed)
{
    int block = LANES * vectors(s->out_w), run = s->kw * s->in_c;
    for (int b = 0; b < s->out_c; b += block)
        for (int ky = 0; ky < s->kh; ky++)
            for (int j = 0; j < run; j += 2)
                for (int o = b; o < b + block; o++, packed += 2) {
                    const float *w = ohwi + (size_t)(o * s->kh + ky) * (size_t)run + j;
                    packed[0] = flx_bf16(w[0]);
                    packed[1] = flx_bf16(w[1]);
                }
}

/* The gradient of the input is a convolution with the kernel turned around:
 * [block of input channels][ky][kx][pair of output channels][input channel][2] */
void flx_kernel_pack_back(const struct flx_kernel_shape *s, const int8_t *w8, const float *w,
                          uint16_t *packed)
{
    int block = LANES * vectors(s->in_w), taps = s->kh * s->kw;
    for (int b = 0; b < s->in_c; b += block)
        for (int t = taps - 1; t >= 0; t--)
            for (int o = 0; o < s->out_c; o += 2)
                for (int c = b; c < b + block; c++)
                    for (int k = 0; k < 2; k++) {
                        size_t at = (size_t)((o + k) * taps + t) * (size_t)s->in_c + (size_t)c;
                        *packed++ = flx_bf16(w8 ? (float)w8[at] : w[at]);
                    }
}

/* Copies a map into one with a border of zeros. */
static void add_border(const void *from, int h, int w, size_t pixel, int pad, void *to)
{
    size_t row = (size_t)(w + 2 * pad) * pixel, edge = (size_t)pad * pixel;
    const char *f = from;
    char *t = to;
    memset(t, 0, (size_t)pad * row);
    t += (size_t)pad * row;
    for (int y = 0; y < h; y++, t += row, f += (size_t)w * pixel) {
        memset(t, 0, edge);
        memcpy(t + edge, f, (size_t)w * pixel);
        memset(t + row - edge, 0, edge);
    }
    memset(t, 0, (size_t)pad * row);
}

/* Where the inputs of a block of positions lie, in bytes. */
struct walk {
    size_t row, step; /* to the next kernel row, to the next position */
    int kh, steps;    /* steps of 4 bytes in a kernel row */
};

/* By hand, because gcc copies the sums about when it sees the instruction. */
LOOP ISA void dot4(__m512i *sum, __m512i u8, __m512i s8)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(u8), "v"(s8));
}

LOOP ISA void dot2(__m512 *sum, __m512i a, __m512i b)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}

/* One block: P positions x V vectors. */
LOOP ISA void dot_s8(const struct walk *k, const uint8_t *in, const int8_t *w, int P, int V,
                     float *out, size_t pitch)
{
    __m512i acc[SUMS];
#pragma GCC unroll 16
    for (int i = 0; i < P * V; i++)
        acc[i] = _mm512_setzero_si512();
    for (int ky = 0; ky < k->kh; ky++, in += k->row)
        for (int j = 0; j < k->steps; j++, w += 64 * V) {
            __m512i w0 = _mm512_load_si512(w), w1 = V > 1 ? _mm512_load_si512(w + 64) : w0;
#pragma GCC unroll 16
            for (int p = 0; p < P; p++) {
                int32_t four;
                memcpy(&four, in + (size_t)p * k->step + 4 * (size_t)j, 4);
                __m512i x = _mm512_set1_epi32(four);
                dot4(&acc[p * V], x, w0);
                if (V > 1)
                    dot4(&acc[p * V + 1], x, w1);
            }
        }
#pragma GCC unroll 16
    for (int i = 0; i < P * V; i++)
        _mm512_storeu_ps(out + (size_t)(i / V) * pitch + LANES * (size_t)(i % V),
                         _mm512_cvtepi32_ps(acc[i]));
}

ISA void flx_kernel_forward(const struct flx_kernel_shape *s, const uint8_t *in,
                            const int8_t *packed, void *scratch, float *sums)
{
    size_t pixel = (size_t)s->in_c, pitch = (size_t)s->out_c;
    struct walk k = {(size_t)(s->in_w + 2 * s->pad) * pixel, (size_t)s->stride * pixel, s->kh,
                     s->kw * s->in_c / 4};
    int v = vectors(s->out_w), positions = SUMS / v;
    if (s->pad)
        add_border(in, s->in_h, s->in_w, pixel, s->pad, scratch);
    const uint8_t *map = s->pad ? scratch : in;
    for (int b = 0; b < s->out_c; b += LANES * v, packed += 64 * v * k.steps * k.kh)
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x += positions) {
                const uint8_t *from = map + (size_t)(y * s->stride) * k.row + (size_t)x * k.step;
                float *to = sums + (size_t)(y * s->out_w + x) * pitch + b;
                if (v == 1)
                    dot_s8(&k, from, packed, SUMS, 1, to, pitch);
                else
                    dot_s8(&k, from, packed, SUMS / 2, 2, to, pitch);
            }
}

LOOP ISA void dot_bf16(const struct walk *k, const char *in, const uint16_t *w, int P, int V,
                       float *out, size_t pitch)
{
    __m512 acc[SUMS];
#pragma GCC unroll 16
    for (int i = 0; i < P * V; i++)
        acc[i] = _mm512_setzero_ps();
    for (int ky = 0; ky < k->kh; ky++, in += k->row)
        for (int j = 0; j < k->steps; j++, w += 32 * V) {
            __m512i w0 = _mm512_load_si512(w), w1 = V > 1 ? _mm512_load_si512(w + 32) : w0;
#pragma GCC unroll 16
            for (int p = 0; p < P; p++) {
                int32_t two;
                memcpy(&two, in + (size_t)p * k->step + 4 * (size_t)j, 4);
                __m512i x = _mm512_set1_epi32(two);
                dot2(&acc[p * V], x, w0);
                if (V > 1)
                    dot2(&acc[p * V + 1], x, w1);
            }
        }
#pragma GCC unroll 16
    for (int i = 0; i < P * V; i++)
        _mm512_storeu_ps(out + (size_t)(i / V) * pitch + LANES * (size_t)(i % V), acc[i]);
}

/* Rounds a map to bfloat16, with a border of zeros. */
ISA static void narrow_map(const struct flx_kernel_shape *s, const float *in, uint16_t *to)
{
    size_t width = (size_t)s->in_w * (size_t)s->in_c, edge = (size_t)s->pad * (size_t)s->in_c;
    size_t row = width + 2 * edge;
    memset(to, 0, (size_t)(s->in_h + 2 * s->pad) * row * sizeof *to);
    to += (size_t)s->pad * row + edge;
    for (int y = 0; y < s->in_h; y++, in += width, to += row)
        for (size_t i = 0; i < width; i += LANES)
            _mm256_storeu_si256((void *)(to + i),
                                (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(in + i)));
}

ISA void flx_kernel_forward_bf16(const struct flx_kernel_shape *s, const float *in,
                                 const uint16_t *packed, void *scratch, float *sums)
{
    size_t pixel = (size_t)s->in_c * sizeof *packed, pitch = (size_t)s->out_c;
    struct walk k = {(size_t)(s->in_w + 2 * s->pad) * pixel, (size_t)s->stride * pixel, s->kh,
                     s->kw * s->in_c / 2};
    int v = vectors(s->out_w), positions = SUMS / v;
    narrow_map(s, in, scratch);
    for (int b = 0; b < s->out_c; b += LANES * v, packed += 32 * v * k.steps * k.kh)
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x += positions) {
                const char *from = (const char *)scratch + (size_t)(y * s->stride) * k.row;
                float *to = sums + (size_t)(y * s->out_w + x) * pitch + b;
                if (v == 1)
                    dot_bf16(&k, from + (size_t)x * k.step, packed, SUMS, 1, to, pitch);
                else
                    dot_bf16(&k, from + (size_t)x * k.step, packed, SUMS / 2, 2, to, pitch);
            }
}

ISA void flx_kernel_data(const struct flx_kernel_shape *s, const uint16_t *dsums,
                         const uint16_t *packed, void *scratch, float *din)
{
    int pad = s->kh - 1 - s->pad, v = vectors(s->in_w), positions = SUMS / v;
    size_t pixel = (size_t)s->out_c * sizeof *dsums, pitch = (size_t)s->in_c;
    struct walk k = {(size_t)(s->out_w + 2 * pad) * pixel, pixel, s->kh, s->kw * s->out_c / 2};
    if (pad)
        add_border(dsums, s->out_h, s->out_w, pixel, pad, scratch);
    const char *map = pad ? scratch : (const void *)dsums;
    for (int b = 0; b < s->in_c; b += LANES * v, packed += 32 * v * k.steps * k.kh)
        for (int y = 0; y < s->in_h; y++)
            for (int x = 0; x < s->in_w; x += positions) {
                const char *from = map + (size_t)y * k.row + (size_t)x * k.step;
                float *to = din + (size_t)(y * s->in_w + x) * pitch + b;
                if (v == 1)
                    dot_bf16(&k, from, packed, SUMS, 1, to, pitch);
                else
                    dot_bf16(&k, from, packed, SUMS / 2, 2, to, pitch);
            }
}

/* Neighbours side by side, as the dot products of pairs want them:
 * to[x][c] = { from[2x][c], from[2x + 1][c] }. */
ISA static void pair_up(const uint16_t *from, size_t pairs, size_t c, uint16_t *to)
{
    for (size_t x = 0; x < pairs; x++, from += 2 * c, to += 2 * c)
        for (size_t i = 0; i < c; i += LANES) {
            const void *left = from + i, *right = from + c + i;
            __m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256(left));
            __m512i b = _mm512_cvtepu16_epi32(_mm256_loadu_si256(right));
            _mm512_storeu_si512(to + 2 * i, _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
        }
}

/* Maps of pairs: rows of `pairs` pairs, in_row and ds_row elements apart. */
struct outer {
    size_t in_row, ds_row, in_c, out_c;
    int rows, pairs;
};

/* acc[I][V vectors] += sum over the map of in[i] * dsums[o]. */
LOOP ISA void outer_product(const struct outer *k, const uint16_t *in, const uint16_t *ds, int I,
                            int V, float *acc)
{
    __m512 a[SUMS];
#pragma GCC unroll 16
    for (int i = 0; i < I * V; i++)
        a[i] = _mm512_loadu_ps(acc + (size_t)(i / V) * k->out_c + LANES * (size_t)(i % V));
    for (int y = 0; y < k->rows; y++, in += k->in_row, ds += k->ds_row)
        for (size_t x = 0; x < (size_t)k->pairs; x++) {
            const uint16_t *g = ds + 2 * x * k->out_c, *from = in + 2 * x * k->in_c;
            __m512i g0 = _mm512_loadu_si512(g);
            __m512i g1 = V > 1 ? _mm512_loadu_si512(g + 2 * LANES) : g0;
#pragma GCC unroll 16
            for (int i = 0; i < I; i++) {
                int32_t two;
                memcpy(&two, from + 2 * i, 4);
                __m512i t = _mm512_set1_epi32(two);
                dot2(&a[i * V], t, g0);
                if (V > 1)
                    dot2(&a[i * V + 1], t, g1);
            }
        }
#pragma GCC unroll 16
    for (int i = 0; i < I * V; i++)
        _mm512_storeu_ps(acc + (size_t)(i / V) * k->out_c + LANES * (size_t)(i % V), a[i]);
}

/* One place of the kernel: all pairs of channels. */
ISA static void outer_channels(const struct outer *k, const uint16_t *in, const uint16_t *ds,
                               float *acc)
{
    int wide = k->out_c % (2 * LANES) == 0;
    size_t step_i = wide ? SUMS / 2 : SUMS, step_o = wide ? 2 * LANES : LANES;
    for (size_t o = 0; o < k->out_c; o += step_o)
        for (size_t i = 0; i < k->in_c; i += step_i) {
            float *to = acc + i * k->out_c + o;
            if (wide)
                outer_product(k, in + 2 * i, ds + 2 * o, SUMS / 2, 2, to);
            else
                outer_product(k, in + 2 * i, ds + 2 * o, SUMS, 1, to);
        }
}

/* An odd kx meets pairs that begin at odd columns, so both pairings are made. */
ISA void flx_kernel_weights(const struct flx_kernel_shape *s, const uint16_t *in,
                            const uint16_t *dsums, void *scratch, float *acc)
{
    size_t c = (size_t)s->in_c, w = (size_t)(s->in_w + 2 * s->pad);
    size_t h = (size_t)(s->in_h + 2 * s->pad), row = w * c;
    struct outer k = {row,         (size_t)(s->out_w * s->out_c), c, (size_t)s->out_c, s->out_h,
                      s->out_w / 2};
    uint16_t *map = scratch, *pairs[2] = {map + h * row, map + 2 * h * row};
    uint16_t *ds = map + 3 * h * row;
    add_border(in, s->in_h, s->in_w, c * sizeof *in, s->pad, map);
    for (size_t y = 0; y < h; y++)
        for (size_t odd = 0; odd < 2; odd++)
            pair_up(map + y * row + odd * c, (w - odd) / 2, c, pairs[odd] + y * row);
    pair_up(dsums, (size_t)(s->out_w / 2 * s->out_h), (size_t)s->out_c, ds);
    for (int ky = 0; ky < s->kh; ky++)
        for (int kx = 0; kx < s->kw; kx++, acc += c * (size_t)s->out_c)
            outer_channels(&k, pairs[kx % 2] + (size_t)ky * row + (size_t)(kx / 2) * 2 * c, ds,
                           acc);
}

#endif
