/* SPDX-License-Identifier: Apache-2.0 */
#include "dot.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* As many accumulators as registers allow: 12 to 24 of 32. */
int flx_dot_positions(int vecs)
{
    static const int positions[FLX_DOT_VECS + 1] = {0, 12, 12, 8, 6};
    return positions[vecs];
}

static void dot_plain(const struct flx_dot_shape *shape, int vecs, const uint8_t *const in[],
                      const int8_t *weights, int32_t *sums)
{
    int width = vecs * FLX_DOT_LANES, positions = flx_dot_positions(vecs);
    memset(sums, 0, (size_t)(positions * width) * sizeof *sums);
    for (int p = 0; p < positions; p++) {
        const int8_t *w = weights;
        for (int r = 0; r < shape->runs; r++)
            for (int s = 0; s < shape->steps; s++, w += width * FLX_DOT_STEP) {
                const uint8_t *a = in[p] + r * shape->run_stride + s * FLX_DOT_STEP;
                for (int c = 0; c < width; c++)
                    for (int i = 0; i < FLX_DOT_STEP; i++)
                        sums[p * width + c] += a[i] * w[c * FLX_DOT_STEP + i];
            }
    }
}

#if defined(__x86_64__)

static inline int32_t load_step(const uint8_t *a)
{
    int32_t v;
    memcpy(&v, a, sizeof v);
    return v;
}

/* Two positions, one vector (two halves of 8 channels). Pairs of products fit 16
 * bits without saturation because weights are at most 63: 2·63·255. */
__attribute__((target("avx2"))) static void dot_avx2_pair(const struct flx_dot_shape *shape,
                                                          int vecs, const uint8_t *const in[2],
                                                          const int8_t *w, int32_t *sums)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i acc[2][2] = {{_mm256_setzero_si256(), _mm256_setzero_si256()},
                         {_mm256_setzero_si256(), _mm256_setzero_si256()}};
    for (int r = 0; r < shape->runs; r++)
        for (int s = 0; s < shape->steps; s++, w += vecs * FLX_DOT_LANES * FLX_DOT_STEP) {
            ptrdiff_t at = r * shape->run_stride + s * FLX_DOT_STEP;
            for (int p = 0; p < 2; p++) {
                __m256i a = _mm256_set1_epi32(load_step(in[p] + at));
                for (int h = 0; h < 2; h++) {
                    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * h));
                    __m256i pairs = _mm256_maddubs_epi16(a, b);
                    acc[p][h] = _mm256_add_epi32(acc[p][h], _mm256_madd_epi16(pairs, ones));
                }
            }
        }
    for (int p = 0; p < 2; p++)
        for (int h = 0; h < 2; h++)
            _mm256_storeu_si256((__m256i *)(void *)(sums + p * vecs * FLX_DOT_LANES + 8 * h),
                                acc[p][h]);
}

static void dot_avx2(const struct flx_dot_shape *shape, int vecs, const uint8_t *const in[],
                     const int8_t *weights, int32_t *sums)
{
    for (int p = 0; p < flx_dot_positions(vecs); p += 2)
        for (int v = 0; v < vecs; v++)
            dot_avx2_pair(shape, vecs, in + p, weights + v * FLX_DOT_LANES * FLX_DOT_STEP,
                          sums + (p * vecs + v) * FLX_DOT_LANES);
}

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

/* P positions x V vectors in registers; both are constants where it is inlined. */
VNNI __attribute__((always_inline)) static inline void
dot_vnni_block(const struct flx_dot_shape *shape, const int P, const int V,
               const uint8_t *const in[], const int8_t *w, int32_t *sums)
{
    __m512i acc[FLX_DOT_SUMS / FLX_DOT_LANES];
#pragma GCC unroll 24
    for (int i = 0; i < P * V; i++)
        acc[i] = _mm512_setzero_si512();
    for (int r = 0; r < shape->runs; r++)
        for (int s = 0; s < shape->steps; s++, w += V * FLX_DOT_LANES * FLX_DOT_STEP) {
            ptrdiff_t at = r * shape->run_stride + s * FLX_DOT_STEP;
            __m512i b[FLX_DOT_VECS];
#pragma GCC unroll 4
            for (int v = 0; v < V; v++)
                b[v] = _mm512_loadu_si512(w + v * FLX_DOT_LANES * FLX_DOT_STEP);
#pragma GCC unroll 12
            for (int p = 0; p < P; p++) {
                __m512i a = _mm512_set1_epi32(load_step(in[p] + at));
#pragma GCC unroll 4
                for (int v = 0; v < V; v++)
                    acc[p * V + v] = _mm512_dpbusd_epi32(acc[p * V + v], a, b[v]);
            }
        }
#pragma GCC unroll 24
    for (int i = 0; i < P * V; i++)
        _mm512_storeu_si512(sums + i * FLX_DOT_LANES, acc[i]);
}

VNNI static void dot_vnni(const struct flx_dot_shape *shape, int vecs, const uint8_t *const in[],
                          const int8_t *weights, int32_t *sums)
{
    if (vecs == 1)
        dot_vnni_block(shape, 12, 1, in, weights, sums);
    else if (vecs == 2)
        dot_vnni_block(shape, 12, 2, in, weights, sums);
    else if (vecs == 3)
        dot_vnni_block(shape, 8, 3, in, weights, sums);
    else
        dot_vnni_block(shape, 6, 4, in, weights, sums);
}

flx_dot_fn *flx_dot_get(enum flx_dot_kind kind)
{
    if (kind == FLX_DOT_VNNI)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")
                   ? dot_vnni
                   : NULL;
    if (kind == FLX_DOT_AVX2)
        return __builtin_cpu_supports("avx2") ? dot_avx2 : NULL;
    return dot_plain;
}

#else

flx_dot_fn *flx_dot_get(enum flx_dot_kind kind)
{
    return kind == FLX_DOT_PLAIN ? dot_plain : NULL;
}

#endif

enum flx_dot_kind flx_dot_best(void)
{
    for (int kind = FLX_DOT_KINDS - 1; kind > 0; kind--)
        if (flx_dot_get((enum flx_dot_kind)kind))
            return (enum flx_dot_kind)kind;
    return FLX_DOT_PLAIN;
}
