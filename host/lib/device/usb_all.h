/* SPDX-License-Identifier: Apache-2.0 */
/** Several boards as one device: whichever is free takes the next images. A board
 *  that is lost leaves its images to the others. */
#ifndef FLEXOR_USB_ALL_H
#define FLEXOR_USB_ALL_H
#include "backend.h"

#define FLX_USB_ALL_MAX 64

struct flx_usb_all;

/** Takes over @p n opened boards. FLX_ERR_NOMEM (they are closed then). */
int flx_usb_all_open(const struct flx_device_ops *ops, void **boards, int n,
                     struct flx_usb_all **out);

/** For self = struct flx_usb_all. */
extern const struct flx_device_ops flx_usb_all_ops;

#endif
