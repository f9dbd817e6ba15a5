/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"

#define QUEUE 65536 /* bytes under way to the board, as in usb_link.c */

/* The host looks at the bus once a (micro)frame: then new bytes for the board begin to
 * move, and bytes from it are seen. In a frame so many slots of a packet each fit. */
struct kind {
    const char *name;
    uint32_t clk_khz;  /* of the device */
    uint32_t frame_us; /* 1000 at full speed, 125 at high speed */
    uint32_t packet;   /* bytes of a slot, either direction */
    uint32_t slots;    /* of a frame */
    uint32_t flush_us; /* a bridge keeps less than `full` bytes for so long */
    uint32_t full;
};

/* uart12: 1.2 bytes a microsecond, one byte a slot each way at the same time.
 * fs: 19 packets of 64 bytes a frame for both directions together.
 * fifo40: 40 bytes a microsecond for both directions, the bridge's own bus; the board
 * pulses SIWU (send immediately) at the end of a frame. */
static const struct kind kinds[] = {
    {"uart12", 24000, 125, 1, 150, 1000, 510},
    {"fs", 24000, 1000, 64, 19, 0, 1},
    {"fifo40", 60000, 125, 50, 100, 0, 1},
};

struct pace {
    const struct flx_sim_api *api;
    void *sim;
    const struct kind *kind;
    uint64_t frame, slot_cycles, start; /* cycles */
    uint64_t slot;                      /* of the frame, next */
    uint8_t queue[QUEUE];               /* ring */
    size_t head, queued;
    size_t ready;       /* of those, known to the bus: before this frame */
    uint8_t packet[64]; /* that the device is taking */
    size_t packet_len, packet_at;
    uint8_t board[65536]; /* sent by the device, still in the bridge or core */
    size_t board_len;
    uint8_t host[65536];        /* moved in this frame or before */
    size_t host_len, host_seen; /* the host has looked at so many */
    uint64_t flushed;           /* cycle of the last IN packet */
    uint64_t idle_waits;
    int last_was_out;
};

static uint64_t now(const struct pace *p)
{
    return p->api->cycles(p->sim) - p->start;
}

static int both_ways(const struct pace *p)
{
    return p->kind->packet == 1;
}

/* Bytes that the device may send in this slot. */
static size_t in_ready(const struct pace *p)
{
    uint64_t keep = (uint64_t)p->kind->flush_us * p->kind->clk_khz / 1000;
    if (p->board_len >= p->kind->full || now(p) - p->flushed >= keep)
        return p->board_len;
    return 0;
}

static void move_in(struct pace *p, size_t n)
{
    if (n > sizeof p->host - p->host_len)
        n = sizeof p->host - p->host_len;
    memcpy(p->host + p->host_len, p->board, n);
    p->host_len += n;
    p->board_len -= n;
    memmove(p->board, p->board + n, p->board_len);
    p->flushed = now(p);
}

static void move_out(struct pace *p)
{
    p->packet_len = p->ready < p->kind->packet ? p->ready : p->kind->packet;
    for (p->packet_at = 0; p->packet_at < p->packet_len; p->packet_at++) {
        p->packet[p->packet_at] = p->queue[p->head];
        p->head = (p->head + 1) % QUEUE;
    }
    p->packet_at = 0;
    p->queued -= p->packet_len;
    p->ready -= p->packet_len;
}

/* One slot: who gets the bus, then its cycles pass while the device takes its packet. */
static void slot(struct pace *p)
{
    int out = p->packet_at == p->packet_len && p->ready;
    size_t in = in_ready(p);
    if (both_ways(p)) {
        /* The UART fills the bridge's buffer byte by byte; USB behind it is faster. */
        if (in)
            move_in(p, in);
    } else if (in && (!out || p->last_was_out)) {
        move_in(p, in < p->kind->packet ? in : p->kind->packet);
        p->last_was_out = out = 0;
    }
    if (out) {
        move_out(p);
        p->last_was_out = 1;
    }
    p->packet_at +=
        p->api->run(p->sim, p->packet + p->packet_at, p->packet_len - p->packet_at, p->slot_cycles);
    size_t room = sizeof p->board - p->board_len;
    if (both_ways(p) && room > 1)
        room = 1;
    p->board_len += p->api->recv(p->sim, p->board + p->board_len, room, 0);
    if (++p->slot < p->kind->slots)
        return;
    uint64_t rest = p->frame - p->slot_cycles * p->kind->slots;
    if (rest)
        p->packet_at +=
            p->api->run(p->sim, p->packet + p->packet_at, p->packet_len - p->packet_at, rest);
    p->slot = 0;
    p->ready = p->queued;
    p->host_seen = p->host_len;
}

static ptrdiff_t pace_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct pace *p = self;
    uint64_t end = now(p) + (uint64_t)timeout_ms * p->kind->clk_khz;
    while (p->queued == QUEUE && now(p) < end)
        slot(p);
    if (len > QUEUE - p->queued)
        len = QUEUE - p->queued;
    for (size_t i = 0; i < len; i++)
        p->queue[(p->head + p->queued++) % QUEUE] = data[i];
    return (ptrdiff_t)len;
}

static ptrdiff_t pace_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct pace *p = self;
    uint64_t end = now(p) + (uint64_t)timeout_ms * p->kind->clk_khz;
    int idle = 0;
    while (!p->host_seen && now(p) < end) {
        slot(p);
        idle |= !p->queued && p->packet_at == p->packet_len;
    }
    p->idle_waits += (unsigned)idle;
    size_t n = p->host_seen < cap ? p->host_seen : cap;
    memcpy(data, p->host, n);
    p->host_len -= n;
    p->host_seen -= n;
    memmove(p->host, p->host + n, p->host_len);
    return (ptrdiff_t)n;
}

static int pace_reset(void *self)
{
    struct pace *p = self;
    p->api->reset(p->sim);
    p->queued = p->ready = p->packet_len = p->packet_at = p->board_len = 0;
    p->host_len = p->host_seen = 0;
    p->start = p->api->cycles(p->sim);
    p->flushed = p->slot = p->idle_waits = 0;
    return FLX_OK;
}

static void pace_close(void *self)
{
    struct pace *p = self;
    p->api->close(p->sim);
    free(p);
}

static const struct flx_transport_ops pace_ops = {pace_send, pace_recv, pace_reset, pace_close,
                                                  NULL};

int flx_pace_open(const struct flx_sim_api *api, void *instance, const char *name,
                  struct flx_transport *t)
{
    const struct kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i].name, name))
            kind = &kinds[i];
    struct pace *p = kind ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        api->close(instance);
        return kind ? flx_fail(FLX_ERR_NOMEM, "no memory for a paced link")
                    : flx_fail(FLX_ERR_ARG, "pace=%s: known are uart12, fs and fifo40", name);
    }
    p->api = api;
    p->sim = instance;
    p->kind = kind;
    p->frame = (uint64_t)kind->frame_us * kind->clk_khz / 1000;
    p->slot_cycles = p->frame / kind->slots;
    *t = (struct flx_transport){&pace_ops, p};
    return pace_reset(p);
}

int flx_pace_stats(const struct flx_transport *t, struct flx_pace_stats *out)
{
    if (t->ops != &pace_ops)
        return 0;
    const struct pace *p = t->self;
    *out = (struct flx_pace_stats){.cycles = now(p),
                                   .bytes_per_cycle =
                                       (double)p->kind->slots * p->kind->packet / (double)p->frame,
                                   .idle_waits = p->idle_waits};
    return 1;
}
