/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flexor/log.h"
#include "flexor/status.h"
#include "usb_bridge.h"

#define TRANSFERS  4 /* of each direction */
#define OUT_BYTES  16384
#define IN_BYTES   4096 /* a multiple of every packet size */
#define CANCEL_MS  1000
#define ERRORS_MAX 8  /* times that a pipe breaks without a byte between */
#define BACK_OFF   10 /* ms, for each of them */

struct link;

struct slot {
    struct link *link;
    struct libusb_transfer *transfer;
    uint8_t *bytes;
    int flying;
    size_t at, len; /* OUT: len bytes are collected. IN: bytes at .. len-1 wait */
};

/* A ring: slots are used, end and are reused in order. */
struct pipe {
    struct slot slot[TRANSFERS];
    uint8_t endpoint;
    unsigned head, count; /* OUT: count slots from head fly. IN: head is read next */
    int errors;           /* in a row */
    int broken;           /* a transfer ended badly: the endpoint has to be cleared */
};

struct link {
    struct flx_usb_board board;
    const struct flx_usb_bridge_ops *bridge;
    int baud;
    libusb_context *ctx;
    libusb_device_handle *handle;
    struct pipe out, in;
    int gone;
    enum flx_flow flow;
    struct flx_usb_link_stats stats;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int unplugged(struct link *l)
{
    l->gone = 1;
    return flx_usb_fail(&l->board, LIBUSB_ERROR_NO_DEVICE, "");
}

static int fail(struct link *l, int error, const char *what)
{
    l->gone |= error == LIBUSB_ERROR_NO_DEVICE;
    return flx_usb_fail(&l->board, error, what);
}

static void LIBUSB_CALL ended(struct libusb_transfer *t)
{
    struct slot *s = t->user_data;
    struct link *l = s->link;
    struct pipe *p = t->endpoint & LIBUSB_ENDPOINT_IN ? &l->in : &l->out;
    s->flying = 0;
    s->len = (size_t)t->actual_length;
    switch (t->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        p->errors = s->len ? 0 : p->errors;
        return;
    case LIBUSB_TRANSFER_CANCELLED:
        return;
    case LIBUSB_TRANSFER_NO_DEVICE:
        l->gone = 1;
        return;
    case LIBUSB_TRANSFER_STALL:
        l->stats.stalls++;
        break;
    case LIBUSB_TRANSFER_OVERFLOW:
        l->stats.overflows++;
        s->len = 0; /* nobody knows what is there */
        break;
    default:
        l->stats.errors++;
    }
    p->broken = 1;
}

static int submit(struct link *l, struct slot *s, size_t len)
{
    s->transfer->length = (int)len;
    s->at = s->len = 0;
    int error = libusb_submit_transfer(s->transfer);
    if (error)
        return fail(l, error, "cannot start a transfer");
    s->flying = 1;
    return FLX_OK;
}

/* Lets libusb work for at most @p ms, or until something happens. */
static int handle_events(struct link *l, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    int error = libusb_handle_events_timeout_completed(l->ctx, &tv, NULL);
    return error && error != LIBUSB_ERROR_INTERRUPTED ? fail(l, error, "libusb's event loop")
                                                      : FLX_OK;
}

static int flying(const struct pipe *p)
{
    int n = 0;
    for (int i = 0; i < TRANSFERS; i++)
        n += p->slot[i].flying;
    return n;
}

/* Ends all transfers of a pipe; what they brought stays in the slots. 0 when some do
 * not end. */
static int cancel(struct link *l, struct pipe *p)
{
    int64_t end = now_ms() + CANCEL_MS;
    for (int i = 0; i < TRANSFERS; i++)
        if (p->slot[i].flying)
            libusb_cancel_transfer(p->slot[i].transfer);
    while (flying(p) && now_ms() < end)
        if (handle_events(l, 100))
            break;
    return !flying(p);
}

/* After a stall, babble or a bus error: the endpoint starts anew. Bytes may be
 * missing, which the session finds out by itself. A board that is being pulled out
 * looks like this for a moment, so a refusal is no reason to give up at once. */
static int mend(struct link *l, struct pipe *p)
{
    if (!cancel(l, p))
        return flx_fail(FLX_ERR_IO, "usb %s: transfers cannot be cancelled", l->board.path);
    for (int i = 0; p == &l->out && i < TRANSFERS; i++)
        p->slot[i].at = 0;
    if (p == &l->out)
        p->count = 0;
    int error = l->gone ? LIBUSB_ERROR_NO_DEVICE : libusb_clear_halt(l->handle, p->endpoint);
    if (error == LIBUSB_ERROR_NO_DEVICE)
        return unplugged(l);
    flx_log(FLX_LOG_DEBUG, "usb %s: endpoint 0x%02x cleared: %s", l->board.path, p->endpoint,
            error ? libusb_strerror(error) : "ok");
    p->broken = error != 0;
    if (++p->errors > ERRORS_MAX)
        return flx_fail(FLX_ERR_IO, "usb %s (%s): endpoint 0x%02x fails again and again",
                        l->board.path, l->board.kind->name, p->endpoint);
    return p->errors > 1 ? handle_events(l, BACK_OFF * p->errors) : FLX_OK;
}

/* Sends what is collected unless enough is on the way already: two transfers keep
 * the bus busy, and waiting makes the next ones longer. */
static int start_out(struct link *l, int all)
{
    struct pipe *p = &l->out;
    struct slot *s = &p->slot[(p->head + p->count) % TRANSFERS];
    if (p->count == TRANSFERS || !s->at || (p->count >= 2 && s->at < OUT_BYTES && !all))
        return FLX_OK;
    size_t len = s->at;
    int status = submit(l, s, len);
    p->count += !status;
    l->stats.transfers_out++;
    l->stats.bytes_out += len;
    return status;
}

/* Looks at what has ended. */
static int pump(struct link *l, int64_t ms)
{
    struct pipe *p = &l->out;
    int status = handle_events(l, ms);
    if (!status && p->broken)
        status = mend(l, p);
    while (p->count && !p->slot[p->head].flying) {
        p->head = (p->head + 1) % TRANSFERS;
        p->count--;
    }
    if (!status && l->gone && !l->in.slot[l->in.head].len)
        status = unplugged(l);
    return status ? status : start_out(l, 0);
}

static ptrdiff_t link_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct link *l = self;
    struct pipe *p = &l->out;
    int64_t end = now_ms() + timeout_ms, left = timeout_ms;
    while (!l->gone && p->count == TRANSFERS && left > 0) {
        int status = pump(l, left);
        if (status)
            return status;
        left = end - now_ms();
    }
    if (l->gone)
        return unplugged(l);
    if (p->count == TRANSFERS)
        return 0;
    struct slot *s = &p->slot[(p->head + p->count) % TRANSFERS];
    size_t n = len < OUT_BYTES - s->at ? len : OUT_BYTES - s->at;
    memcpy(s->bytes + s->at, data, n);
    s->at += n;
    int status = start_out(l, 0);
    return status ? status : (ptrdiff_t)n;
}

/* Bytes of the oldest transfer, if it has ended; it starts again when they are taken. */
static ptrdiff_t take(struct link *l, uint8_t *data, size_t cap)
{
    struct pipe *p = &l->in;
    size_t n = 0;
    while (!n && !p->slot[p->head].flying && !(l->gone && !p->slot[p->head].len)) {
        struct slot *s = &p->slot[p->head];
        if (!s->at) {
            if (l->bridge->strip)
                s->len = l->bridge->strip(s->bytes, s->len, l->board.packet, &l->stats.line_errors);
            l->stats.transfers_in++;
            l->stats.bytes_in += s->len;
        }
        n = s->len - s->at < cap ? s->len - s->at : cap;
        memcpy(data, s->bytes + s->at, n);
        s->at += n;
        if (s->at < s->len)
            break;
        s->at = s->len = 0;
        int status = l->gone ? FLX_OK : submit(l, s, IN_BYTES);
        if (status)
            return n ? (ptrdiff_t)n : status;
        p->head = (p->head + 1) % TRANSFERS;
    }
    return (ptrdiff_t)n;
}

static ptrdiff_t link_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct link *l = self;
    int64_t end = now_ms() + timeout_ms, left = timeout_ms;
    int status = timeout_ms ? start_out(l, 1) : FLX_OK;
    ptrdiff_t n = 0;
    for (int round = 0; !status; round++) {
        if (l->in.broken)
            status = mend(l, &l->in);
        if (!status)
            n = take(l, data, cap);
        if (n || (round && left <= 0))
            break;
        if (!status)
            status = pump(l, left > 0 ? left : 0);
        left = end - now_ms();
    }
    return status ? status : n;
}

static int start_in(struct link *l)
{
    int status = FLX_OK;
    l->in.head = 0;
    for (int i = 0; i < TRANSFERS && !status; i++)
        status = submit(l, &l->in.slot[i], IN_BYTES);
    return status;
}

/* What is under way in either direction is forgotten. */
static int link_reset(void *self)
{
    struct link *l = self;
    if (!cancel(l, &l->out) || !cancel(l, &l->in))
        return flx_fail(FLX_ERR_IO, "usb %s: transfers cannot be cancelled", l->board.path);
    l->out.count = 0;
    for (int i = 0; i < TRANSFERS; i++)
        l->out.slot[i].at = l->in.slot[i].at = l->in.slot[i].len = 0;
    if (l->gone)
        return unplugged(l);
    int error = l->bridge->reset(l->handle, &l->board, l->baud);
    return error ? fail(l, error, "cannot be reset") : start_in(l);
}

static void free_pipe(struct pipe *p)
{
    for (int i = 0; i < TRANSFERS; i++) {
        libusb_free_transfer(p->slot[i].transfer);
        free(p->slot[i].bytes);
    }
}

static void link_close(void *self)
{
    struct link *l = self;
    if (!(cancel(l, &l->out) & cancel(l, &l->in))) {
        /* The kernel may still write there: better lost than reused. */
        flx_log(FLX_LOG_WARN, "usb %s: transfers did not end; their memory is kept", l->board.path);
        return;
    }
    free_pipe(&l->out);
    free_pipe(&l->in);
    flx_usb_release(&l->board, l->ctx, l->handle);
    free(l);
}

/* Bridges begin without RTS/CTS, since a board that lacks it would never get a byte. */
static int link_set_flow(void *self, int rts_cts)
{
    struct link *l = self;
    if (l->flow != FLX_FLOW_AUTO)
        rts_cts = l->flow == FLX_FLOW_RTS_CTS;
    int r = l->bridge->flow(l->handle, &l->board, rts_cts);
    return r < 0 ? fail(l, r, "the bridge refuses its flow control") : r;
}

static const struct flx_transport_ops link_ops = {link_send, link_recv, link_reset, link_close,
                                                  link_set_flow};

static int init_pipe(struct link *l, struct pipe *p, uint8_t endpoint, size_t bytes)
{
    p->endpoint = endpoint;
    for (int i = 0; i < TRANSFERS; i++) {
        struct slot *s = &p->slot[i];
        s->link = l;
        s->transfer = libusb_alloc_transfer(0);
        s->bytes = malloc(bytes);
        if (!s->transfer || !s->bytes)
            return flx_fail(FLX_ERR_NOMEM, "no memory for USB transfers");
        libusb_fill_bulk_transfer(s->transfer, l->handle, endpoint, s->bytes, (int)bytes, ended, s,
                                  0);
    }
    return FLX_OK;
}

int flx_usb_link_open(const struct flx_usb_board *b, int baud, enum flx_flow flow,
                      struct flx_transport *t)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return flx_fail(FLX_ERR_NOMEM, "no memory for a USB link");
    l->board = *b;
    l->bridge = flx_usb_bridge(b->kind->bridge);
    l->baud = baud;
    l->flow = flow;
    int status = flx_usb_claim(b, &l->ctx, &l->handle);
    if (status) {
        free(l);
        return status;
    }
    *t = (struct flx_transport){&link_ops, l};
    status = init_pipe(l, &l->out, b->ep_out, OUT_BYTES);
    if (!status)
        status = init_pipe(l, &l->in, b->ep_in, IN_BYTES);
    if (!status) {
        int error = l->bridge->setup(l->handle, b, baud);
        status = error ? fail(l, error, "the bridge refuses its settings") : FLX_OK;
    }
    if (!status)
        status = link_reset(l);
    if (status)
        link_close(l);
    return status;
}

void flx_usb_link_stats(const struct flx_transport *t, struct flx_usb_link_stats *out)
{
    const struct link *l = t->self;
    *out = l->stats;
}
