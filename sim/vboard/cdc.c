/* SPDX-License-Identifier: Apache-2.0 */
/* A CMSIS-DAP controller with DAPLink firmware, at the level of packets: of its functions
 * only the CDC-ACM one does something. Its UART knows neither RTS/CTS nor SEND_BREAK, and
 * drops what it holds with each change of the rate. Where the line is not real (--pins),
 * bytes at a wrong rate are garbage, and a zero byte at half the rate or less is a break. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vb.h"

#define EP_OUT       0x04
#define EP_IN        0x84
#define CODING_BYTES 7
#define BOARD_BAUD   1000000
#define BOARD_FIFO   2048

enum { SET_LINE_CODING = 0x20, GET_LINE_CODING, SET_CONTROL_LINES };

struct cdc {
    struct vb_identity id;
    struct vb_fpga *fpga;
    int pins, board_baud, board_fifo;
    uint8_t configuration, coding[CODING_BYTES];
    int open; /* DTR */
    int full; /* the last IN packet was: a burst ends with a short one */
    uint32_t random;
};

static int rate(const struct cdc *c)
{
    return c->coding[0] | c->coding[1] << 8 | c->coding[2] << 16 | c->coding[3] << 24;
}

static void cdc_reset(void *self)
{
    static const uint8_t coding[CODING_BYTES] = {0x80, 0x25, 0, 0, 0, 0, 8}; /* 9600 */
    struct cdc *c = self;
    c->configuration = 0;
    c->open = c->full = 0;
    c->random = 1;
    memcpy(c->coding, coding, sizeof coding);
    vb_fpga_wires(c->fpga, rate(c), 0);
    vb_fpga_reset(c->fpga);
}

/* The line itself stays as it is: what the FPGA got or sends is not the controller's. */
static int set_coding(struct cdc *c, const uint8_t *data, int len)
{
    uint8_t dropped[256];
    if (len != CODING_BYTES || data[4] || data[5] || data[6] != 8)
        return VB_STALL;
    memcpy(c->coding, data, CODING_BYTES);
    if (rate(c) <= 0)
        return VB_STALL;
    while (vb_fpga_read(c->fpga, dropped, sizeof dropped))
        continue;
    vb_fpga_wires(c->fpga, rate(c), 0);
    if (!c->pins)
        vb_fpga_line(c->fpga, rate(c), (size_t)c->board_fifo);
    return 0;
}

static int cdc_control(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len)
{
    struct cdc *c = self;
    if ((setup[0] & 0x60) != 0x20)
        return vb_standard(&c->id, &c->configuration, setup, data, len);
    switch (setup[4] ? -1 : setup[1]) {
    case SET_LINE_CODING:
        return set_coding(c, data, len);
    case GET_LINE_CODING:
        if (len > CODING_BYTES)
            len = CODING_BYTES;
        memcpy(data, c->coding, (size_t)len);
        return len;
    case SET_CONTROL_LINES:
        c->open = setup[2] & 1;
        return 0;
    default:
        return VB_STALL;
    }
}

static int deaf(const struct cdc *c)
{
    int off = rate(c) - c->board_baud;
    return !c->pins && (off < 0 ? -off : off) > c->board_baud / 33;
}

static void garble(struct cdc *c, uint8_t *data, int len)
{
    for (int i = 0; i < len; i++) {
        c->random = c->random * 1664525 + 1013904223;
        data[i] = (uint8_t)(c->random >> 24);
    }
}

static int cdc_out(void *self, uint8_t endpoint, const uint8_t *data, int len)
{
    struct cdc *c = self;
    uint8_t bytes[VB_PACKET_MAX];
    if (endpoint != EP_OUT)
        return VB_STALL;
    if (!c->pins && len > 0 && !data[0] && rate(c) <= c->board_baud / 2) {
        vb_fpga_reset(c->fpga);
        return len;
    }
    memcpy(bytes, data, (size_t)len);
    if (deaf(c))
        garble(c, bytes, len);
    return vb_fpga_write(c->fpga, bytes, (size_t)len) ? len : VB_NAK;
}

static int cdc_in(void *self, uint8_t endpoint, uint8_t *data)
{
    struct cdc *c = self;
    if (endpoint != EP_IN)
        return endpoint == 0x81 || endpoint == 0x83 ? VB_NAK : VB_STALL;
    int len = c->open ? (int)vb_fpga_read(c->fpga, data, (size_t)c->id.packet) : 0;
    if (!len && !c->full)
        return VB_NAK;
    if (deaf(c))
        garble(c, data, len);
    c->full = len == c->id.packet;
    return len;
}

static int cdc_tick(void *self, int host_ms)
{
    struct cdc *c = self;
    (void)host_ms;
    return vb_fpga_run(c->fpga);
}

static void cdc_clear_halt(void *self, uint8_t endpoint)
{
    (void)self;
    (void)endpoint;
}

static void cdc_press_reset(void *self)
{
    struct cdc *c = self;
    vb_fpga_reset(c->fpga);
}

static void cdc_close(void *self)
{
    struct cdc *c = self;
    vb_fpga_close(c->fpga);
    free(c);
}

static const struct vb_device_ops ops = {
    cdc_control, cdc_out, cdc_in, cdc_tick, cdc_reset, cdc_clear_halt, cdc_press_reset, cdc_close,
};

/* CDC-ACM in interfaces 0 and 1, HID in 2, as Linux has reported of the real one. */
static void describe(struct vb_identity *id)
{
    static const uint8_t config[] = {
        9, 2,    107,    0,    3,  1,    0,    0x80, 250,    /* configuration */
        8, 11,   0,      2,    2,  2,    1,    0,            /* association */
        9, 4,    0,      0,    1,  2,    2,    1,    0,      /* interface 0: communication */
        5, 0x24, 0,      0x10, 1,  5,    0x24, 1,    3,   1, /* header, call management */
        4, 0x24, 2,      6,    5,  0x24, 6,    0,    1,      /* ACM, union */
        7, 5,    0x83,   3,    16, 0,    32,                 /* notifications */
        9, 4,    1,      0,    2,  0x0a, 0,    0,    0,      /* interface 1: data */
        7, 5,    EP_OUT, 2,    64, 0,    0,    7,    5,   EP_IN, 2, 64,
        0, 0,    9,      4,    2,  0,    2,    3,    0,   0,     0, /* interface 2: HID */
        9, 0x21, 0,      1,    0,  1,    0x22, 33,   0,   7,     5, 0x81,
        3, 64,   0,      1,    7,  5,    0x01, 3,    64,  0,     1};
    _Static_assert(sizeof config == 107, "wTotalLength");
    vb_describe_device(id, 0x0d28, 0x0204, 0x0100, 12, 1);
    memcpy(id->config, config, sizeof config);
    id->config_len = sizeof config;
}

int vb_cdc_open(struct vb_fpga *fpga, const struct vb_names *names, struct vb_device *d)
{
    struct cdc *c = calloc(1, sizeof *c);
    if (!c) {
        vb_fpga_close(fpga);
        return 0;
    }
    c->fpga = fpga;
    c->pins = vb_fpga_has_pins(fpga);
    c->board_baud = names->baud ? names->baud : BOARD_BAUD;
    c->board_fifo = names->fifo ? names->fifo : BOARD_FIFO;
    describe(&c->id);
    snprintf(c->id.manufacturer, sizeof c->id.manufacturer, "ARM");
    snprintf(c->id.product, sizeof c->id.product, "%s",
             names->product ? names->product : "DAPLink CMSIS-DAP");
    snprintf(c->id.serial, sizeof c->id.serial, "%s", names->serial);
    *d = (struct vb_device){&ops, c, &c->id};
    cdc_reset(c);
    return 1;
}
