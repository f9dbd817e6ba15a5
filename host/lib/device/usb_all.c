/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/log.h"
#include "flexor/status.h"

#define PARTS_EACH 4   /* of a batch, for each board: the end should not wait for one */
#define PART_MAX   256 /* images */

struct board {
    void *self;
    int lost; /* not used until the next load */
    struct flx_usb_all *all;
    pthread_t thread;
    char error[512];
    int status;
};

struct flx_usb_all {
    const struct flx_device_ops *ops;
    struct board board[FLX_USB_ALL_MAX];
    int n;
    const struct flx_model *model;

    /* One batch; under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t change;
    const uint8_t *images;
    int32_t *logits;
    int n_images, part, n_parts;
    int next;          /* parts from here on nobody has taken yet */
    int *back, n_back; /* parts that a lost board gave back */
    int working;       /* parts under way */
};

int flx_usb_all_open(const struct flx_device_ops *ops, void **boards, int n,
                     struct flx_usb_all **out)
{
    struct flx_usb_all *a = n > FLX_USB_ALL_MAX ? NULL : calloc(1, sizeof *a);
    if (!a) {
        for (int i = 0; i < n; i++)
            ops->close(boards[i]);
        return flx_fail(FLX_ERR_NOMEM, "no memory for %d boards", n);
    }
    a->ops = ops;
    a->n = n;
    for (int i = 0; i < n; i++)
        a->board[i] = (struct board){.self = boards[i], .all = a};
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->change, NULL);
    *out = a;
    return FLX_OK;
}

static void all_close(void *self)
{
    struct flx_usb_all *a = self;
    for (int i = 0; i < a->n; i++)
        a->ops->close(a->board[i].self);
    pthread_cond_destroy(&a->change);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static struct board *first_good(struct flx_usb_all *a)
{
    for (int i = 0; i < a->n; i++)
        if (!a->board[i].lost)
            return &a->board[i];
    return NULL;
}

static void give_up(struct board *b, int status)
{
    b->lost = 1;
    b->status = status;
    snprintf(b->error, sizeof b->error, "%s", flx_last_error());
    flx_log(FLX_LOG_INFO, "a board is left out: %s", b->error);
}

/* The first reason why a board is not there. */
static int none_left(const struct flx_usb_all *a)
{
    return flx_fail(a->board[0].status, "no board is left: %s", a->board[0].error);
}

static int all_info(void *self, struct flx_device_info *info)
{
    struct flx_usb_all *a = self;
    struct board *b = first_good(a);
    int status = b ? a->ops->info(b->self, info) : none_left(a);
    if (!status)
        snprintf(info->detail, sizeof info->detail, "%d board%s", a->n, a->n == 1 ? "" : "s");
    return status;
}

/* A board that cannot take the model is left out; if none can, the first one's reason
 * is the answer. */
static int all_load(void *self, const struct flx_model *m)
{
    struct flx_usb_all *a = self;
    for (int i = 0; i < a->n; i++) {
        struct board *b = &a->board[i];
        b->lost = 0;
        int status = a->ops->load(b->self, m);
        if (status)
            give_up(b, status);
    }
    a->model = m;
    return first_good(a) ? FLX_OK : none_left(a);
}

/* The next part, or -1 when all are done. Waits for parts of others, which may come
 * back. */
static int take_part(struct flx_usb_all *a)
{
    int part = -1;
    pthread_mutex_lock(&a->lock);
    while (!a->n_back && a->next == a->n_parts && a->working)
        pthread_cond_wait(&a->change, &a->lock);
    if (a->n_back)
        part = a->back[--a->n_back];
    else if (a->next < a->n_parts)
        part = a->next++;
    a->working += part >= 0;
    pthread_mutex_unlock(&a->lock);
    return part;
}

static void end_part(struct flx_usb_all *a, int part, int failed)
{
    pthread_mutex_lock(&a->lock);
    a->working--;
    if (failed)
        a->back[a->n_back++] = part;
    pthread_cond_broadcast(&a->change);
    pthread_mutex_unlock(&a->lock);
}

static void *work(void *arg)
{
    struct board *b = arg;
    struct flx_usb_all *a = b->all;
    size_t bytes = (size_t)a->model->in_h * (size_t)a->model->in_w * (size_t)a->model->in_c;
    size_t classes = (size_t)a->model->classes;
    int part;
    while (!b->lost && (part = take_part(a)) >= 0) {
        int first = part * a->part;
        int n = a->n_images - first < a->part ? a->n_images - first : a->part;
        int status = a->ops->infer(b->self, a->images + (size_t)first * bytes, n,
                                   a->logits + (size_t)first * classes);
        if (status)
            give_up(b, status);
        end_part(a, part, status != FLX_OK);
    }
    return NULL;
}

static int run_boards(struct flx_usb_all *a)
{
    int started = 0, status = FLX_OK;
    struct board *running[FLX_USB_ALL_MAX];
    for (int i = 0; i < a->n && !status; i++) {
        if (a->board[i].lost)
            continue;
        if (pthread_create(&a->board[i].thread, NULL, work, &a->board[i]))
            status = flx_fail(FLX_ERR_NOMEM, "cannot start a thread");
        else
            running[started++] = &a->board[i];
    }
    for (int i = 0; i < started; i++)
        pthread_join(running[i]->thread, NULL);
    return status;
}

static int all_infer(void *self, const uint8_t *images, int n, int32_t *logits)
{
    struct flx_usb_all *a = self;
    int part = n / (a->n * PARTS_EACH) + 1;
    a->part = part < PART_MAX ? part : PART_MAX;
    a->images = images;
    a->logits = logits;
    a->n_images = n;
    a->n_parts = (n + a->part - 1) / a->part;
    a->next = a->n_back = a->working = 0;
    a->back = malloc((size_t)a->n_parts * sizeof *a->back);
    if (!a->back)
        return flx_fail(FLX_ERR_NOMEM, "no memory for %d parts of a batch", a->n_parts);
    int status = run_boards(a);
    if (!status && (a->n_back || a->next < a->n_parts))
        status = none_left(a);
    free(a->back);
    a->back = NULL;
    return status;
}

static int all_activations(void *self, const uint8_t *images, int n, int layer, uint8_t *codes)
{
    struct flx_usb_all *a = self;
    struct board *b;
    while ((b = first_good(a)) != NULL) {
        int status = a->ops->activations(b->self, images, n, layer, codes);
        if (!status)
            return FLX_OK;
        give_up(b, status);
    }
    return none_left(a);
}

static void add(struct flx_counters *sum, const struct flx_counters *c)
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
    }
}

static int all_counters(void *self, struct flx_counters *c)
{
    struct flx_usb_all *a = self;
    for (int i = 0; i < a->n; i++) {
        struct flx_counters one;
        int status =
            a->board[i].lost ? FLX_ERR_UNPLUGGED : a->ops->counters(a->board[i].self, &one);
        if (!status)
            add(c, &one);
        else if (!a->board[i].lost)
            give_up(&a->board[i], status);
    }
    return first_good(a) ? FLX_OK : none_left(a);
}

const struct flx_device_ops flx_usb_all_ops = {
    .close = all_close,
    .info = all_info,
    .load = all_load,
    .infer = all_infer,
    .activations = all_activations,
    .counters = all_counters,
};
