/* SPDX-License-Identifier: Apache-2.0 */
/* FT2232H (the FPGA's UART on channel B, channel A looped back) and FT231X, at the level
 * of packets: vendor requests, two status bytes in front of every IN packet, latency
 * timer. The UART itself takes no time, unless it has no RTS/CTS: then bytes come at its
 * rate and the FIFO loses some, and with RTS/CTS switched on none ever leaves the bridge.
 * At a wrong rate every byte is garbage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vb.h"

#define STATUS_BYTES 2
#define MODEM_STATUS 0x31 /* CTS, DSR, reserved 1 */
#define LINE_STATUS  0x60 /* transmitter empty */
#define LOOP_BYTES   4096

enum {
    REQ_RESET,
    REQ_MODEM,
    REQ_FLOW,
    REQ_BAUD,
    REQ_DATA,
    REQ_POLL,
    REQ_EVENT,
    REQ_ERROR,
    REQ_SET_LATENCY = 9,
    REQ_GET_LATENCY,
    REQ_BITMODE,
    REQ_PINS,
    REQ_READ_EEPROM = 0x90,
    REQ_WRITE_EEPROM
};

struct channel {
    int baud, latency;
    uint64_t since; /* ms, when the last IN packet left */
    uint64_t host_ms;
    uint8_t loop[LOOP_BYTES]; /* of a channel without an FPGA */
    size_t looped;
};

struct ftdi {
    struct vb_identity id;
    struct vb_fpga *fpga;
    int x, channels, uart; /* FT231X; channel of the FPGA */
    int board_baud, board_fifo, in_break;
    int flow; /* RTS/CTS is switched on */
    struct channel channel[2];
    uint8_t configuration;
    uint32_t random;
};

static void ftdi_reset(void *self)
{
    struct ftdi *f = self;
    f->configuration = 0;
    f->in_break = f->flow = 0;
    f->random = 1;
    memset(f->channel, 0, sizeof f->channel);
    for (int i = 0; i < 2; i++) {
        f->channel[i].baud = 9600;
        f->channel[i].latency = 16;
    }
    vb_fpga_reset(f->fpga);
}

/* The rate that the divisor of the request means. */
static int baud_of(const struct ftdi *f, int value, int index)
{
    static const uint8_t eighths[8] = {0, 4, 2, 1, 3, 5, 6, 7};
    int high = f->x ? index & 1 : index >> 8 & 1;
    int fast = !f->x && (index & 0x0200);
    int base = fast ? 12000000 : 3000000;
    int divisor = (value & 0x3fff) * 8 + eighths[value >> 14 | high << 2];
    if (divisor == 0)
        return base;
    return divisor == 8 ? base * 2 / 3 : (int)(8LL * base / divisor);
}

static int deaf(const struct ftdi *f)
{
    int baud = f->channel[f->uart].baud, off = baud - f->board_baud;
    return f->board_baud && (off < 0 ? -off : off) > f->board_baud / 33;
}

static int set_data(struct ftdi *f, int channel, int value)
{
    if (channel == f->uart && (value & 0x4000))
        f->in_break = 1;
    else if (channel == f->uart && f->in_break) {
        f->in_break = 0;
        vb_fpga_reset(f->fpga);
    }
    return 0;
}

static int ftdi_vendor(struct ftdi *f, const uint8_t *setup, uint8_t *data, int len)
{
    int value = setup[2] | setup[3] << 8, index = setup[4] | setup[5] << 8;
    int n = f->channels == 1 ? 0 : (index & 0xff) == 2;
    struct channel *c = &f->channel[n];
    switch (setup[1]) {
    case REQ_RESET:
        c->looped = 0;
        return 0;
    case REQ_BAUD:
        c->baud = baud_of(f, value, index);
        if (n == f->uart)
            vb_fpga_wires(f->fpga, c->baud, f->flow);
        if (n == f->uart && f->board_fifo)
            vb_fpga_line(f->fpga, c->baud, (size_t)f->board_fifo);
        return 0;
    case REQ_DATA:
        return set_data(f, n, value);
    case REQ_SET_LATENCY:
        c->latency = value & 0xff;
        return value & 0xff ? 0 : VB_STALL;
    case REQ_GET_LATENCY:
        data[0] = (uint8_t)c->latency;
        return len < 1 ? VB_STALL : 1;
    case REQ_POLL:
        if (len < 2)
            return VB_STALL;
        data[0] = MODEM_STATUS;
        data[1] = LINE_STATUS;
        return 2;
    case REQ_PINS:
        data[0] = 0xff;
        return len < 1 ? VB_STALL : 1;
    case REQ_READ_EEPROM: /* an empty one */
        memset(data, 0xff, len < 2 ? 0 : 2);
        return len < 2 ? VB_STALL : 2;
    case REQ_FLOW:
        if (n == f->uart) {
            f->flow = index >> 8 & 1;
            vb_fpga_wires(f->fpga, c->baud, f->flow);
        }
        return 0;
    case REQ_MODEM:
    case REQ_EVENT:
    case REQ_ERROR:
    case REQ_BITMODE:
    case REQ_WRITE_EEPROM:
        return 0;
    default:
        return VB_STALL;
    }
}

static int ftdi_control(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len)
{
    struct ftdi *f = self;
    if ((setup[0] & 0x60) == 0x40)
        return ftdi_vendor(f, setup, data, len);
    return vb_standard(&f->id, &f->configuration, setup, data, len);
}

static void garble(struct ftdi *f, uint8_t *data, int len)
{
    for (int i = 0; i < len; i++) {
        f->random = f->random * 1664525 + 1013904223;
        data[i] = (uint8_t)(f->random >> 24);
    }
}

static int ftdi_out(void *self, uint8_t endpoint, const uint8_t *data, int len)
{
    struct ftdi *f = self;
    int n = (endpoint & 0x7f) / 2 - 1;
    if (n < 0 || n >= f->channels || endpoint & 1)
        return VB_STALL;
    if (n == f->uart) {
        uint8_t bytes[VB_PACKET_MAX];
        memcpy(bytes, data, (size_t)len);
        if (f->board_fifo && f->flow)
            return VB_NAK;
        if (deaf(f))
            garble(f, bytes, len);
        return vb_fpga_write(f->fpga, bytes, (size_t)len) ? len : VB_NAK;
    }
    struct channel *c = &f->channel[n];
    if ((size_t)len > LOOP_BYTES - c->looped)
        return VB_NAK;
    memcpy(c->loop + c->looped, data, (size_t)len);
    c->looped += (size_t)len;
    return len;
}

static size_t take_loop(struct channel *c, uint8_t *data, size_t cap)
{
    size_t n = c->looped < cap ? c->looped : cap;
    memcpy(data, c->loop, n);
    c->looped -= n;
    memmove(c->loop, c->loop + n, c->looped);
    return n;
}

static int ftdi_in(void *self, uint8_t endpoint, uint8_t *data)
{
    struct ftdi *f = self;
    int n = ((endpoint & 0x7f) - 1) / 2, room = f->id.packet - STATUS_BYTES;
    if (n >= f->channels || !(endpoint & 1))
        return VB_STALL;
    struct channel *c = &f->channel[n];
    uint64_t now = vb_fpga_ms(f->fpga) + c->host_ms;
    int waiting = n == f->uart ? (int)vb_fpga_waiting(f->fpga) : (int)c->looped;
    if (waiting < room && now < c->since + (uint64_t)c->latency)
        return VB_NAK;
    c->since = now;
    data[0] = MODEM_STATUS;
    data[1] = LINE_STATUS;
    int len = (int)(n == f->uart ? vb_fpga_read(f->fpga, data + STATUS_BYTES, (size_t)room)
                                 : take_loop(c, data + STATUS_BYTES, (size_t)room));
    if (n == f->uart && deaf(f))
        garble(f, data + STATUS_BYTES, len);
    return len + STATUS_BYTES;
}

static int ftdi_tick(void *self, int host_ms)
{
    struct ftdi *f = self;
    int active = vb_fpga_run(f->fpga);
    for (int i = 0; i < f->channels && !active; i++)
        f->channel[i].host_ms += (uint64_t)host_ms;
    return active;
}

static void ftdi_clear_halt(void *self, uint8_t endpoint)
{
    (void)self;
    (void)endpoint;
}

static void ftdi_press_reset(void *self)
{
    struct ftdi *f = self;
    vb_fpga_reset(f->fpga);
}

static void ftdi_close(void *self)
{
    struct ftdi *f = self;
    vb_fpga_close(f->fpga);
    free(f);
}

static const struct vb_device_ops ops = {
    ftdi_control, ftdi_out,        ftdi_in,          ftdi_tick,
    ftdi_reset,   ftdi_clear_halt, ftdi_press_reset, ftdi_close,
};

int vb_ftdi_open(struct vb_fpga *fpga, const struct vb_names *names, int ft231x,
                 struct vb_device *d)
{
    struct ftdi *f = calloc(1, sizeof *f);
    if (!f) {
        vb_fpga_close(fpga);
        return 0;
    }
    f->fpga = fpga;
    f->x = ft231x;
    f->channels = ft231x ? 1 : 2;
    f->uart = ft231x ? 0 : 1;
    f->board_baud = names->baud;
    f->board_fifo = names->fifo;
    vb_describe(&f->id, 0x0403, ft231x ? 0x6015 : 0x6010, ft231x ? 0x1000 : 0x0700,
                ft231x ? 12 : 480, f->channels);
    snprintf(f->id.manufacturer, sizeof f->id.manufacturer, "flexor");
    snprintf(f->id.product, sizeof f->id.product, "%s",
             names->product ? names->product
             : ft231x       ? "ULX3S FPGA (virtual)"
                            : "iCEBreaker (virtual)");
    snprintf(f->id.serial, sizeof f->id.serial, "%s", names->serial);
    *d = (struct vb_device){&ops, f, &f->id};
    ftdi_reset(f);
    return 1;
}
