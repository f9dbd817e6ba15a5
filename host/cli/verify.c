/* SPDX-License-Identifier: Apache-2.0 */
/* The reference is computed first; then the devices, one a thread, take parts of the
 * images from a shared counter and compare what they get. */
#include "verify.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flexor/status.h"

#define PART 32 /* images that a device takes at once */

struct phase {
    struct verify *v;
    int layer;            /* -1: logits */
    int n, part;          /* images, images a device takes at once */
    size_t each;          /* values of an image */
    const void *expected; /* n x each: i32 logits or u8 codes */
    atomic_int next;
    pthread_mutex_t lock; /* for the results and the progress */
    int done;
    struct flx_progress bar;
};

struct worker {
    struct phase *phase;
    struct flx_device *device;
    pthread_t thread;
    int status;
    char error[512]; /* flx_last_error of its thread */
};

static size_t image_bytes(const struct flx_model *m)
{
    return (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c;
}

static int32_t value_at(const struct phase *p, const void *values, size_t i)
{
    return p->layer < 0 ? ((const int32_t *)values)[i] : ((const uint8_t *)values)[i];
}

/* Value k of an image differs: keep the earliest image, layers before logits. */
static void note(struct phase *p, int image, size_t k, int32_t expected, int32_t got)
{
    struct verify_difference *d = &p->v->difference;
    if (d->found && (d->layer != p->layer || d->image <= image))
        return;
    const struct flx_layer *l =
        &p->v->model->layers[p->layer < 0 ? p->v->model->n_layers - 1 : p->layer];
    size_t pixel = k / (size_t)l->out_c;
    *d = (struct verify_difference){.found = 1,
                                    .image = image,
                                    .layer = p->layer,
                                    .y = (int)(pixel / (size_t)l->out_w),
                                    .x = (int)(pixel % (size_t)l->out_w),
                                    .channel = (int)(k % (size_t)l->out_c),
                                    .expected = expected,
                                    .got = got};
}

/* Counts the differences of images first .. first+n-1. */
static void compare(struct phase *p, int first, int n, const void *got)
{
    uint64_t *count = p->layer < 0 ? &p->v->logit_mismatches : &p->v->activation_mismatches;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < n; i++) {
        int seen = 0;
        for (size_t k = 0; k < p->each; k++) {
            int32_t a = value_at(p, p->expected, (size_t)(first + i) * p->each + k);
            int32_t b = value_at(p, got, (size_t)i * p->each + k);
            if (a != b && !seen++)
                note(p, first + i, k, a, b);
            *count += a != b;
        }
    }
    p->done += n;
    flx_progress_update(&p->bar, (uint64_t)p->done, NULL);
    pthread_mutex_unlock(&p->lock);
}

static int run_part(struct worker *w, int first, int n)
{
    struct phase *p = w->phase;
    const uint8_t *images = p->v->images + (size_t)first * image_bytes(p->v->model);
    if (p->layer < 0) {
        int32_t *logits = p->v->logits + (size_t)first * p->each;
        int status = flx_device_infer(w->device, images, n, logits);
        if (!status)
            compare(p, first, n, logits);
        return status;
    }
    uint8_t *codes = malloc((size_t)n * p->each);
    if (!codes)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for activations");
    int status = flx_device_activations(w->device, images, n, p->layer, codes);
    if (!status)
        compare(p, first, n, codes);
    free(codes);
    return status;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct phase *p = w->phase;
    int first;
    while (!w->status && (first = atomic_fetch_add(&p->next, p->part)) < p->n)
        w->status = run_part(w, first, p->n - first < p->part ? p->n - first : p->part);
    if (w->status)
        snprintf(w->error, sizeof w->error, "%s", flx_last_error());
    return NULL;
}

/* All workers on one phase; the first failure of any of them. */
static int run_phase(struct verify *v, struct worker *workers, struct phase *p, const char *what)
{
    int status = FLX_OK, started = 0;
    p->v = v;
    atomic_init(&p->next, 0);
    pthread_mutex_init(&p->lock, NULL);
    flx_progress_begin(&p->bar, v->progress, what, (uint64_t)p->n);
    for (; started < v->jobs && !status; started++) {
        workers[started].phase = p;
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
            status = flx_fail(FLX_ERR_NOMEM, "cannot start a thread");
    }
    for (int i = 0; i < started - (status != FLX_OK); i++)
        pthread_join(workers[i].thread, NULL);
    flx_progress_end(&p->bar);
    pthread_mutex_destroy(&p->lock);
    for (int i = 0; i < v->jobs && !status; i++)
        if (workers[i].status)
            status = flx_fail(workers[i].status, "%s", workers[i].error);
    return status;
}

static int open_devices(struct verify *v, struct worker *workers)
{
    int status = FLX_OK;
    for (int i = 0; i < v->jobs && !status; i++) {
        status = flx_device_open(v->device, &workers[i].device);
        if (!status)
            status = flx_device_load(workers[i].device, v->model);
    }
    return status ? status : flx_device_info(workers[0].device, &v->info);
}

static int compare_logits(struct verify *v, struct worker *workers, struct flx_exec *exec)
{
    size_t classes = (size_t)v->model->classes;
    struct phase p = {.layer = -1, .n = v->n, .each = classes};
    int32_t *expected = malloc((size_t)v->n * classes * sizeof *expected);
    if (!expected)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the logits of %d images", v->n);
    p.expected = expected;
    p.part = flx_cli_whole_batches(&v->info, v->n / v->jobs < PART ? v->n / v->jobs + 1 : PART);
    int status = flx_exec_run(exec, v->images, v->n, expected);
    double start = flx_now();
    if (!status)
        status = run_phase(v, workers, &p, "logits");
    v->seconds = flx_now() - start;
    free(expected);
    return status;
}

static int compare_layer(struct verify *v, struct worker *workers, struct flx_exec *exec, int layer)
{
    const struct flx_layer *l = &v->model->layers[layer];
    struct phase p = {.layer = layer, .n = v->activations};
    char what[64];
    p.each = (size_t)l->out_h * (size_t)l->out_w * (size_t)l->out_c;
    p.part = v->info.p > 0 ? v->info.p : PART;
    uint8_t *expected = malloc((size_t)p.n * p.each);
    if (!expected)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the activations of %d images", p.n);
    p.expected = expected;
    snprintf(what, sizeof what, "activations of %s", l->name);
    int status = flx_exec_activations(exec, v->images, p.n, layer, expected);
    if (!status)
        status = run_phase(v, workers, &p, what);
    free(expected);
    return status;
}

static void add_counters(struct flx_counters *sum, const struct flx_counters *c)
{
    sum->runs += c->runs;
    sum->images += c->images;
    sum->cycles += c->cycles;
    sum->busy += c->busy;
    sum->n_layers = c->n_layers;
    for (int i = 0; i < c->n_layers; i++) {
        sum->layer[i].cycles += c->layer[i].cycles;
        sum->layer[i].busy += c->layer[i].busy;
        sum->layer[i].stall_weights += c->layer[i].stall_weights;
        sum->layer[i].stall_requant += c->layer[i].stall_requant;
        sum->layer[i].stall_skip += c->layer[i].stall_skip;
    }
}

static int collect_counters(struct verify *v, struct worker *workers)
{
    int status = FLX_OK;
    for (int i = 0; i < v->jobs && !status; i++) {
        struct flx_counters c;
        status = flx_device_counters(workers[i].device, &c);
        if (!status)
            add_counters(&v->counters, &c);
    }
    return status;
}

int verify_run(struct verify *v)
{
    struct flx_exec *exec = NULL;
    struct worker *workers = calloc((size_t)v->jobs, sizeof *workers);
    if (!workers)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d jobs", v->jobs);
    int status = open_devices(v, workers);
    if (!status)
        status = flx_exec_create(v->reference, 0, &exec);
    for (int i = 0; i < v->model->n_layers - 1 && v->activations && !status; i++)
        status = compare_layer(v, workers, exec, i);
    if (!status)
        status = compare_logits(v, workers, exec);
    if (!status)
        status = collect_counters(v, workers);
    for (int i = 0; i < v->jobs; i++)
        flx_device_close(workers[i].device);
    flx_exec_free(exec);
    free(workers);
    return status;
}

int verify_same_shapes(const struct flx_model *a, const struct flx_model *b)
{
    int same = a->n_layers == b->n_layers && image_bytes(a) == image_bytes(b) &&
               a->in_c == b->in_c && a->in_h == b->in_h && a->act_bits == b->act_bits;
    for (int i = 0; same && i < a->n_layers; i++)
        same = a->layers[i].out_h == b->layers[i].out_h &&
               a->layers[i].out_w == b->layers[i].out_w && a->layers[i].out_c == b->layers[i].out_c;
    return same ? FLX_OK
                : flx_fail(FLX_ERR_ARG, "model and --reference have layers of different shapes");
}
