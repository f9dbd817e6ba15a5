/* SPDX-License-Identifier: Apache-2.0 */
/** The integer network and its file (docs/numerics.md, docs/model-format.md). */
#ifndef FLEXOR_MODEL_H
#define FLEXOR_MODEL_H
#include <stddef.h>
#include <stdint.h>

#include "flexor/xornet.h"

#define FLX_MODEL_VERSION 1
#define FLX_MAX_LAYERS    64
#define FLX_MAX_PLANES    8
#define FLX_MAX_XORNETS   8

#define FLX_IMAGE   (-1) /* `input` of the first layer */
#define FLX_NO_SKIP (-2) /* `skip` of a layer that adds nothing */

enum flx_plane_mode {
    FLX_PLANES_SCALED = 0, /* V = sum_p m[p][c] S_p + beta[c] */
    FLX_PLANES_BINARY = 1  /* S = sum_p 2^(planes-1-p) S_p, one m per channel */
};

enum flx_pool_kind {
    FLX_POOL_MAX = 0, /* largest code of the window */
    FLX_POOL_SUM = 1  /* clamp((sum of the window's codes + half) >> pool_shift) */
};

/** One layer: convolution (a fully connected layer is the convolution whose
 *  kernel covers its whole input), addition of an earlier layer's codes,
 *  requantisation, pooling. */
struct flx_layer {
    char name[32];
    int input; /* the layer whose output it reads, before this one; layer 0: FLX_IMAGE */
    int in_h, in_w, in_c;
    int out_c, kh, kw, stride, pad;
    int skip;        /* the layer whose codes are added, before this one, or FLX_NO_SKIP */
    int skip_stride; /* position (y, x) adds code (y, x) * skip_stride of that map */
    int skip_m;      /* V += skip_m * code, -32768..32767; channels it lacks add 0 */
    /* Pooling over pool x pool windows, pool_stride apart, pool_pad <= pool / 2 empty
     * positions around the map; a remainder is dropped. pool = 1: none. */
    int pool, pool_stride, pool_pad, pool_shift;
    enum flx_pool_kind pool_kind;
    int conv_h, conv_w; /* before pooling */
    int out_h, out_w;   /* after pooling */
    int in_zero;        /* activation code of real zero: value outside the map */
    int row_packed;     /* 1 for the first layer (see flx_slicing) */
    int logits;         /* 1: V itself is the output (last layer); 0: u8 codes */
    int shift;          /* 0..31, unused for logits */
    int planes;         /* q >= 1 */
    enum flx_plane_mode plane_mode;
    enum flx_slice_order order;
    int net[FLX_MAX_PLANES];  /* index of the XOR network of each plane */
    int n_in[FLX_MAX_PLANES]; /* stored bits a slice, per plane */
    struct flx_slicing slicing;
    /* Encrypted bits of plane p: n_in[p] bit planes of n_words 64-bit words,
     * slice s = bit s % 64 of word s / 64; bits past n_slices are 0. */
    size_t n_words;
    uint64_t *bits[FLX_MAX_PLANES];
    int16_t *m;    /* [planes or 1][out_c] */
    int32_t *beta; /* [out_c] */
};

struct flx_model {
    char name[32];    /* "lenet5", ... */
    char dataset[64]; /* what it was trained on */
    int in_h, in_w, in_c, classes;
    int act_bits; /* 8 (or 4): codes are 0..2^act_bits-1 */
    int n_nets;
    struct flx_xornet nets[FLX_MAX_XORNETS];
    int n_layers;
    struct flx_layer layers[FLX_MAX_LAYERS];
};

/** Allocates an empty model (heap, all zero). NULL without memory. */
struct flx_model *flx_model_new(void);
void flx_model_free(struct flx_model *m);

/** Sets layer @p i of a model to a plain one: it reads the layer before (layer 0 the image,
 *  row-packed), adds nothing, does not pad or pool, has strides of 1 and one scaled plane in
 *  tile order; all else 0. */
void flx_layer_defaults(struct flx_layer *l, int i);

/** Fills the derived fields of @p l (conv_h, conv_w, out_h, out_w, slicing, n_words) from
 *  the others and allocates bits, m and beta (zeroed, owned by the model). */
int flx_layer_alloc(struct flx_model *m, struct flx_layer *l);

/** Proves shapes, ranges, the absence of overflow for every layer (docs/numerics.md) and
 *  the rules of the graph (docs/model-format.md); FLX_ERR_OVERFLOW names the layer. */
int flx_model_check(const struct flx_model *m);

/** Reads and checks a model file. Nothing is returned unless all is right.
 *  FLX_ERR_NOT_FOUND, _TRUNCATED, _FORMAT, _CRC, _VERSION, _UNSUPPORTED, ... */
int flx_model_load(const char *path, struct flx_model **out);

/** Checks and writes a model file atomically (temporary file, fsync, rename). */
int flx_model_save(const struct flx_model *m, const char *path);

/** Decodes the weights of one plane to +1/-1, OHWI, out_c*kh*kw*in_c bytes. */
int flx_layer_weights(const struct flx_model *m, const struct flx_layer *l, int plane, int8_t *out);

/** One layer: the same numbers as in struct flx_model_stats. */
struct flx_layer_stats {
    uint64_t weights, macs;
    double nominal_bits;
};
void flx_layer_stats(const struct flx_model *m, const struct flx_layer *l,
                     struct flx_layer_stats *out);

struct flx_model_stats {
    uint64_t weights;              /* real weights, padding left out */
    uint64_t macs;                 /* per image, planes counted */
    uint64_t nominal_bits;         /* encrypted bits without slice padding: weights*n_in/n_out */
    uint64_t stored_bits;          /* everything the file holds, header included, in bits */
    uint64_t bytes;                /* size of the file */
    double bits_per_weight;        /* nominal */
    double bits_per_weight_stored; /* honest: stored_bits / weights */
};
/** @p path may be NULL: the size is then computed without a file. */
int flx_model_stats(const struct flx_model *m, const char *path, struct flx_model_stats *out);

#endif
