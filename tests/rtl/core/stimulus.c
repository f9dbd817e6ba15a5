/* SPDX-License-Identifier: Apache-2.0 */
#include "stimulus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"

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
    int m_max = (int)((1 << 28) / bound / sets(y));
    int64_t spread = 1;
    if (m_max > 32767)
        m_max = 32767;
    if (m_max > 1 && between(0, 1))
        m_max = between(1, m_max);
    for (int j = 0; j < sets(y) * conv_h(y) * conv_w(y) * y->out_c; j++)
        if (llabs(sums[j]) > spread)
            spread = llabs(sums[j]);
    y->shift = 0;
    while (y->shift < 31 && (spread * m_max >> y->shift) > (1 << s->actw) * 3 / 2)
        y->shift++;
    for (int j = 0; j < sets(y) * y->out_c; j++) {
        y->m[j] = between(-m_max, m_max);
        if (!between(0, 9))
            y->m[j] = between(0, 1) ? m_max : -m_max;
    }
    for (int o = 0; o < y->out_c; o++) {
        int64_t range = (int64_t)1 << (y->shift + s->actw - 1);
        if (range > 1 << 28)
            range = 1 << 28;
        y->beta[o] = (int32_t)(rnd() % (uint32_t)(2 * range)) - (int32_t)(range / 2);
    }
    if (y->skip >= 0)
        y->skip_m =
            y->shift < 14 ? between(-(2 << y->shift), 2 << y->shift) : between(-32768, 32767);
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
    a->image = malloc((size_t)size);
    for (int j = 0; j < size; j++)
        a->image[j] = (uint8_t)(rnd() & ((1u << s->actw) - 1));
    for (int i = 0; i < n; i++) {
        size_t count = (size_t)(sets(&l[i]) * conv_h(&l[i]) * conv_w(&l[i]) * l[i].out_c);
        const uint8_t *skip = l[i].skip < 0 ? NULL : a->codes[l[i].skip];
        int32_t *sums = malloc(count * sizeof *sums);
        layer_sums(&l[i], net, i ? a->codes[l[i].input] : a->image, sums);
        if (draw)
            draw_scales(s, l, i, sums);
        a->codes[i] = NULL;
        if (l[i].logits) {
            a->logits = malloc(sizeof(int32_t) * (size_t)l[i].out_c);
            layer_logits(&l[i], sums, skip, a->logits);
        } else {
            a->codes[i] = malloc((size_t)(l[i].out_h * l[i].out_w * l[i].out_c));
            layer_codes(&l[i], s->actw, sums, skip, a->codes[i]);
        }
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

/* What the counters of a layer say after one run with weights at hand. */
struct cycles {
    int busy, blocked, reading;
};

/* Does position j of the layer exist? Positions go by window, window rows first. */
static int exists(const struct layer *l, int j)
{
    int inside = j % (l->pool * l->pool), window = j / (l->pool * l->pool) % (l->out_h * l->out_w);
    int y = window / l->out_w * l->pool_stride - l->pool_pad + inside / l->pool;
    int x = window % l->out_w * l->pool_stride - l->pool_pad + inside % l->pool;
    return y >= 0 && y < conv_h(l) && x >= 0 && x < conv_w(l);
}

/* Sets of a position, cycles of a set in the requantiser, words that hold T codes, cycles to
 * their last read. */
struct times {
    int sets, hold, reads, after;
};

/* Clocks from a word at the lanes to its sums. */
static int latency(const struct shape *s)
{
    int levels = 2;
    while (1 << levels < s->k)
        levels++;
    if (s->lanes == 2)
        return (levels < 3 ? 3 : levels) + (s->fan ? 2 : 1);
    return levels + 1 + s->lanes;
}

static struct times times_of(const struct shape *s, const struct layer *l)
{
    int kb = s->k / 4, tb = s->t / 4, steps = s->t / s->rq;
    struct times t = {
        .sets = l->scaled || s->lanes ? l->planes : 1,
        .hold = steps,
        .reads = tb % kb == 0   ? tb / kb
                 : kb % tb == 0 ? 1
                                : (tb + kb - 2) / kb + 1,
        .after = latency(s) + 1,
    };
    int least = t.sets == 1 ? 1 : l->scaled ? 5 : 2;
    if (steps < least)
        t.hold = least;
    if (l->logits)
        t.hold = s->scaled && s->t < 5 ? 5 : s->t;
    if (l->skip >= 0) {
        int cycles = steps * (!l->logits || s->rq == 1 ? 2 : s->rq) + t.reads - 1;
        t.hold = cycles > t.after + 1 ? cycles : t.after + 1;
    }
    return t;
}

/* Issues the sets one after the other. A set that does not exist ends after two words, but
 * not the last of a block and not when planes are counted. */
static struct cycles issue(const struct shape *s, const struct layer *l, int i)
{
    const struct layer *y = &l[i];
    struct times t = times_of(s, y);
    struct cycles c = {0, 0, 0};
    int block = y->out_h * y->out_w * y->pool * y->pool, now = 0, last = -1000, read = -1000;
    for (int j = 0; j < groups(s, l, i) * block * t.sets; j++) {
        int position = j / t.sets, words = block_words(s, l, i) / t.sets;
        if (t.sets == 1 && !exists(y, position) && position % block != block - 1 && words > 2)
            words = 2;
        for (; words > 0; now++) {
            int blocked = words == 1 && now < last + t.hold;
            int reading = now > read + t.after - t.reads && now <= read + t.after;
            c.blocked += blocked;
            c.reading += reading && !blocked;
            c.busy += !reading && !blocked;
            words -= !reading && !blocked;
            if (words == 0)
                last = now;
        }
        if (y->skip >= 0 && position / block < groups(s, l, y->skip) &&
            j % t.sets == (y->scaled ? 0 : t.sets - 1))
            read = last;
    }
    return c;
}

/* Several outputs a cycle: every output's words are busy, a step of a row takes those of one.
 * Words of positions outside the map may be left out. */
static void expect_pixels(const struct shape *s, const struct layer *l, int i, int ran, int report)
{
    const struct layer *y = &l[i];
    int window = y->pool * y->pool, positions = y->out_h * y->out_w * window, inside = 0;
    int steps = y->out_h * up(y->out_w, s->pixels) * window;
    int words = ran * groups(s, l, i) * block_words(s, l, i);
    for (int j = 0; j < positions; j++)
        inside += exists(y, j);
    put(RD_ADDR, (uint32_t)(8 * i));
    put(AT_LEAST, (uint32_t)(inside == positions ? steps * words : 0));
    put(RD_ADDR, (uint32_t)(8 * i + 1));
    put(inside == positions ? EXPECT : AT_LEAST, (uint32_t)(inside * words));
    for (int j = 0; j < 2 && report; j++) {
        put(RD_ADDR, (uint32_t)(8 * i + j));
        put(PRINT, (uint32_t)(8 * i + j));
    }
}

static void expect_counters(const struct shape *s, const struct layer *l, int n, const int *ran,
                            int stream, int report)
{
    put(READ, 2);
    for (int i = 0; i < n && s->pixels > 1; i++)
        expect_pixels(s, l, i, ran[i], report);
    for (int i = 0; i < n && s->pixels == 1; i++) {
        struct cycles c = issue(s, l, i);
        const int expected[5] = {c.busy, c.busy, 0, c.blocked, c.reading};
        for (int j = 0; j < 5; j++) {
            put(RD_ADDR, (uint32_t)(8 * i + j));
            if (j == 0)
                put(AT_LEAST, (uint32_t)(ran[i] * c.busy));
            else if (j == 1 || !stream)
                put(EXPECT, (uint32_t)(ran[i] * expected[j]));
            if (report)
                put(PRINT, (uint32_t)(8 * i + j));
        }
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

/* A run that a reset ends somewhere, with words left in the ring and an image half sent. */
static void reset_amidst(const struct shape *s, const struct net *net, const struct layer *l, int n,
                         int stream, const struct answers *a)
{
    load_model(s, net, l, n, stream);
    put_image(l, a->image, 0);
    put(LD_IDLE, 0);
    put(RUN, (uint32_t)(255 << 8 | stream));
    if (stream)
        put_weights(s, net, l, 0, T_STREAM, 0);
    load(T_IMAGE, 0, 0);
    for (int j = between(0, l->in_h * l->in_w * l->in_c); j > 0; j--)
        put(BYTE, 255);
    if (between(0, 1))
        put(LD_IDLE, 0);
    put(RESET, (uint32_t)between(0, 300));
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

    if (!a)
        exit(1);
    open_stimulus(path);
    for (size_t j = 0; j < images; j++)
        answer(s, net, l, n, &a[j], j == 0);
    if (!between(0, 2))
        reset_amidst(s, net, l, n, stream, a);
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
    expect_counters(s, l, n, ran, stream, report);
    close_stimulus();
    for (size_t j = 0; j < images; j++)
        free_answers(&a[j], n);
    free(a);
}
