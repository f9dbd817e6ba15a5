/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accel.h"
#include "flexor/log.h"
#include "flexor/status.h"
#include "noise.h"
#include "usb_bridge.h"

#define PROBE_MS      150 /* patience with a device that may not speak our language */
#define PROBE_TRIES   2
#define LOOK_EVERY_MS 50
#define TROUBLE_MAX   8   /* with one part, before it is given up */
#define TIMEOUT_COST  3   /* a silent device has been asked many times already */
#define PART_RUNS     256 /* what is repeated at most */

struct flx_usb_device {
    struct flx_usb_board board;
    struct flx_spec spec;
    int baud;
    int p;                         /* images a run */
    struct flx_accel *accel;       /* NULL: the board is lost */
    int missing;                   /* it was looked for in vain */
    const struct flx_model *model; /* NULL: none */
};

static const int bauds[] = {12000000, 6000000, 4000000, 3000000, 2000000, 1000000, 115200};

static int hello(const struct flx_usb_board *b, int baud, struct flx_desc *desc)
{
    const struct flx_session_options o = {.timeout_ms = PROBE_MS, .retries = PROBE_TRIES};
    struct flx_transport t;
    struct flx_session *s;
    int status = flx_usb_link_open(b, baud, FLX_FLOW_AUTO, &t);
    if (!status)
        status = flx_session_open(t, &o, &s);
    if (status)
        return status;
    *desc = *flx_session_desc(s);
    flx_session_close(s);
    return FLX_OK;
}

static int silent(int status)
{
    return status == FLX_ERR_TIMEOUT || status == FLX_ERR_LINK;
}

/* The rate that gets an answer: the board's own first. */
static int find_baud(const struct flx_usb_board *b, int *baud, struct flx_desc *desc)
{
    *baud = b->kind->baud;
    int status = hello(b, *baud, desc);
    int most = flx_usb_bridge(b->kind->bridge)->most_baud;
    for (size_t i = 0; silent(status) && i < sizeof bauds / sizeof bauds[0]; i++)
        if (bauds[i] != b->kind->baud && bauds[i] <= most) {
            *baud = bauds[i];
            status = hello(b, *baud, desc);
        }
    if (!silent(status))
        return status;
    return flx_fail(status,
                    "usb %s (%s): no answer to HELLO: this is not a flexor bitstream, or none is "
                    "loaded (make flash BOARD=...)%s",
                    b->path, b->kind->name, !most ? "" : ", or it wants another baud=N");
}

int flx_usb_device_probe(const struct flx_usb_board *b, struct flx_desc *desc)
{
    int baud;
    return find_baud(b, &baud, desc);
}

static int connect_board(struct flx_usb_device *d)
{
    struct flx_transport t;
    char detail[128];
    const struct flx_accel_options o = {.backend = "usb",
                                        .detail = detail,
                                        .stream = d->spec.stream,
                                        .session = {.timeout_ms = d->spec.timeout_ms}};
    snprintf(detail, sizeof detail, "%s, %.40s", d->board.kind->name,
             *d->board.serial ? d->board.serial : d->board.path);
    int status = flx_usb_link_open(&d->board, d->baud, d->spec.flow, &t);
    if (!status && d->spec.noise)
        status = flx_noise_wrap(&t, d->spec.noise, d->spec.seed);
    if (!status)
        status = flx_accel_open(t, &o, &d->accel);
    return status;
}

static void disconnect(struct flx_usb_device *d)
{
    if (d->accel)
        flx_accel_ops.close(d->accel);
    d->accel = NULL;
}

int flx_usb_device_open(const struct flx_usb_board *b, const struct flx_spec *spec,
                        struct flx_usb_device **out)
{
    struct flx_device_info info;
    struct flx_desc desc;
    *out = NULL;
    struct flx_usb_device *d = calloc(1, sizeof *d);
    if (!d)
        return flx_fail(FLX_ERR_NOMEM, "no memory for a board");
    d->board = *b;
    d->spec = *spec;
    d->baud = spec->baud;
    int has_rate = flx_usb_bridge(b->kind->bridge)->most_baud > 0;
    int status = d->baud || !has_rate ? FLX_OK : find_baud(b, &d->baud, &desc);
    if (!status)
        status = connect_board(d);
    if (!status)
        status = flx_accel_ops.info(d->accel, &info);
    if (status) {
        disconnect(d);
        free(d);
        return status;
    }
    d->p = info.p;
    *out = d;
    return FLX_OK;
}

static void usb_close(void *self)
{
    struct flx_usb_device *d = self;
    disconnect(d);
    free(d);
}

static int lost(const struct flx_usb_device *d)
{
    return flx_fail(FLX_ERR_UNPLUGGED, "usb %s (%s): unplugged", d->board.path,
                    d->board.kind->name);
}

static int usb_info(void *self, struct flx_device_info *info)
{
    struct flx_usb_device *d = self;
    return d->accel ? flx_accel_ops.info(d->accel, info) : lost(d);
}

/* Trouble that may pass. */
static int passing(int status)
{
    return silent(status) || status == FLX_ERR_UNPLUGGED || status == FLX_ERR_IO ||
           status == FLX_ERR_DEVICE;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The same board by its serial number, wherever it is plugged in now; one without
 * a number by its place. */
static int look(struct flx_usb_device *d)
{
    struct flx_usb_board found[FLX_USB_BOARDS];
    const char *name = *d->board.serial ? d->board.serial : d->board.path;
    int n = flx_usb_find(found);
    for (int i = 0; i < n; i++)
        if (found[i].kind == d->board.kind && flx_usb_named(&found[i], name)) {
            d->board = found[i];
            return FLX_OK;
        }
    return n < 0 ? n : lost(d);
}

/* Opens the board again and gives it its model back. */
static int reconnect(struct flx_usb_device *d)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    int64_t end = now_ms() + d->spec.replug_ms;
    int status;
    disconnect(d);
    for (;;) {
        status = look(d);
        d->missing = status != FLX_OK;
        if (!status)
            status = connect_board(d);
        if (!status || !passing(status) || now_ms() >= end)
            break;
        nanosleep(&pause, NULL);
    }
    if (!status && d->model)
        status = flx_accel_ops.load(d->accel, d->model);
    if (status)
        disconnect(d);
    return status;
}

/* Whether *status is worth another try, after *trouble so far; if so the board is ready
 * again, else *status says why not. */
static int again(struct flx_usb_device *d, int *trouble, int *status)
{
    d->missing = 0;
    while (passing(*status) && !d->missing) {
        *trouble += *status == FLX_ERR_TIMEOUT ? TIMEOUT_COST : 1;
        if (*trouble >= TROUBLE_MAX)
            return 0;
        flx_log(FLX_LOG_INFO, "%s; trying again", flx_last_error());
        *status = reconnect(d);
        if (!*status)
            return 1;
    }
    return 0;
}

static int usb_load(void *self, const struct flx_model *m)
{
    struct flx_usb_device *d = self;
    d->model = NULL;
    int status = d->accel ? FLX_OK : reconnect(d), trouble = 0;
    do {
        if (!status)
            status = flx_accel_ops.load(d->accel, m);
    } while (status && again(d, &trouble, &status));
    if (!status)
        d->model = m;
    return status;
}

static int usb_infer(void *self, const uint8_t *images, int n, int32_t *logits)
{
    struct flx_usb_device *d = self;
    size_t bytes = (size_t)d->model->in_h * (size_t)d->model->in_w * (size_t)d->model->in_c;
    int status = d->accel ? FLX_OK : reconnect(d), part = PART_RUNS * d->p;
    for (int first = 0; first < n && !status; first += part) {
        int now = n - first < part ? n - first : part, trouble = 0;
        do
            status = flx_accel_ops.infer(d->accel, images + (size_t)first * bytes, now,
                                         logits + (size_t)first * (size_t)d->model->classes);
        while (status && again(d, &trouble, &status));
    }
    return status;
}

static int usb_activations(void *self, const uint8_t *images, int n, int layer, uint8_t *codes)
{
    struct flx_usb_device *d = self;
    int status = d->accel ? FLX_OK : reconnect(d), trouble = 0;
    do {
        if (!status)
            status = flx_accel_ops.activations(d->accel, images, n, layer, codes);
    } while (status && again(d, &trouble, &status));
    return status;
}

static int usb_counters(void *self, struct flx_counters *c)
{
    struct flx_usb_device *d = self;
    return d->accel ? flx_accel_ops.counters(d->accel, c) : lost(d);
}

const struct flx_device_ops flx_usb_device_ops = {
    .close = usb_close,
    .info = usb_info,
    .load = usb_load,
    .infer = usb_infer,
    .activations = usb_activations,
    .counters = usb_counters,
};
