/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/nn.h"
#include "flexor/status.h"
#include "flexor/train.h"

enum kind { TEXT, INT, INT64, REAL, CHOICE, LIST };

/* One option: where it lies in the struct and which values it takes. */
struct option {
    const char *name;
    enum kind kind;
    size_t at;
    double min, max;            /* numbers; TEXT: length, size */
    const char *const *choices; /* in the order of the enum, NULL at the end */
    const char *help;
};

static const char *const recipes[] = {"none",           "paper-mnist", "paper-resnet",
                                      "paper-ablation", "fast",        NULL};
static const char *const modes[] = {"flexor", "binary", "float", NULL};
static const char *const precisions[] = {"f32", "bf16", NULL};
static const char *const xors[] = {"nested", "two-tap", "fill", NULL};
static const char *const plane_xors[] = {"same", "own", NULL};
static const char *const orders[] = {"tile", "flat", NULL};
static const char *const estimators[] = {"flexor", "ste", "analog", NULL};
static const char *const optimisers[] = {"adam", "sgd", NULL};
static const char *const schedules[] = {"cosine", "step", "linear", NULL};
static const char *const switches[] = {"off", "on", NULL};
static const char *const augments[] = {"auto",       "none", "flip",      "shift",
                                       "flip+shift", "crop", "flip+crop", NULL};

#define AT(field) offsetof(struct flx_train_options, field)
#define MAX_SEED  9007199254740992.0

static const struct option options[] = {
    {"recipe", CHOICE, AT(recipe), 0, 0, recipes,
     "defaults: none, paper-mnist, paper-resnet, paper-ablation, fast"},
    {"data", TEXT, AT(data), 1, 256, NULL, "data set: fashion-mnist, cifar10:DIR, idx:DIR, ..."},
    {"model", TEXT, AT(model), 1, 256, NULL,
     "network: lenet5, mlp, resnet20, resnet32, resnet18, FILE.json; auto"},
    {"first-bits", INT, AT(first_bits), 0, 7, NULL,
     "residual networks: integer bits of the first layer; 0: XOR-coded"},
    {"last-bits", INT, AT(last_bits), 0, 7, NULL,
     "residual networks: integer bits of the last layer; 0: XOR-coded"},
    {"act-bits", INT, AT(act_bits), 4, 8, NULL, "bits of an activation, 8 or 4"},
    {"mode", CHOICE, AT(mode), 0, 0, modes, "flexor, binary (1 bit, no XOR network), float"},
    {"precision", CHOICE, AT(bf16_forward), 0, 0, precisions,
     "float mode: products of the forward pass in f32, bf16"},
    {"bits", REAL, AT(bits), 0, 4, NULL, "stored bits a weight, all planes; sets nin"},
    {"nin", LIST, AT(n_in), 1, FLX_XOR_MAX, NULL,
     "stored bits a slice, or a list: one a stage or an XOR-coded layer"},
    {"nout", INT, AT(n_out), 1, FLX_XOR_MAX, NULL, "weights a slice"},
    {"planes", INT, AT(planes), 1, FLX_NN_MAX_PLANES, NULL, "planes of XOR-coded weights"},
    {"plane-xor", CHOICE, AT(plane_own), 0, 0, plane_xors, "XOR network of the planes: same, own"},
    {"xor", CHOICE, AT(xor_kind), 0, 0, xors, "XOR network: nested, two-tap, fill"},
    {"taps", INT, AT(taps), 1, FLX_XOR_MAX, NULL, "two-tap: taps of each row"},
    {"xor-seed", INT64, AT(xor_seed), 0, MAX_SEED, NULL, "what the XOR network is drawn from"},
    {"order", CHOICE, AT(order), 0, 0, orders, "weights of a slice: tile, flat (the paper's)"},
    {"estimator", CHOICE, AT(estimator), 0, 0, estimators, "gradient: flexor, ste, analog"},
    {"epochs", INT, AT(epochs), 0, 100000, NULL, "epochs; 0: by data set"},
    {"batch", INT, AT(batch), 0, 4096, NULL, "images a step; 0: by data set"},
    {"shards", INT, AT(shards), 1, 256, NULL, "parts of a batch, each with its own statistics"},
    {"train-images", INT, AT(train_images), 0, 1e9, NULL, "only the first N images; 0: all"},
    {"bn-images", INT, AT(bn_images), 0, 1e9, NULL,
     "images from which batch norm is estimated anew at the end"},
    {"test-every", INT, AT(test_every), 1, 100000, NULL, "epochs between two tests"},
    {"lr", REAL, AT(lr), 0, 100, NULL, "largest learning rate; 0: by data set and mode"},
    {"optimiser", CHOICE, AT(sgd), 0, 0, optimisers, "adam, sgd"},
    {"momentum", REAL, AT(momentum), 0, 0.9999, NULL, "sgd: momentum"},
    {"decay", REAL, AT(decay), 0, 1, NULL, "weight decay"},
    {"smoothing", REAL, AT(smoothing), 0, 0.9, NULL, "label smoothing"},
    {"teacher", TEXT, AT(teacher), 0, 256, NULL, "checkpoint of a network to learn from"},
    {"distill", REAL, AT(distill), 0, 1, NULL, "share of the teacher in the loss"},
    {"temperature", REAL, AT(temperature), 0.1, 100, NULL, "softening of the logits"},
    {"warm-start", TEXT, AT(warm_start), 0, 256, NULL, "float checkpoint to start from"},
    {"schedule", CHOICE, AT(schedule), 0, 0, schedules, "learning rate: cosine, step, linear"},
    {"warmup", REAL, AT(warmup), 0, 1, NULL, "part of the steps with a rising learning rate"},
    {"warmup-epochs", INT, AT(warmup_epochs), 0, 100000, NULL, "if not 0, in place of warmup"},
    {"decay-epochs", LIST, AT(decay_epochs), 1, 100000, NULL, "step: after which epochs"},
    {"lr-drop", REAL, AT(lr_drop), 0, 1, NULL, "step: factor of the learning rate"},
    {"s-tanh", REAL, AT(s_tanh), 1e-3, 1e4, NULL, "S of FleXOR's gradient"},
    {"s-start", REAL, AT(s_start), 0, 1e4, NULL, "S at the start of the warm-up; 0: s-tanh"},
    {"s-double", CHOICE, AT(s_double), 0, 0, switches, "S doubles at decay-epochs: off, on"},
    {"clip", REAL, AT(clip), 0, 1000, NULL, "|x| <= clip / S; 0: free"},
    {"init", REAL, AT(init), 1e-9, 10, NULL, "deviation of the first encrypted weights"},
    {"alpha-init", REAL, AT(alpha_init), 0, 10, NULL, "first scale of a plane; 0: He's deviation"},
    {"augment", CHOICE, AT(augment), 0, 0, augments,
     "auto, none, flip, shift, flip+shift, crop, flip+crop"},
    {"seed", INT64, AT(seed), 0, MAX_SEED, NULL, "seed of weights, order and augmentation"},
    {"threads", INT, AT(threads), 0, 1024, NULL, "threads; 0: all cores"},
};

#define N_OPTIONS ((int)(sizeof options / sizeof options[0]))

void flx_train_defaults(struct flx_train_options *o)
{
    *o = (struct flx_train_options){.data = "fashion-mnist",
                                    .model = "auto",
                                    .first_bits = 4,
                                    .last_bits = 6,
                                    .act_bits = 8,
                                    .mode = FLX_TRAIN_FLEXOR,
                                    .n_out = 32,
                                    .planes = 1,
                                    .xor_kind = FLX_TRAIN_NESTED,
                                    .taps = 2,
                                    .xor_seed = 1,
                                    .shards = 1,
                                    .bn_images = 5000,
                                    .test_every = 1,
                                    .momentum = 0.9,
                                    .distill = 0.5,
                                    .temperature = 4,
                                    .warmup = 0.05,
                                    .lr_drop = 0.5,
                                    .s_tanh = 30,
                                    .clip = 2,
                                    .init = 0.003,
                                    .seed = 1};
}

int flx_train_option_count(void)
{
    return N_OPTIONS;
}

const char *flx_train_option_name(int i)
{
    return options[i].name;
}

const char *flx_train_option_help(int i)
{
    return options[i].help;
}

static int set_choice(const struct option *p, const char *text, void *field)
{
    for (int i = 0; p->choices[i]; i++)
        if (!strcmp(p->choices[i], text)) {
            memcpy(field, &i, sizeof i); /* the enums have the size of int */
            return FLX_OK;
        }
    return flx_fail(FLX_ERR_ARG, "--%s: '%s' is none of: %s", p->name, text, p->help);
}

static int set_number(const struct option *p, const char *text, void *field)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    int whole = p->kind != REAL;
    if (end == text || *end || errno || !(x >= p->min && x <= p->max) || (whole && x != floor(x)))
        return flx_fail(FLX_ERR_ARG, "--%s: '%s' is not %s from %.15g to %.15g", p->name, text,
                        whole ? "an integer" : "a number", p->min, p->max);
    if (p->kind == INT)
        *(int *)field = (int)x;
    else if (p->kind == INT64)
        *(int64_t *)field = (int64_t)x;
    else
        *(double *)field = x;
    return FLX_OK;
}

/* "19", "19,16,7", or "0" for a list that is not given. */
static int set_list(const struct option *p, const char *text, struct flx_int_list *list)
{
    struct flx_int_list l = {0};
    const char *at = text;
    for (int more = strcmp(text, "0") != 0; more; at++) {
        char *end;
        long x = strtol(at, &end, 10);
        if (end == at || (*end && *end != ',') || (double)x < p->min || (double)x > p->max ||
            l.n == FLX_TRAIN_MAX_LIST)
            return flx_fail(FLX_ERR_ARG,
                            "--%s: '%s' is not a list of up to %d integers from %.15g to %.15g",
                            p->name, text, FLX_TRAIN_MAX_LIST, p->min, p->max);
        l.v[l.n++] = (int)x;
        more = *end == ',';
        at = end;
    }
    *list = l;
    return FLX_OK;
}

static int set_text(const struct option *p, const char *text, char *field)
{
    size_t n = strlen(text);
    if (n < (size_t)p->min || n >= (size_t)p->max)
        return flx_fail(FLX_ERR_ARG, "--%s: empty or longer than %g bytes", p->name, p->max - 1);
    memcpy(field, text, n + 1);
    return FLX_OK;
}

int flx_train_option_set(struct flx_train_options *o, const char *name, const char *text)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *p = &options[i];
        void *field = (char *)o + p->at;
        if (strcmp(p->name, name))
            continue;
        if (p->kind == CHOICE)
            return set_choice(p, text, field);
        if (p->kind == LIST)
            return set_list(p, text, field);
        return p->kind == TEXT ? set_text(p, text, field) : set_number(p, text, field);
    }
    return flx_fail(FLX_ERR_ARG, "unknown training option '%s'", name);
}

/* The shorter of two texts that read back to the same number. */
static void format_real(double x, char *text, size_t size)
{
    snprintf(text, size, "%.15g", x);
    if (memcmp(&(double){strtod(text, NULL)}, &x, sizeof x) != 0)
        snprintf(text, size, "%.17g", x);
}

static void format_list(const struct flx_int_list *l, char *text, size_t size)
{
    size_t at = 0;
    snprintf(text, size, "0");
    for (int i = 0; i < l->n && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, i ? ",%d" : "%d", l->v[i]);
}

void flx_train_option_text(const struct flx_train_options *o, int i, char *text, size_t size)
{
    const struct option *p = &options[i];
    const void *field = (const char *)o + p->at;
    if (p->kind == TEXT)
        snprintf(text, size, "%s", (const char *)field);
    else if (p->kind == CHOICE)
        snprintf(text, size, "%s", p->choices[*(const int *)field]);
    else if (p->kind == INT)
        snprintf(text, size, "%d", *(const int *)field);
    else if (p->kind == LIST)
        format_list(field, text, size);
    else if (p->kind == INT64)
        snprintf(text, size, "%" PRId64, *(const int64_t *)field);
    else
        format_real(*(const double *)field, text, size);
}
