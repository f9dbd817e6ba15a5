/* SPDX-License-Identifier: Apache-2.0 */
/* The FPGA as a USB device (docs/usb.md), at the level of packets. */
#include <stdio.h>
#include <stdlib.h>

#include "flx_proto.h"
#include "vb.h"

struct native {
    struct vb_identity id;
    struct vb_fpga *fpga;
    uint8_t configuration;
    int full;                /* the last IN packet was: a burst ends with a short one */
    int apart_out, apart_in; /* toggles, after a link reset: its next packet is lost */
};

static void native_reset(void *self)
{
    struct native *n = self;
    n->configuration = 0;
    n->full = n->apart_out = n->apart_in = 0;
    vb_fpga_reset(n->fpga);
}

/* The worst case: each link reset meets a packet whose ACK was lost. */
static int lost(int *apart)
{
    int was = *apart;
    *apart = 0;
    if (was)
        fprintf(stderr, "flexor-vboard: a packet is lost: toggles differ after a link reset\n");
    return was;
}

static int native_control(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len)
{
    struct native *n = self;
    if (setup[0] == 0x40 && setup[1] == FLX_USB_REQ_LINK_RESET) {
        n->full = 0;
        n->apart_out = n->apart_in = 1;
        vb_fpga_reset(n->fpga);
        return 0;
    }
    if (setup[0] == 0 && setup[1] == 9) { /* SET_CONFIGURATION */
        n->full = n->apart_out = n->apart_in = 0;
        vb_fpga_reset(n->fpga);
    }
    return vb_standard(&n->id, &n->configuration, setup, data, len);
}

static int native_out(void *self, uint8_t endpoint, const uint8_t *data, int len)
{
    struct native *n = self;
    if (endpoint != FLX_USB_EP_OUT)
        return VB_STALL;
    if (lost(&n->apart_out))
        return len;
    return vb_fpga_write(n->fpga, data, (size_t)len) ? len : VB_NAK;
}

static int native_in(void *self, uint8_t endpoint, uint8_t *data)
{
    struct native *n = self;
    if (endpoint != FLX_USB_EP_IN)
        return VB_STALL;
    int len = (int)vb_fpga_read(n->fpga, data, FLX_USB_PACKET);
    if (!len && !n->full)
        return VB_NAK;
    n->full = len == FLX_USB_PACKET;
    return lost(&n->apart_in) ? VB_NAK : len;
}

static int native_tick(void *self, int host_ms)
{
    struct native *n = self;
    (void)host_ms;
    return vb_fpga_run(n->fpga);
}

static void native_clear_halt(void *self, uint8_t endpoint)
{
    struct native *n = self;
    if (endpoint == FLX_USB_EP_OUT)
        n->apart_out = 0;
    if (endpoint == FLX_USB_EP_IN)
        n->apart_in = 0;
}

static void native_press_reset(void *self)
{
    struct native *n = self;
    vb_fpga_reset(n->fpga);
}

static void native_close(void *self)
{
    struct native *n = self;
    vb_fpga_close(n->fpga);
    free(n);
}

static const struct vb_device_ops ops = {
    native_control, native_out,        native_in,          native_tick,
    native_reset,   native_clear_halt, native_press_reset, native_close,
};

int vb_native_open(struct vb_fpga *f, const struct vb_names *names, struct vb_device *d)
{
    struct native *n = calloc(1, sizeof *n);
    if (!n) {
        vb_fpga_close(f);
        return 0;
    }
    n->fpga = f;
    vb_describe(&n->id, FLX_USB_VID, FLX_USB_PID, 0x0100, 12, 1);
    snprintf(n->id.manufacturer, sizeof n->id.manufacturer, "flexor");
    snprintf(n->id.product, sizeof n->id.product, "%s",
             names->product ? names->product : "flexor vboard");
    snprintf(n->id.serial, sizeof n->id.serial, "%s", names->serial);
    *d = (struct vb_device){&ops, n, &n->id};
    return 1;
}
