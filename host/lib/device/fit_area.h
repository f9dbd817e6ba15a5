/* SPDX-License-Identifier: Apache-2.0 */
/** Logic cells, flip-flops and clocks of a build, unit by unit (docs/fit.md). */
#ifndef FLEXOR_FIT_AREA_H
#define FLEXOR_FIT_AREA_H
#include "fit_board.h"
#include "flexor/fit.h"

/** What the cells of a unit are sums of products of. Flags are 0 or 1. */
enum flx_quantity {
    FLX_Q_ONE,
    FLX_Q_K,
    FLX_Q_T,
    FLX_Q_P,
    FLX_Q_RING,  /* PIXELS - 1 */
    FLX_Q_RINGS, /* PIXELS > 1 */
    FLX_Q_NO_RINGS,
    FLX_Q_ACT_W,
    FLX_Q_ACC_W,
    FLX_Q_RQ,
    FLX_Q_NIN_MAX,
    FLX_Q_PLAIN, /* structure of the lanes: a flag each */
    FLX_Q_PAIRS,
    FLX_Q_ROWS,
    FLX_Q_COPIES, /* FAN is set */
    FLX_Q_PIPE,
    FLX_Q_NO_PIPE,
    FLX_Q_SKIP,     /* 1 or 2 */
    FLX_Q_SKIP_OWN, /* 2 */
    FLX_Q_WINDOWS,
    FLX_Q_SCALED,
    FLX_Q_NO_SCALED,
    FLX_Q_SUMS,  /* POOL_BITS is set */
    FLX_Q_STORE, /* AMEM_KIND = 1 */
    FLX_Q_NO_STORE,
    FLX_Q_WIDE, /* LOADER = 0 */
    FLX_Q_NARROW,
    FLX_Q_COUNTERS,
    FLX_Q_NO_DSP, /* multipliers are made of logic cells */
    FLX_Q_UART,
    FLX_Q_USB,
    FLX_Q_BANKS,      /* K / 4 */
    FLX_Q_STEPS,      /* T / RQ */
    FLX_Q_WORD_BYTES, /* of the widest weight word */
    FLX_Q_AMEM_LOG2,  /* address bits from here on */
    FLX_Q_WMEM_LOG2,
    FLX_Q_PMEM_LOG2,
    FLX_Q_LAYERS_LOG2,
    FLX_Q_WIN_LOG2,
    FLX_Q_PAYLOAD_LOG2,
    FLX_Q_FIFO_LOG2,
    FLX_QUANTITIES
};

const char *flx_quantity_name(enum flx_quantity q);

/** The quantities of a board's build for @p n_out weights a slice. */
void flx_fit_quantities(const struct flx_board *b, int n_out, double q[FLX_QUANTITIES]);

/** Cells and flip-flops of the units of a board's build: how many are listed. 0 when the
 *  family is not known. */
int flx_fit_area(const struct flx_board *b, int n_out, struct flx_fit_unit use[FLX_FIT_UNITS]);

/** Multiplier blocks: those of flx_requant (flx_mac, flx_clamp, flx_pool), and one of flx_pixels.
 */
int flx_fit_dsps(const struct flx_board *b);

/** Clocks that a board's build needs and will reach: how many are listed, 0 when its
 *  speed is not known. */
int flx_fit_clocks(const struct flx_board *b, int n_out, struct flx_fit_clock out[FLX_FIT_CLOCKS]);

/** The changes of a parameter that free most logic cells, with what they free:
 *  "LANES=2 frees 3500, LOADER=1 1200". */
void flx_fit_knobs(const struct flx_board *b, int n_out, char *out, size_t size);

#endif
