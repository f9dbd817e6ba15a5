/* SPDX-License-Identifier: Apache-2.0 */
#include "act_fast.h"

#if defined(__x86_64__) && !defined(FLX_PORTABLE)
#include <immintrin.h>

#define ISA   __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define LOOP  static inline __attribute__((always_inline)) ISA
#define LANES 16

int flx_fast_fits(const struct flx_net *net, const struct flx_node *nd)
{
    return net->bf16 && nd->out_c % LANES == 0 &&
           (nd->skip < 0 || net->nodes[nd->skip].out_c % LANES == 0) &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bf16");
}

/* A block of 16 channels of one image: constants, and where a row of the map begins. */
struct block {
    const struct flx_node *nd, *from; /* from: the skipped map, NULL: none here */
    size_t pitch, row;                /* elements to the next place, and in a row */
    size_t skip_pitch, skip_row;      /* bytes */
    size_t map;                       /* first element of the image */
    const char *skip;
    __m512 scale, offset, step, zero; /* of a code of the skipped map */
};

ISA static struct block block_at(const struct flx_net *net, const struct flx_node *nd, int n,
                                 size_t channel)
{
    size_t c = (size_t)nd->out_c;
    struct block b = {.nd = nd,
                      .pitch = c,
                      .row = c * (size_t)nd->conv_w,
                      .map = (size_t)n * flx_map_size(nd) + channel,
                      .scale = _mm512_loadu_ps(nd->scale + channel),
                      .offset = _mm512_loadu_ps(nd->offset + channel)};
    if (nd->skip < 0 || (int)channel >= net->nodes[nd->skip].out_c)
        return b;
    b.from = &net->nodes[nd->skip];
    size_t st = (size_t)nd->skip_stride, from_c = (size_t)b.from->out_c;
    size_t size = net->mode == FLX_NN_QUANT ? 1 : sizeof(float);
    const char *all = size == 1 ? (const char *)b.from->codes : (const char *)b.from->values;
    b.skip_pitch = st * from_c * size;
    b.skip_row = b.skip_pitch * (size_t)b.from->out_w;
    b.skip = all + ((size_t)n * flx_out_size(b.from) + channel) * size;
    b.step = _mm512_set1_ps(b.from->step_out);
    b.zero = _mm512_set1_ps((float)b.from->zero_out);
    return b;
}

/* What a skip brings. */
enum skip { NONE, CODES, VALUES };

/* Real value before the ReLU. */
LOOP __m512 value(const struct block *b, __m512 s, const char *e, enum skip skip)
{
    __m512 v = _mm512_fmadd_ps(s, b->scale, b->offset);
    if (skip == NONE)
        return v;
    if (skip == VALUES)
        return _mm512_add_ps(v, _mm512_loadu_ps((const void *)e));
    __m512 code = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)e)));
    return _mm512_fmadd_ps(_mm512_sub_ps(code, b->zero), b->step, v);
}

struct encoder {
    __m512 inv, add, most;
    __m512i zero;
    int is_signed;
};

LOOP __m512 encode_row(const struct block *b, const struct encoder *k, const float *s,
                       const char *e, uint8_t *codes, uint16_t *half, __m512 top, enum skip skip)
{
    for (int x = 0; x < b->nd->conv_w; x++, s += b->pitch, e += skip ? b->skip_pitch : 0) {
        __m512 v = value(b, _mm512_loadu_ps(s), e, skip);
        top = _mm512_max_ps(top, k->is_signed ? _mm512_abs_ps(v) : v);
        v = _mm512_max_ps(_mm512_fmadd_ps(v, k->inv, k->add), _mm512_setzero_ps());
        __m512i code = _mm512_cvttps_epi32(_mm512_min_ps(v, k->most));
        _mm_storeu_si128((void *)(codes + (size_t)x * b->pitch), _mm512_cvtepi32_epi8(code));
        if (half) {
            __m512 real = _mm512_cvtepi32_ps(_mm512_sub_epi32(code, k->zero));
            _mm256_storeu_si256((void *)(half + (size_t)x * b->pitch),
                                (__m256i)_mm512_cvtneps_pbh(real));
        }
    }
    return top;
}

/* The same in float mode. */
LOOP void value_row(const struct block *b, __m512 low, const float *s, const char *e, float *values,
                    uint16_t *half, enum skip skip)
{
    for (int x = 0; x < b->nd->conv_w; x++, e += skip ? b->skip_pitch : 0) {
        size_t at = (size_t)x * b->pitch;
        __m512 v = _mm512_max_ps(value(b, _mm512_loadu_ps(s + at), e, skip), low);
        _mm512_storeu_ps(values + at, v);
        if (half)
            _mm256_storeu_si256((void *)(half + at), (__m256i)_mm512_cvtneps_pbh(v));
    }
}

ISA void flx_fast_values(const struct flx_net *net, const struct flx_node *nd, int n, float *values,
                         uint16_t *half)
{
    __m512 low = _mm512_set1_ps(flx_limits_of(net, nd).low);
    for (size_t channel = 0; channel < (size_t)nd->out_c; channel += LANES) {
        struct block b = block_at(net, nd, n, channel);
        for (size_t y = 0; y < (size_t)nd->conv_h; y++) {
            const float *s = nd->sums + b.map + y * b.row;
            float *to = values + channel + y * b.row;
            uint16_t *wide = half ? half + channel + y * b.row : NULL;
            if (b.from)
                value_row(&b, low, s, b.skip + y * b.skip_row, to, wide, VALUES);
            else
                value_row(&b, low, s, NULL, to, wide, NONE);
        }
    }
}

ISA void flx_fast_forward(const struct flx_net *net, const struct flx_node *nd, int n,
                          uint8_t *codes, uint16_t *half, float *top)
{
    struct flx_limits l = flx_limits_of(net, nd);
    struct encoder k = {_mm512_set1_ps(l.inv), _mm512_set1_ps(l.zero + 0.5F), _mm512_set1_ps(l.top),
                        _mm512_set1_epi32(nd->zero_out), nd->zero_out > 0};
    __m512 most = _mm512_set1_ps(*top);
    for (size_t channel = 0; channel < (size_t)nd->out_c; channel += LANES) {
        struct block b = block_at(net, nd, n, channel);
        for (size_t y = 0; y < (size_t)nd->conv_h; y++) {
            const float *s = nd->sums + b.map + y * b.row;
            uint8_t *to = codes + channel + y * b.row;
            uint16_t *wide = half ? half + channel + y * b.row : NULL;
            most = b.from ? encode_row(&b, &k, s, b.skip + y * b.skip_row, to, wide, most, CODES)
                          : encode_row(&b, &k, s, NULL, to, wide, most, NONE);
        }
    }
    *top = _mm512_reduce_max_ps(most);
}

struct masker {
    __m512 low, high, mean, k;
    __m512 sum, dot;
};

LOOP void mask_row(const struct block *b, struct masker *m, const float *s, const char *e,
                   const float *more, float *g, enum skip skip)
{
    __m512 sum = m->sum, dot = m->dot;
    for (int x = 0; x < b->nd->conv_w; x++, e += skip ? b->skip_pitch : 0) {
        size_t at = (size_t)x * b->pitch;
        __m512 t = _mm512_loadu_ps(s + at), v = value(b, t, e, skip), d = _mm512_loadu_ps(g + at);
        __mmask16 in =
            _mm512_cmp_ps_mask(v, m->low, _CMP_GT_OQ) & _mm512_cmp_ps_mask(v, m->high, _CMP_LT_OQ);
        if (more)
            d = _mm512_fmadd_ps(_mm512_loadu_ps(more + at), m->k, d);
        d = _mm512_maskz_mov_ps(in, d);
        _mm512_storeu_ps(g + at, d);
        sum = _mm512_add_ps(sum, d);
        dot = _mm512_fmadd_ps(d, _mm512_sub_ps(t, m->mean), dot);
    }
    m->sum = sum;
    m->dot = dot;
}

ISA void flx_fast_reduce(const struct flx_net *net, struct flx_node *nd, int n, const float *more,
                         float k, float *part)
{
    struct flx_limits l = flx_limits_of(net, nd);
    struct masker m = {
        .low = _mm512_set1_ps(l.low), .high = _mm512_set1_ps(l.high), .k = _mm512_set1_ps(k)};
    for (size_t channel = 0; channel < (size_t)nd->out_c; channel += LANES) {
        struct block b = block_at(net, nd, n, channel);
        m.mean = _mm512_loadu_ps(nd->batch_mean + channel);
        m.sum = m.dot = _mm512_setzero_ps();
        for (size_t y = 0; y < (size_t)nd->conv_h; y++) {
            size_t at = b.map + y * b.row;
            const float *s = nd->sums + at, *add = more ? more + channel + y * b.row : NULL;
            const char *e = b.from ? b.skip + y * b.skip_row : NULL;
            if (!b.from)
                mask_row(&b, &m, s, NULL, add, nd->dcode + at, NONE);
            else if (net->mode == FLX_NN_QUANT)
                mask_row(&b, &m, s, e, add, nd->dcode + at, CODES);
            else
                mask_row(&b, &m, s, e, add, nd->dcode + at, VALUES);
        }
        _mm512_storeu_ps(part + channel, m.sum);
        _mm512_storeu_ps(part + (size_t)nd->out_c + channel, m.dot);
    }
}

ISA void flx_fast_spread(const struct flx_node *nd, int n, uint16_t *dsums)
{
    size_t c = (size_t)nd->out_c, map = (size_t)n * flx_map_size(nd);
    const float *s = nd->sums + map, *g = nd->dcode + map;
    for (size_t channel = 0; channel < c; channel += LANES) {
        __m512 a = _mm512_loadu_ps(nd->slope + channel);
        __m512 b = _mm512_loadu_ps(nd->slope + c + channel);
        __m512 d = _mm512_loadu_ps(nd->slope + 2 * c + channel);
        for (size_t at = channel; at < flx_map_size(nd); at += c) {
            __m512 t = _mm512_fmadd_ps(b, _mm512_loadu_ps(s + at), d);
            t = _mm512_fmadd_ps(a, _mm512_loadu_ps(g + at), t);
            _mm256_storeu_si256((void *)(dsums + at), (__m256i)_mm512_cvtneps_pbh(t));
        }
    }
}

#endif
