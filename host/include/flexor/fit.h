/* SPDX-License-Identifier: Apache-2.0 */
/** What a model would do on a board, from the board's parameters alone: does it fit, how
 *  many cycles an image, how many images a second; and what the build takes of the FPGA.
 *  `flexor fit` prints it; docs/fit.md has the formulas and how far they are off. */
#ifndef FLEXOR_FIT_H
#define FLEXOR_FIT_H
#include <stddef.h>
#include <stdint.h>

#include "flexor/model.h"

#define FLX_FIT_PARAMETERS 32
#define FLX_FIT_RESOURCES  4
#define FLX_FIT_MEMORIES   9
#define FLX_FIT_UNITS      24
#define FLX_FIT_QUANTITIES 48
#define FLX_FIT_CLOCKS     2

/** Predictions of logic cells, flip-flops and clocks are right within so much. */
#define FLX_FIT_ACCURACY 0.1

/** A parameter of flx_top. */
struct flx_fit_parameter {
    const char *name; /* static */
    int value;
};

/** Something of which the FPGA has only so much. */
struct flx_fit_resource {
    const char *name; /* static: "LUTs", "block RAM" ... */
    char knob[160];   /* which parameters make it smaller */
    int64_t needed, available;
};

/** A unit of the RTL, all its instances. */
struct flx_fit_unit {
    const char *name; /* static */
    double cells, ffs;
};

/** What the cells of units are computed from. */
struct flx_fit_quantity {
    const char *name; /* static */
    double value;
};

struct flx_fit_clock {
    const char *name;                  /* static: "core", "lanes" */
    int64_t needed_khz, predicted_khz; /* 0: not predicted, as the lanes' with pixels > 1 */
};

/** A memory of the build. */
struct flx_fit_memory {
    const char *name; /* static */
    int blocks;       /* of block RAM */
};

struct flx_fit_layer {
    char name[32];
    uint64_t
        busy; /* outputs (of up to pixels) in cycles of a batch of P images that issue a word */
    uint64_t cycles; /* with the weights at hand */
    uint64_t bytes;  /* of weights on the link when they are streamed */
};

struct flx_fit {
    char board[32], title[64], device[16], link[64];
    int n_parameters;
    struct flx_fit_parameter parameter[FLX_FIT_PARAMETERS];
    int64_t core_khz;
    int pixels;          /* outputs of a row in a cycle; the lanes' clock is pixels * core_khz */
    double link_bytes_s; /* ceiling of the link, one direction */
    int n_resources;
    struct flx_fit_resource resource[FLX_FIT_RESOURCES];
    int n_memories;
    struct flx_fit_memory memory[FLX_FIT_MEMORIES];
    int n_units;
    struct flx_fit_unit unit[FLX_FIT_UNITS];
    int n_clocks; /* 0: nothing is known about the FPGA */
    struct flx_fit_clock clock[FLX_FIT_CLOCKS];
    int n_quantities;
    struct flx_fit_quantity quantity[FLX_FIT_QUANTITIES];
    char refusal[320]; /* why the model cannot run, from the device compiler; "" when it can */
    /* The rest is 0 when it cannot. */
    int streamed, images; /* of a batch: P */
    int one_image;        /* images are not sent while a run is under way: no room for two */
    int n_layers;
    struct flx_fit_layer layer[FLX_MAX_LAYERS];
    uint64_t cycles;      /* of a batch */
    double lanes_busy;    /* share of the cycles */
    double images_s_core; /* the array alone */
    double images_s_link; /* the link alone: images in, logits out, streamed weights */
    double images_s;      /* the smaller one, or with one_image one after the other */
};

/** Predicts @p m on @p board of the file @p boards (rtl/boards/boards.json). @p settings:
 *  n texts "NAME=VALUE" that replace parameters of flx_top, or CORE_KHZ. Weights are
 *  streamed if they do not fit or @p stream is set. FLX_OK also when the model does not fit
 *  (see refusal). FLX_ERR_NOT_FOUND (unknown board: names those that exist), _IO, _FORMAT,
 *  _ARG (a setting). */
int flx_fit(const struct flx_model *m, const char *boards, const char *board,
            const char *const *settings, int n, int stream, struct flx_fit *out);

#endif
