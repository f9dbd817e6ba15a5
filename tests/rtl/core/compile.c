/* SPDX-License-Identifier: Apache-2.0 */
#include "compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *file;

void open_stimulus(const char *path)
{
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
}

void close_stimulus(void)
{
    put(END, 0);
    fclose(file);
}

void put(int op, uint32_t data)
{
    fprintf(file, "%x %x\n", (unsigned)op, (unsigned)data);
}

int up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Geometry in activation words. */
int in_words(const struct shape *s, const struct layer *l, int i)
{
    return i == 0 ? up(l[0].kw * l[0].in_c, s->k) : up(up(l[i].in_c, s->t) * s->t, s->k);
}
int out_words(const struct shape *s, const struct layer *l, int i)
{
    return up(up(l[i].out_c, s->t) * s->t, s->k);
}
static int run_words(const struct shape *s, const struct layer *l, int i)
{
    return in_words(s, l, i) * (i == 0 ? 1 : l[i].kw);
}
int block_words(const struct shape *s, const struct layer *l, int i)
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
int out_base(const struct shape *s, const struct layer *l, int i)
{
    int base = 2 * image_words(s, l);
    for (int j = 0; j < i; j++)
        base += map_words(s, l, j);
    return base;
}
int groups(const struct shape *s, const struct layer *l, int i)
{
    return up(l[i].out_c, s->t);
}

int case_fits(const struct shape *s, const struct layer *l, int n, int stream)
{
    struct layer c[MAX_LAYERS];
    int weights = 0, params = 0;
    memcpy(c, l, sizeof *l * (size_t)n);
    for (int i = 0; i < n; i++) {
        c[i].out_h = pooled(&c[i], conv_h(&c[i]));
        c[i].out_w = pooled(&c[i], conv_w(&c[i]));
        if (!stream)
            weights += groups(s, c, i) * block_words(s, c, i);
        if (block_words(s, c, i) > s->wmem)
            return 0;
        params += groups(s, c, i) * s->t * sets(&c[i]);
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

/* What the array's sums lack for channel o, over all lanes and words of a set (docs/lanes.md). */
static int64_t lacking(const struct shape *s, const struct net *net, const struct layer *l, int i,
                       int set, int o)
{
    int kb = s->k / 4, t0 = s->nout / 4, tc = o % s->t / t0;
    static const int c[3][4] = {{1, 1, 1, 1}, {0, 1, 0, 1}, {1, 1, -1, 0}};
    int64_t half = s->lanes ? 1 << (s->actw - 1) : 0;
    int64_t count = 0;
    for (int p = l[i].scaled ? set : 0; p < (l[i].scaled ? set + 1 : l[i].planes); p++)
        for (int ky = 0; ky < l[i].kh; ky++)
            for (int w = 0; w < run_words(s, l, i); w++)
                for (int lane = 0; lane < s->k; lane++) {
                    uint32_t x = slot_bits(s, net, l, i, o / s->t, p, ky, w, lane / 4 + kb * tc);
                    int r = lane % 4 * t0 + o % t0;
                    int doublings = l[i].scaled ? 0 : l[i].planes - 1 - p;
                    count += (decode(net, l[i].n_in, x, r) ? half : c[s->lanes][lane % 4] - half) *
                             (1 << doublings);
                }
    return count;
}

static void put_word(uint32_t v)
{
    for (int b = 0; b < 4; b++)
        put(BYTE, v >> (8 * b) & 255);
}

void load(int target, int arg, uint32_t addr)
{
    put(LOAD, (uint32_t)(arg << 8 | target));
    put(ADDR, addr);
}

static void put_header(const struct shape *s, const struct layer *l, int n)
{
    put_word(0xF1E00200u | (uint32_t)n);
    put_word((uint32_t)(l->kw * l->in_c | (l->stride * l->in_c) << 8 | (l->in_w * l->in_c) << 16));
    put_word((uint32_t)(l->in_h | l->pad << 16) | (uint32_t)l->in_zero << 24);
    put_word((uint32_t)(l->pad * l->in_c | in_words(s, l, 0) << 16));
    put_word((uint32_t)image_words(s, l) << 16);
    for (int i = 5; i < 8; i++)
        put_word(rnd());
}

static uint32_t pair(int low, int high)
{
    return ((uint32_t)low & 0xFFFF) | (uint32_t)high << 16;
}

static void put_layer(const struct shape *s, const struct layer *l, int i, int wbase, int pbase)
{
    const struct layer *y = &l[i];
    int cw = in_words(s, l, i), first = i == 0;
    int cols = first ? conv_w(y) : y->in_w, rows = first ? y->in_h + 2 * y->pad : y->in_h;
    int step = first ? 1 : y->stride, pad = first ? 0 : y->pad;
    int gran = first ? up(y->kw * y->in_c, 4) : up(y->in_c, s->t) * s->t / 4;
    int before = pad + y->pool_pad * y->stride; /* rows above the first position */
    int row = cols * cw, rows_between = y->pool_stride * y->stride;
    uint32_t f[20];
    f[0] = (uint32_t)(y->logits | first << 1 | !y->scaled << 2 | y->scaled << 3 | y->pool_sum << 4 |
                      (y->skip >= 0) << 5 | y->n_in << 8 | y->planes << 16 | y->pool_shift << 20 |
                      y->shift << 24);
    f[1] = pair((first ? 0 : out_base(s, l, y->input)) - before * row, out_base(s, l, i));
    f[2] = pair(row, y->stride * row);
    f[3] = (uint32_t)(run_words(s, l, i) | y->kh << 16 | y->stride << 24);
    f[4] = pair(step * cw, pad * cw);
    f[5] = pair(y->out_w, y->out_h);
    f[6] = (uint32_t)(y->pool | pad << 8 | groups(s, l, i) << 16);
    f[7] = pair(rows, row);
    f[8] = pair(cw, out_words(s, l, i));
    f[9] = (1u << (gran - (cw - 1) * s->k / 4)) - 1;
    f[10] = (uint32_t)wbase;
    f[11] = (uint32_t)block_words(s, l, i);
    f[12] = pair(pbase, y->out_c);
    f[13] = pair(-before, -(pad + y->pool_pad * step) * cw);
    f[14] = pair(y->pool_stride * step * cw, rows_between * row);
    f[15] = pair(y->skip_m, rows_between);
    f[16] = pair((conv_w(y) - 1) * step * cw, (conv_h(y) - 1) * y->stride);
    f[17] = f[18] = f[19] = rnd();
    if (y->skip >= 0) {
        int across = y->skip_stride * out_words(s, l, y->skip), down = across * l[y->skip].out_w;
        f[17] =
            pair(out_base(s, l, y->skip) - y->pool_pad * (across + down), groups(s, l, y->skip));
        f[18] = pair(across, down);
        f[19] = pair(y->pool_stride * across, y->pool_stride * down);
    }
    for (int w = 0; w < 20; w++)
        put_word(f[w]);
}

/* Entry of channel o of a set. The first set's offset holds what belongs to all of them. */
static void put_param(const struct shape *s, const struct net *net, const struct layer *l, int i,
                      int set, int o)
{
    int m = l[i].m[set * l[i].out_c + o];
    int64_t beta = set ? 0 : l[i].beta[o];
    for (int j = 0; j < sets(&l[i]) && set == 0; j++)
        beta += l[i].m[j * l[i].out_c + o] * lacking(s, net, l, i, j, o);
    if (set == 0 && !l[i].logits && l[i].shift)
        beta += (int64_t)1 << (l[i].shift - 1);
    put(BYTE, (uint32_t)m & 255);
    put(BYTE, (uint32_t)m >> 8 & 255);
    put_word((uint32_t)beta);
}

/* Channels that do not exist come out as 0, whatever is added to them. */
static void put_no_param(int set)
{
    put(BYTE, 0);
    put(BYTE, 0);
    put_word(set ? 0 : 0xC0000000u);
}

static void put_params(const struct shape *s, const struct net *net, const struct layer *l, int i)
{
    for (int g = 0; g < groups(s, l, i); g++)
        for (int set = 0; set < sets(&l[i]); set++)
            for (int o = g * s->t; o < (g + 1) * s->t; o++)
                if (o < l[i].out_c)
                    put_param(s, net, l, i, set, o);
                else
                    put_no_param(set);
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
void put_weights(const struct shape *s, const struct net *net, const struct layer *l, int i,
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
void put_image(const struct layer *l, const uint8_t *image, int engine)
{
    int size = l->in_h * l->in_w * l->in_c, cut = between(0, 2) ? size : between(1, size);
    load(T_IMAGE, engine, 0);
    for (int j = 0; j < size; j++) {
        if (j == cut)
            load(T_IMAGE, engine | 0x80, 0);
        put(BYTE, image[j]);
    }
}

void load_model(const struct shape *s, const struct net *net, const struct layer *l, int n,
                int stream)
{
    int base = 0;
    load(T_PROGRAM, 0, 0);
    put_header(s, l, n);
    for (int i = 0, wbase = 0, pbase = 0; i < n; i++) {
        put_layer(s, l, i, stream ? (int)(rnd() & 0xFFFF) : wbase, pbase);
        wbase += groups(s, l, i) * block_words(s, l, i);
        pbase += groups(s, l, i) * s->t * sets(&l[i]);
    }
    load(T_PARAMS, 0, 0);
    for (int i = 0; i < n; i++)
        put_params(s, net, l, i);
    for (int i = 0; i < n && !stream; i++) {
        put_weights(s, net, l, i, T_WEIGHTS, base);
        base += groups(s, l, i) * block_words(s, l, i);
    }
}
