/* SPDX-License-Identifier: Apache-2.0 */
/** A transport is a byte stream in each direction. Time is the device's own (the
 *  simulation counts clock cycles), so nothing depends on the host's speed. */
#ifndef FLEXOR_TRANSPORT_H
#define FLEXOR_TRANSPORT_H
#include <stddef.h>
#include <stdint.h>

struct flx_transport_ops {
    /** Sends up to @p len bytes: how many were taken (>= 1), 0 when none was within
     *  @p timeout_ms, or a negative status. What the device answers meanwhile must
     *  be kept for recv, so that a device whose answers wait never blocks it. */
    ptrdiff_t (*send)(void *self, const uint8_t *data, size_t len, int timeout_ms);

    /** Receives up to @p cap bytes: how many, 0 when none came within @p timeout_ms
     *  (0: only what is there already), or a negative status. */
    ptrdiff_t (*recv)(void *self, uint8_t *data, size_t cap, int timeout_ms);

    /** Hard reset of the device's link and core, which also drops what is on the
     *  way. NULL when the transport has none. Negative status on failure. */
    int (*reset)(void *self);

    void (*close)(void *self);

    /** The device has said whether its flow control is wired (@p rts_cts). 1: a device
     *  that takes no bytes stops the stream; 0: bytes that it has no room for are lost,
     *  so the session bounds what is under way; or a negative status. NULL is 1. */
    int (*set_flow)(void *self, int rts_cts);
};

struct flx_transport {
    const struct flx_transport_ops *ops;
    void *self;
};

#endif
