/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/nn.h"
#include "flexor/status.h"
#include "flexor/train.h"

enum kind { TEXT, INT, INT64, REAL, CHOICE };

/* One option: where it lies in the struct and which values it takes. */
struct option {
    const char *name;
    enum kind kind;
    size_t at;
    double min, max;            /* numbers; TEXT: max is the size */
    const char *const *choices; /* in the order of the enum, NULL at the end */
    const char *help;
};

static const char *const modes[] = {"flexor", "binary", "float", NULL};
static const char *const xors[] = {"nested", "two-tap", "fill", NULL};
static const char *const orders[] = {"tile", "flat", NULL};
static const char *const optimisers[] = {"adam", "sgd", NULL};
static const char *const augments[] = {"auto", "none", "flip", "shift", "flip+shift", NULL};

#define AT(field) offsetof(struct flx_train_options, field)
#define MAX_SEED  9007199254740992.0
#define FLOAT_LR  1e-3
#define BINARY_LR 4e-3

static const struct option options[] = {
    {"data", TEXT, AT(data), 0, 256, NULL, "data set: fashion-mnist, mnist:DIR, idx:DIR, ..."},
    {"model", TEXT, AT(model), 0, 32, NULL, "network: lenet5, mlp"},
    {"mode", CHOICE, AT(mode), 0, 0, modes, "flexor, binary (1 bit, no XOR network), float"},
    {"bits", REAL, AT(bits), 0, 1, NULL, "stored bits a weight; sets nin"},
    {"nin", INT, AT(n_in), 0, FLX_XOR_MAX, NULL, "stored bits a slice"},
    {"nout", INT, AT(n_out), 1, FLX_XOR_MAX, NULL, "weights a slice"},
    {"xor", CHOICE, AT(xor_kind), 0, 0, xors, "XOR network: nested, two-tap, fill"},
    {"taps", INT, AT(taps), 1, FLX_XOR_MAX, NULL, "two-tap: taps of each row"},
    {"xor-seed", INT64, AT(xor_seed), 0, MAX_SEED, NULL, "what the XOR network is drawn from"},
    {"order", CHOICE, AT(order), 0, 0, orders, "weights of a slice: tile, flat (the paper's)"},
    {"epochs", INT, AT(epochs), 1, 100000, NULL, "epochs"},
    {"batch", INT, AT(batch), 1, 4096, NULL, "images a step"},
    {"train-images", INT, AT(train_images), 0, 1e9, NULL, "only the first N images; 0: all"},
    {"lr", REAL, AT(lr), 0, 100, NULL, "largest learning rate (cosine to 0); 0: by mode"},
    {"optimiser", CHOICE, AT(sgd), 0, 0, optimisers, "adam, sgd"},
    {"momentum", REAL, AT(momentum), 0, 0.9999, NULL, "sgd: momentum"},
    {"decay", REAL, AT(decay), 0, 1, NULL, "weight decay"},
    {"smoothing", REAL, AT(smoothing), 0, 0.9, NULL, "label smoothing"},
    {"warmup", REAL, AT(warmup), 0, 1, NULL, "part of the steps with a rising learning rate"},
    {"s-tanh", REAL, AT(s_tanh), 1e-3, 1e4, NULL, "S of FleXOR's gradient"},
    {"clip", REAL, AT(clip), 0, 1000, NULL, "|x| <= clip / S; 0: free"},
    {"init", REAL, AT(init), 1e-9, 10, NULL, "deviation of the first encrypted weights"},
    {"augment", CHOICE, AT(augment), 0, 0, augments, "auto, none, flip, shift, flip+shift"},
    {"seed", INT64, AT(seed), 0, MAX_SEED, NULL, "seed of weights, order and augmentation"},
    {"threads", INT, AT(threads), 0, 1024, NULL, "threads; 0: all cores"},
};

#define N_OPTIONS ((int)(sizeof options / sizeof options[0]))

void flx_train_defaults(struct flx_train_options *o)
{
    *o = (struct flx_train_options){.data = "fashion-mnist",
                                    .model = "lenet5",
                                    .mode = FLX_TRAIN_FLEXOR,
                                    .n_out = 32,
                                    .xor_kind = FLX_TRAIN_NESTED,
                                    .taps = 2,
                                    .xor_seed = 1,
                                    .epochs = 15,
                                    .batch = 100,
                                    .momentum = 0.9,
                                    .warmup = 0.05,
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

int flx_train_option_set(struct flx_train_options *o, const char *name, const char *text)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *p = &options[i];
        void *field = (char *)o + p->at;
        if (strcmp(p->name, name))
            continue;
        if (p->kind == CHOICE)
            return set_choice(p, text, field);
        if (p->kind != TEXT)
            return set_number(p, text, field);
        size_t n = strlen(text);
        if (n == 0 || n >= (size_t)p->max)
            return flx_fail(FLX_ERR_ARG, "--%s: empty or longer than %g bytes", name, p->max - 1);
        memcpy(field, text, n + 1);
        return FLX_OK;
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
    else if (p->kind == INT64)
        snprintf(text, size, "%" PRId64, *(const int64_t *)field);
    else
        format_real(*(const double *)field, text, size);
}

static int resolve_code(struct flx_train_options *o)
{
    if (o->mode == FLX_TRAIN_BINARY) {
        if ((o->n_in && o->n_in != o->n_out) || (o->bits > 0 && o->bits < 1))
            return flx_fail(FLX_ERR_ARG, "binary weights have 1 bit: leave out --bits and --nin");
        o->xor_kind = FLX_TRAIN_NESTED;
        o->n_in = o->n_out;
    } else if (o->bits > 0) {
        int n_in = (int)lround(o->bits * o->n_out);
        if (o->n_in && o->n_in != n_in)
            return flx_fail(FLX_ERR_ARG, "--bits %g wants --nin %d for --nout %d, not %d", o->bits,
                            n_in, o->n_out, o->n_in);
        o->n_in = n_in;
    } else if (!o->n_in) {
        o->n_in = (int)lround(0.6 * o->n_out);
    }
    o->bits = (double)o->n_in / o->n_out;
    if (o->n_in < 1 || o->n_in > o->n_out)
        return flx_fail(FLX_ERR_ARG,
                        "%d stored bits for %d weights: --nin must be from 1 to --nout", o->n_in,
                        o->n_out);
    if (o->order == FLX_SLICE_TILE && o->n_out % 4)
        return flx_fail(FLX_ERR_ARG, "--nout %d is not a multiple of 4: use --order flat",
                        o->n_out);
    return FLX_OK;
}

int flx_train_options_check(struct flx_train_options *o)
{
    int status = FLX_OK;
    if (o->mode != FLX_TRAIN_FLOAT)
        status = resolve_code(o);
    if (status != FLX_OK)
        return status;
    if (!flx_net_spec_find(o->model))
        return flx_fail(FLX_ERR_ARG, "--model: '%s' is none of: lenet5, mlp", o->model);
    if (o->train_images && o->train_images < o->batch)
        return flx_fail(FLX_ERR_ARG, "--train-images %d is less than one batch of %d",
                        o->train_images, o->batch);
    if (o->augment == FLX_AUGMENT_AUTO)
        o->augment = strncmp(o->data, "fashion-mnist", 13) ? FLX_AUGMENT_NONE : FLX_AUGMENT_FLIP;
    if (o->lr <= 0)
        o->lr = o->mode == FLX_TRAIN_FLOAT ? FLOAT_LR : BINARY_LR;
    if (!o->threads)
        o->threads = omp_get_num_procs();
    return FLX_OK;
}
