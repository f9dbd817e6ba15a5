/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a layer chain for the accelerator (docs/architecture.md, docs/link.md) and writes
 * what the bench does, one "OP DATA" a line:
 *   1 arg*256+target   2 load address (starts the load)   3 byte
 *   4 run: last*256+flags   5 wait for busy = 0   6 wait for load idle
 *   7 read: arg*256+target   8 read address   9 expected   a at least   b print with number
 *   0 end                                                                              */
#include "stimulus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD = 1, ADDR, BYTE, RUN, IDLE, LD_IDLE, READ, RD_ADDR, EXPECT, AT_LEAST, PRINT };
enum { T_PROGRAM, T_PARAMS, T_WEIGHTS, T_IMAGE, T_STREAM };

static FILE *file;

static void put(int op, uint32_t data)
{
    fprintf(file, "%x %x\n", (unsigned)op, (unsigned)data);
}

static int up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Geometry in activation words. */
static int in_words(const struct shape *s, const struct layer *l, int i)
{
    return i == 0 ? up(l[0].kw * l[0].in_c, s->k) : up(up(l[i].in_c, s->t) * s->t, s->k);
}
static int out_words(const struct shape *s, const struct layer *l, int i)
{
    return up(up(l[i].out_c, s->t) * s->t, s->k);
}
static int run_words(const struct shape *s, const struct layer *l, int i)
{
    return in_words(s, l, i) * (i == 0 ? 1 : l[i].kw);
}
static int block_words(const struct shape *s, const struct layer *l, int i)
{
    return l[i].planes * l[i].kh * run_words(s, l, i);
}
static int image_words(const struct shape *s, const struct layer *l)
{
    return (l[0].in_h + 2 * l[0].pad) * conv_w(&l[0]) * in_words(s, l, 0);
}
static int map_words(const struct shape *s, const struct layer *l, int i)
{
    return l[i].logits ? 0 : l[i].out_h * l[i].out_w * out_words(s, l, i);
}
static int out_base(const struct shape *s, const struct layer *l, int i)
{
    int base = 2 * image_words(s, l);
    for (int j = 0; j < i; j++)
        base += map_words(s, l, j);
    return base;
}
static int groups(const struct shape *s, const struct layer *l, int i)
{
    return up(l[i].out_c, s->t);
}

int case_fits(const struct shape *s, const struct layer *l, int n, int stream)
{
    struct layer c[MAX_LAYERS];
    int weights = 0, params = 0;
    memcpy(c, l, sizeof *l * (size_t)n);
    for (int i = 0; i < n; i++) {
        c[i].out_h = conv_h(&c[i]) / c[i].pool;
        c[i].out_w = conv_w(&c[i]) / c[i].pool;
        if (!stream)
            weights += groups(s, c, i) * block_words(s, c, i);
        if (block_words(s, c, i) > s->wmem)
            return 0;
        params += groups(s, c, i) * s->t;
        if (255 * c[i].kh * c[i].kw * up(c[i].in_c, s->k) * s->k * ((1 << c[i].planes) - 1) >=
            1 << 20)
            return 0;
    }
    return n <= s->layers && weights <= s->wmem && params <= s->pmem &&
           out_base(s, c, n) <= s->amem;
}

/* Encrypted bits of slice `slot` of word (g, p, ky, w): 0 when it does not exist. */
static uint32_t slot_bits(const struct shape *s, const struct net *net, const struct layer *l,
                          int i, int g, int p, int ky, int w, int slot)
{
    int kb = s->k / 4, cw = in_words(s, l, i), t0 = s->nout / 4;
    int inside = w % cw * kb + slot % kb; /* chunk of the pixel */
    int o = g * s->t + t0 * (slot / kb);
    if (inside >= l[i].pixel_chunks)
        return 0;
    int slice = slice_of(&l[i], net, o, ky, w / cw * l[i].pixel_chunks + inside);
    return slice < 0 ? 0 : l[i].x[p][slice];
}

/* -1 weights that channel o meets, over all lanes and words of its block. */
static int64_t minus_ones(const struct shape *s, const struct net *net, const struct layer *l,
                          int i, int o)
{
    int kb = s->k / 4, t0 = s->nout / 4, tc = o % s->t / t0;
    int64_t count = 0;
    for (int p = 0; p < l[i].planes; p++)
        for (int ky = 0; ky < l[i].kh; ky++)
            for (int w = 0; w < run_words(s, l, i); w++)
                for (int lane = 0; lane < s->k; lane++) {
                    uint32_t x = slot_bits(s, net, l, i, o / s->t, p, ky, w, lane / 4 + kb * tc);
                    int r = lane % 4 * t0 + o % t0;
                    count += (int64_t)!decode(net, l[i].n_in, x, r) << (l[i].planes - 1 - p);
                }
    return count;
}

static void put_word(uint32_t v)
{
    for (int b = 0; b < 4; b++)
        put(BYTE, v >> (8 * b) & 255);
}

static void load(int target, int arg, uint32_t addr)
{
    put(LOAD, (uint32_t)(arg << 8 | target));
    put(ADDR, addr);
}

static void put_header(const struct shape *s, const struct layer *l, int n)
{
    put_word(0xF1E00000u | (uint32_t)n);
    put_word((uint32_t)(l->kw * l->in_c | (l->stride * l->in_c) << 8 | (l->in_w * l->in_c) << 16));
    put_word((uint32_t)(l->in_h | l->pad << 16) | (uint32_t)l->in_zero << 24);
    put_word((uint32_t)(l->pad * l->in_c | in_words(s, l, 0) << 16));
    put_word((uint32_t)image_words(s, l) << 16);
    for (int i = 5; i < 8; i++)
        put_word(rnd());
}

static void put_layer(const struct shape *s, const struct layer *l, int i, int wbase, int pbase)
{
    const struct layer *y = &l[i];
    int cw = in_words(s, l, i), first = i == 0;
    int cols = first ? conv_w(y) : y->in_w, rows = first ? y->in_h + 2 * y->pad : y->in_h;
    int step = first ? 1 : y->stride, pad = first ? 0 : y->pad;
    int gran = first ? up(y->kw * y->in_c, 4) : up(y->in_c, s->t) * s->t / 4;
    uint32_t f[16] = {0};
    f[0] = (uint32_t)(y->logits | first << 1 | 1 << 2 | y->n_in << 8 | y->planes << 16 |
                      y->shift << 24);
    f[1] = (uint32_t)(first ? 0 : out_base(s, l, i - 1)) | (uint32_t)out_base(s, l, i) << 16;
    f[2] = (uint32_t)(cols * cw | (y->stride * cols * cw) << 16);
    f[3] = (uint32_t)(run_words(s, l, i) | y->kh << 16 | pad << 24);
    f[4] = (uint32_t)(step * cw | (pad * cw) << 16);
    f[5] = (uint32_t)(y->out_w | y->out_h << 16);
    f[6] = (uint32_t)(y->pool | groups(s, l, i) << 16);
    f[7] = (uint32_t)(rows | (cols * cw) << 16);
    f[8] = (uint32_t)(cw | out_words(s, l, i) << 16);
    f[9] = (1u << (gran - (cw - 1) * s->k / 4)) - 1;
    f[10] = (uint32_t)wbase;
    f[11] = (uint32_t)block_words(s, l, i);
    f[12] = (uint32_t)(pbase | y->out_c << 16);
    for (int w = 13; w < 16; w++)
        f[w] = rnd();
    for (int w = 0; w < 16; w++)
        put_word(f[w]);
}

static void put_params(const struct shape *s, const struct net *net, const struct layer *l, int i)
{
    for (int o = 0; o < groups(s, l, i) * s->t; o++) {
        int m = 0;
        int64_t beta = 0;
        if (o < l[i].out_c) {
            m = l[i].m[o];
            beta = l[i].beta[o] + m * minus_ones(s, net, l, i, o);
            if (!l[i].logits && l[i].shift)
                beta += (int64_t)1 << (l[i].shift - 1);
        }
        if (beta != (int32_t)beta) {
            fprintf(stderr, "gen_case: beta' overflows\n");
            exit(1);
        }
        put(BYTE, (uint32_t)m & 255);
        put(BYTE, (uint32_t)m >> 8 & 255);
        put_word((uint32_t)beta);
    }
}

/* One weight word of layer i. */
static void put_weight_word(const struct shape *s, const struct net *net, const struct layer *l,
                            int i, int g, int p, int ky, int w)
{
    int slots = s->k * s->t / s->nout, packed = slots == 1 || slots == 2 || slots == 4;
    int pitch = packed ? slots : up(slots, 8) * 8;
    int bytes = up(l[i].n_in * pitch, 8);
    uint8_t *b = calloc((size_t)bytes, 1);
    for (int slot = 0; slot < slots; slot++) {
        uint32_t x = slot_bits(s, net, l, i, g, p, ky, w, slot);
        for (int j = 0; j < l[i].n_in; j++) {
            int bit = j * pitch + slot;
            b[bit / 8] = (uint8_t)(b[bit / 8] | (x >> j & 1) << bit % 8);
        }
    }
    for (int j = 0; j < bytes; j++)
        put(BYTE, b[j]);
    free(b);
}

/* All words of a layer, in frames of random length; target T_WEIGHTS or T_STREAM. */
static void put_weights(const struct shape *s, const struct net *net, const struct layer *l, int i,
                        int target, int base)
{
    int left = 0, addr = base, rw = run_words(s, l, i);
    for (int g = 0; g < groups(s, l, i); g++)
        for (int p = 0; p < l[i].planes; p++)
            for (int ky = 0; ky < l[i].kh; ky++)
                for (int w = 0; w < rw; w++, addr++, left--) {
                    if (left == 0) {
                        load(target, l[i].n_in, target == T_STREAM ? rnd() : (uint32_t)addr);
                        left = between(1, 40);
                    }
                    put_weight_word(s, net, l, i, g, p, ky, w);
                }
}

/* One image, sometimes in two frames. */
static void put_image(const struct layer *l, const uint8_t *image, int engine)
{
    int size = l->in_h * l->in_w * l->in_c, cut = between(0, 2) ? size : between(1, size);
    load(T_IMAGE, engine, 0);
    for (int j = 0; j < size; j++) {
        if (j == cut)
            load(T_IMAGE, engine | 0x80, 0);
        put(BYTE, image[j]);
    }
}

static void expect_map(const struct shape *s, const struct layer *l, int i, const uint8_t *codes,
                       int engine)
{
    int kb = s->k / 4, grans = up(l[i].out_c, s->t) * s->t / 4;
    put(READ, (uint32_t)(engine << 8 | 1));
    for (int pix = 0; pix < l[i].out_h * l[i].out_w; pix++)
        for (int g = 0; g < grans; g++) {
            uint32_t v = 0;
            for (int c = 4 * g; c < 4 * g + 4 && c < l[i].out_c; c++)
                v |= (uint32_t)codes[pix * l[i].out_c + c] << 8 * (c % 4);
            put(RD_ADDR, (uint32_t)((out_base(s, l, i) + pix * out_words(s, l, i)) * kb + g));
            put(EXPECT, v);
        }
}

/* Draws m, beta and shift so that codes spread over their range. */
static void draw_scales(const struct shape *s, struct layer *l, int i, const int32_t *sums)
{
    struct layer *y = &l[i];
    int64_t bound = (int64_t)((1 << s->actw) + 2) * y->kh *
                    up(y->kw * up(y->in_c, s->k) * s->k, s->k) * s->k * ((1 << y->planes) - 1);
    int m_max = (int)((1 << 29) / bound);
    int64_t spread = 1;
    if (m_max > 32767)
        m_max = 32767;
    if (m_max > 1 && between(0, 1))
        m_max = between(1, m_max);
    for (int j = 0; j < conv_h(y) * conv_w(y) * y->out_c; j++)
        if (llabs(sums[j]) > spread)
            spread = llabs(sums[j]);
    y->shift = 0;
    while (y->shift < 31 && (spread * m_max >> y->shift) > (1 << s->actw) * 3 / 2)
        y->shift++;
    for (int o = 0; o < y->out_c; o++) {
        y->m[o] = between(-m_max, m_max);
        if (!between(0, 9))
            y->m[o] = between(0, 1) ? m_max : -m_max;
        int64_t range = (int64_t)1 << (y->shift + s->actw - 1);
        if (range > 1 << 28)
            range = 1 << 28;
        y->beta[o] = (int32_t)(rnd() % (uint32_t)(2 * range)) - (int32_t)(range / 2);
    }
    if (y->logits)
        y->shift = between(0, 31); /* must be ignored */
}

struct answers {
    uint8_t *image, *codes[MAX_LAYERS];
    int32_t *logits;
};

static void answer(const struct shape *s, const struct net *net, struct layer *l, int n,
                   struct answers *a, int draw)
{
    int size = l->in_h * l->in_w * l->in_c;
    const uint8_t *in;
    in = a->image = malloc((size_t)size);
    for (int j = 0; j < size; j++)
        a->image[j] = (uint8_t)(rnd() & ((1u << s->actw) - 1));
    for (int i = 0; i < n; i++) {
        size_t count = (size_t)(conv_h(&l[i]) * conv_w(&l[i]) * l[i].out_c);
        int32_t *sums = malloc(count * sizeof *sums);
        layer_sums(&l[i], net, in, sums);
        if (draw)
            draw_scales(s, l, i, sums);
        a->codes[i] = NULL;
        if (l[i].logits) {
            a->logits = malloc(sizeof(int32_t) * (size_t)l[i].out_c);
            layer_logits(&l[i], sums, a->logits);
        } else {
            a->codes[i] = malloc((size_t)(l[i].out_h * l[i].out_w * l[i].out_c));
            layer_codes(&l[i], s->actw, sums, a->codes[i]);
        }
        in = a->codes[i];
        free(sums);
    }
}

static void expect_logits(const struct layer *l, const int32_t *v, int engine, int previous)
{
    put(READ, (uint32_t)((engine | (previous ? 0x80 : 0)) << 8));
    for (int o = 0; o < l->out_c; o++) {
        put(RD_ADDR, (uint32_t)o);
        put(EXPECT, (uint32_t)v[o]);
    }
}

static void expect_counters(const struct shape *s, const struct layer *l, int n, const int *ran,
                            int report)
{
    put(READ, 2);
    for (int i = 0; i < n; i++) {
        int busy = groups(s, l, i) * l[i].out_h * l[i].out_w * l[i].pool * l[i].pool *
                   block_words(s, l, i) * ran[i];
        for (int c = 0; c < 4; c++) {
            put(RD_ADDR, (uint32_t)(4 * i + c));
            if (c == 0)
                put(AT_LEAST, (uint32_t)busy);
            if (c == 1)
                put(EXPECT, (uint32_t)busy);
            if (report)
                put(PRINT, (uint32_t)(4 * i + c));
        }
    }
}

static void load_model(const struct shape *s, const struct net *net, const struct layer *l, int n,
                       int stream)
{
    int base = 0;
    load(T_PROGRAM, 0, 0);
    put_header(s, l, n);
    for (int i = 0, wbase = 0, pbase = 0; i < n; i++) {
        put_layer(s, l, i, stream ? (int)(rnd() & 0xFFFF) : wbase, pbase);
        wbase += groups(s, l, i) * block_words(s, l, i);
        pbase += groups(s, l, i) * s->t;
    }
    load(T_PARAMS, 0, 0);
    for (int i = 0; i < n; i++)
        put_params(s, net, l, i);
    for (int i = 0; i < n && !stream; i++) {
        put_weights(s, net, l, i, T_WEIGHTS, base);
        base += groups(s, l, i) * block_words(s, l, i);
    }
}

static void one_run(const struct shape *s, const struct net *net, const struct layer *l, int n,
                    int stream, int last, int clear)
{
    put(LD_IDLE, 0);
    put(IDLE, 0);
    put(RUN, (uint32_t)((last == n - 1 && between(0, 1) ? 255 : last) << 8 | clear << 1 | stream));
    for (int i = 0; i <= last && stream; i++)
        put_weights(s, net, l, i, T_STREAM, 0);
}

static void free_answers(struct answers *a, int n)
{
    free(a->image);
    free(a->logits);
    for (int i = 0; i < n; i++)
        free(a->codes[i]);
}

void write_case(const struct shape *s, const struct net *net, struct layer *l, int n, int runs,
                int stream, int report, const char *path)
{
    size_t images = (size_t)runs * (size_t)s->p;
    struct answers *a = calloc(images, sizeof *a);
    int ran[MAX_LAYERS] = {0}, last_before = -1;

    file = fopen(path, "w");
    if (!file || !a) {
        perror(path);
        exit(1);
    }
    for (size_t j = 0; j < images; j++)
        answer(s, net, l, n, &a[j], j == 0);
    load_model(s, net, l, n, stream);
    for (int e = 0; e < s->p; e++)
        put_image(l, a[e].image, e);
    for (int r = 0; r < runs; r++) {
        int last = between(0, 1) ? n - 1 : between(0, n - 1), clear = r == 0 || !between(0, 3);
        const struct answers *now = &a[(size_t)r * (size_t)s->p], *next = now + s->p;
        one_run(s, net, l, n, stream, last, clear);
        if (clear)
            memset(ran, 0, sizeof ran);
        for (int i = 0; i <= last; i++)
            ran[i]++;
        if (last_before == n - 1)
            for (int e = 0; e < s->p; e++)
                expect_logits(&l[n - 1], now[e - s->p].logits, e, 1);
        /* The images of the next run go in while this one is under way. */
        for (int e = 0; e < s->p && r + 1 < runs; e++)
            put_image(l, next[e].image, e);
        put(IDLE, 0);
        for (int e = 0; e < s->p && last == n - 1; e++)
            expect_logits(&l[n - 1], now[e].logits, e, 0);
        for (int e = 0; e < s->p && !report; e++)
            for (int i = 0; i <= last && !l[i].logits; i++)
                expect_map(s, l, i, now[e].codes[i], e);
        last_before = last;
    }
    expect_counters(s, l, n, ran, report);
    put(0, 0);
    fclose(file);
    for (size_t j = 0; j < images; j++)
        free_answers(&a[j], n);
    free(a);
}
