/* SPDX-License-Identifier: Apache-2.0 */
/** C interface of a simulation: one shape of the accelerator, Verilated, in a
 *  shared object. The host finds the table with dlsym("flx_sim_get"). Time is
 *  counted in clock cycles; nothing runs between calls. An instance is used by
 *  one thread at a time, several may exist. */
#ifndef FLX_SIM_H
#define FLX_SIM_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLX_SIM_ABI    2
#define FLX_SIM_SYMBOL "flx_sim_get"

struct flx_sim_options {
    uint32_t seed;     /* of the registers and memories at the start and of the stalls */
    int stall;         /* per cent of the cycles without a byte in or out, 0..95 */
    const char *trace; /* FST file, or NULL; only if has_trace */
};

struct flx_sim_api {
    uint32_t abi;
    uint32_t clk_khz; /* of the device's description: cycles in a millisecond */
    int has_trace;
    const char *detail; /* parameters of the build, for people */

    /** A new instance after reset; NULL without memory or trace file. */
    void *(*open)(const struct flx_sim_options *o);
    void (*close)(void *sim);

    /** Offers @p n bytes for at most @p max_cycles and returns how many were taken.
     *  What the device sends meanwhile is kept. */
    size_t (*send)(void *sim, const uint8_t *data, size_t n, uint64_t max_cycles);

    /** Bytes that the device has sent; runs for at most @p max_cycles until there
     *  is one, and on while more follow closely. */
    size_t (*recv)(void *sim, uint8_t *data, size_t cap, uint64_t max_cycles);

    /** Pulses i_link_reset and forgets what was received. */
    void (*reset)(void *sim);

    uint64_t (*cycles)(const void *sim);

    /** Lets exactly @p cycles pass while @p n bytes are offered, and returns how many
     *  were taken. What the device sends is kept for recv, which with max_cycles 0
     *  takes only what is there. For users who keep the time of a link themselves. */
    size_t (*run)(void *sim, const uint8_t *data, size_t n, uint64_t cycles);

    /** o_busy: a run is under way. */
    int (*busy)(const void *sim);
};

const struct flx_sim_api *flx_sim_get(void);

#ifdef __cplusplus
}
#endif
#endif
