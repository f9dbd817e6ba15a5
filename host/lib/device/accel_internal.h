/* SPDX-License-Identifier: Apache-2.0 */
/** What accel.c (device operations) and accel_io.c (transfers) share. */
#ifndef FLEXOR_ACCEL_INTERNAL_H
#define FLEXOR_ACCEL_INTERNAL_H
#include "accel.h"
#include "compile.h"
#include "flx_proto.h"

struct flx_accel {
    struct flx_session *session;
    const struct flx_desc *desc;
    char backend[16], detail[128];
    int stream;
    struct flx_compiled model; /* model.model NULL: none */
    struct flx_counters totals;
    uint64_t weight_bytes;           /* streamed since the model was loaded */
    struct flx_session_stats before; /* of the session, at that time */
    int clear;                       /* the next run clears the hardware's counters */
    uint64_t pending;                /* runs since the counters were collected */
    uint8_t *buffer;                 /* results of a batch, counters, or activations of an engine */
};

/** A WRITE of any length in whole units of @p unit bytes, each one address. */
int flx_accel_write(struct flx_accel *a, uint8_t target, uint8_t arg, uint32_t addr,
                    const uint8_t *data, size_t units, size_t unit);

/** A READ of any length; complete after the next flx_session_flush. */
int flx_accel_read(struct flx_accel *a, uint8_t target, uint8_t arg, uint8_t *dst, uint32_t addr,
                   size_t units, size_t unit);

/** Program, parameters and, unless streamed, weights. */
int flx_accel_upload(struct flx_accel *a);

/** Images of the next run: batch @p b of n images; engines without one get the
 *  last image. */
int flx_accel_images(struct flx_accel *a, const uint8_t *images, int n, int b);

/** RUN, clearing the counters if that is due; counts it. */
int flx_accel_run(struct flx_accel *a, uint8_t last_layer);

/** The weight words of layers 0 .. last, when they are streamed. */
int flx_accel_stream(struct flx_accel *a, int last);

/** Adds the hardware's counters to the totals. */
int flx_accel_collect(struct flx_accel *a);

#endif
