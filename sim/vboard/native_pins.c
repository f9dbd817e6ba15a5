/* SPDX-License-Identifier: Apache-2.0 */
/* The FPGA as a USB device, from its D+ and D- on (sim/flx_pins.h). Descriptors, toggles and
 * answers are the RTL's; the operating system's part of plugging in is done here. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../flx_pins.h"
#include "vb.h"

#define TICK_US      10
#define QUIET_CYCLES 1200000 /* without a byte or a run: more than FRAME_TIMEOUT */

enum { GET_DESCRIPTOR = 6 };
enum { DESC_DEVICE = 1, DESC_CONFIG = 2, DESC_STRING = 3 };

struct native_pins {
    struct vb_identity id;
    const struct flx_usb_pins_api *api;
    void *sim;
    uint64_t moved; /* cycle of the last byte or run */
    int gone;       /* it fell off the bus */
};

static int answer(struct native_pins *n, int r)
{
    if (r > 0 || n->api->busy(n->sim))
        n->moved = n->api->cycles(n->sim);
    if (r == FLX_PINS_LOST)
        n->gone = 1;
    return n->gone ? VB_GONE : r;
}

static void pins_reset(void *self)
{
    struct native_pins *n = self;
    answer(n, n->api->enumerate(n->sim));
}

/* The host controller has given the address. */
static int pins_control(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len)
{
    struct native_pins *n = self;
    if (setup[0] == 0 && setup[1] == 5)
        return 0;
    return answer(n, n->api->control(n->sim, setup, data, len));
}

static int pins_out(void *self, uint8_t endpoint, const uint8_t *data, int len)
{
    struct native_pins *n = self;
    return answer(n, n->api->out(n->sim, endpoint, data, len));
}

static int pins_in(void *self, uint8_t endpoint, uint8_t *data)
{
    struct native_pins *n = self;
    return answer(n, n->api->in(n->sim, endpoint, data));
}

static int pins_tick(void *self, int host_ms)
{
    struct native_pins *n = self;
    (void)host_ms;
    if (n->gone || n->api->cycles(n->sim) > n->moved + QUIET_CYCLES)
        return 0;
    n->api->idle(n->sim, TICK_US);
    answer(n, 0);
    return 1;
}

static void pins_clear_halt(void *self, uint8_t endpoint)
{
    struct native_pins *n = self;
    const uint8_t setup[VB_SETUP] = {2, 1, 0, 0, endpoint};
    answer(n, n->api->control(n->sim, setup, NULL, 0));
}

/* The FPGA is configured again, so the device leaves the bus. */
static void pins_press_reset(void *self)
{
    struct native_pins *n = self;
    n->api->power_up(n->sim);
    n->gone = 1;
}

static void pins_close(void *self)
{
    struct native_pins *n = self;
    n->api->close(n->sim);
    free(n);
}

static const struct vb_device_ops ops = {
    pins_control, pins_out,        pins_in,          pins_tick,
    pins_reset,   pins_clear_halt, pins_press_reset, pins_close,
};

static int descriptor(struct native_pins *n, int type, int index, uint8_t *data, int len)
{
    const uint8_t setup[VB_SETUP] = {
        0x80, GET_DESCRIPTOR, (uint8_t)index, (uint8_t)type, 0, 0, (uint8_t)len, 0};
    return n->api->control(n->sim, setup, data, len);
}

static void read_string(struct native_pins *n, int index, char *text, size_t size)
{
    uint8_t bytes[128];
    int len = descriptor(n, DESC_STRING, index, bytes, sizeof bytes);
    size_t at = 0;
    for (int i = 2; i + 1 < len && at + 1 < size; i += 2)
        text[at++] = (char)bytes[i];
    text[at] = 0;
}

static int identify(struct native_pins *n)
{
    struct vb_identity *id = &n->id;
    if (n->api->enumerate(n->sim) < 0)
        return 0;
    if (descriptor(n, DESC_DEVICE, 0, id->device, sizeof id->device) != sizeof id->device)
        return 0;
    id->config_len = descriptor(n, DESC_CONFIG, 0, id->config, sizeof id->config);
    id->packet = 64;
    id->speed = 12;
    read_string(n, id->device[14], id->manufacturer, sizeof id->manufacturer);
    read_string(n, id->device[15], id->product, sizeof id->product);
    read_string(n, id->device[16], id->serial, sizeof id->serial);
    return id->config_len > 0;
}

static const struct flx_usb_pins_api *load(const char *path)
{
    const struct flx_usb_pins_api *(*get)(void) = NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle)
        *(void **)&get = dlsym(handle, FLX_USB_PINS_SYMBOL);
    const struct flx_usb_pins_api *api = get ? get() : NULL;
    return api && api->abi == FLX_PINS_ABI ? api : NULL;
}

int vb_native_pins_open(const char *path, uint32_t seed, struct vb_device *d)
{
    const struct flx_usb_pins_api *api = load(path);
    struct native_pins *n = calloc(1, sizeof *n);
    if (!api || !n || !(n->sim = api->open(seed))) {
        fprintf(stderr, "flexor-vboard: %s is no simulation of this version: run make pins\n",
                path);
        free(n);
        return 0;
    }
    n->api = api;
    *d = (struct vb_device){&ops, n, &n->id};
    if (identify(n))
        return 1;
    fprintf(stderr, "flexor-vboard: the device cannot be enumerated\n");
    pins_close(n);
    return 0;
}
