/* SPDX-License-Identifier: Apache-2.0 */
/** The accelerator behind any transport: loads compiled models, keeps the next
 *  images and the last results moving while a run is under way. The backends for
 *  simulation and boards differ only in the transport that they open. */
#ifndef FLEXOR_ACCEL_H
#define FLEXOR_ACCEL_H
#include "backend.h"
#include "session.h"

struct flx_accel;

struct flx_accel_options {
    const char *backend; /* for flx_device_info; both are copied */
    const char *detail;
    int stream; /* weights are streamed even if they fit */
    struct flx_session_options session;
};

/** Opens the session; @p t is owned by the result, and closed on failure.
 *  Errors as flx_session_open. */
int flx_accel_open(struct flx_transport t, const struct flx_accel_options *o,
                   struct flx_accel **out);

/** For self = struct flx_accel. */
extern const struct flx_device_ops flx_accel_ops;

const struct flx_session *flx_accel_session(const struct flx_accel *a);

#endif
