/* SPDX-License-Identifier: Apache-2.0 */
/** Requests over a transport, several under way, with recovery (docs/link.md):
 *  every request is executed once and in order, or the session ends with a named
 *  status. All waits are bounded. Not thread-safe. */
#ifndef FLEXOR_SESSION_H
#define FLEXOR_SESSION_H
#include <stddef.h>
#include <stdint.h>

#include "desc.h"
#include "transport.h"

struct flx_session;

struct flx_session_options {
    int timeout_ms; /* how long the line may be silent; 0 = default (must exceed
                       the device's watchdog) */
    int retries;    /* tries of a request or a PING before giving up; 0 = default */
};

struct flx_session_stats {
    uint64_t requests, resent, recoveries;
    uint64_t bytes_out, bytes_in;
};

/** Says HELLO and reads the description. The session owns @p t from here on and
 *  closes it, on failure too. FLX_ERR_TIMEOUT, _LINK, _VERSION, _NOMEM, _IO. */
int flx_session_open(struct flx_transport t, const struct flx_session_options *o,
                     struct flx_session **out);
void flx_session_close(struct flx_session *s);

const struct flx_desc *flx_session_desc(const struct flx_session *s);
/** For statistics of the transport. */
const struct flx_transport *flx_session_transport(const struct flx_session *s);
void flx_session_stats(const struct flx_session *s, struct flx_session_stats *out);

/** Forgets what is under way and any failure, resets link and core, and says
 *  HELLO again. The description must be the one of the first time. */
int flx_session_restart(struct flx_session *s);

/** Sends one request without waiting for its answer, unless the window is full or
 *  the request is a RUN while the answer of a READ is missing. The payload is
 *  @p head, then @p data; both are copied. The answer must bring exactly
 *  @p want bytes, which are stored at @p dst (it must stay valid until then).
 *  After a failure every call returns that status until flx_session_restart. */
int flx_session_post(struct flx_session *s, uint8_t type, const uint8_t *head, size_t head_len,
                     const uint8_t *data, size_t data_len, uint8_t *dst, size_t want);

/** Waits until every request is answered. */
int flx_session_flush(struct flx_session *s);

/* Requests by name. */
int flx_session_write(struct flx_session *s, uint8_t target, uint8_t arg, uint32_t addr,
                      const uint8_t *data, size_t len);
int flx_session_read(struct flx_session *s, uint8_t target, uint8_t arg, uint32_t addr,
                     uint16_t count, uint8_t *dst, size_t want);
int flx_session_run(struct flx_session *s, uint8_t flags, uint8_t last_layer);

#endif
