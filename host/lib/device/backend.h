/* SPDX-License-Identifier: Apache-2.0 */
/** What a backend provides. device.c checks arguments and dispatches. */
#ifndef FLEXOR_BACKEND_H
#define FLEXOR_BACKEND_H
#include "flexor/device.h"
#include "flexor/model.h"

enum flx_flow { FLX_FLOW_AUTO, FLX_FLOW_NONE, FLX_FLOW_RTS_CTS };

/** A parsed spec string. */
struct flx_spec {
    char backend[16];
    char name[64]; /* shape or serial number; "" = the default */
    int stream;
    int stall;          /* per cent */
    int timeout_ms;     /* of the session; 0 = default */
    int baud;           /* of a UART board; 0 = the board's own, or found out */
    enum flx_flow flow; /* of a bridge; AUTO: what the board says */
    int replug_ms;      /* how long a board that vanished is waited for */
    uint64_t noise;     /* one byte in so many suffers; 0 = none */
    uint64_t seed;
    char trace[256]; /* file, "" = none */
    char pace[16];   /* of a simulated link, "" = none */
};

/** FLX_ERR_ARG with a sentence. */
int flx_spec_parse(const char *text, struct flx_spec *out);

/** As in flexor/device.h; arguments are checked and a model is loaded. */
struct flx_device_ops {
    void (*close)(void *self);
    int (*info)(void *self, struct flx_device_info *info);
    int (*load)(void *self, const struct flx_model *m);
    int (*infer)(void *self, const uint8_t *images, int n, int32_t *logits);
    int (*activations)(void *self, const uint8_t *images, int n, int layer, uint8_t *codes);
    int (*counters)(void *self, struct flx_counters *c);
    int (*link)(void *self, struct flx_link_stats *s); /* NULL: there is no link */
};

struct flx_backend {
    const char *name;
    int (*open)(const struct flx_spec *spec, const struct flx_device_ops **ops, void **self);
    int (*list)(flx_device_list_fn fn, void *user);
};

extern const struct flx_backend flx_backend_ref, flx_backend_sim, flx_backend_usb;

#endif
