/* SPDX-License-Identifier: Apache-2.0 */
/** What the two parts of the USB/IP server share: usbip.c has connections, list and
 *  import, usbip_urb.c the commands of an attached board. */
#ifndef VB_USBIP_CLIENT_H
#define VB_USBIP_CLIENT_H
#include "vb.h"

struct buffer {
    uint8_t *bytes;
    size_t len, cap;
};

struct client {
    int fd;
    int board; /* < 0: nothing is imported yet */
    struct vb_bus bus;
    struct buffer in, out;
    int close_when_sent;
};

/** Numbers are big-endian. */
uint32_t vb_get32(const uint8_t *p);
void vb_put32(uint8_t *p, uint32_t v);
void vb_append(struct buffer *b, const void *data, size_t n);
void vb_drop_front(struct buffer *b, size_t n);

/** Takes a command from c->in, if it is there completely: how many bytes it has;
 *  SIZE_MAX when it makes no sense. */
size_t vb_take_command(struct client *c);
/** For vb_bus_work and vb_bus_unplug. */
void vb_transfer_done(void *client, struct vb_urb *u);
void vb_transfer_drop(void *unused, struct vb_urb *u);

#endif
