/* SPDX-License-Identifier: Apache-2.0 */
#include "accel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel_internal.h"
#include "flexor/status.h"
#include "pace.h"

#define COLLECT_RUNS 512 /* the hardware's counters have 32 bits */

int flx_accel_open(struct flx_transport t, const struct flx_accel_options *o,
                   struct flx_accel **out)
{
    *out = NULL;
    struct flx_accel *a = calloc(1, sizeof *a);
    if (!a) {
        t.ops->close(t.self);
        return flx_fail(FLX_ERR_NOMEM, "no memory for a device");
    }
    int status = flx_session_open(t, &o->session, &a->session);
    if (status) {
        free(a);
        return status;
    }
    a->desc = flx_session_desc(a->session);
    a->stream = o->stream;
    snprintf(a->backend, sizeof a->backend, "%s", o->backend);
    snprintf(a->detail, sizeof a->detail, "%s", o->detail);
    *out = a;
    return FLX_OK;
}

const struct flx_session *flx_accel_session(const struct flx_accel *a)
{
    return a->session;
}

static void accel_close(void *self)
{
    struct flx_accel *a = self;
    flx_session_close(a->session);
    flx_compiled_free(&a->model);
    free(a->buffer);
    free(a);
}

static int accel_info(void *self, struct flx_device_info *info)
{
    const struct flx_accel *a = self;
    memcpy(info->backend, a->backend, sizeof info->backend);
    memcpy(info->detail, a->detail, sizeof info->detail);
    info->k = a->desc->k;
    info->t = a->desc->t;
    info->p = a->desc->p;
    info->pixels = a->desc->pixels;
    info->xor_hash = a->desc->xor_hash;
    info->streamed = a->model.streamed;
    return FLX_OK;
}

/* Room for whatever is read in one go. */
static int size_buffer(struct flx_accel *a)
{
    const struct flx_compiled *c = &a->model;
    size_t need = (size_t)c->n_layers * FLX_COUNTER_WORDS * 4;
    size_t results = (size_t)a->desc->p * (size_t)c->model->classes * 4;
    if (need < results)
        need = results;
    for (int i = 0; i < c->n_layers; i++) {
        size_t map = (size_t)c->layer[i].out.words * (size_t)a->desc->k;
        if (need < map)
            need = map;
    }
    free(a->buffer);
    a->buffer = malloc(need);
    return a->buffer ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "no memory for %zu bytes", need);
}

static int accel_load(void *self, const struct flx_model *m)
{
    struct flx_accel *a = self;
    flx_compiled_free(&a->model);
    a->totals = (struct flx_counters){.n_layers = m->n_layers};
    a->clear = 1;
    a->pending = 0;
    int status = flx_compile(m, a->desc, a->stream, &a->model);
    if (!status)
        status = size_buffer(a);
    if (!status)
        status = flx_session_restart(a->session);
    if (!status)
        status = flx_accel_upload(a);
    a->weight_bytes = 0;
    flx_session_stats(a->session, &a->before);
    return status;
}

/* Asks for the logits of the latest run, or of the one before it. */
static int read_results(struct flx_accel *a, int previous)
{
    int status = FLX_OK;
    size_t classes = (size_t)a->model.model->classes;
    for (int e = 0; e < a->desc->p && !status; e++)
        status =
            flx_accel_read(a, FLX_RD_RESULTS, (uint8_t)(e | (previous ? FLX_RESULTS_PREVIOUS : 0)),
                           a->buffer + (size_t)e * classes * 4, 0, classes, 4);
    return status;
}

/* The logits of batch b, which lie in the buffer. */
static void take_results(const struct flx_accel *a, int b, int n, int32_t *logits)
{
    size_t classes = (size_t)a->model.model->classes, first = (size_t)b * (size_t)a->desc->p;
    size_t images = (size_t)n - first < (size_t)a->desc->p ? (size_t)n - first : (size_t)a->desc->p;
    for (size_t i = 0; i < images * classes; i++) {
        const uint8_t *p = a->buffer + 4 * i;
        logits[first * classes + i] =
            (int32_t)(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    }
}

/* Waits for all answers, and takes the logits of batch b out of the last ones. */
static int finish_results(struct flx_accel *a, int b, int n, int32_t *logits)
{
    int status = flx_session_flush(a->session);
    if (!status && b >= 0)
        take_results(a, b, n, logits);
    return status;
}

/* While run b works: results of run b-1 come back, weights of run b and images of
 * run b+1 go out. The only wait is inside flx_session_run, for those results, and by
 * then the rest has been sent. */
static int infer_overlapped(struct flx_accel *a, const uint8_t *images, int n, int32_t *logits)
{
    int p = a->desc->p, batches = (n + p - 1) / p, last = a->model.n_layers - 1;
    int status = flx_accel_images(a, images, n, 0);
    for (int b = 0; b < batches && !status; b++) {
        status = flx_accel_run(a, FLX_RUN_ALL_LAYERS);
        if (b > 1)
            take_results(a, b - 2, n, logits); /* a RUN waits for the READs before it */
        if (!status && b > 0)
            status = read_results(a, 1);
        if (!status)
            status = flx_accel_stream(a, last);
        if (!status && b + 1 < batches)
            status = flx_accel_images(a, images, n, b + 1);
    }
    if (!status)
        status = finish_results(a, batches - 2, n, logits);
    if (!status)
        status = read_results(a, 0);
    return status ? status : finish_results(a, batches - 1, n, logits);
}

/* With one image buffer: the device takes images of run b+1 behind the READ of run b's
 * results, which it answers at the end of that run. So nothing waits here but a RUN, for
 * those results. */
static int infer_in_turn(struct flx_accel *a, const uint8_t *images, int n, int32_t *logits)
{
    int p = a->desc->p, batches = (n + p - 1) / p, last = a->model.n_layers - 1;
    int status = FLX_OK;
    for (int b = 0; b < batches && !status; b++) {
        status = flx_accel_images(a, images, n, b);
        if (!status)
            status = flx_accel_run(a, FLX_RUN_ALL_LAYERS);
        if (b > 0)
            take_results(a, b - 1, n, logits); /* a RUN waits for the READs before it */
        if (!status)
            status = flx_accel_stream(a, last);
        if (!status)
            status = read_results(a, 0);
    }
    return status ? status : finish_results(a, batches - 1, n, logits);
}

static int accel_infer(void *self, const uint8_t *images, int n, int32_t *logits)
{
    struct flx_accel *a = self;
    int part = COLLECT_RUNS * a->desc->p, status = FLX_OK;
    for (int done = 0; done < n && !status; done += part) {
        int now = n - done < part ? n - done : part;
        const uint8_t *these = images + (size_t)done * a->model.image_bytes;
        int32_t *logits_of = logits + (size_t)done * (size_t)a->model.model->classes;
        status = a->model.one_image ? infer_in_turn(a, these, now, logits_of)
                                    : infer_overlapped(a, these, now, logits_of);
        a->totals.images += (uint64_t)now;
        if (!status && a->pending >= COLLECT_RUNS)
            status = flx_accel_collect(a);
    }
    return status;
}

/* Words of K codes to y, x, channel. */
static void unpack(const struct flx_map *map, int k, const uint8_t *words, uint8_t *codes)
{
    size_t pixels = (size_t)map->rows * (size_t)map->columns, channels = (size_t)map->channels;
    for (size_t i = 0; i < pixels; i++)
        memcpy(codes + i * channels, words + i * map->pixel_words * (size_t)k, channels);
}

static int activations_of_batch(struct flx_accel *a, const uint8_t *images, int n, int b, int layer,
                                uint8_t *codes)
{
    const struct flx_map *map = &a->model.layer[layer].out;
    size_t codes_each = (size_t)map->rows * (size_t)map->columns * (size_t)map->channels;
    int first = b * a->desc->p;
    int status = flx_accel_images(a, images, n, b);
    if (!status)
        status = flx_accel_run(a, (uint8_t)layer);
    if (!status)
        status = flx_accel_stream(a, layer);
    for (int e = 0; e < a->desc->p && first + e < n && !status; e++) {
        status = flx_accel_read(a, FLX_RD_ACT, (uint8_t)e, a->buffer, map->base, map->words,
                                (size_t)a->desc->k);
        if (!status)
            status = flx_session_flush(a->session);
        if (!status)
            unpack(map, a->desc->k, a->buffer, codes + (size_t)(first + e) * codes_each);
    }
    return status;
}

/* Runs that end early are kept out of the counters. */
static int accel_activations(void *self, const uint8_t *images, int n, int layer, uint8_t *codes)
{
    struct flx_accel *a = self;
    int status = flx_accel_collect(a);
    a->clear = 1;
    for (int b = 0; b * a->desc->p < n && !status; b++)
        status = activations_of_batch(a, images, n, b, layer, codes);
    a->pending = 0;
    a->clear = 1;
    return status;
}

static int accel_counters(void *self, struct flx_counters *c)
{
    struct flx_accel *a = self;
    int status = flx_accel_collect(a);
    *c = a->totals;
    return status;
}

static int accel_link(void *self, struct flx_link_stats *s)
{
    struct flx_accel *a = self;
    struct flx_session_stats now;
    struct flx_pace_stats pace = {0};
    flx_session_stats(a->session, &now);
    flx_pace_stats(flx_session_transport(a->session), &pace);
    *s = (struct flx_link_stats){.requests = now.requests - a->before.requests,
                                 .resent = now.resent - a->before.resent,
                                 .bytes_out = now.bytes_out - a->before.bytes_out,
                                 .bytes_in = now.bytes_in - a->before.bytes_in,
                                 .weight_bytes = a->weight_bytes,
                                 .cycles = pace.cycles,
                                 .bytes_per_cycle = pace.bytes_per_cycle,
                                 .idle_waits = pace.idle_waits};
    return FLX_OK;
}

const struct flx_device_ops flx_accel_ops = {
    .close = accel_close,
    .info = accel_info,
    .load = accel_load,
    .infer = accel_infer,
    .activations = accel_activations,
    .counters = accel_counters,
    .link = accel_link,
};
