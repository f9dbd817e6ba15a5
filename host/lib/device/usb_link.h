/* SPDX-License-Identifier: Apache-2.0 */
/** The byte stream of a board: transfers queued in both directions over libusb's
 *  asynchronous interface. Without a thread of its own: transfers that are under way
 *  go on in the kernel, and those that ended are looked at when the session sends or
 *  receives. Each link has its own libusb context, so boards share nothing. */
#ifndef FLEXOR_USB_LINK_H
#define FLEXOR_USB_LINK_H
#include "backend.h"
#include "transport.h"
#include "usb_find.h"

struct flx_usb_link_stats {
    uint64_t transfers_out, transfers_in, bytes_out, bytes_in;
    uint64_t stalls, overflows, errors; /* transfers that ended so */
    uint64_t line_errors;               /* packets of a bridge with overrun or framing error */
};

/** Opens the board, resets link and core, and starts receiving. @p baud and
 *  @p flow are for bridges. Errors of flx_usb_claim, FLX_ERR_NOMEM, _TIMEOUT. A board that vanishes
 *  makes every call end with FLX_ERR_UNPLUGGED. */
int flx_usb_link_open(const struct flx_usb_board *b, int baud, enum flx_flow flow,
                      struct flx_transport *t);

/** @p t comes from flx_usb_link_open. */
void flx_usb_link_stats(const struct flx_transport *t, struct flx_usb_link_stats *out);

#endif
