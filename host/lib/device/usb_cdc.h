/* SPDX-License-Identifier: Apache-2.0 */
/** Controllers that offer a UART as a CDC-ACM function (DAPLink firmware, for one). */
#ifndef FLEXOR_USB_CDC_H
#define FLEXOR_USB_CDC_H
#include "usb_find.h"

#define FLX_CDC_MOST_BAUD 4500000 /* USART1 of an STM32F103 */

/** Finds the function by its interface classes: fills interfaces, bulk endpoints and packet
 *  size of @p b. 0 when there is none. */
int flx_cdc_find(const struct libusb_config_descriptor *config, struct flx_usb_board *b);

/** Line coding (8N1 at @p baud), DTR and RTS on. A libusb error. */
int flx_cdc_setup(libusb_device_handle *h, const struct flx_usb_board *b, int baud);

/** Resets link and core by a break, without SEND_BREAK, which DAPLink does not have: a zero
 *  byte at a quarter of the rate is 36 bits of 0. A libusb error. */
int flx_cdc_reset(libusb_device_handle *h, const struct flx_usb_board *b, int baud);

#endif
