/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers cut into frames. Requests are posted and not waited for, except where
 * flx_accel_collect needs the numbers. */
#include <stdlib.h>
#include <string.h>

#include "accel_internal.h"
#include "flexor/status.h"

#define PARAM_BYTES 6

int flx_accel_write(struct flx_accel *a, uint8_t target, uint8_t arg, uint32_t addr,
                    const uint8_t *data, size_t units, size_t unit)
{
    size_t most = ((size_t)a->desc->max_payload - FLX_WR_HDR_BYTES) / unit;
    int status = FLX_OK;
    while (units && !status) {
        size_t n = units < most ? units : most;
        status = flx_session_write(a->session, target, arg, addr, data, n * unit);
        addr += (uint32_t)n;
        data += n * unit;
        units -= n;
    }
    return status;
}

int flx_accel_read(struct flx_accel *a, uint8_t target, uint8_t arg, uint8_t *dst, uint32_t addr,
                   size_t units, size_t unit)
{
    size_t most = ((size_t)a->desc->max_payload - 2) / unit;
    int status = FLX_OK;
    while (units && !status) {
        size_t n = units < most ? units : most;
        status = flx_session_read(a->session, target, arg, addr, (uint16_t)n, dst, n * unit);
        addr += (uint32_t)n;
        dst += n * unit;
        units -= n;
    }
    return status;
}

static int upload_program(struct flx_accel *a)
{
    const struct flx_compiled *c = &a->model;
    uint8_t bytes[4 * (FLX_PROG_HDR_WORDS + FLX_MAX_LAYERS * FLX_PROG_LAYER_WORDS)];
    for (size_t i = 0; i < 4 * c->program_words; i++)
        bytes[i] = (uint8_t)(c->program[i / 4] >> i % 4 * 8);
    return flx_accel_write(a, FLX_WR_PROGRAM, 0, 0, bytes, c->program_words, 4);
}

/* The first frame has address 0, all others address 1: they follow the one before. A frame
 * stays inside the device's ring, which is the memory that its link knows. */
static int upload_store(struct flx_accel *a)
{
    size_t unit = flx_store_unit(a->desc), bytes = a->model.store_bytes;
    size_t most = ((size_t)a->desc->max_payload - FLX_WR_HDR_BYTES) / unit;
    uint8_t *image = flx_store_image(&a->model);
    int status = image ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "no memory for the weights");
    if (most > a->desc->weight_words - 1)
        most = a->desc->weight_words - 1;
    for (size_t at = 0, n; at < bytes && !status; at += n) {
        n = bytes - at < most * unit ? bytes - at : most * unit;
        status = flx_session_write(a->session, FLX_WR_WEIGHTS, (uint8_t)a->desc->nin_max, at > 0,
                                   image + at, n);
    }
    free(image);
    return status;
}

int flx_accel_upload(struct flx_accel *a)
{
    const struct flx_compiled *c = &a->model;
    int status = upload_program(a);
    if (!status)
        status = flx_accel_write(a, FLX_WR_PARAMS, 0, 0, c->params, c->n_params, PARAM_BYTES);
    if (!status && a->desc->store && !c->streamed)
        status = upload_store(a);
    for (int i = 0; i < c->n_layers && !status && !c->streamed && !a->desc->store; i++)
        status = flx_accel_write(a, FLX_WR_WEIGHTS, (uint8_t)c->layer[i].n_in, c->layer[i].base,
                                 c->layer[i].weights, c->layer[i].words, c->layer[i].word_bytes);
    return status ? status : flx_session_flush(a->session);
}

/* Later frames of an image continue the one before. */
static int send_image(struct flx_accel *a, int engine, const uint8_t *image)
{
    size_t most = (size_t)a->desc->max_payload - FLX_WR_HDR_BYTES, left = a->model.image_bytes;
    uint8_t arg = (uint8_t)engine;
    int status = FLX_OK;
    while (left && !status) {
        size_t n = left < most ? left : most;
        status = flx_session_write(a->session, FLX_WR_IMAGE, arg, 0, image, n);
        image += n;
        left -= n;
        arg |= FLX_IMAGE_CONTINUE;
    }
    return status;
}

int flx_accel_images(struct flx_accel *a, const uint8_t *images, int n, int b)
{
    int status = FLX_OK;
    for (int e = 0; e < a->desc->p && !status; e++) {
        int i = b * a->desc->p + e;
        if (i >= n)
            i = n - 1;
        status = send_image(a, e, images + (size_t)i * a->model.image_bytes);
    }
    return status;
}

int flx_accel_run(struct flx_accel *a, uint8_t last_layer)
{
    unsigned flags = a->model.streamed ? FLX_RUN_STREAM : 0;
    if (a->clear)
        flags |= FLX_RUN_CLEAR;
    a->clear = 0;
    a->pending++;
    return flx_session_run(a->session, (uint8_t)flags, last_layer);
}

int flx_accel_stream(struct flx_accel *a, int last)
{
    const struct flx_compiled *c = &a->model;
    int status = FLX_OK;
    for (int i = 0; i <= last && !status && c->streamed; i++) {
        const struct flx_compiled_layer *l = &c->layer[i];
        size_t most = ((size_t)a->desc->max_payload - FLX_WR_HDR_BYTES) / l->word_bytes;
        for (size_t w = 0; w < l->words && !status; w += most) {
            size_t n = l->words - w < most ? l->words - w : most;
            a->weight_bytes += n * l->word_bytes;
            status = flx_session_write(a->session, FLX_WR_STREAM, (uint8_t)l->n_in, 0,
                                       l->weights + w * l->word_bytes, n * l->word_bytes);
        }
    }
    return status;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int flx_accel_collect(struct flx_accel *a)
{
    struct flx_counters *t = &a->totals;
    if (!a->pending)
        return FLX_OK;
    int status = flx_accel_read(a, FLX_RD_COUNTERS, 0, a->buffer, 0,
                                (size_t)a->model.n_layers * FLX_COUNTER_WORDS, 4);
    if (!status)
        status = flx_session_flush(a->session);
    for (int i = 0; i < a->model.n_layers && !status; i++) {
        const uint8_t *p = a->buffer + 4 * FLX_COUNTER_WORDS * i;
        struct flx_layer_counters *l = &t->layer[i];
        t->cycles += get32(p);
        t->busy += get32(p + 4);
        l->cycles += get32(p);
        l->busy += get32(p + 4);
        l->stall_weights += get32(p + 8);
        l->stall_requant += get32(p + 12);
        l->stall_skip += get32(p + 16);
    }
    t->runs += a->pending;
    a->pending = 0;
    a->clear = 1;
    return status;
}
