/* SPDX-License-Identifier: Apache-2.0 */
/** The array as docs/architecture.md describes it, interpreted: program words, link
 *  bytes of the weights, lanes with their bitwise negation, dummy lanes and all. It
 *  shares no code with the compiler, so it checks what both take the page to say. */
#ifndef SOFT_ARRAY_H
#define SOFT_ARRAY_H
#include <stdlib.h>
#include <string.h>

#include "device/desc.h"
#include "flexor/rng.h"
#include "flexor/xornet.h"
#include "flx_proto.h"

#define SOFT_ENGINES 8
#define SOFT_PROGRAM (FLX_PROG_HDR_WORDS + 64 * FLX_PROG_LAYER_WORDS)
#define SOFT_WORD    1024 /* bytes of a weight word */
#define SOFT_RING    (1 << 20)

struct soft_array {
    struct flx_desc d;
    struct flx_xornet net;
    uint32_t program[SOFT_PROGRAM];
    int16_t *m;
    int32_t *beta;
    uint8_t *weights; /* weight_words x SOFT_WORD */
    uint8_t *stream;  /* bytes in the order of arrival */
    size_t stream_len, stream_at;
    uint8_t *act[SOFT_ENGINES];
    uint8_t *image[SOFT_ENGINES];
    size_t image_len[SOFT_ENGINES];
    int buffer; /* image buffer of the next run */
    struct {
        int due, streamed, last, buffer;
    } run; /* begun, and carried out when its outcome is first looked at */
    int32_t *results[2][SOFT_ENGINES];
    int latest;
    uint64_t busy[64];
};

static inline struct soft_array *soft_array_new(const struct flx_desc *d,
                                                const struct flx_xornet *net, uint64_t seed)
{
    struct soft_array *a = calloc(1, sizeof *a);
    struct flx_rng r;
    flx_rng_init(&r, seed, 9);
    a->d = *d;
    a->net = *net;
    a->m = calloc(d->param_entries, sizeof *a->m);
    a->beta = calloc(d->param_entries, sizeof *a->beta);
    a->weights = calloc(d->weight_words, SOFT_WORD);
    a->stream = malloc(SOFT_RING);
    for (int e = 0; e < d->p; e++) {
        size_t bytes = (size_t)d->act_words * (size_t)d->k;
        a->act[e] = malloc(bytes);
        for (size_t i = 0; i < bytes; i++) /* memories start with anything */
            a->act[e][i] = (uint8_t)(flx_rng_next(&r) & ((1u << d->act_bits) - 1));
        a->image[e] = calloc(1, 65536);
        for (int b = 0; b < 2; b++)
            a->results[b][e] = calloc((size_t)d->results, sizeof(int32_t));
    }
    return a;
}

static inline void soft_array_free(struct soft_array *a)
{
    for (int e = 0; e < a->d.p; e++) {
        free(a->act[e]);
        free(a->image[e]);
        free(a->results[0][e]);
        free(a->results[1][e]);
    }
    free(a->m);
    free(a->beta);
    free(a->weights);
    free(a->stream);
    free(a);
}

static inline uint32_t soft_field(uint32_t word, int high, int low)
{
    return (uint32_t)((word >> low) & ((UINT64_C(1) << (high - low + 1)) - 1));
}

/* The image loader: a pixel of C' channels for every output column. */
static inline void soft_load_image(struct soft_array *a, int e)
{
    const uint32_t *h = a->program;
    uint32_t window = soft_field(h[1], 7, 0), step = soft_field(h[1], 15, 8);
    uint32_t row = soft_field(h[1], 31, 16), rows = soft_field(h[2], 15, 0);
    uint32_t pad_rows = soft_field(h[2], 23, 16), code = soft_field(h[2], 31, 24);
    uint32_t pad = soft_field(h[3], 15, 0), cw = soft_field(h[3], 31, 16), k = (uint32_t)a->d.k;
    uint32_t base = a->buffer ? soft_field(h[4], 31, 16) : soft_field(h[4], 15, 0);
    uint32_t columns = (row + 2 * pad - window) / step + 1;
    uint8_t *at = a->act[e] + (size_t)base * k;
    for (uint32_t y = 0; y < rows + 2 * pad_rows; y++)
        for (uint32_t x = 0; x < columns; x++, at += (size_t)cw * k)
            for (uint32_t i = 0; i < (window + 3) / 4 * 4; i++) {
                int64_t sy = (int64_t)y - pad_rows, sx = (int64_t)x * step + i - pad;
                int outside = sy < 0 || sy >= rows || sx < 0 || sx >= row;
                at[i] = i >= window ? 0 : (uint8_t)(outside ? code : a->image[e][sy * row + sx]);
            }
}

/* Bit of slice s, stored bit j, of a weight word as it comes over the link. */
static inline int soft_bit(const uint8_t *word, int slices, int j, int s)
{
    int shared = slices == 1 || slices == 2 || slices == 4;
    int bit = shared ? j * slices + s : j * ((slices + 7) / 8) * 8 + s;
    return word[bit / 8] >> bit % 8 & 1;
}

/* Signs of the K x T lanes: sign[t * K + k] = 1 for +1. */
static inline void soft_decrypt(const struct soft_array *a, const uint8_t *word, int n_in,
                                uint8_t *sign)
{
    int k = a->d.k, slices = flx_desc_slices(&a->d), kcs = k / 4, t0 = a->d.n_out / 4;
    for (int s = 0; s < slices; s++) {
        uint32_t x = 0;
        for (int j = 0; j < n_in; j++)
            x |= (uint32_t)soft_bit(word, slices, j, s) << j;
        for (int r = 0; r < a->d.n_out; r++) {
            uint32_t taps = flx_xornet_row(&a->net, n_in, r) & x;
            int lane = s % kcs * 4 + r / t0, channel = s / kcs * t0 + r % t0;
            sign[channel * k + lane] = (uint8_t)(__builtin_popcount(taps) & 1);
        }
    }
}

struct soft_layer {
    uint32_t w[FLX_PROG_LAYER_WORDS];
    uint32_t block;
    const uint8_t **words; /* of the current block */
};

/* A position, counted from the first one: window (py, px), place (dy, dx) in it. */
struct soft_place {
    int px, py, dx, dy;
};

static inline int64_t soft_signed(uint32_t field)
{
    return (int16_t)(uint16_t)field;
}

/* Words from the first position's column to that of a place: the low halves of two layer words are
 * distances of windows and of places in them. In a joined layer the first is that of neighbours,
 * which PIXELS lanes take together, the other that of their passes. */
static inline int64_t soft_across(const struct soft_array *a, const struct soft_layer *l,
                                  struct soft_place at, int windows, int places)
{
    int64_t window = soft_field(l->w[windows], 15, 0), place = soft_field(l->w[places], 15, 0);
    if (l->w[0] >> 7 & 1)
        return at.dx % a->d.pixels * window + at.dx / a->d.pixels * place;
    return at.px * window + at.dx * place;
}

/* K codes of a word of the run of a position, or zeros. */
static inline void soft_fetch(const struct soft_array *a, const struct soft_layer *l, int e,
                              struct soft_place at, uint32_t ky, uint32_t i, uint8_t *codes)
{
    uint32_t k = (uint32_t)a->d.k, cw = soft_field(l->w[8], 15, 0);
    uint32_t base = 0;
    if (l->w[0] & 2)
        base = a->run.buffer ? soft_field(a->program[4], 31, 16) : soft_field(a->program[4], 15, 0);
    int64_t row_pitch = soft_field(l->w[2], 15, 0), first_row = soft_signed(l->w[13] & 0xffff);
    int64_t stride = soft_field(l->w[3], 31, 24), win_rows = soft_field(l->w[15], 31, 16);
    int64_t iy = first_row + at.py * win_rows + at.dy * stride + ky;
    int64_t ix = soft_signed(l->w[13] >> 16) + soft_across(a, l, at, 14, 4) + i;
    /* The address of the first position's row is that of row first_row, modulo 2^16. */
    uint32_t address = soft_field(l->w[1], 15, 0) + base + (uint32_t)((iy - first_row) * row_pitch);
    memset(codes, 0, k);
    if (iy < 0 || iy >= soft_field(l->w[7], 15, 0) || ix < 0 || ix >= soft_field(l->w[7], 31, 16))
        return;
    const uint8_t *word = a->act[e] + (size_t)((address + (uint32_t)ix) & 0xffff) * k;
    for (uint32_t lane = 0; lane < k; lane++)
        if (i % cw + 1 < cw || l->w[9] >> lane / 4 & 1)
            codes[lane] = word[lane];
}

/* What one lane adds (docs/lanes.md). */
static inline int32_t soft_lane(const struct flx_desc *d, int lane, int plus, int32_t code)
{
    static const int lacks[3][4] = {{1, 1, 1, 1}, {0, 1, 0, 1}, {1, 1, -1, 0}};
    int32_t centred = code - (d->lanes ? 1 << (d->act_bits - 1) : 0);
    return plus ? centred : -centred - lacks[d->lanes][lane % 4];
}

/* Sums of plane p of one position: H of docs/numerics.md for T channels, added to sums. */
static inline void soft_plane(const struct soft_array *a, const struct soft_layer *l, int e,
                              struct soft_place place, uint32_t p, int32_t *sums)
{
    int k = a->d.k, t = a->d.t;
    uint32_t kh = soft_field(l->w[3], 23, 16), run = soft_field(l->w[3], 15, 0), at = p * kh * run;
    uint8_t codes[128], *sign = malloc((size_t)k * (size_t)t);
    for (uint32_t ky = 0; ky < kh; ky++)
        for (uint32_t i = 0; i < run; i++, at++) {
            soft_fetch(a, l, e, place, ky, i, codes);
            soft_decrypt(a, l->words[at], (int)soft_field(l->w[0], 15, 8), sign);
            for (int c = 0; c < t; c++)
                for (int lane = 0; lane < k; lane++)
                    sums[c] += soft_lane(&a->d, lane, sign[c * k + lane], codes[lane]);
        }
    free(sign);
}

/* The code of the other map that channel c of group g adds, or 0. */
static inline int32_t soft_added(const struct soft_array *a, const struct soft_layer *l, int e,
                                 struct soft_place at, int g, int c)
{
    if (!(l->w[0] >> 5 & 1) || g >= (int)soft_field(l->w[17], 31, 16))
        return 0;
    uint32_t k = (uint32_t)a->d.k, channel = (uint32_t)(g * a->d.t + c);
    uint32_t word = soft_field(l->w[17], 15, 0) + channel / k +
                    (uint32_t)soft_across(a, l, at, 19, 18) +
                    (uint32_t)at.py * soft_field(l->w[19], 31, 16) +
                    (uint32_t)at.dy * soft_field(l->w[18], 31, 16);
    return a->act[e][(size_t)(word & 0xffff) * k + channel % k];
}

/* V of the T channels of group g at one position. */
static inline void soft_values(const struct soft_array *a, const struct soft_layer *l, int e,
                               struct soft_place at, int g, int32_t *v)
{
    int t = a->d.t, scaled = l->w[0] >> 3 & 1;
    uint32_t planes = soft_field(l->w[0], 19, 16), sets = scaled ? planes : 1;
    int32_t *sums = calloc((size_t)t, sizeof *sums);
    for (uint32_t p = 0; p < planes; p++) {
        for (int c = 0; c < t && p; c++)
            sums[c] = scaled ? 0 : sums[c] * (l->w[0] & 4 ? 2 : 1);
        soft_plane(a, l, e, at, p, sums);
        for (int c = 0; c < t && (scaled || p == planes - 1); c++) {
            uint32_t set = (uint32_t)g * sets + (scaled ? p : 0);
            uint32_t entry = soft_field(l->w[12], 15, 0) + set * (uint32_t)t + (uint32_t)c;
            uint32_t before =
                (scaled && p)
                    ? (uint32_t)v[c]
                    : (uint32_t)(soft_signed(l->w[15] & 0xffff) * soft_added(a, l, e, at, g, c));
            v[c] = (int32_t)(before + (uint32_t)a->beta[entry] +
                             (uint32_t)(a->m[entry] * (int64_t)sums[c]));
        }
    }
    free(sums);
}

/* A position exists when its row and its column lie between the first and the last one. */
static inline int soft_exists(const struct soft_array *a, const struct soft_layer *l,
                              struct soft_place at)
{
    int64_t row = soft_signed(l->w[13] & 0xffff) + soft_field(l->w[6], 15, 8) +
                  at.py * (int64_t)soft_field(l->w[15], 31, 16) +
                  at.dy * (int64_t)soft_field(l->w[3], 31, 24);
    int64_t column =
        soft_signed(l->w[13] >> 16) + soft_field(l->w[4], 31, 16) + soft_across(a, l, at, 14, 4);
    return row >= 0 && row <= soft_field(l->w[16], 31, 16) && column >= 0 &&
           column <= soft_field(l->w[16], 15, 0);
}

static inline uint8_t soft_code(const struct soft_array *a, const struct soft_layer *l, int32_t v)
{
    int32_t code = v >> soft_field(l->w[0], 28, 24), max = (1 << a->d.act_bits) - 1;
    return (uint8_t)(code < 0 ? 0 : code > max ? max : code);
}

/* Pooled codes of a window from the codes of its positions. */
struct soft_pool {
    int32_t best, sum;
};

static inline uint8_t soft_pooled(const struct soft_array *a, const struct soft_layer *l,
                                  struct soft_pool p)
{
    int shift = (int)soft_field(l->w[0], 23, 20), max = (1 << a->d.act_bits) - 1;
    int32_t sum = (p.sum + (shift ? 1 << (shift - 1) : 0)) >> shift;
    return (uint8_t)(!(l->w[0] >> 4 & 1) ? p.best : sum > max ? max : sum);
}

/* One window of channel group g: codes in pool, or logits in the result memory. */
static inline void soft_window(struct soft_array *a, const struct soft_layer *l, int e, int g,
                               struct soft_place at, struct soft_pool *pool)
{
    int t = a->d.t, size = (int)soft_field(l->w[6], 7, 0);
    int passes = (int)soft_field(l->w[9], 31, 24), joined = l->w[0] >> 7 & 1;
    int across = joined ? passes * a->d.pixels : size;
    int out_c = (int)soft_field(l->w[12], 31, 16);
    int32_t *v = malloc((size_t)t * sizeof *v);
    memset(pool, 0, (size_t)t * sizeof *pool);
    for (int q = 0; q < size * across; q++) {
        at.dy = q / across;
        at.dx = q % across;
        if (!soft_exists(a, l, at))
            continue;
        soft_values(a, l, e, at, g, v);
        for (int c = 0; c < t; c++) {
            uint8_t code = soft_code(a, l, v[c]);
            pool[c].best = pool[c].best > code ? pool[c].best : code;
            pool[c].sum += code;
            if ((l->w[0] & 1) && g * t + c < out_c)
                a->results[a->latest][e][g * t + c] = v[c];
        }
    }
    free(v);
}

/* All windows of channel group g in one engine. */
static inline void soft_group(struct soft_array *a, const struct soft_layer *l, int e, int g)
{
    int t = a->d.t, k = a->d.k;
    int out_w = (int)soft_field(l->w[5], 15, 0), out_h = (int)soft_field(l->w[5], 31, 16);
    int out_cw = (int)soft_field(l->w[8], 31, 16);
    uint8_t *out = a->act[e] + (size_t)soft_field(l->w[1], 31, 16) * (size_t)k;
    struct soft_pool *pool = malloc((size_t)t * sizeof *pool);
    for (int at = 0; at < out_h * out_w; at++) {
        soft_window(a, l, e, g, (struct soft_place){at % out_w, at / out_w, 0, 0}, pool);
        for (int c = g * t; c < (g + 1) * t && !(l->w[0] & 1); c++)
            if (c / k < out_cw)
                out[(size_t)at * (size_t)out_cw * (size_t)k + (size_t)c] =
                    soft_pooled(a, l, pool[c - g * t]);
    }
    free(pool);
}

/* Weight words of the next block: resident, or taken from the stream. */
static inline int soft_block(struct soft_array *a, struct soft_layer *l, int g, int streamed)
{
    size_t bytes = flx_word_bytes(flx_desc_slices(&a->d), (int)soft_field(l->w[0], 15, 8));
    for (uint32_t i = 0; i < l->block; i++) {
        if (!streamed) {
            l->words[i] = a->weights + ((size_t)l->w[10] + (size_t)g * l->block + i) * SOFT_WORD;
            continue;
        }
        if (a->stream_at + bytes > a->stream_len)
            return 0;
        l->words[i] = a->stream + a->stream_at;
        a->stream_at += bytes;
    }
    return 1;
}

/* Carries out the run that has begun; 0 when the ring ran dry. */
static inline int soft_run_finish(struct soft_array *a)
{
    int known = a->program[0] >> 8 == (0xF1E000 | FLX_PROG_VERSION), fed = 1;
    int layers = known ? (int)soft_field(a->program[0], 7, 0) : 0;
    if (!a->run.due)
        return 1;
    for (int i = 0; fed && i < layers && i <= a->run.last; i++) {
        struct soft_layer l;
        memcpy(l.w, a->program + FLX_PROG_HDR_WORDS + i * FLX_PROG_LAYER_WORDS, sizeof l.w);
        l.block = soft_field(l.w[11], 15, 0);
        l.words = malloc(l.block * sizeof *l.words);
        for (int g = 0; g < (int)soft_field(l.w[6], 31, 16) && fed; g++) {
            fed = soft_block(a, &l, g, a->run.streamed);
            for (int e = 0; e < a->d.p && fed; e++)
                soft_group(a, &l, e, g);
            a->busy[i] += l.block;
        }
        free(l.words);
    }
    a->run.due = 0;
    a->stream_at = a->stream_len = 0;
    return fed;
}

static inline void soft_run_begin(struct soft_array *a, int streamed, int last)
{
    soft_run_finish(a);
    for (int e = 0; e < a->d.p; e++)
        soft_load_image(a, e);
    a->run.due = 1;
    a->run.streamed = streamed;
    a->run.last = last;
    a->run.buffer = a->buffer;
    a->buffer ^= 1;
    a->latest ^= 1;
}

#endif
