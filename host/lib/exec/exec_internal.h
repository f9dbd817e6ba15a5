/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the fast reference share. */
#ifndef FLEXOR_EXEC_INTERNAL_H
#define FLEXOR_EXEC_INTERNAL_H
#include "dot.h"
#include "flexor/exec.h"

/** One layer, prepared: decoded weights in the order of the inner loop, tables of
 *  addresses. Maps are stored with their padding around them, so that the inner
 *  loop knows no edges. */
struct flx_plan {
    const struct flx_layer *l;
    struct flx_dot_shape shape;
    size_t in_row, in_map; /* bytes of a row and of a map of the padded input */
    int conv_h, conv_w;    /* positions that pooling does not drop */
    uint32_t *in_at;       /* [conv_h * conv_w] first input of a position */
    uint32_t *out_at;      /* [conv_h * conv_w] where its codes go */
    int channels;          /* out_c rounded up to whole vectors */
    int8_t *weights;       /* per plane and block of channels, see flx_dot_fn */
    size_t plane_bytes;
    int32_t *mul;  /* [planes][channels] */
    int32_t *beta; /* [channels] */
};

/** Prepares layer @p i of a checked model. Free the plan in any case. */
int flx_plan_init(struct flx_plan *plan, const struct flx_model *m, int i);
void flx_plan_free(struct flx_plan *plan);

/** Buffers of one thread: the padded input maps of every layer for a few images,
 *  borders filled, and codes before pooling. */
struct flx_maps {
    uint8_t *in[FLX_MAX_LAYERS];
    uint8_t *unpooled;
};

struct flx_exec {
    const struct flx_model *m;
    flx_dot_fn *dot;
    int threads, n_maps;
    int batch; /* images that a thread takes at once */
    struct flx_plan plans[FLX_MAX_LAYERS];
    struct flx_maps *maps; /* [n_maps], one a thread */
};

/** flx_exec_create with a given inner loop (not NULL), for tests. */
int flx_exec_create_with(const struct flx_model *m, int threads, flx_dot_fn *dot,
                         struct flx_exec **out);

/** Runs a layer on @p n maps: codes go to the input of the next layer, logits of
 *  the last layer to @p logits. */
void flx_plan_run(const struct flx_exec *e, const struct flx_maps *maps, int layer, int n,
                  int32_t *logits);

/** V of a block of positions x vecs vectors of channels, after one more plane:
 *  v[p][c] = base[p * base_stride + c] + mul[c] * sums[p][c]. @p v may be @p base. */
void flx_accumulate(int32_t *v, const int32_t *base, size_t base_stride, const int32_t *sums,
                    const int32_t *mul, int positions, int vecs);

/** codes[i] = clamp((v[i] + half) >> shift, 0, max), vectors * 16 of them. */
void flx_requantise(uint8_t *codes, const int32_t *v, int vectors, int shift, int max);

/** Maximum over size x size windows of c channels; rows of the maps are in_row
 *  and out_row bytes apart. Changes @p in. */
void flx_max_pool(uint8_t *out, size_t out_row, int out_h, int out_w, uint8_t *in, size_t in_row,
                  size_t c, int size);

/** Images hold codes: bytes above 2^act_bits - 1 are refused. FLX_ERR_ARG. */
int flx_exec_check_images(const struct flx_model *m, const uint8_t *images, int n);

#endif
