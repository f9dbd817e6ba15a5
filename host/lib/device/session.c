/* SPDX-License-Identifier: Apache-2.0 */
/* The window: requests go out with consecutive numbers, answers come back in order.
 * Whatever disturbs that (a NAK, a gap, silence) ends in flx_session_recover. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "flexor/log.h"
#include "flexor/status.h"
#include "session_internal.h"

#define SEND_SLICE_MS 20
#define TIMEOUT_MS    500
#define RETRIES       8
#define MAX_PAYLOAD   65535

static const char *request_name(uint8_t type)
{
    static const char *const names[] = {"?", "HELLO", "WRITE", "RUN", "READ", "RESET", "PING"};
    return names[type <= FLX_REQ_PING ? type : 0];
}

static const char *status_text(uint8_t status)
{
    static const char *const texts[] = {
        "ok",           "checksum",   "sequence number",      "unknown type",
        "wrong length", "bad target", "address out of range", "its watchdog ended a wait",
    };
    return status <= FLX_ST_TIMEOUT ? texts[status] : "unknown status";
}

static int refused(const struct slot *q, uint8_t status)
{
    const uint8_t *head = q->frame + FLX_HDR_BYTES;
    return flx_fail(status == FLX_ST_TIMEOUT ? FLX_ERR_TIMEOUT : FLX_ERR_DEVICE,
                    "the device answered %s (target %d) with status %d: %s", request_name(q->type),
                    q->len ? head[0] : 0, status, status_text(status));
}

/* An answer to slot q: its payload begins with status and next seq. */
static int take_answer(struct flx_session *s, struct slot *q, const struct flx_frame *f)
{
    if (f->len < 2 || f->payload[1] != (uint8_t)(q->seq + 1))
        return flx_fail(FLX_ERR_LINK, "the device's answer to %s %d is malformed",
                        request_name(q->type), q->seq);
    q->answered = 1;
    if (f->payload[0] != FLX_ST_OK) {
        s->failures++;
        return refused(q, f->payload[0]);
    }
    if (f->len - 2 != q->want)
        return flx_fail(FLX_ERR_LINK, "the device answered %s with %zu bytes instead of %zu",
                        request_name(q->type), f->len - 2, q->want);
    if (q->want)
        memcpy(q->dst, f->payload + 2, q->want);
    return FLX_OK;
}

void flx_session_retire(struct flx_session *s)
{
    while (s->count && slot_at(s, 0)->answered) {
        s->reads -= slot_at(s, 0)->type == FLX_REQ_READ;
        s->head = (s->head + 1) % WINDOW;
        s->count--;
    }
}

/* The answer of the PING or HELLO that is awaited; others are stale. */
static void take_special(struct flx_session *s, const struct flx_frame *f)
{
    if (!s->special.armed || f->type != s->special.type || f->seq != s->special.seq ||
        f->len > sizeof s->special.payload)
        return;
    memcpy(s->special.payload, f->payload, f->len);
    s->special.len = f->len;
    s->special.armed = 0;
}

static void take_response(struct flx_session *s, const struct flx_frame *f)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct slot *q = slot_at(s, i);
        if (q->answered)
            continue;
        if (q->seq == f->seq && (q->type | FLX_RESP_BIT) == f->type) {
            int status = take_answer(s, q, f);
            if (status && !s->status)
                s->status = status;
            break;
        }
        if ((uint8_t)(f->seq - q->seq) < WINDOW)
            s->lost = 1; /* an answer to a later one: this one's was lost */
    }
    flx_session_retire(s);
}

void flx_session_take_frames(struct flx_session *s)
{
    struct flx_frame f;
    enum flx_frame_event e;
    while ((e = flx_decoder_next(&s->dec, &f)) != FLX_FRAME_NONE) {
        if (e == FLX_FRAME_BAD_CRC || f.type == FLX_RESP_NAK)
            s->lost = 1;
        else if (f.type == (FLX_REQ_PING | FLX_RESP_BIT) ||
                 f.type == (FLX_REQ_HELLO | FLX_RESP_BIT))
            take_special(s, &f);
        else if (f.type & FLX_RESP_BIT)
            take_response(s, &f);
    }
}

int flx_session_pump(struct flx_session *s, int timeout_ms)
{
    size_t room;
    uint8_t *space = flx_decoder_space(&s->dec, &room);
    ptrdiff_t n = s->t.ops->recv(s->t.self, space, room, timeout_ms);
    if (n <= 0)
        return (int)n;
    s->stats.bytes_in += (uint64_t)n;
    flx_decoder_added(&s->dec, (size_t)n);
    flx_session_take_frames(s);
    return 1;
}

int flx_session_send(struct flx_session *s, const uint8_t *data, size_t len)
{
    int waited = 0;
    while (len) {
        ptrdiff_t n = s->t.ops->send(s->t.self, data, len, SEND_SLICE_MS);
        if (n < 0)
            return (int)n;
        s->stats.bytes_out += (uint64_t)n;
        data += n;
        len -= (size_t)n;
        waited = n ? 0 : waited + SEND_SLICE_MS;
        if (waited > s->opt.timeout_ms)
            return flx_fail(FLX_ERR_TIMEOUT, "the device takes no bytes");
        int got;
        while ((got = flx_session_pump(s, 0)) > 0)
            continue;
        if (got < 0)
            return got;
    }
    return FLX_OK;
}

int flx_session_has_room(struct flx_session *s, unsigned n, size_t more)
{
    size_t queued = 0;
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct slot *q = slot_at(s, i);
        if (!q->answered && taken++ >= 2)
            queued += q->len + FLX_FRAME_OVERHEAD;
    }
    return !s->bounded || taken < 2 || queued + more <= 2 * (size_t)s->desc.max_payload;
}

/* Waits until at most max_count requests (and no READ if asked) are under way, there is
 * room for as many more bytes, and nothing waits for recovery. */
static int wait_until(struct flx_session *s, unsigned max_count, int no_reads, size_t more)
{
    uint64_t mark = s->stats.bytes_in;
    while (!s->status && (s->count > max_count || (no_reads && s->reads) || s->lost ||
                          !flx_session_has_room(s, s->count, more))) {
        unsigned before = s->count;
        int got = s->lost ? 0 : flx_session_pump(s, s->opt.timeout_ms);
        if (got > 0 && s->count < before)
            mark = s->stats.bytes_in;
        else if (got == 0 || s->stats.bytes_in - mark > FLX_USELESS_BYTES) {
            got = flx_session_recover(s);
            mark = s->stats.bytes_in;
        }
        if (got < 0 && !s->status)
            s->status = got;
    }
    return s->status;
}

int flx_session_post(struct flx_session *s, uint8_t type, const uint8_t *head, size_t head_len,
                     const uint8_t *data, size_t data_len, uint8_t *dst, size_t want)
{
    if (s->status)
        return s->status;
    if (head_len + data_len > (size_t)s->desc.max_payload || want + 2 > (size_t)s->desc.max_payload)
        return flx_fail(FLX_ERR_INTERNAL, "a %s of %zu bytes does not fit a frame",
                        request_name(type), head_len + data_len);
    int status = wait_until(s, WINDOW - 1, type == FLX_REQ_RUN || type == FLX_REQ_RESET,
                            head_len + data_len + FLX_FRAME_OVERHEAD);
    if (status)
        return status;
    struct slot *q = slot_at(s, s->count);
    *q = (struct slot){.type = type,
                       .seq = s->next_seq++,
                       .tries = 1,
                       .frame = q->frame,
                       .len = head_len + data_len,
                       .dst = dst,
                       .want = want};
    if (head_len)
        memcpy(q->frame + FLX_HDR_BYTES, head, head_len);
    if (data_len)
        memcpy(q->frame + FLX_HDR_BYTES + head_len, data, data_len);
    size_t len = flx_frame_encode(q->frame, type, q->seq, q->frame + FLX_HDR_BYTES, q->len);
    s->count++;
    s->reads += type == FLX_REQ_READ;
    s->stats.requests++;
    status = flx_session_send(s, q->frame, len);
    if (status == FLX_ERR_TIMEOUT) {
        s->lost = 1;
        status = FLX_OK;
    }
    if (status && !s->status)
        s->status = status;
    return s->status;
}

int flx_session_flush(struct flx_session *s)
{
    return wait_until(s, 0, 1, 0);
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

int flx_session_write(struct flx_session *s, uint8_t target, uint8_t arg, uint32_t addr,
                      const uint8_t *data, size_t len)
{
    uint8_t head[FLX_WR_HDR_BYTES] = {target, arg};
    put32(head + 2, addr);
    return flx_session_post(s, FLX_REQ_WRITE, head, sizeof head, data, len, NULL, 0);
}

int flx_session_read(struct flx_session *s, uint8_t target, uint8_t arg, uint32_t addr,
                     uint16_t count, uint8_t *dst, size_t want)
{
    uint8_t head[FLX_RD_HDR_BYTES] = {target, arg};
    put32(head + 2, addr);
    head[6] = (uint8_t)count;
    head[7] = (uint8_t)(count >> 8);
    return flx_session_post(s, FLX_REQ_READ, head, sizeof head, NULL, 0, dst, want);
}

int flx_session_run(struct flx_session *s, uint8_t flags, uint8_t last_layer)
{
    const uint8_t payload[FLX_RUN_BYTES] = {flags, last_layer};
    return flx_session_post(s, FLX_REQ_RUN, payload, sizeof payload, NULL, 0, NULL, 0);
}

/* Slots sized for the largest payload of this device. */
static int alloc_window(struct flx_session *s)
{
    s->frame_bytes = (size_t)s->desc.max_payload + FLX_FRAME_OVERHEAD;
    s->frames = malloc(WINDOW * s->frame_bytes);
    if (!s->frames)
        return flx_fail(FLX_ERR_NOMEM, "no memory for %d frames of the link", WINDOW);
    for (unsigned i = 0; i < WINDOW; i++)
        s->slot[i].frame = s->frames + i * s->frame_bytes;
    s->dec.max_payload = (size_t)s->desc.max_payload;
    return FLX_OK;
}

int flx_session_open(struct flx_transport t, const struct flx_session_options *o,
                     struct flx_session **out)
{
    *out = NULL;
    int status = FLX_OK;
    struct flx_session *s = calloc(1, sizeof *s);
    if (!s) {
        t.ops->close(t.self);
        return flx_fail(FLX_ERR_NOMEM, "no memory for a device session");
    }
    s->t = t;
    s->opt = o ? *o : (struct flx_session_options){0};
    if (s->opt.timeout_ms <= 0)
        s->opt.timeout_ms = TIMEOUT_MS;
    if (s->opt.retries <= 0)
        s->opt.retries = RETRIES;
    status = flx_decoder_init(&s->dec, MAX_PAYLOAD);
    if (!status)
        status = flx_session_hello(s);
    if (!status)
        status = alloc_window(s);
    if (status) {
        flx_session_close(s);
        return status;
    }
    *out = s;
    return FLX_OK;
}

int flx_session_restart(struct flx_session *s)
{
    s->count = s->reads = 0;
    s->lost = s->status = 0;
    int status = s->t.ops->reset ? s->t.ops->reset(s->t.self) : FLX_OK;
    if (!status)
        status = flx_session_hello(s);
    if (!status)
        status = flx_session_post(s, FLX_REQ_RESET, NULL, 0, NULL, 0, NULL, 0);
    if (!status)
        status = flx_session_flush(s);
    return s->status = status;
}

void flx_session_close(struct flx_session *s)
{
    if (!s)
        return;
    s->t.ops->close(s->t.self);
    flx_decoder_free(&s->dec);
    free(s->frames);
    free(s);
}

const struct flx_desc *flx_session_desc(const struct flx_session *s)
{
    return &s->desc;
}

const struct flx_transport *flx_session_transport(const struct flx_session *s)
{
    return &s->t;
}

void flx_session_stats(const struct flx_session *s, struct flx_session_stats *out)
{
    *out = s->stats;
}
