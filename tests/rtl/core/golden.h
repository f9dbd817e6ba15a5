/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny golden model for the benches of rtl/core, straight from docs/numerics.md and
 * docs/model-format.md. It shares no code with the host library on purpose. */
#ifndef GOLDEN_H
#define GOLDEN_H
#include <stdint.h>

#define MAX_LAYERS 6
#define MAX_PLANES 3

struct net {
    int kind, n_out, n_min, n_max; /* kind 0 nested, 1 fixed */
    uint32_t rows[32];
};

struct layer {
    int input; /* layer that it reads; the image in layer 0 */
    int in_h, in_w, in_c, out_c, kh, kw, stride, pad, in_zero;
    int skip, skip_stride, skip_m; /* skip: layer whose codes are added, or -1 */
    int skip_w, skip_c;            /* columns and channels of its map */
    int pool, pool_stride, pool_pad, pool_sum, pool_shift;
    int out_h, out_w; /* after pooling */
    int row_packed, logits, shift, planes, scaled, n_in;
    int groups, pixel_chunks, run_chunks; /* slices: see model-format.md */
    uint32_t *x[MAX_PLANES];              /* encrypted bits, one word a slice */
    int *m;                               /* [planes or 1][out_c] */
    int32_t *beta;
};

/* Random numbers, the same everywhere. */
void seed_rng(uint64_t seed);
uint32_t rnd(void);
int between(int lo, int hi); /* inclusive */

void make_net(struct net *n, int kind, int n_out, int n_min, uint64_t seed);
void write_net(const struct net *n, const char *path);

/* Sets the derived fields and draws random encrypted bits. */
void layer_init(struct layer *l, const struct net *n);
void layer_free(struct layer *l);

/* Decoded bit (1: +1, 0: -1) of row r of the slice with encrypted bits x. */
int decode(const struct net *n, int n_in, uint32_t x, int r);

/* Slice of (output channel, kernel row, chunk of the kernel row), -1: does not exist. */
int slice_of(const struct layer *l, const struct net *n, int o, int ky, int chunk);

/* Sums S of all convolution positions (before pooling): conv_h x conv_w x out_c, for every
 * plane when they are scaled. */
int sets(const struct layer *l);
void layer_sums(const struct layer *l, const struct net *n, const uint8_t *in, int32_t *sums);
int conv_h(const struct layer *l);
int conv_w(const struct layer *l);

/* Output size after pooling. */
int pooled(const struct layer *l, int conv);

/* Codes after requantising and pooling (out_h x out_w x out_c), or logits; skip: the codes of
 * the layer that is added. */
void layer_codes(const struct layer *l, int act_bits, const int32_t *sums, const uint8_t *skip,
                 uint8_t *codes);
void layer_logits(const struct layer *l, const int32_t *sums, const uint8_t *skip, int32_t *v);

#endif
