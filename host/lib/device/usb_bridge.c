/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_bridge.h"

#include "flx_proto.h"
#include "usb_cdc.h"
#include "usb_ftdi.h"

#define CONTROL_MS 1000

static int native_setup(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    (void)h;
    (void)b;
    (void)baud;
    return 0;
}

/* A packet whose ACK was lost leaves the toggles apart (docs/usb-core.md), so both
 * endpoints are cleared. */
static int native_reset(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    (void)baud;
    int error = libusb_control_transfer(
        h, LIBUSB_ENDPOINT_OUT | LIBUSB_REQUEST_TYPE_VENDOR | LIBUSB_RECIPIENT_DEVICE,
        FLX_USB_REQ_LINK_RESET, 0, 0, NULL, 0, CONTROL_MS);
    if (error >= 0)
        error = libusb_clear_halt(h, b->ep_out);
    if (error >= 0)
        error = libusb_clear_halt(h, b->ep_in);
    return error < 0 ? error : 0;
}

static int native_flow(libusb_device_handle *h, const struct flx_usb_board *b, int rts_cts)
{
    (void)h;
    (void)b;
    (void)rts_cts;
    return 1;
}

static int ftdi_setup(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    return flx_ftdi_setup(h, b->kind, baud);
}

static int ftdi_reset(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    (void)baud;
    return flx_ftdi_reset(h, b->kind);
}

static int ftdi_flow(libusb_device_handle *h, const struct flx_usb_board *b, int rts_cts)
{
    int error = flx_ftdi_flow(h, b->kind, rts_cts);
    return error ? error : rts_cts;
}

/* CDC-ACM knows no RTS/CTS. */
static int cdc_flow(libusb_device_handle *h, const struct flx_usb_board *b, int rts_cts)
{
    (void)h;
    (void)b;
    (void)rts_cts;
    return 0;
}

static const struct flx_usb_bridge_ops table[] = {
    [FLX_USB_NATIVE] = {0, native_setup, native_reset, native_flow, NULL},
    [FLX_USB_FT_H] = {12000000, ftdi_setup, ftdi_reset, ftdi_flow, flx_ftdi_strip},
    [FLX_USB_FT_X] = {3000000, ftdi_setup, ftdi_reset, ftdi_flow, flx_ftdi_strip},
    [FLX_USB_CDC] = {FLX_CDC_MOST_BAUD, flx_cdc_setup, flx_cdc_reset, cdc_flow, NULL},
};

const struct flx_usb_bridge_ops *flx_usb_bridge(enum flx_usb_bridge bridge)
{
    return &table[bridge];
}
