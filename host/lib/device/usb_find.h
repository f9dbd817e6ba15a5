/* SPDX-License-Identifier: Apache-2.0 */
/** Boards on USB: what they can be (a table), which are there, opening one. */
#ifndef FLEXOR_USB_FIND_H
#define FLEXOR_USB_FIND_H
#include <libusb-1.0/libusb.h>
#include <stdint.h>

enum flx_usb_bridge {
    FLX_USB_NATIVE, /* the FPGA is the device */
    FLX_USB_FT_H,   /* FT2232H, FT232H: 120 MHz divisors, high speed */
    FLX_USB_FT_X,   /* FT231X: 48 MHz divisors, full speed */
    FLX_USB_CDC     /* CDC-ACM: interfaces and endpoints are looked up by class */
};

struct flx_usb_kind {
    const char *name; /* board, for people */
    uint16_t vid, pid;
    const char *product; /* how the product string begins; NULL: not a board we know */
    enum flx_usb_bridge bridge;
    uint8_t interface, ep_out, ep_in; /* CDC: 0, as is the packet */
    uint16_t packet;                  /* bytes of the largest IN packet */
    int baud;                         /* bridges: what the board's bitstream speaks */
};

struct flx_usb_board {
    const struct flx_usb_kind *kind;
    char path[32]; /* bus and ports, as in /sys/bus/usb/devices: "1-4.2" */
    char serial[64], product[64];
    uint8_t bus, address;
    uint8_t interface, ep_out, ep_in; /* of the data */
    uint8_t control;                  /* interface of a CDC function's requests, else the same */
    uint16_t packet;
};

#define FLX_USB_BOARDS 64

/** Fills @p out with the boards that are plugged in now, in the order of their
 *  paths. The list is fresh each time, with or without a running udevd. Returns how
 *  many, or FLX_ERR_IO, _NOMEM. */
int flx_usb_find(struct flx_usb_board out[FLX_USB_BOARDS]);

/** Whether @p name is the board's serial number or path; "" is every board. */
int flx_usb_named(const struct flx_usb_board *b, const char *name);

/** What a spec would call it: "usb:SERIAL", or its path when it has no usable serial
 *  number. */
void flx_usb_spec(const struct flx_usb_board *b, char *spec, size_t size);

/** Opens the board in a context of its own and claims the interface; the kernel's
 *  driver is put aside until it is released. FLX_ERR_IO (permission, busy: the
 *  sentence says what to do), _UNPLUGGED, _NOMEM. */
int flx_usb_claim(const struct flx_usb_board *b, libusb_context **ctx,
                  libusb_device_handle **handle);
void flx_usb_release(const struct flx_usb_board *b, libusb_context *ctx,
                     libusb_device_handle *handle);

/** Records a sentence for a libusb error and returns the status. */
int flx_usb_fail(const struct flx_usb_board *b, int error, const char *what);

#endif
