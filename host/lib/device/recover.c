/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: HELLO and PING are accepted with any number, so they find out where
 * the device stands, and everything that it has not executed is sent again. */
#include <string.h>

#include "flexor/log.h"
#include "flexor/status.h"
#include "session_internal.h"

#define PING_BYTES 5 /* status, next seq, busy, run, failures */

/* Zero bytes that end a half-received frame: few at first, then as many as the
 * largest frame could lack. On a link without flow control the FIFO may be full of requests
 * just then: what it loses are these and the PING, which are sent again. */
static int send_zeros(struct flx_session *s, int attempt)
{
    static const uint8_t zeros[256];
    size_t n = attempt == 0   ? 16
               : s->described ? (size_t)s->desc.max_payload + FLX_FRAME_OVERHEAD
               : attempt == 1 ? 256
                              : 65535 + FLX_FRAME_OVERHEAD;
    int status = FLX_OK;
    while (n && !status) {
        size_t part = n < sizeof zeros ? n : sizeof zeros;
        status = flx_session_send(s, zeros, part);
        n -= part;
    }
    return status;
}

/* Waits for the armed answer; FLX_ERR_TIMEOUT when the line falls silent first. */
static int await_special(struct flx_session *s)
{
    uint64_t mark = s->stats.bytes_in;
    while (s->special.armed && !s->status) {
        int got = flx_session_pump(s, s->opt.timeout_ms);
        if (got < 0)
            return got;
        if (got > 0 && s->stats.bytes_in - mark <= FLX_USELESS_BYTES)
            continue;
        while (s->special.armed && s->dec.begin < s->dec.end) {
            flx_decoder_resync(&s->dec);
            flx_session_take_frames(s);
        }
        if (s->special.armed)
            return FLX_ERR_TIMEOUT;
    }
    return s->status;
}

/* One attempt to get an answer that brings at least two bytes. */
static int ask_once(struct flx_session *s, uint8_t type, uint8_t seq, int attempt)
{
    uint8_t frame[FLX_FRAME_OVERHEAD];
    size_t len = flx_frame_encode(frame, type, seq, NULL, 0);
    s->special.type = type | FLX_RESP_BIT;
    s->special.seq = seq;
    s->special.armed = 1;
    int status = send_zeros(s, attempt);
    if (!status)
        status = flx_session_send(s, frame, len);
    if (!status)
        status = await_special(s);
    s->special.armed = 0;
    if (!status && s->special.len < 2)
        status =
            flx_fail(FLX_ERR_LINK, "the device's answer is too short (%zu bytes)", s->special.len);
    if (!status && s->special.payload[0] != FLX_ST_OK)
        status = flx_fail(FLX_ERR_DEVICE, "the device refuses to speak: status %d",
                          s->special.payload[0]);
    return status;
}

int flx_session_hello(struct flx_session *s)
{
    struct flx_desc desc;
    int status = FLX_ERR_TIMEOUT;
    for (int i = 0; i < s->opt.retries && status == FLX_ERR_TIMEOUT; i++) {
        if (i > 1 && s->t.ops->reset && (status = s->t.ops->reset(s->t.self)))
            return status;
        status = ask_once(s, FLX_REQ_HELLO, s->next_seq++, i);
    }
    if (status == FLX_ERR_TIMEOUT)
        return flx_fail(status, "the device does not answer HELLO (%d tries)", s->opt.retries);
    if (!status)
        status = flx_desc_parse(s->special.payload + 2, s->special.len - 2, &desc);
    if (status)
        return status;
    if (s->described && memcmp(&desc, &s->desc, sizeof desc))
        return flx_fail(FLX_ERR_LINK, "the device changed while it was in use");
    status = s->t.ops->set_flow ? s->t.ops->set_flow(s->t.self, desc.rts_cts) : 1;
    if (status < 0)
        return status;
    s->bounded = status == 0;
    s->desc = desc;
    s->described = 1;
    s->failures = 0;
    s->lost = 0;
    return FLX_OK;
}

/* Decides for every request without an answer whether it was executed, given the
 * number that the device expects, and numbers those to send anew. */
static int plan(struct flx_session *s, uint8_t expected)
{
    uint8_t sent = s->count ? (uint8_t)(s->next_seq - slot_at(s, 0)->seq) : 0;
    if ((uint8_t)(s->next_seq - expected) > sent)
        return flx_fail(FLX_ERR_LINK,
                        "the device expects request %d, which was never sent: was it reset?",
                        expected);
    s->next_seq = expected;
    int first = 1;
    for (unsigned i = 0; i < s->count; i++) {
        struct slot *q = slot_at(s, i);
        if (q->answered)
            continue;
        int executed = (uint8_t)(expected - q->seq - 1) < 128;
        if (executed && q->type != FLX_REQ_READ) {
            q->answered = 1;
            continue;
        }
        if (first && ++q->tries > s->opt.retries)
            return flx_fail(FLX_ERR_LINK, "the link is too bad: a request failed %d times",
                            s->opt.retries);
        first = 0; /* those behind it may fail for its sake */
        q->seq = s->next_seq++;
        flx_frame_encode(q->frame, q->type, q->seq, q->frame + FLX_HDR_BYTES, q->len);
    }
    return FLX_OK;
}

/* Slots leave the ring as answers come in, so they are counted from the start. */
static int resend(struct flx_session *s)
{
    int status = FLX_OK;
    unsigned first = s->head, n = s->count;
    for (unsigned i = 0; i < n && !status && !s->lost; i++) {
        struct slot *q = &s->slot[(first + i) % WINDOW];
        if (q->answered)
            continue;
        while (!status && !s->lost &&
               !flx_session_has_room(s, (first + i - s->head + WINDOW) % WINDOW,
                                     q->len + FLX_FRAME_OVERHEAD)) {
            int got = flx_session_pump(s, s->opt.timeout_ms);
            status = got > 0 ? s->status : got ? got : FLX_ERR_TIMEOUT;
        }
        if (status || s->lost)
            break;
        s->stats.resent++;
        status = flx_session_send(s, q->frame, q->len + FLX_FRAME_OVERHEAD);
    }
    flx_session_retire(s);
    if (status == FLX_ERR_TIMEOUT) {
        s->lost = 1;
        status = FLX_OK;
    }
    return status;
}

int flx_session_recover(struct flx_session *s)
{
    int status = FLX_ERR_TIMEOUT;
    s->stats.recoveries++;
    for (int i = 0; i < s->opt.retries && status == FLX_ERR_TIMEOUT; i++)
        status = ask_once(s, FLX_REQ_PING, s->ping_seq++, i);
    if (status == FLX_ERR_TIMEOUT)
        return flx_fail(status, "the device fell silent and does not answer PING (%d tries)",
                        s->opt.retries);
    if (status)
        return status;
    if (s->special.len != PING_BYTES)
        return flx_fail(FLX_ERR_LINK, "the answer to PING has %zu bytes instead of %d",
                        s->special.len, PING_BYTES);
    if (s->special.payload[2] & FLX_PING_STRANGE)
        return flx_fail(FLX_ERR_LINK, "the device was reset by somebody else");
    if (s->special.payload[4] != s->failures)
        return flx_fail(FLX_ERR_DEVICE, "the device refused a request and its answer was lost");
    s->lost = 0;
    flx_log(FLX_LOG_DEBUG, "link: recovery at request %d, %u under way", s->special.payload[1],
            s->count);
    status = plan(s, s->special.payload[1]);
    return status ? status : resend(s);
}
