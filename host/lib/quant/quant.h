/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the trainer share. */
#ifndef FLEXOR_QUANT_H
#define FLEXOR_QUANT_H
#include "flexor/dataset.h"
#include "flexor/group.h"
#include "flexor/nn.h"
#include "flexor/train.h"

/* A node's: x or w of each plane, ratio of each further one, alpha, gamma, beta. */
#define FLX_TRAIN_NODE_PARAMS (2 * FLX_NN_MAX_PLANES + 2)
#define FLX_TRAIN_MAX_PARAMS  (FLX_TRAIN_NODE_PARAMS * FLX_NN_MAX_NODES)

/* Streams of the seed. */
enum flx_stream {
    FLX_STREAM_ORDER = 1,   /* + 16 * epoch */
    FLX_STREAM_AUGMENT = 2, /* + 16 * epoch; counter: image */
    FLX_STREAM_INIT = 3     /* + 16 * (node + FLX_NN_MAX_NODES * plane) */
};

/** Encrypted weights of one plane: x[j * stride + s] is stored bit j of slice s. */
struct flx_xor_layer {
    struct flx_slicing slicing;
    int n_in, n_out;
    uint32_t rows[FLX_XOR_MAX];
    size_t stride; /* n_slices rounded up to a multiple of 64 */
    float s_tanh;
    enum flx_estimator estimator;
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

/** g from the gradient of the weights, by the estimator. dw[n_weights] must be 0. */
void flx_xor_backward(const struct flx_xor_layer *l, const float *dw, int threads);

/** Plain integer weights of @p bits bits: w in float, OHWI; owned by the trainer. */
struct flx_int_layer {
    int bits, out_c;
    size_t n_weights;
    float *w, *g;
};

/** w8 = the odd integer nearest to w / alpha, alpha[o] = max|w_o| / (2^bits - 1). */
void flx_int_forward(const struct flx_int_layer *l, float *alpha, int8_t *w8);

/** g = dw / alpha: the weight in use, alpha w8, counts as if it were w itself. */
void flx_int_backward(const struct flx_int_layer *l, const float *alpha, const float *dw);

/** Weights of one node. */
struct flx_coded {
    int planes; /* XOR-coded; 0: integers or floats */
    struct flx_xor_layer plane[FLX_NN_MAX_PLANES];
    int net[FLX_NN_MAX_PLANES];   /* index of its XOR network */
    int param[FLX_NN_MAX_PLANES]; /* of x */
    struct flx_int_layer integer; /* bits 0: XOR-coded or floats */
    float *scaled;                /* [n_weights + 1], gradient of a further plane; NULL with one */
};

/** One array of what shards add up. */
struct flx_shard_field {
    float *p;
    size_t n;
    int largest;   /* the maximum counts and not the mean */
    int statistic; /* each shard starts from the value before the step */
};

/** A network in training. */
struct flx_trainer {
    struct flx_train_options o;
    int in_h, in_w, in_c, classes;
    char dataset[64];
    struct flx_net_spec spec;
    int n_nets;
    struct flx_xornet nets[FLX_MAX_XORNETS];
    int identity; /* net of the integer layers, -1: there are none */
    struct flx_net *net;
    struct flx_coded *coded; /* one a node; NULL in float mode */
    struct flx_param params[FLX_TRAIN_MAX_PARAMS];
    int n_params;
    struct flx_trainer *teacher; /* owned, or NULL */
    double bits_per_weight;      /* of the XOR-coded nodes; 32 in float mode */
    struct flx_group *group;     /* borrowed; NULL: this process alone */
    /* Shards, only where there are several. */
    struct flx_shard_field *fields;
    int n_fields;
    size_t shard_floats;  /* of one part: all fields, loss, correct answers */
    float *parts, *start; /* shards x shard_floats; the statistics before the step */
    /* Where the run stands. */
    int epoch;       /* finished epochs */
    uint64_t step;   /* finished steps in this epoch */
    double loss_sum; /* over this epoch */
    uint64_t correct;
};

/** The network of checked options. */
int flx_train_network(const struct flx_train_options *o, int classes, struct flx_net_spec *spec);

/** Builds the network of @p o (checked options) for images of this size and draws
 *  its weights. @p classes: of a named network. */
int flx_trainer_create(const struct flx_train_options *o, int h, int w, int c, int classes,
                       const char *dataset, struct flx_trainer **out);
void flx_trainer_free(struct flx_trainer *t);

/** n_in of every node (0: not XOR-coded) from the list of the options. */
int flx_trainer_rates(const struct flx_trainer *t, int n_in[FLX_NN_MAX_NODES]);

/** Index of the XOR network for plane @p plane of a layer with @p n_in stored bits,
 *  added to t->nets if need be. @p least: smallest n_in of the model. */
int flx_trainer_find_net(struct flx_trainer *t, int n_in, int plane, int least, int *index);

/** Index of a network that accepts n_in = n_out, for integer layers. */
int flx_trainer_find_identity(struct flx_trainer *t, int *index);

/** Encrypted weights whose decoded signs agree best with those of @p target (OHWI), each
 *  counted by its magnitude; |x| is @p size times what a flip of its sign would cost. */
void flx_xor_encrypt(struct flx_xor_layer *l, const float *target, float size, uint64_t seed);

/** Weights, scales and batch norm from a float checkpoint of the same network. */
int flx_trainer_warm_start(struct flx_trainer *t, const char *path);

/** Loads the teacher, which reads the same images. */
int flx_trainer_teach(struct flx_trainer *t, const char *path);

/** What the loss of these images is made of: lets the teacher look at them. */
int flx_trainer_loss(struct flx_trainer *t, const uint8_t *images, struct flx_loss *kind);

/** Puts the weights of this step into the net. */
void flx_trainer_weights(struct flx_trainer *t);

/** Learning rate and S of step @p step of the run. */
double flx_schedule_lr(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch);
double flx_schedule_s(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch);

/** Forward, backward, update; adds to loss_sum, correct and step. */
int flx_trainer_step(struct flx_trainer *t, const uint8_t *images, const uint8_t *labels,
                     uint64_t steps_per_epoch);

/** Shards. A step is: begin; for each shard: restart, forward and backward pass, take;
 *  sum. A process of several may take some of the shards and fetch the other parts. */
int flx_shards_create(struct flx_trainer *t);
void flx_shards_begin(struct flx_trainer *t);
void flx_shards_restart(struct flx_trainer *t);
void flx_shard_take(const struct flx_trainer *t, double loss, int correct, float *part);

/** Gradients and statistics of the net from @p n parts, shard_floats apart, in their
 *  order; mean loss and sum of the correct answers. */
void flx_shards_sum(struct flx_trainer *t, const float *parts, int n, double *loss, int *correct);

/** The shards of this process are first..end - 1. */
void flx_ranks_shards(const struct flx_trainer *t, int *first, int *end);

/** All ranks of t->group (which may be NULL): the parts of all shards, in t->parts. */
int flx_ranks_parts(struct flx_trainer *t);

/** All: the sum over the ranks. */
int flx_ranks_add(struct flx_trainer *t, int *count);

/** All: FLX_ERR_MISMATCH when the weights are not the same everywhere. */
int flx_ranks_compare(struct flx_trainer *t);

/** FLX_ERR_ARG when the shards cannot be divided among the ranks. */
int flx_ranks_check(const struct flx_group *g, const struct flx_train_options *o);

/** Correct answers of the float evaluation over a data set. All ranks. */
int flx_trainer_evaluate(struct flx_trainer *t, const struct flx_dataset *d, int *correct);

/** Batch norm statistics from bn_images images of @p d as they are; the same for the
 *  same weights. */
int flx_trainer_calibrate(struct flx_trainer *t, const struct flx_dataset *d);

/** The @p n images of @p order, augmented: a pure function of the seed, the epoch and
 *  the image. */
void flx_batch_fill(const struct flx_train_options *o, const struct flx_dataset *d,
                    const uint32_t *order, int n, int epoch, uint8_t *images, uint8_t *labels);

int flx_checkpoint_save(const struct flx_trainer *t, const char *path);

/** Creates the trainer from a checkpoint alone. @p given as in struct flx_train_job,
 *  compared with @p asked. */
int flx_checkpoint_load(const char *path, const struct flx_train_options *asked,
                        const char *const *given, struct flx_trainer **out);

/** The same for batches of another size and without the place in the run: a teacher. */
int flx_checkpoint_read(const char *path, int batch, int threads, struct flx_trainer **out);

/** The integer model of a trainer. FLX_ERR_UNSUPPORTED in float mode. */
int flx_trainer_pack(struct flx_trainer *t, struct flx_model **out);

#endif
