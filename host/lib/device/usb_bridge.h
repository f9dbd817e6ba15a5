/* SPDX-License-Identifier: Apache-2.0 */
/** What differs between the ways from USB to the FPGA, as a table. */
#ifndef FLEXOR_USB_BRIDGE_H
#define FLEXOR_USB_BRIDGE_H
#include "usb_find.h"

/** Functions return 0 or a libusb error, unless they say more. */
struct flx_usb_bridge_ops {
    int most_baud; /* 0: there is no rate */

    /** After opening; 8N1 at @p baud, no flow control. */
    int (*setup)(libusb_device_handle *h, const struct flx_usb_board *b, int baud);
    /** Resets link and core. No transfer is under way. */
    int (*reset)(libusb_device_handle *h, const struct flx_usb_board *b, int baud);
    /** RTS/CTS or not. 1: a board that takes no bytes stops the stream; 0: it does not. */
    int (*flow)(libusb_device_handle *h, const struct flx_usb_board *b, int rts_cts);
    /** Takes what the bridge adds out of the packets of a transfer; what is left. NULL:
     *  nothing is added. */
    size_t (*strip)(uint8_t *bytes, size_t len, size_t packet, uint64_t *line_errors);
};

const struct flx_usb_bridge_ops *flx_usb_bridge(enum flx_usb_bridge bridge);

#endif
