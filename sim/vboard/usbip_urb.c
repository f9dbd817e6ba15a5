/* SPDX-License-Identifier: Apache-2.0 */
#include "usbip_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CMD_SUBMIT   1
#define CMD_UNLINK   2
#define RET_SUBMIT   3
#define RET_UNLINK   4
#define HEADER       48
#define ZERO_PACKET  0x40
#define TRANSFER_MAX (4 << 20)

struct transfer {
    struct vb_urb urb;
    uint32_t seq;
};

uint32_t vb_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void vb_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void *extend(struct buffer *b, size_t n)
{
    if (b->len + n > b->cap) {
        size_t cap = 2 * (b->len + n);
        uint8_t *bytes = realloc(b->bytes, cap);
        if (!bytes) {
            perror("flexor-vboard");
            exit(1);
        }
        b->bytes = bytes;
        b->cap = cap;
    }
    b->len += n;
    return b->bytes + b->len - n;
}

void vb_append(struct buffer *b, const void *data, size_t n)
{
    if (n)
        memcpy(extend(b, n), data, n);
}

void vb_drop_front(struct buffer *b, size_t n)
{
    b->len -= n;
    memmove(b->bytes, b->bytes + n, b->len);
}

static void reply(struct client *c, uint32_t command, uint32_t seq, int status, int actual)
{
    uint8_t head[HEADER] = {0};
    vb_put32(head, command);
    vb_put32(head + 4, seq);
    vb_put32(head + 20, (uint32_t)status);
    vb_put32(head + 24, (uint32_t)actual);
    vb_append(&c->out, head, sizeof head);
}

static int is_in(const struct vb_urb *u)
{
    return u->endpoint ? u->endpoint & 0x80 : u->setup[0] & 0x80;
}

static void free_transfer(struct transfer *t)
{
    free(t->urb.data);
    free(t);
}

void vb_transfer_done(void *user, struct vb_urb *u)
{
    struct client *c = user;
    struct transfer *t = u->user;
    reply(c, RET_SUBMIT, t->seq, u->status, u->actual);
    if (is_in(u))
        vb_append(&c->out, u->data, (size_t)u->actual);
    free_transfer(t);
}

void vb_transfer_drop(void *user, struct vb_urb *u)
{
    (void)user;
    free_transfer(u->user);
}

/* A transfer that has moved bytes ends with them instead of being unlinked, as a
 * controller does it; else they would be lost. */
static void unlink_transfer(struct client *c, uint32_t seq, uint32_t victim)
{
    for (int i = 0; i < VB_ENDPOINTS; i++)
        for (struct vb_urb *u = c->bus.queue[i]; u; u = u->next) {
            struct transfer *t = u->user;
            if (t->seq != victim)
                continue;
            int partly = u->actual > 0;
            vb_bus_cancel(&c->bus, u);
            if (partly)
                vb_transfer_done(c, u);
            else
                free_transfer(t);
            reply(c, RET_UNLINK, seq, partly ? 0 : -ECONNRESET, 0);
            return;
        }
    reply(c, RET_UNLINK, seq, 0, 0);
}

/* A command, if it is there completely: how many bytes it has. */
size_t vb_take_command(struct client *c)
{
    const uint8_t *p = c->in.bytes;
    if (c->in.len < HEADER)
        return 0;
    uint32_t seq = vb_get32(p + 4), in = vb_get32(p + 12), endpoint = vb_get32(p + 16) & 15;
    if (vb_get32(p) == CMD_UNLINK) {
        unlink_transfer(c, seq, vb_get32(p + 20));
        return HEADER;
    }
    uint32_t length = vb_get32(p + 24), data = in ? 0 : length;
    if (vb_get32(p) != CMD_SUBMIT || length > TRANSFER_MAX)
        return SIZE_MAX;
    if (c->in.len < HEADER + data)
        return 0;
    struct transfer *t = calloc(1, sizeof *t);
    if (!t || !(t->urb.data = malloc(length + 1))) {
        free(t);
        return SIZE_MAX;
    }
    t->seq = seq;
    t->urb.user = t;
    t->urb.endpoint = (uint8_t)(endpoint && in ? endpoint | 0x80 : endpoint);
    t->urb.length = (int)length;
    t->urb.zero_packet = (vb_get32(p + 20) & ZERO_PACKET) != 0;
    memcpy(t->urb.setup, p + 40, VB_SETUP);
    memcpy(t->urb.data, p + HEADER, data);
    vb_bus_submit(&c->bus, &t->urb);
    return HEADER + data;
}
