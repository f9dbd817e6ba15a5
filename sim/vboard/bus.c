/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>

#include "vb.h"

static struct vb_urb **queue_of(struct vb_bus *b, uint8_t endpoint)
{
    return &b->queue[(endpoint & 0x0f) | (endpoint & 0x80) >> 3];
}

void vb_bus_submit(struct vb_bus *b, struct vb_urb *u)
{
    struct vb_urb **at = queue_of(b, u->endpoint);
    u->next = NULL;
    u->actual = u->status = 0;
    while (*at)
        at = &(*at)->next;
    *at = u;
}

int vb_bus_pending(const struct vb_bus *b)
{
    for (int i = 0; i < VB_ENDPOINTS; i++)
        if (b->queue[i])
            return 1;
    return 0;
}

int vb_bus_cancel(struct vb_bus *b, struct vb_urb *u)
{
    struct vb_urb **at = queue_of(b, u->endpoint);
    while (*at && *at != u)
        at = &(*at)->next;
    if (!*at)
        return 0;
    *at = u->next;
    return 1;
}

/* One packet of an OUT transfer: 1 when it is over, 0 when it goes on, or VB_... */
static int out_packet(struct vb_bus *b, struct vb_urb *u)
{
    int packet = b->device.id->packet, n = u->length - u->actual;
    if (n > packet)
        n = packet;
    int took = b->device.ops->out(b->device.self, u->endpoint, u->data + u->actual, n);
    if (took < 0)
        return took;
    u->actual += n;
    return u->actual == u->length && (n < packet || !u->zero_packet);
}

static int in_packet(struct vb_bus *b, struct vb_urb *u)
{
    uint8_t bytes[VB_PACKET_MAX];
    int n = b->device.ops->in(b->device.self, u->endpoint, bytes), room = u->length - u->actual;
    if (n < 0)
        return n;
    for (int i = 0; i < n && i < room; i++)
        u->data[u->actual++] = bytes[i];
    if (n > room)
        return VB_BABBLE;
    return n < b->device.id->packet || n == room;
}

static int control(struct vb_bus *b, struct vb_urb *u)
{
    /* CLEAR_FEATURE(ENDPOINT_HALT) */
    if (u->setup[0] == 2 && u->setup[1] == 1)
        b->device.ops->clear_halt(b->device.self, u->setup[4]);
    int n = b->device.ops->control(b->device.self, u->setup, u->data, u->length);
    if (n < 0)
        return n;
    u->actual = n;
    return 1;
}

static int errno_of(int answer)
{
    switch (answer) {
    case VB_STALL:
        return -EPIPE;
    case VB_BABBLE:
        return -EOVERFLOW;
    default:
        return 0;
    }
}

/* Packets of the first transfer of a queue until it waits. Returns how many moved. */
static int serve(struct vb_bus *b, struct vb_urb **queue, vb_done_fn done, void *user)
{
    int moved = 0;
    while (*queue && !b->gone) {
        struct vb_urb *u = *queue;
        int r = u->endpoint == 0     ? control(b, u)
                : u->endpoint & 0x80 ? in_packet(b, u)
                                     : out_packet(b, u);
        if (r == VB_NAK)
            break;
        moved++;
        if (r == VB_GONE)
            b->gone = 1;
        else if (r) {
            *queue = u->next;
            u->status = errno_of(r);
            done(user, u);
        }
    }
    return moved;
}

int vb_bus_work(struct vb_bus *b, int host_ms, vb_done_fn done, void *user)
{
    int moved = 0;
    for (int i = 0; i < VB_ENDPOINTS && !b->gone; i++)
        moved += serve(b, &b->queue[i], done, user);
    if (b->gone) {
        vb_bus_unplug(b, done, user);
        return 0;
    }
    return b->device.ops->tick(b->device.self, host_ms) || moved;
}

void vb_bus_unplug(struct vb_bus *b, vb_done_fn done, void *user)
{
    b->gone = 1;
    for (int i = 0; i < VB_ENDPOINTS; i++)
        while (b->queue[i]) {
            struct vb_urb *u = b->queue[i];
            b->queue[i] = u->next;
            u->status = -ENODEV;
            done(user, u);
        }
}
