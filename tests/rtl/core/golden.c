/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

void seed_rng(uint64_t seed)
{
    state = seed * 0x9E3779B97F4A7C15u + 0x1234567;
}

uint32_t rnd(void)
{
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

int between(int lo, int hi)
{
    return lo + (int)(rnd() % (uint32_t)(hi - lo + 1));
}

void make_net(struct net *n, int kind, int n_out, int n_min, uint64_t seed)
{
    seed_rng(seed);
    memset(n, 0, sizeof *n);
    n->kind = kind;
    n->n_out = n_out;
    n->n_min = n_min;
    n->n_max = kind ? n_min : n_out;
    for (int r = kind ? 0 : n_min; r < n_out; r++) {
        int a = between(0, n_min - 1);
        int b = (a + between(1, n_min - 1)) % n_min;
        n->rows[r] = (1u << a) | (1u << b);
        if (kind && r % 3 == 0)
            n->rows[r] |= 1u << between(0, n_min - 1);
    }
}

void write_net(const struct net *n, const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    fprintf(f, "`define FLX_XOR_KIND %d\n`define FLX_XOR_NOUT %d\n", n->kind, n->n_out);
    fprintf(f, "`define FLX_XOR_NMIN %d\n`define FLX_XOR_NMAX %d\n", n->n_min, n->n_max);
    fprintf(f, "`define FLX_XOR_HASH 32'h0\n`define FLX_XOR_ROWS 1024'h");
    for (int r = 31; r >= 0; r--)
        fprintf(f, "%08x", (unsigned)n->rows[r]);
    fprintf(f, "\n");
    fclose(f);
}

int conv_h(const struct layer *l)
{
    return (l->in_h + 2 * l->pad - l->kh) / l->stride + 1;
}
int conv_w(const struct layer *l)
{
    return (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
}

int pooled(const struct layer *l, int conv)
{
    return (conv + 2 * l->pool_pad - l->pool) / l->pool_stride + 1;
}
int sets(const struct layer *l)
{
    return l->scaled ? l->planes : 1;
}

void layer_init(struct layer *l, const struct net *n)
{
    int t0 = n->n_out / 4;
    l->out_h = pooled(l, conv_h(l));
    l->out_w = pooled(l, conv_w(l));
    l->groups = (l->out_c + t0 - 1) / t0;
    l->pixel_chunks = l->row_packed ? (l->kw * l->in_c + 3) / 4 : (l->in_c + 3) / 4;
    l->run_chunks = l->row_packed ? l->pixel_chunks : l->kw * l->pixel_chunks;
    int slices = l->groups * l->kh * l->run_chunks;
    for (int p = 0; p < l->planes; p++) {
        l->x[p] = malloc(sizeof(uint32_t) * (size_t)slices);
        for (int s = 0; s < slices; s++)
            l->x[p][s] = rnd() & (l->n_in == 32 ? 0xFFFFFFFFu : (1u << l->n_in) - 1);
    }
    l->m = calloc((size_t)(sets(l) * l->out_c), sizeof *l->m);
    l->beta = calloc((size_t)l->out_c, sizeof *l->beta);
}

void layer_free(struct layer *l)
{
    for (int p = 0; p < l->planes; p++)
        free(l->x[p]);
    free(l->m);
    free(l->beta);
}

int decode(const struct net *n, int n_in, uint32_t x, int r)
{
    uint32_t mask = (n->kind == 0 && r < n_in) ? 1u << r : n->rows[r];
    return __builtin_parity(x & mask);
}

int slice_of(const struct layer *l, const struct net *n, int o, int ky, int chunk)
{
    int group = o / (n->n_out / 4);
    if (group >= l->groups || chunk < 0)
        return -1;
    return (group * l->kh + ky) * l->run_chunks + chunk;
}

/* +1 or -1 */
static int weight(const struct layer *l, const struct net *n, int p, int o, int ky, int kx, int c)
{
    int t0 = n->n_out / 4;
    int input = l->row_packed ? kx * l->in_c + c : c;
    int chunk = l->row_packed ? input / 4 : kx * l->pixel_chunks + c / 4;
    int r = (input % 4) * t0 + o % t0;
    return decode(n, l->n_in, l->x[p][slice_of(l, n, o, ky, chunk)], r) ? 1 : -1;
}

static int code_at(const struct layer *l, const uint8_t *in, int y, int x, int c)
{
    if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
        return l->in_zero;
    return in[(y * l->in_w + x) * l->in_c + c];
}

/* Weights of channel o in one set: a plane, or all binary planes together. */
static void set_weights(const struct layer *l, const struct net *n, int set, int o, int *w)
{
    for (int ky = 0; ky < l->kh; ky++)
        for (int kx = 0; kx < l->kw; kx++)
            for (int c = 0; c < l->in_c; c++) {
                int v = 0;
                for (int p = 0; p < l->planes && !l->scaled; p++)
                    v += (1 << (l->planes - 1 - p)) * weight(l, n, p, o, ky, kx, c);
                *w++ = l->scaled ? weight(l, n, set, o, ky, kx, c) : v;
            }
}

void layer_sums(const struct layer *l, const struct net *n, const uint8_t *in, int32_t *sums)
{
    size_t taps = (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int positions = conv_h(l) * conv_w(l);
    int *w = malloc(sizeof(int) * taps);
    for (int j = 0; j < sets(l) * l->out_c; j++) {
        set_weights(l, n, j / l->out_c, j % l->out_c, w);
        for (int at = 0; at < positions; at++) {
            int sum = 0, y = at / conv_w(l) * l->stride, x = at % conv_w(l) * l->stride;
            size_t i = 0;
            for (int ky = 0; ky < l->kh; ky++)
                for (int kx = 0; kx < l->kw; kx++)
                    for (int c = 0; c < l->in_c; c++)
                        sum += w[i++] * code_at(l, in, y + ky - l->pad, x + kx - l->pad, c);
            sums[(j / l->out_c * positions + at) * l->out_c + j % l->out_c] = sum;
        }
    }
    free(w);
}

static int32_t value(const struct layer *l, const int32_t *sums, const uint8_t *skip, int y, int x,
                     int o)
{
    int positions = conv_h(l) * conv_w(l), at = y * conv_w(l) + x;
    int64_t v = l->beta[o];
    for (int j = 0; j < sets(l); j++)
        v += (int64_t)l->m[j * l->out_c + o] * sums[(j * positions + at) * l->out_c + o];
    if (skip && o < l->skip_c) {
        int from = y * l->skip_stride * l->skip_w + x * l->skip_stride;
        v += l->skip_m * skip[from * l->skip_c + o];
    }
    if (v != (int32_t)v) {
        fprintf(stderr, "golden: V overflows, the case generator is wrong\n");
        exit(1);
    }
    return (int32_t)v;
}

static int64_t shifted(int64_t v, int shift, int act_bits)
{
    int64_t most = (1 << act_bits) - 1;
    v = (v + (shift ? (int64_t)1 << (shift - 1) : 0)) >> shift;
    return v < 0 ? 0 : v > most ? most : v;
}

void layer_codes(const struct layer *l, int act_bits, const int32_t *sums, const uint8_t *skip,
                 uint8_t *codes)
{
    for (int i = 0; i < l->out_h * l->out_w * l->out_c; i++) {
        int o = i % l->out_c, px = i / l->out_c % l->out_w, py = i / l->out_c / l->out_w;
        int64_t best = 0, total = 0;
        for (int d = 0; d < l->pool * l->pool; d++) {
            int y = py * l->pool_stride - l->pool_pad + d / l->pool;
            int x = px * l->pool_stride - l->pool_pad + d % l->pool;
            if (y < 0 || y >= conv_h(l) || x < 0 || x >= conv_w(l))
                continue;
            int64_t code = shifted(value(l, sums, skip, y, x, o), l->shift, act_bits);
            total += code;
            if (code > best)
                best = code;
        }
        codes[i] = (uint8_t)(l->pool_sum ? shifted(total, l->pool_shift, act_bits) : best);
    }
}

void layer_logits(const struct layer *l, const int32_t *sums, const uint8_t *skip, int32_t *v)
{
    for (int o = 0; o < l->out_c; o++)
        v[o] = value(l, sums, skip, 0, 0, o);
}
