/* SPDX-License-Identifier: Apache-2.0 */
/** A link of limited speed in front of a simulation, in clock cycles of the device:
 *  what a board's link would make of the same requests (docs/usb.md, "Paced links").
 *  Nothing depends on the host's speed, so every run gives the same numbers. */
#ifndef FLEXOR_PACE_H
#define FLEXOR_PACE_H
#include "../../../sim/flx_sim.h"
#include "transport.h"

struct flx_pace_stats {
    uint64_t cycles;        /* since the last reset */
    double bytes_per_cycle; /* ceiling of the link, one direction */
    uint64_t idle_waits;    /* times that the host waited and nothing was on its way out */
};

/** "uart12", "fs", "fifo40": FLX_ERR_ARG for others. Takes over the instance. */
int flx_pace_open(const struct flx_sim_api *api, void *instance, const char *name,
                  struct flx_transport *t);

/** @p t comes from flx_pace_open; 0 when it does not. */
int flx_pace_stats(const struct flx_transport *t, struct flx_pace_stats *out);

#endif
