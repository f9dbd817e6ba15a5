/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the fast reference share. */
#ifndef FLEXOR_EXEC_INTERNAL_H
#define FLEXOR_EXEC_INTERNAL_H
#include "dot.h"
#include "flexor/exec.h"

/** One stored copy of the image or of a layer's output, with padding around it so
 *  that the inner loop knows no edges. All readers that see the same value outside
 *  the map share it. */
struct flx_view {
    int source; /* layer, or FLX_IMAGE */
    int h, w, c, pad, zero;
    size_t row, map; /* bytes of a padded row and of a padded map */
    int last;        /* the last layer that reads it */
    int buffer;
};

#define FLX_MAX_VIEWS (2 * FLX_MAX_LAYERS)

/** The views of a model, those of one source side by side. Views of equal geometry
 *  take turns in one buffer: its border is filled once. */
struct flx_views {
    int n, n_buffers;
    struct flx_view view[FLX_MAX_VIEWS];
    int of_buffer[FLX_MAX_VIEWS];  /* a view of every buffer */
    int input[FLX_MAX_LAYERS];     /* view that a layer reads */
    int first[FLX_MAX_LAYERS + 1]; /* first view of source i - 1: layer i - 1 writes it, skips
                                      read it; -1: none (the logits) */
};

void flx_views_init(struct flx_views *views, const struct flx_model *m);

/** One layer, prepared: decoded weights in the order of the inner loop, tables of
 *  addresses. A pass is a plane, or binary planes merged to small integers. */
struct flx_plan {
    const struct flx_layer *l;
    struct flx_dot_shape shape;
    int in, out, skip;  /* views; out: -1 for logits, skip: -1 for none */
    int conv_h, conv_w; /* positions that pooling looks at */
    uint32_t *in_at;    /* [conv_h * conv_w] first input of a position */
    uint32_t *out_at;   /* [conv_h * conv_w] where its codes go */
    uint32_t *skip_at;  /* [conv_h * conv_w] what it adds */
    int channels;       /* out_c rounded up to whole vectors */
    int passes;
    int8_t *weights; /* per pass and block of channels, see flx_dot_fn */
    size_t pass_bytes;
    int32_t *mul;      /* [passes][channels] */
    int32_t *beta;     /* [channels], half of the shift included */
    int32_t *skip_mul; /* [channels], 0 for channels that the other map lacks */
};

/** Prepares layer @p i of a checked model. Free the plan in any case. */
int flx_plan_init(struct flx_plan *plan, const struct flx_model *m, const struct flx_views *views,
                  int i);
void flx_plan_free(struct flx_plan *plan);

/** Buffers of one thread: the views for a few images, codes before pooling, and a
 *  row for the pool. */
struct flx_maps {
    uint8_t *buffer[FLX_MAX_VIEWS];
    uint8_t *unpooled;
    void *scratch;
};

struct flx_exec {
    const struct flx_model *m;
    flx_dot_fn *dot;
    int threads, n_maps;
    int batch; /* images that a thread takes at once */
    struct flx_views views;
    struct flx_plan plans[FLX_MAX_LAYERS];
    struct flx_maps *maps; /* [n_maps], one a thread */
};

/** flx_exec_create with a given inner loop (not NULL), for tests. */
int flx_exec_create_with(const struct flx_model *m, int threads, flx_dot_fn *dot,
                         struct flx_exec **out);

/** First code of a view's map for image @p image, border left out. */
uint8_t *flx_view_map(const struct flx_exec *e, const struct flx_maps *maps, int view, int image);

/** Runs a layer on @p n maps: codes go to all views of the layer, logits of the last
 *  layer to @p logits. */
void flx_plan_run(const struct flx_exec *e, const struct flx_maps *maps, int layer, int n,
                  int32_t *logits);

/** How V is made of the sums of a block of positions x vectors of channels. */
struct flx_scaling {
    const int32_t *base; /* of position p: base + p * base_stride */
    size_t base_stride;
    const int32_t *mul;
    const int32_t *skip_mul;
    const uint8_t *const *skip; /* codes that each position adds; NULL: none */
    int shift, max;
};

/** v[p][c] = base + mul[c] * sums[p][c]. @p v may be the base. */
void flx_accumulate(int32_t *v, const struct flx_scaling *s, const int32_t *sums, int positions,
                    int vecs);

/** v[p][c] += skip_mul[c] * skip[p][c]. */
void flx_add_skip(int32_t *v, const struct flx_scaling *s, int positions, int vecs);

/** V with the skip, shifted (half is in the base) and clamped to 0..max; the first
 *  @p kept channels go to out[p]. */
void flx_requantise(uint8_t *const out[], size_t kept, const struct flx_scaling *s,
                    const int32_t *sums, int positions, int vecs);

/** A pool over a map of in_h rows and in_w columns of c channels. */
struct flx_pool {
    int size, stride, pad, shift, max; /* shift and max: sums only */
    int in_h, in_w, out_h, out_w;
    size_t in_row, out_row, c;
};

/** Bytes of scratch that a pool needs. */
size_t flx_pool_scratch(const struct flx_pool *pool);

void flx_max_pool(const struct flx_pool *pool, uint8_t *out, const uint8_t *in, uint8_t *scratch);
void flx_sum_pool(const struct flx_pool *pool, uint8_t *out, const uint8_t *in, int32_t *scratch);

/** The pool of a prepared layer; rows of the output are @p out_row bytes apart. */
struct flx_pool flx_plan_pool(const struct flx_plan *plan, size_t out_row, int act_bits);

/** Images hold codes: bytes above 2^act_bits - 1 are refused. FLX_ERR_ARG. */
int flx_exec_check_images(const struct flx_model *m, const uint8_t *images, int n);

#endif
