/* SPDX-License-Identifier: Apache-2.0 */
/** The trainer: networks with XOR-coded weights, integer weights and unsigned activations
 *  in the loop, checkpoints that resume bit-identically, packing into integer models. */
#ifndef FLEXOR_TRAIN_H
#define FLEXOR_TRAIN_H
#include <stdint.h>

#include "flexor/group.h"
#include "flexor/model.h"
#include "flexor/xornet.h"

#define FLX_TRAIN_MAX_LIST    64
#define FLX_TRAIN_MAX_NETWORK 16384 /* bytes of a network's JSON text */

enum flx_train_mode {
    FLX_TRAIN_FLEXOR = 0, /* weights through an XOR network */
    FLX_TRAIN_BINARY = 1, /* the same with n_in = n_out: plain +1/-1 weights */
    FLX_TRAIN_FLOAT = 2   /* float weights and activations, not packed */
};

enum flx_train_xor {
    FLX_TRAIN_NESTED = 0,
    FLX_TRAIN_TAPS = 1, /* the paper's: `taps` random taps a row */
    FLX_TRAIN_FILL = 2  /* the paper's: random 0/1 rows */
};

/** Gradient of an XOR gate (Figure 5 of the paper). */
enum flx_estimator {
    FLX_ESTIMATOR_FLEXOR = 0, /* Eq. 6: S (1 - tanh^2 S x) times the signs of the other taps */
    FLX_ESTIMATOR_STE = 1,    /* the signs of the other taps */
    FLX_ESTIMATOR_ANALOG = 2  /* derivative of the product of tanh (Eq. 3) */
};

enum flx_schedule {
    FLX_SCHEDULE_COSINE = 0, /* to 0 */
    FLX_SCHEDULE_STEP = 1,   /* times lr_drop at each of decay_epochs */
    FLX_SCHEDULE_LINEAR = 2  /* to 0 */
};

enum flx_augment {
    FLX_AUGMENT_AUTO = 0, /* flip for fashion-mnist, flip+crop for cifar10, none for others */
    FLX_AUGMENT_NONE,
    FLX_AUGMENT_FLIP,  /* mirrored, every second image */
    FLX_AUGMENT_SHIFT, /* up to 2 pixels each way */
    FLX_AUGMENT_FLIP_SHIFT,
    FLX_AUGMENT_CROP, /* up to 4 pixels each way: pad and crop */
    FLX_AUGMENT_FLIP_CROP
};

/** Named sets of options. */
enum flx_recipe {
    FLX_RECIPE_NONE = 0,
    FLX_RECIPE_PAPER_MNIST,    /* the paper's Figure 4: LeNet-5 */
    FLX_RECIPE_PAPER_RESNET,   /* its tables on CIFAR-10 */
    FLX_RECIPE_PAPER_ABLATION, /* its Figures 5 and 6 */
    FLX_RECIPE_FAST            /* ours, for a short budget */
};

/** Whole numbers; n 0: not given. */
struct flx_int_list {
    int n;
    int v[FLX_TRAIN_MAX_LIST];
};

/** What decides the result; kept in the checkpoint. */
struct flx_train_options {
    enum flx_recipe recipe; /* for the record: its options stand below */
    char data[256];
    char model[256];                     /* a name, or the file of a description; auto */
    char network[FLX_TRAIN_MAX_NETWORK]; /* text of that file, "" for a name */
    int first_bits, last_bits;           /* integer layers of the residual networks */
    int act_bits;                        /* 8 or 4 */
    enum flx_train_mode mode;
    int bf16_forward; /* float mode: products of the forward pass in bfloat16 */
    double bits;      /* stored bits a weight, all planes; 0: n_in is given */
    /* Stored bits a slice: one for all, one an XOR-coded layer, or one a stage. */
    struct flx_int_list n_in;
    int n_out, planes;
    int plane_own; /* each plane has an XOR network of its own */
    enum flx_train_xor xor_kind;
    int taps;
    int64_t xor_seed; /* + plane with plane_own */
    enum flx_slice_order order;
    enum flx_estimator estimator;
    int epochs, batch; /* 0: by data set */
    int shards;        /* parts of a batch with batch norm statistics of their own */
    int train_images;  /* 0: all */
    int bn_images;     /* batch norm is estimated anew from so many at the end; 0: not */
    int test_every;    /* epochs between two tests; the last is always tested */
    double lr;         /* 0: by mode */
    int sgd;           /* SGD with momentum in place of Adam */
    double momentum, decay, smoothing;
    char teacher[256];           /* checkpoint whose logits are learnt too, or "" */
    double distill, temperature; /* share of its part in the loss; softening of logits */
    char warm_start[256];        /* float checkpoint to start from, or "" */
    enum flx_schedule schedule;
    double warmup;     /* part of all steps */
    int warmup_epochs; /* if not 0, in place of warmup */
    struct flx_int_list decay_epochs;
    double lr_drop;
    double s_tanh, s_start; /* s_start: S at the start of the warm-up; 0: s_tanh */
    int s_double;           /* S doubles at each of decay_epochs */
    double clip, init;      /* clip: |x| <= clip / S, 0: free; init: deviation of x */
    double alpha_init;      /* first scale of every plane; 0: He's deviation */
    enum flx_augment augment;
    int64_t seed;
    int threads; /* 0: all cores */
};

void flx_train_defaults(struct flx_train_options *o);

/** Sets the options of a recipe, and leaves the others. */
int flx_train_recipe(struct flx_train_options *o, enum flx_recipe recipe);

/** Options by name, as on the command line and in checkpoints. */
int flx_train_option_count(void);
const char *flx_train_option_name(int i);
const char *flx_train_option_help(int i);

/** Sets option @p name ("lr") from text. FLX_ERR_ARG with a sentence. */
int flx_train_option_set(struct flx_train_options *o, const char *name, const char *text);

/** Text of option @p i, which flx_train_option_set reads back to the same value. */
void flx_train_option_text(const struct flx_train_options *o, int i, char *text, size_t size);

/** Reads the file of the network, resolves everything that was left to choose;
 *  FLX_ERR_ARG for combinations that cannot be. */
int flx_train_options_check(struct flx_train_options *o);

/** After each step and each epoch (then `epoch_done`). */
struct flx_train_progress {
    int epoch, epochs;    /* epoch counts from 1 */
    uint64_t step, steps; /* of the whole run */
    int epoch_done;
    double loss, train_accuracy; /* mean over this epoch so far */
    double test_accuracy;        /* at the end of an epoch; -1: not tested */
    double images_per_second, eta;
};

struct flx_train_job {
    struct flx_train_options options;
    /* Names of the options that were given, for --resume: one that differs from
     * the checkpoint's is refused. NULL-terminated; NULL: none. */
    const char *const *given;
    const char *resume;     /* checkpoint to continue, or NULL */
    const char *checkpoint; /* written after every epoch and when stopped, or NULL */
    const char *output;     /* model file, or NULL; not in float mode */
    /* Called after every step; nonzero stops: the checkpoint is written and
     * FLX_ERR_INTERRUPTED returned. */
    int (*progress)(void *user, const struct flx_train_progress *p);
    void *user;
    /* Processes that share the work: each calls flx_train_run with the same job, one of
     * them may stop all. Only the leader writes files. NULL: alone. Borrowed. */
    struct flx_group *group;
};

struct flx_train_result {
    struct flx_train_options options; /* as resolved */
    double bits_per_weight;           /* of the XOR-coded layers; 32 in float mode */
    double loss, train_accuracy;      /* last epoch */
    double test_accuracy;             /* float evaluation, all test images */
    double integer_accuracy;          /* the packed model's; -1 without one */
    int test_images;
    double seconds, images_per_second; /* training alone */
};

/** Trains, or continues. The status says what was wrong with options, data sets
 *  or files; FLX_ERR_INTERRUPTED when `progress` asked to stop. */
int flx_train_run(const struct flx_train_job *job, struct flx_train_result *result);

/** Makes the integer model of a checkpoint. The caller frees it. FLX_ERR_FORMAT,
 *  _UNSUPPORTED (a float checkpoint), _OVERFLOW, ... */
int flx_pack_checkpoint(const char *path, struct flx_model **out);

#endif
