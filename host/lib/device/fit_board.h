/* SPDX-License-Identifier: Apache-2.0 */
/** Boards as rtl/boards/boards.json describes them. */
#ifndef FLEXOR_FIT_BOARD_H
#define FLEXOR_FIT_BOARD_H
#include <stdint.h>

/** Parameters of flx_top that say what a build can do or takes. */
enum flx_core_parameter {
    FLX_CORE_K,
    FLX_CORE_T,
    FLX_CORE_P,
    FLX_CORE_PIXELS,
    FLX_CORE_NIN_MAX,
    FLX_CORE_ACT_W,
    FLX_CORE_ACC_W,
    FLX_CORE_LANES,
    FLX_CORE_FAN,
    FLX_CORE_RQ,
    FLX_CORE_AMEM_WORDS,
    FLX_CORE_WMEM_WORDS,
    FLX_CORE_PMEM_CH,
    FLX_CORE_PROG_LAYERS,
    FLX_CORE_RES_WORDS,
    FLX_CORE_WIN_MAX,
    FLX_CORE_SKIP,
    FLX_CORE_WINDOWS,
    FLX_CORE_SCALED,
    FLX_CORE_POOL_BITS,
    FLX_CORE_AMEM_KIND,
    FLX_CORE_LOADER,
    FLX_CORE_PIPE,
    FLX_CORE_COUNTERS,
    FLX_CORE_MAX_PAYLOAD,
    FLX_CORE_PARAMETERS
};

enum flx_link_kind { FLX_LINK_UART = 0, FLX_LINK_USB = 1 };

struct flx_board {
    char name[64], family[16], device[16];
    enum flx_link_kind link;
    int baud, rx_log2; /* of a UART */
    int speed;         /* grade of an ECP5, 0 when not given */
    int dsp;           /* multipliers are DSPs */
    int core_khz;
    int core[FLX_CORE_PARAMETERS];
};

/** "K", "T" ... as flx_top calls them. */
const char *flx_core_parameter_name(enum flx_core_parameter p);

/** Board @p id of @p file. FLX_ERR_IO, _FORMAT, _NOT_FOUND (names the boards). */
int flx_board_read(const char *file, const char *id, struct flx_board *out);

/** "NAME=VALUE" of a parameter of flx_top or CORE_KHZ. FLX_ERR_ARG. */
int flx_board_set(struct flx_board *b, const char *setting);

#endif
