/* SPDX-License-Identifier: Apache-2.0 */
/** One board as a device: finds it, keeps its model, and when the link fails or the
 *  board is unplugged, finds it again and repeats the part that was under way. */
#ifndef FLEXOR_USB_BOARD_H
#define FLEXOR_USB_BOARD_H
#include "backend.h"
#include "desc.h"
#include "usb_find.h"
#include "usb_link.h"

struct flx_usb_device;

/** Opens the board; options (baud, timeout, noise, replug, stream) are those of
 *  @p spec. Errors of flx_usb_claim and flx_session_open. */
int flx_usb_device_open(const struct flx_usb_board *b, const struct flx_spec *spec,
                        struct flx_usb_device **out);

/** For self = struct flx_usb_device. */
extern const struct flx_device_ops flx_usb_device_ops;

/** Asks who is there, without patience. FLX_OK and the description, or why not. */
int flx_usb_device_probe(const struct flx_usb_board *b, struct flx_desc *desc);

#endif
