/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the trainer share. */
#ifndef FLEXOR_QUANT_H
#define FLEXOR_QUANT_H
#include "flexor/dataset.h"
#include "flexor/nn.h"
#include "flexor/train.h"

#define FLX_TRAIN_MAX_NODES  FLX_MAX_LAYERS
#define FLX_TRAIN_MAX_PARAMS (4 * FLX_TRAIN_MAX_NODES)

/* Streams of the seed. */
enum flx_stream {
    FLX_STREAM_ORDER = 1,   /* + 16 * epoch */
    FLX_STREAM_AUGMENT = 2, /* + 16 * epoch; counter: image */
    FLX_STREAM_INIT = 3     /* + 16 * node */
};

/** Encrypted weights of one layer: x[j * stride + s] is stored bit j of slice s. */
struct flx_xor_layer {
    struct flx_slicing slicing;
    int n_in, n_out;
    uint32_t rows[FLX_XOR_MAX];
    size_t stride; /* n_slices rounded up to a multiple of 64 */
    float s_tanh;
    float *x, *g;   /* n_in x stride; g: gradient */
    int32_t *index; /* n_out x stride, OHWI index; the padding points to n_weights */
    size_t n_weights;
    int quads; /* rows kk * t0 + tt, kk = 0..3, are neighbours in OHWI order */
};

/** Allocates; x = 0. */
int flx_xor_layer_init(struct flx_xor_layer *l, const struct flx_xornet *net, int n_in,
                       const struct flx_slicing *slicing, size_t n_weights, float s_tanh);
void flx_xor_layer_free(struct flx_xor_layer *l);

/** w8[index] = product of the signs of the taps (FleXOR, sign(0) = +1). */
void flx_xor_forward(const struct flx_xor_layer *l, int8_t *w8, int threads);

/** g from the gradient of the weights (FleXOR Eq. 6). dw[n_weights] must be 0. */
void flx_xor_backward(const struct flx_xor_layer *l, const float *dw, int threads);

/** A network in training. */
struct flx_trainer {
    struct flx_train_options o;
    int in_h, in_w, in_c;
    char dataset[64];
    struct flx_xornet xornet;
    struct flx_net *net;
    struct flx_xor_layer *layers; /* one a node; NULL in float mode */
    struct flx_param params[FLX_TRAIN_MAX_PARAMS];
    int n_params;
    /* Where the run stands. */
    int epoch;       /* finished epochs */
    uint64_t step;   /* finished steps in this epoch */
    double loss_sum; /* over this epoch */
    uint64_t correct;
};

/** Builds the network of @p o (checked options) for images of this size and draws
 *  its weights. */
int flx_trainer_create(const struct flx_train_options *o, int h, int w, int c, const char *dataset,
                       struct flx_trainer **out);
void flx_trainer_free(struct flx_trainer *t);

/** Puts the weights of this step into the net. */
void flx_trainer_weights(struct flx_trainer *t);

/** Forward, backward, update; adds to loss_sum, correct and step. */
int flx_trainer_step(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels,
                     uint64_t steps_per_epoch);

/** Correct answers of the float evaluation over a data set. */
int flx_trainer_evaluate(struct flx_trainer *t, const struct flx_dataset *d, int *correct);

/** Images first.. of the epoch's order, augmented: a pure function of the seed,
 *  the epoch and the image. */
void flx_batch_fill(const struct flx_train_options *o, const struct flx_dataset *d,
                    const uint32_t *order, int epoch, uint8_t *images, uint8_t *labels);

int flx_checkpoint_save(const struct flx_trainer *t, const char *path);

/** Creates the trainer from a checkpoint alone. @p given as in struct flx_train_job,
 *  compared with @p asked. */
int flx_checkpoint_load(const char *path, const struct flx_train_options *asked,
                        const char *const *given, struct flx_trainer **out);

/** The integer model of a trainer. FLX_ERR_UNSUPPORTED in float mode. */
int flx_trainer_pack(const struct flx_trainer *t, struct flx_model **out);

#endif
