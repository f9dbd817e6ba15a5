/* SPDX-License-Identifier: Apache-2.0 */
/** FTDI bridges as UARTs: the vendor requests. The data go through our own transfers
 *  (usb_link.h), since libftdi1 keeps at most one under way in each direction. */
#ifndef FLEXOR_USB_FTDI_H
#define FLEXOR_USB_FTDI_H
#include "usb_find.h"

#define FLX_FTDI_STATUS_BYTES 2    /* in front of every IN packet */
#define FLX_FTDI_OVERRUN      0x02 /* in the second one: bytes were lost */
#define FLX_FTDI_LINE_ERRORS  0x0e /* overrun, parity, framing */

/** The divisor of the rate nearest to @p baud, as wValue and the bits for wIndex.
 *  Returns the rate that it gives. */
int flx_ftdi_divisor(enum flx_usb_bridge bridge, int baud, uint16_t *value, uint16_t *index);

/** 8N1 at @p baud, no flow control, latency timer 1 ms, both FIFOs empty. A libusb error. */
int flx_ftdi_setup(libusb_device_handle *h, const struct flx_usb_kind *k, int baud);

/** RTS/CTS or none. An unwired CTS# may stop a bridge for ever. A libusb error. */
int flx_ftdi_flow(libusb_device_handle *h, const struct flx_usb_kind *k, int rts_cts);

/** Empties the FIFOs and sends a break, which resets link and core. A libusb error. */
int flx_ftdi_reset(libusb_device_handle *h, const struct flx_usb_kind *k);

/** Takes the status bytes out of the packets of a transfer; what is left. Counts
 *  packets with overrun, parity or framing errors. */
size_t flx_ftdi_strip(uint8_t *bytes, size_t len, size_t packet, uint64_t *line_errors);

#endif
