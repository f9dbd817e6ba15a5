/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_ftdi.h"

#include <string.h>

#define REQUEST_OUT 0x40 /* vendor, to the device */
#define CONTROL_MS  1000

enum { REQ_RESET, REQ_MODEM, REQ_FLOW, REQ_BAUD, REQ_DATA, REQ_LATENCY = 9 };
enum { RESET_ALL, PURGE_RX, PURGE_TX }; /* wValue of REQ_RESET */

#define FLOW_RTS_CTS 0x0100
#define RTS_DTR_ON   0x0303
#define DATA_8N1     0x0008
#define DATA_BREAK   0x4000
#define LATENCY_MS   1
#define H_DIVIDER    0x0200 /* of wIndex: base rate 12 MHz instead of 3 MHz */

/* Eighths of the divisor, as the chips number them. */
static uint32_t encode(uint32_t eighths)
{
    static const uint8_t code[8] = {0, 3, 2, 4, 1, 5, 6, 7};
    return eighths >> 3 | (uint32_t)code[eighths & 7] << 14;
}

/* Divisors 0 and 1 mean 1 and 1.5; none lies between 1 and 2 otherwise. */
static int divide(uint32_t base, uint32_t baud, uint32_t *bits)
{
    if (baud >= base) {
        *bits = 0;
        return (int)base;
    }
    if (baud >= base * 2 / 3) {
        *bits = 1;
        return (int)(base * 2 / 3);
    }
    uint32_t eighths = (base * 16 / baud + 1) / 2;
    if (eighths < 16)
        eighths = 16;
    if (eighths > 0x1ffff)
        eighths = 0x1ffff;
    *bits = encode(eighths);
    return (int)((base * 16 / eighths + 1) / 2);
}

int flx_ftdi_divisor(enum flx_usb_bridge bridge, int baud, uint16_t *value, uint16_t *index)
{
    uint32_t bits;
    int fast = bridge == FLX_USB_FT_H && baud * 10LL > 120000000 / 0x3fff;
    int got = divide(fast ? 12000000 : 3000000, (uint32_t)baud, &bits);
    *value = (uint16_t)bits;
    *index = (uint16_t)(bits >> 16);
    if (bridge == FLX_USB_FT_H)
        *index = (uint16_t)(*index << 8 | (fast ? H_DIVIDER : 0));
    return got;
}

/* Bridges with several channels number them from 1; with one it is 0. */
static uint16_t channel(const struct flx_usb_kind *k)
{
    return k->bridge == FLX_USB_FT_H ? k->interface + 1 : 0;
}

static int request(libusb_device_handle *h, const struct flx_usb_kind *k, uint8_t what,
                   uint16_t value, uint16_t index)
{
    int n = libusb_control_transfer(h, REQUEST_OUT, what, value, (uint16_t)(index | channel(k)),
                                    NULL, 0, CONTROL_MS);
    return n < 0 ? n : 0;
}

static int purge(libusb_device_handle *h, const struct flx_usb_kind *k)
{
    int error = request(h, k, REQ_RESET, PURGE_RX, 0);
    return error ? error : request(h, k, REQ_RESET, PURGE_TX, 0);
}

int flx_ftdi_flow(libusb_device_handle *h, const struct flx_usb_kind *k, int rts_cts)
{
    return request(h, k, REQ_FLOW, 0, rts_cts ? FLOW_RTS_CTS : 0);
}

int flx_ftdi_setup(libusb_device_handle *h, const struct flx_usb_kind *k, int baud)
{
    uint16_t value, index;
    flx_ftdi_divisor(k->bridge, baud, &value, &index);
    int error = request(h, k, REQ_RESET, RESET_ALL, 0);
    if (!error)
        error = request(h, k, REQ_BAUD, value, index);
    if (!error)
        error = request(h, k, REQ_DATA, DATA_8N1, 0);
    if (!error)
        error = flx_ftdi_flow(h, k, 0);
    if (!error)
        error = request(h, k, REQ_MODEM, RTS_DTR_ON, 0);
    if (!error)
        error = request(h, k, REQ_LATENCY, LATENCY_MS, 0);
    return error ? error : purge(h, k);
}

int flx_ftdi_reset(libusb_device_handle *h, const struct flx_usb_kind *k)
{
    int error = purge(h, k);
    if (!error)
        error = request(h, k, REQ_DATA, DATA_8N1 | DATA_BREAK, 0);
    if (!error)
        error = request(h, k, REQ_DATA, DATA_8N1, 0);
    return error ? error : purge(h, k);
}

size_t flx_ftdi_strip(uint8_t *bytes, size_t len, size_t packet, uint64_t *line_errors)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i += packet) {
        size_t n = len - i < packet ? len - i : packet;
        if (n < FLX_FTDI_STATUS_BYTES)
            continue;
        *line_errors += (bytes[i + 1] & FLX_FTDI_LINE_ERRORS) != 0;
        memmove(bytes + kept, bytes + i + FLX_FTDI_STATUS_BYTES, n - FLX_FTDI_STATUS_BYTES);
        kept += n - FLX_FTDI_STATUS_BYTES;
    }
    return kept;
}
