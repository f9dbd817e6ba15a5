/* SPDX-License-Identifier: Apache-2.0 */
/** What session.c (window) and recover.c (HELLO, PING, resend) share. */
#ifndef FLEXOR_SESSION_INTERNAL_H
#define FLEXOR_SESSION_INTERNAL_H
#include "link.h"
#include "session.h"

#define WINDOW                                                                                     \
    96 /* requests under way: below the 128 that seq can tell apart, and enough                    \
          that their answers fill a bridge's packet of 510 bytes twice */
#define FLX_USELESS_BYTES (1 << 18) /* as much without an answer counts as silence */

struct slot {
    uint8_t type, seq;
    int answered, tries;
    uint8_t *frame; /* encoded; room for the largest payload */
    size_t len;     /* of the payload */
    uint8_t *dst;
    size_t want;
};

struct flx_session {
    struct flx_transport t;
    struct flx_session_options opt;
    struct flx_desc desc;
    int described;
    struct flx_frame_decoder dec;
    uint8_t *frames; /* WINDOW x frame_bytes */
    size_t frame_bytes;
    struct slot slot[WINDOW]; /* a ring: count of them from head are in use */
    unsigned head, count, reads;
    uint8_t next_seq, ping_seq;
    uint8_t failures; /* failed requests that were seen, as PING counts them */
    int bounded;      /* bytes that the device has no room for are lost */
    int lost;         /* a NAK or a gap was seen: recovery is due */
    int status;       /* first failure; sticky */
    struct {
        uint8_t type, seq; /* the answer of a HELLO or PING that is awaited */
        int armed;         /* 1 until it is there */
        uint8_t payload[FLX_DESC_BYTES + 2];
        size_t len;
    } special;
    struct flx_session_stats stats;
};

static inline struct slot *slot_at(struct flx_session *s, unsigned i)
{
    return &s->slot[(s->head + i) % WINDOW];
}

/** Sends bytes, taking in what arrives meanwhile. FLX_ERR_TIMEOUT when the
 *  device takes none for too long: a reason to recover, not yet the end. */
int flx_session_send(struct flx_session *s, const uint8_t *data, size_t len);

/** Waits for bytes and handles the frames among them. Returns 1 when something
 *  arrived, 0 when the line was silent, negative on failure of the transport. */
int flx_session_pump(struct flx_session *s, int timeout_ms);

/** Handles the whole frames that the decoder holds. */
void flx_session_take_frames(struct flx_session *s);

/** Whether @p more bytes find room in the device while the first @p n slots are under
 *  way. It takes in one frame while it executes another; a UART's FIFO holds two
 *  payloads (docs/link.md). */
int flx_session_has_room(struct flx_session *s, unsigned n, size_t more);

/** Frees the slots at the head whose requests are answered. */
void flx_session_retire(struct flx_session *s);

/** Finds out what the device has executed and sends the rest again. */
int flx_session_recover(struct flx_session *s);

/** HELLO with retries; fills or compares the description. */
int flx_session_hello(struct flx_session *s);

#endif
