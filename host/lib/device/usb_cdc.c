/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_cdc.h"

#include <time.h>

#define SUBCLASS_ACM  2
#define REQUEST_OUT   0x21 /* class, to an interface */
#define LINE_CODING   0x20
#define CONTROL_LINES 0x22
#define DTR_RTS       0x0003
#define DATA_BITS     8
#define CONTROL_MS    1000
#define BREAK_RATE    4  /* the rate's part at which a zero byte is a break */
#define BREAK_MS      20 /* for the controller to take the byte and send it */

/* Bulk endpoints of a data interface; 0 when one is missing. */
static int take_data(const struct libusb_interface_descriptor *d, struct flx_usb_board *b)
{
    b->ep_in = b->ep_out = 0;
    for (int i = 0; i < d->bNumEndpoints; i++) {
        const struct libusb_endpoint_descriptor *e = &d->endpoint[i];
        if ((e->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) != LIBUSB_TRANSFER_TYPE_BULK)
            continue;
        if (e->bEndpointAddress & LIBUSB_ENDPOINT_IN) {
            b->ep_in = e->bEndpointAddress;
            b->packet = e->wMaxPacketSize;
        } else {
            b->ep_out = e->bEndpointAddress;
        }
    }
    b->interface = d->bInterfaceNumber;
    return b->ep_in && b->ep_out;
}

/* The data interface is the next one of its class behind the control interface. */
int flx_cdc_find(const struct libusb_config_descriptor *config, struct flx_usb_board *b)
{
    int control = -1;
    for (int i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface_descriptor *d = config->interface[i].altsetting;
        if (config->interface[i].num_altsetting < 1)
            continue;
        if (d->bInterfaceClass == LIBUSB_CLASS_COMM && d->bInterfaceSubClass == SUBCLASS_ACM)
            control = d->bInterfaceNumber;
        if (control < 0 || d->bInterfaceClass != LIBUSB_CLASS_DATA)
            continue;
        b->control = (uint8_t)control;
        return take_data(d, b);
    }
    return 0;
}

static int set_rate(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    uint32_t rate = (uint32_t)baud;
    uint8_t coding[7] = {(uint8_t)rate,
                         (uint8_t)(rate >> 8),
                         (uint8_t)(rate >> 16),
                         (uint8_t)(rate >> 24),
                         0, /* one stop bit */
                         0, /* no parity */
                         DATA_BITS};
    int n = libusb_control_transfer(h, REQUEST_OUT, LINE_CODING, 0, b->control, coding,
                                    sizeof coding, CONTROL_MS);
    return n < 0 ? n : 0;
}

int flx_cdc_setup(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    int error = set_rate(h, b, baud);
    if (error)
        return error;
    int n = libusb_control_transfer(h, REQUEST_OUT, CONTROL_LINES, DTR_RTS, b->control, NULL, 0,
                                    CONTROL_MS);
    return n < 0 ? n : 0;
}

/* What the controller still holds is dropped with each change of the rate. */
int flx_cdc_reset(libusb_device_handle *h, const struct flx_usb_board *b, int baud)
{
    const struct timespec pause = {.tv_nsec = BREAK_MS * 1000000L};
    uint8_t zero = 0;
    int sent, error = set_rate(h, b, baud / BREAK_RATE);
    if (!error)
        error = libusb_bulk_transfer(h, b->ep_out, &zero, 1, &sent, CONTROL_MS);
    if (error)
        return error;
    nanosleep(&pause, NULL);
    return set_rate(h, b, baud);
}
