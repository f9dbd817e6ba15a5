/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/device.h"

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "flexor/status.h"

static const struct flx_backend *const backends[] = {&flx_backend_ref, &flx_backend_sim,
                                                     &flx_backend_usb};
#define N_BACKENDS (sizeof backends / sizeof backends[0])

struct flx_device {
    const struct flx_device_ops *ops;
    void *self;
    const struct flx_model *model; /* NULL: none is loaded */
};

int flx_device_open(const char *text, struct flx_device **out)
{
    struct flx_spec spec;
    *out = NULL;
    int status = flx_spec_parse(text, &spec);
    if (status)
        return status;
    for (size_t i = 0; i < N_BACKENDS; i++) {
        if (strcmp(backends[i]->name, spec.backend))
            continue;
        struct flx_device *d = calloc(1, sizeof *d);
        if (!d)
            return flx_fail(FLX_ERR_NOMEM, "no memory for a device");
        status = backends[i]->open(&spec, &d->ops, &d->self);
        if (status)
            free(d);
        else
            *out = d;
        return status;
    }
    return flx_fail(FLX_ERR_ARG,
                    "device '%s' is unknown: known are ref, sim[:SHAPE] and usb[:SERIAL]",
                    spec.backend);
}

void flx_device_close(struct flx_device *d)
{
    if (!d)
        return;
    d->ops->close(d->self);
    free(d);
}

int flx_device_list(flx_device_list_fn fn, void *user)
{
    int status = FLX_OK;
    for (size_t i = 0; i < N_BACKENDS && !status; i++)
        status = backends[i]->list(fn, user);
    return status;
}

int flx_device_info(struct flx_device *d, struct flx_device_info *info)
{
    *info = (struct flx_device_info){0};
    return d->ops->info(d->self, info);
}

int flx_device_load(struct flx_device *d, const struct flx_model *m)
{
    d->model = NULL;
    int status = d->ops->load(d->self, m);
    if (!status)
        d->model = m;
    return status;
}

static int check_call(const struct flx_device *d, int n)
{
    if (!d->model)
        return flx_fail(FLX_ERR_ARG, "no model is loaded");
    if (n < 0)
        return flx_fail(FLX_ERR_ARG, "impossible number of images: %d", n);
    return FLX_OK;
}

/* A device that failed in the middle may hold anything. */
static int finish(struct flx_device *d, int status)
{
    if (status)
        d->model = NULL;
    return status;
}

int flx_device_infer(struct flx_device *d, const uint8_t *images, int n, int32_t *logits)
{
    int status = check_call(d, n);
    if (status || n == 0)
        return status;
    return finish(d, d->ops->infer(d->self, images, n, logits));
}

int flx_device_activations(struct flx_device *d, const uint8_t *images, int n, int layer,
                           uint8_t *codes)
{
    int status = check_call(d, n);
    if (!status && (layer < 0 || layer >= d->model->n_layers - 1))
        status = flx_fail(FLX_ERR_ARG, "layer %d has no activations: the model has %d layers",
                          layer, d->model->n_layers);
    if (status || n == 0)
        return status;
    return finish(d, d->ops->activations(d->self, images, n, layer, codes));
}

int flx_device_link_stats(struct flx_device *d, struct flx_link_stats *s)
{
    *s = (struct flx_link_stats){0};
    if (!d->ops->link)
        return flx_fail(FLX_ERR_UNSUPPORTED, "this device has no link of its own");
    return d->ops->link(d->self, s);
}

int flx_device_counters(struct flx_device *d, struct flx_counters *c)
{
    *c = (struct flx_counters){0};
    int status = check_call(d, 0);
    return status ? status : finish(d, d->ops->counters(d->self, c));
}
