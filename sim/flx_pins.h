/* SPDX-License-Identifier: Apache-2.0 */
/** C interfaces of the simulations with pins: one shape behind the board's own UART or USB
 *  device core, from its line on, in a shared object (build/sim/pins/SHAPE-uart.so,
 *  pins/SHAPE-usb.so). Clocks of board and line differ a little. Time only passes in calls;
 *  an instance is used by one thread at a time. */
#ifndef FLX_PINS_H
#define FLX_PINS_H
#include "flx_sim.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLX_PINS_ABI         1
#define FLX_UART_PINS_SYMBOL "flx_uart_pins_get"
#define FLX_USB_PINS_SYMBOL  "flx_usb_pins_get"

/** Besides flx_sim_get, whose bytes are then those of the bridge: a reset is a break on the
 *  line, and cycles are those of the core's clock. */
struct flx_uart_pins_api {
    uint32_t abi;
    /** The bridge's rate in bits a second, and whether it heeds the board's RTS. */
    void (*line)(void *sim, int baud, int rts_cts);
};

/** Answers of transactions, besides a length >= 0. FLX_PINS_LOST: none, or a wrong one
 *  (said on stderr). */
enum { FLX_PINS_NAK = -1, FLX_PINS_STALL = -2, FLX_PINS_LOST = -4 };

/** A full-speed host at D+ and D-, one transaction after another. */
struct flx_usb_pins_api {
    uint32_t abi;
    uint32_t clk_khz; /* of the core */

    void *(*open)(uint32_t seed);
    void (*close)(void *sim);

    /** Bus reset, SET_ADDRESS, SET_CONFIGURATION(1). 0 or FLX_PINS_... */
    int (*enumerate)(void *sim);
    /** A control transfer without data or with an IN stage of at most @p len bytes. */
    int (*control)(void *sim, const uint8_t setup[8], uint8_t *data, int len);
    /** One packet of at most 64 bytes, with the host's toggle; errors are tried again. */
    int (*out)(void *sim, int endpoint, const uint8_t *data, int len);
    int (*in)(void *sim, int endpoint, uint8_t *data);
    /** The bus is idle for @p us microseconds. */
    void (*idle)(void *sim, int us);
    /** The FPGA is configured anew, which takes it off the bus for a while. */
    void (*power_up)(void *sim);

    uint64_t (*cycles)(const void *sim);
    int (*busy)(const void *sim);
};

const struct flx_uart_pins_api *flx_uart_pins_get(void);
const struct flx_usb_pins_api *flx_usb_pins_get(void);

#ifdef __cplusplus
}
#endif
#endif
