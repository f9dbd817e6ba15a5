/* SPDX-License-Identifier: Apache-2.0 */
/** XOR networks: y = M x over GF(2), n_in stored bits -> n_out weight bits.
 *  Bit 1 stands for +1, bit 0 for -1. Row i of M is a mask: bit j set means
 *  that input j is a tap of output i. */
#ifndef FLEXOR_XORNET_H
#define FLEXOR_XORNET_H
#include <stddef.h>
#include <stdint.h>

#define FLX_XOR_MAX 32 /* largest n_in and n_out */

enum flx_xornet_kind {
    /** One network for every n_in in [n_min, n_max = n_out]: row i is input i
     *  when i < n_in, else the XOR of the pair pair[i], whose taps are below
     *  n_min. Rows are distinct, every input is used, rank = n_in. n_in = n_out
     *  is the identity (plain binary). The default. */
    FLX_XORNET_NESTED = 0,
    /** Fixed rows for one n_in (= n_min = n_max): the paper's constructions. */
    FLX_XORNET_FIXED = 1
};

struct flx_xornet {
    enum flx_xornet_kind kind;
    int n_out;                  /* 1..32 */
    int n_min, n_max;           /* accepted n_in, 1..n_out */
    uint64_t seed;              /* what it was drawn from, for the record */
    uint32_t rows[FLX_XOR_MAX]; /* nested: pair masks for i >= n_min, else 0;
                                   fixed: the rows of M */
};

/** Default network: nested, pairs spread evenly over the first n_min inputs.
 *  @return FLX_ERR_ARG when n_min (n_min - 1) / 2 < n_out - n_min or a range is off. */
int flx_xornet_nested(struct flx_xornet *net, int n_out, int n_min, uint64_t seed);

/** The project's network wherever none is named: nested, n_out 32, n_min 13,
 *  seed 1. Always FLX_OK. */
int flx_xornet_default(struct flx_xornet *net);

/** The paper's random M: @p taps distinct taps a row, rows free (taps >= 1),
 *  or a random 0/1 fill with no empty row (taps = 0). */
int flx_xornet_random(struct flx_xornet *net, int n_in, int n_out, int taps, uint64_t seed);

/** FLX_OK if the structure is consistent (ranges, no empty row, taps in range,
 *  unused rows 0, nested pairs distinct with two taps below n_min), else
 *  FLX_ERR_ARG with a sentence. */
int flx_xornet_check(const struct flx_xornet *net);

/** Row @p i of M for @p n_in inputs. Caller has checked the ranges. */
uint32_t flx_xornet_row(const struct flx_xornet *net, int n_in, int i);

/** Rank over GF(2) of M for @p n_in. */
int flx_xornet_rank(const struct flx_xornet *net, int n_in);

/** CRC-32 over kind, n_out, n_min, n_max (one byte each) and 32 rows (LE u32,
 *  unused rows 0). The seed is not part of it. */
uint32_t flx_xornet_hash(const struct flx_xornet *net);

/** Bit-sliced decoder. in: n_in planes, out: n_out planes, each of n_words
 *  64-bit words (slice s = bit s % 64 of word s / 64). Planes are @p stride
 *  words apart. out must not overlap in. */
void flx_xornet_decode(const struct flx_xornet *net, int n_in, const uint64_t *in, uint64_t *out,
                       size_t n_words, size_t stride);

/** Order of the weights of one layer in slices. */
enum flx_slice_order {
    FLX_SLICE_TILE = 0, /* k0 inputs x t0 output channels: what the hardware runs */
    FLX_SLICE_FLAT = 1  /* the paper's: [kh,kw,Cin,Cout] flattened, consecutive n_out */
};

/** Slicing of a conv weight tensor [out_c][kh][kw][in_c] (OHWI).
 *  Tile order: k0 = 4, t0 = n_out / 4. Slice index =
 *    (group * kh + ky) * run_chunks + chunk, group = o / t0.
 *  A kernel row is a run of inputs: row_packed: the kw*in_c inputs (kx major, c
 *  minor) padded once to a multiple of k0; else every kernel position's in_c is
 *  padded to a multiple of k0 (chunk = kx * ceil(in_c/k0) + c / k0).
 *  Row of the slice r = kk * t0 + tt (kk: input in the chunk, tt: channel in
 *  the group). */
struct flx_slicing {
    enum flx_slice_order order;
    int n_out, k0, t0;
    int out_c, kh, kw, in_c;
    int row_packed;
    int groups, run_chunks; /* tile order only */
    size_t n_slices;
};

/** Fills @p s. FLX_ERR_ARG on impossible shapes (tile order wants n_out % 4 == 0). */
int flx_slicing_init(struct flx_slicing *s, enum flx_slice_order order, int n_out, int out_c,
                     int kh, int kw, int in_c, int row_packed);

/** Linear OHWI index of weight (slice, row), or -1 when the position is padding. */
ptrdiff_t flx_slicing_index(const struct flx_slicing *s, size_t slice, int row);

#endif
