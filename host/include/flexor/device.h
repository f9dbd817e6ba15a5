/* SPDX-License-Identifier: Apache-2.0 */
/** Devices: one API over the reference, the simulated accelerator and boards.
 *  Spec strings: "ref", "sim", "sim:SHAPE" (a built simulation, e.g.
 *  "sim:k16t16p1"), "usb" (the only board), "usb:SERIAL", "usb:all" (a batch is spread
 *  over all boards), with options after commas, as in "sim:k8t8p2,stream,seed=7":
 *    stream        weights are streamed for each batch even if they would fit
 *    seed=N        values of registers and memories at the start, stalls, noise
 *    stall=PERCENT cycles with random gaps and back-pressure on the link
 *    noise=N       one byte in N is lost, damaged or doubled on the link
 *    timeout=MS    device time without an answer before the session recovers
 *    trace=FILE    FST trace of all signals (sim)
 *    pace=LINK     a link of limited speed in device time: uart12, fs, fifo40 (sim)
 *    baud=N        rate of a UART board; otherwise found out
 *    flow=none     a UART board without RTS/CTS, flow=rtscts one with it; otherwise what
 *                  the board says
 *    replug=MS     how long a board that vanished is waited for (default 800): when it
 *                  comes back, the work goes on
 *  A device is not thread-safe; several may be open at once. */
#ifndef FLEXOR_DEVICE_H
#define FLEXOR_DEVICE_H
#include <stdint.h>

#include "flexor/model.h"

struct flx_device;

struct flx_device_info {
    char backend[16];  /* "ref", "sim", "usb" */
    char detail[128];  /* shape or serial number, for people */
    int k, t, p;       /* array shape; 0 for ref */
    int pixels;        /* outputs of a row that the lanes compute in a cycle; 0 for ref */
    uint32_t xor_hash; /* 0 for ref */
    int streamed;      /* weights are streamed for each batch */
};

/** Called once for every device: its spec string and a description for people.
 *  @p why is NULL when it can be used, else a sentence that says why not. */
typedef void (*flx_device_list_fn)(void *user, const char *spec, const char *detail,
                                   const char *why);

/** Lists the devices: the reference, the built simulations, the boards. Asks the boards
 *  who they are. FLX_ERR_NOMEM, _IO. */
int flx_device_list(flx_device_list_fn fn, void *user);

/** Opens a device. FLX_ERR_ARG (bad spec), _NOT_FOUND, _TIMEOUT, _LINK, _VERSION,
 *  _IO (no permission, busy), _UNPLUGGED. */
int flx_device_open(const char *spec, struct flx_device **out);
void flx_device_close(struct flx_device *d);

/** FLX_OK; streamed is known after flx_device_load. */
int flx_device_info(struct flx_device *d, struct flx_device_info *info);

/** Compiles and loads a model; @p m must outlive its use. FLX_ERR_XORNET when
 *  the device was built for another network, FLX_ERR_CAPACITY when it does not
 *  fit (says what and which knob), FLX_ERR_UNSUPPORTED. */
int flx_device_load(struct flx_device *d, const struct flx_model *m);

/** n images (in_h*in_w*in_c bytes each) -> n x classes logits. After a failure
 *  of the link the model must be loaded again. FLX_ERR_ARG, _TIMEOUT, _LINK,
 *  _DEVICE, _NOMEM, _UNPLUGGED. */
int flx_device_infer(struct flx_device *d, const uint8_t *images, int n, int32_t *logits);

/** Codes of one layer (not the last) for n images. */
int flx_device_activations(struct flx_device *d, const uint8_t *images, int n, int layer,
                           uint8_t *codes);

/** Hardware counters since the model was loaded; zero for ref. The share of busy lanes is
 *  busy / (pixels * cycles). */
struct flx_layer_counters {
    uint64_t cycles; /* from the layer's start to its last write */
    uint64_t busy;   /* outputs that existed (1 ... pixels) in cycles with all lanes working */
    uint64_t stall_weights; /* waited for streamed weights */
    uint64_t stall_requant; /* waited for the requantiser */
    uint64_t stall_skip;    /* waited for codes that are added to be read */
};
struct flx_counters {
    uint64_t runs; /* batches of p images */
    uint64_t images;
    uint64_t cycles; /* sum over layers */
    uint64_t busy;
    int n_layers;
    struct flx_layer_counters layer[FLX_MAX_LAYERS];
};
int flx_device_counters(struct flx_device *d, struct flx_counters *c);

/** What went over the link since the model was loaded. */
struct flx_link_stats {
    uint64_t requests, resent;
    uint64_t bytes_out, bytes_in;
    uint64_t weight_bytes; /* of bytes_out: streamed weights without frames */
    /* With pace=, else 0: */
    uint64_t cycles;
    double bytes_per_cycle; /* the link's ceiling in one direction */
    uint64_t idle_waits;    /* times that the host waited with nothing on its way out */
};
/** FLX_ERR_UNSUPPORTED for ref and usb:all. */
int flx_device_link_stats(struct flx_device *d, struct flx_link_stats *s);

#endif
