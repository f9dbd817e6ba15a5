/* SPDX-License-Identifier: Apache-2.0 */
/** What the two parts of the umockdev front end share: umockdev.c makes boards appear
 *  and vanish (main thread), umockdev_usbfs.c answers usbfs ioctls (umockdev's thread). */
#ifndef VB_UMOCKDEV_NODE_H
#define VB_UMOCKDEV_NODE_H
#include <umockdev.h>

#include "vb.h"

#define PIPE_BYTES 4096

struct testbed;

/* One plugging in of one board. */
struct node {
    struct testbed *bed;
    int board, nth, address;
    char path[64], sys[128]; /* /dev/bus/usb/001/002 */
    struct vb_bus bus;
    UMockdevIoctlBase *handler;
    UMockdevIoctlClient *owner[4]; /* of the interfaces */
    struct vb_urb *done, **done_tail;
    int pipe, writable;
    GSource *pump;
    int idle;                     /* the pump was set for a time without activity */
    gint64 last_ioctl, last_work; /* us */
    GMainContext *context;
};

struct testbed {
    const struct vb_options *o;
    UMockdevTestbed *umock;
    GMainLoop *loop;
    int next_address, exit_code;
};

/** Answers the ioctls of a node from here on. */
void vb_node_serve(struct node *n);
/** The pipe behind the node: full (not writable) while no transfer has ended. */
void vb_node_set_writable(struct node *n, int writable);
/** The board vanished; in any thread. */
void vb_node_went_away(struct node *n);

#endif
