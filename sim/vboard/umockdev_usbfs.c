/* SPDX-License-Identifier: Apache-2.0 */
/* The program's usbfs ioctls, and the pump that moves packets and lets time pass. All in
 * umockdev's thread. */
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "umockdev_node.h"

#define IDLE_MS  4
#define GRACE_US 500  /* after an ioctl the next one is waited for, */
#define HOLD_US  3000 /* but the FPGA goes on at least so often */
#define CAPS                                                                                       \
    (USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |                                  \
     USBDEVFS_CAP_REAP_AFTER_DISCONNECT)

struct transfer {
    struct vb_urb urb;
    UMockdevIoctlClient *client;
    UMockdevIoctlData *arg, *buffer;
    uint8_t *bytes; /* of the URB: setup included */
};

void vb_node_set_writable(struct node *n, int writable)
{
    static const char bytes[PIPE_BYTES];
    char sink[PIPE_BYTES];
    if (writable == n->writable)
        return;
    n->writable = writable;
    if (writable)
        while (read(n->pipe, sink, sizeof sink) > 0)
            continue;
    else if (write(n->pipe, bytes, sizeof bytes) < 0 && errno != EAGAIN)
        perror("flexor-vboard: pipe");
}

static void transfer_done(void *user, struct vb_urb *u)
{
    struct node *n = user;
    u->next = NULL;
    *n->done_tail = u;
    n->done_tail = &u->next;
}

static void free_transfer(struct transfer *t)
{
    if (t->buffer)
        umockdev_ioctl_data_unref(t->buffer);
    umockdev_ioctl_data_unref(t->arg);
    free(t->bytes);
    free(t);
}

/* --- the pump, in umockdev's thread --- */

static gboolean pump(gpointer user);

/* Right after an ioctl the program has a millisecond for the next one: umockdev needs
 * several round trips for each, and the FPGA would keep the processor busy. */
static void schedule(struct node *n, int active)
{
    if (n->pump) {
        g_source_destroy(n->pump);
        g_source_unref(n->pump);
        n->pump = NULL;
    }
    if (n->bus.gone || (!active && !vb_bus_pending(&n->bus)))
        return;
    gint64 now = g_get_monotonic_time();
    n->idle = !active;
    if (active && (now > n->last_ioctl + GRACE_US || now > n->last_work + HOLD_US))
        n->pump = g_idle_source_new();
    else
        n->pump = g_timeout_source_new(active ? 1 : IDLE_MS);
    g_source_set_callback(n->pump, pump, n, NULL);
    g_source_attach(n->pump, n->context);
}

static gboolean pump(gpointer user)
{
    struct node *n = user;
    int active = vb_bus_work(&n->bus, n->idle ? IDLE_MS : 0, transfer_done, n);
    n->last_work = g_get_monotonic_time();
    if (n->bus.gone)
        vb_node_went_away(n);
    vb_node_set_writable(n, n->done != NULL);
    schedule(n, active);
    return G_SOURCE_REMOVE;
}

/* --- ioctls, in umockdev's thread --- */

static void *resolve(UMockdevIoctlClient *c, size_t size)
{
    GError *error = NULL;
    UMockdevIoctlData *d =
        umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(c), 0, size, &error);
    g_clear_error(&error);
    return d;
}

static void answer(UMockdevIoctlClient *c, int error)
{
    umockdev_ioctl_client_complete(c, error ? -1 : 0, error);
}

/* The unsigned that the argument points to. */
static unsigned value(UMockdevIoctlClient *c)
{
    unsigned v = 0;
    UMockdevIoctlData *d = resolve(c, sizeof v);
    if (d) {
        memcpy(&v, d->data, sizeof v);
        umockdev_ioctl_data_unref(d);
    }
    return v;
}

/* What the program's buffer holds: setup and data of an OUT transfer, setup of an IN. */
static int fetch(struct transfer *t, const struct usbdevfs_urb *u)
{
    int control = u->type == USBDEVFS_URB_TYPE_CONTROL, head = control ? VB_SETUP : 0;
    int size = u->buffer_length, needed = u->endpoint & 0x80 ? 0 : size;
    t->bytes = calloc(1, (size_t)size + 1);
    if (!t->bytes || size < head)
        return 0;
    if (needed) {
        UMockdevIoctlData *d = umockdev_ioctl_data_resolve(
            t->arg, offsetof(struct usbdevfs_urb, buffer), (gsize)needed, NULL);
        if (!d)
            return 0;
        memcpy(t->bytes, d->data, (size_t)needed);
        t->buffer = d;
    }
    if (control)
        memcpy(t->urb.setup, t->bytes, VB_SETUP);
    t->urb.data = t->bytes + head;
    t->urb.length = control ? t->urb.setup[6] | t->urb.setup[7] << 8 : size;
    return t->urb.length <= size - head;
}

static void submit(struct node *n, UMockdevIoctlClient *c)
{
    UMockdevIoctlData *arg = resolve(c, sizeof(struct usbdevfs_urb));
    struct transfer *t = arg ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        answer(c, ENOMEM);
        return;
    }
    const struct usbdevfs_urb *u = (const struct usbdevfs_urb *)(void *)arg->data;
    *t = (struct transfer){.client = c, .arg = arg};
    t->urb.endpoint = u->endpoint;
    t->urb.zero_packet = (u->flags & USBDEVFS_URB_ZERO_PACKET) != 0;
    t->urb.user = t;
    if (u->type == USBDEVFS_URB_TYPE_CONTROL)
        t->urb.endpoint = 0;
    if (!fetch(t, u)) {
        free_transfer(t);
        answer(c, EINVAL);
        return;
    }
    vb_bus_submit(&n->bus, &t->urb);
    answer(c, 0);
    schedule(n, 1);
}

static struct transfer *first_done(struct node *n, const UMockdevIoctlClient *c)
{
    for (struct vb_urb **at = &n->done; *at; at = &(*at)->next) {
        struct transfer *t = (*at)->user;
        if (c && t->client != c)
            continue;
        *at = t->urb.next;
        for (n->done_tail = &n->done; *n->done_tail;)
            n->done_tail = &(*n->done_tail)->next;
        return t;
    }
    return NULL;
}

/* Bytes for the program; only now is its buffer looked for. */
static void give_back(struct transfer *t)
{
    int head = t->urb.endpoint ? 0 : VB_SETUP;
    if (!t->buffer)
        t->buffer = umockdev_ioctl_data_resolve(t->arg, offsetof(struct usbdevfs_urb, buffer),
                                                (gsize)t->urb.actual, NULL);
    if (t->buffer)
        umockdev_ioctl_data_update(t->buffer, (gsize)head, t->urb.data, t->urb.actual);
}

static void reap(struct node *n, UMockdevIoctlClient *c)
{
    struct transfer *t = first_done(n, c);
    UMockdevIoctlData *out = t ? resolve(c, sizeof(void *)) : NULL;
    if (!out) {
        answer(c, n->bus.gone ? ENODEV : EAGAIN);
        vb_node_set_writable(n, n->done != NULL);
        return;
    }
    int in = (t->urb.endpoint ? t->urb.endpoint : t->urb.setup[0]) & 0x80;
    umockdev_ioctl_data_update(t->arg, offsetof(struct usbdevfs_urb, status),
                               (guint8 *)&t->urb.status, sizeof t->urb.status);
    umockdev_ioctl_data_update(t->arg, offsetof(struct usbdevfs_urb, actual_length),
                               (guint8 *)&t->urb.actual, sizeof t->urb.actual);
    if (in && t->urb.actual)
        give_back(t);
    umockdev_ioctl_data_set_ptr(out, 0, t->arg);
    umockdev_ioctl_data_unref(out);
    answer(c, 0);
    free_transfer(t);
    vb_node_set_writable(n, n->done != NULL);
}

static void discard(struct node *n, UMockdevIoctlClient *c)
{
    gulong address;
    memcpy(&address, umockdev_ioctl_client_get_arg(c)->data, sizeof address);
    for (int i = 0; i < VB_ENDPOINTS; i++)
        for (struct vb_urb *u = n->bus.queue[i]; u; u = u->next) {
            struct transfer *t = u->user;
            if (t->arg->client_addr != address)
                continue;
            vb_bus_cancel(&n->bus, u);
            u->status = -ENOENT;
            transfer_done(n, u);
            vb_node_set_writable(n, 1);
            answer(c, 0);
            return;
        }
    answer(c, EINVAL);
}

static int claim(struct node *n, UMockdevIoctlClient *c, unsigned interface)
{
    if (interface >= sizeof n->owner / sizeof n->owner[0])
        return EINVAL;
    if (n->bed->o->busy || (n->owner[interface] && n->owner[interface] != c))
        return EBUSY;
    n->owner[interface] = c;
    return 0;
}

static int release(struct node *n, const UMockdevIoctlClient *c, unsigned interface)
{
    if (interface >= sizeof n->owner / sizeof n->owner[0] || n->owner[interface] != c)
        return EINVAL;
    n->owner[interface] = NULL;
    return 0;
}

static void capabilities(UMockdevIoctlClient *c)
{
    guint32 caps = CAPS;
    UMockdevIoctlData *d = resolve(c, sizeof caps);
    if (d) {
        umockdev_ioctl_data_update(d, 0, (guint8 *)&caps, sizeof caps);
        umockdev_ioctl_data_unref(d);
    }
    answer(c, 0);
}

/* The program closed its node, or died. */
static void client_gone(UMockdevIoctlClient *c, GParamSpec *spec, gpointer user)
{
    struct node *n = user;
    struct transfer *t;
    (void)spec;
    if (umockdev_ioctl_client_get_connected(c))
        return;
    for (int i = 0; i < VB_ENDPOINTS; i++)
        for (struct vb_urb **at = &n->bus.queue[i]; *at;) {
            t = (*at)->user;
            if (t->client != c) {
                at = &(*at)->next;
                continue;
            }
            *at = t->urb.next;
            free_transfer(t);
        }
    while ((t = first_done(n, c)) != NULL)
        free_transfer(t);
    for (unsigned i = 0; i < sizeof n->owner / sizeof n->owner[0]; i++)
        release(n, c, i);
    vb_node_set_writable(n, n->done != NULL);
}

static void client_new(UMockdevIoctlBase *base, UMockdevIoctlClient *c, gpointer user)
{
    (void)base;
    g_signal_connect(c, "notify::connected", G_CALLBACK(client_gone), user);
}

static void simple(struct node *n, UMockdevIoctlClient *c, gulong request)
{
    unsigned v;
    struct usbdevfs_disconnect_claim dc;
    UMockdevIoctlData *d;
    switch (request) {
    case USBDEVFS_CLAIMINTERFACE:
        answer(c, claim(n, c, value(c)));
        return;
    case USBDEVFS_RELEASEINTERFACE:
        answer(c, release(n, c, value(c)));
        return;
    case USBDEVFS_DISCONNECT_CLAIM:
        memset(&dc, 0, sizeof dc);
        if ((d = resolve(c, sizeof dc)) != NULL) {
            memcpy(&dc, d->data, sizeof dc);
            umockdev_ioctl_data_unref(d);
        }
        answer(c, claim(n, c, dc.interface));
        return;
    case USBDEVFS_CLEAR_HALT:
        v = value(c);
        n->bus.device.ops->clear_halt(n->bus.device.self, (uint8_t)v);
        answer(c, 0);
        schedule(n, 1);
        return;
    case USBDEVFS_RESET:
        n->bus.device.ops->reset(n->bus.device.self);
        answer(c, 0);
        return;
    case USBDEVFS_SETINTERFACE:
    case USBDEVFS_SETCONFIGURATION:
        answer(c, 0);
        return;
    case USBDEVFS_GETDRIVER:
    case USBDEVFS_IOCTL: /* attach or detach a driver: none is there */
        answer(c, ENODATA);
        return;
    default:
        answer(c, ENOTTY);
    }
}

static gboolean handle_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *c, gpointer user)
{
    struct node *n = user;
    gulong request = umockdev_ioctl_client_get_request(c);
    (void)base;
    n->last_ioctl = g_get_monotonic_time();
    if (!n->context)
        n->context = g_main_context_ref_thread_default();
    if (request == USBDEVFS_REAPURB || request == USBDEVFS_REAPURBNDELAY)
        reap(n, c);
    else if (n->bus.gone)
        answer(c, ENODEV);
    else if (request == USBDEVFS_GET_CAPABILITIES)
        capabilities(c);
    else if (request == USBDEVFS_SUBMITURB)
        submit(n, c);
    else if (request == USBDEVFS_DISCARDURB)
        discard(n, c);
    else
        simple(n, c, request);
    return TRUE;
}

void vb_node_serve(struct node *n)
{
    n->handler = umockdev_ioctl_base_new();
    g_signal_connect(n->handler, "handle-ioctl", G_CALLBACK(handle_ioctl), n);
    g_signal_connect(n->handler, "client-connected", G_CALLBACK(client_new), n);
}
