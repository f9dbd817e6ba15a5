/* SPDX-License-Identifier: Apache-2.0 */
/* The integer reference as a device. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "flexor/exec.h"
#include "flexor/status.h"

struct ref {
    struct flx_exec *exec;
    int n_layers;
    uint64_t images;
};

static void ref_close(void *self)
{
    struct ref *r = self;
    flx_exec_free(r->exec);
    free(r);
}

static int ref_info(void *self, struct flx_device_info *info)
{
    (void)self;
    strcpy(info->backend, "ref");
    strcpy(info->detail, "integer reference on the CPU");
    return FLX_OK;
}

static int ref_load(void *self, const struct flx_model *m)
{
    struct ref *r = self;
    flx_exec_free(r->exec);
    r->exec = NULL;
    r->images = 0;
    r->n_layers = m->n_layers;
    return flx_exec_create(m, 0, &r->exec);
}

static int ref_infer(void *self, const uint8_t *images, int n, int32_t *logits)
{
    struct ref *r = self;
    r->images += (uint64_t)n;
    return flx_exec_run(r->exec, images, n, logits);
}

static int ref_activations(void *self, const uint8_t *images, int n, int layer, uint8_t *codes)
{
    struct ref *r = self;
    return flx_exec_activations(r->exec, images, n, layer, codes);
}

static int ref_counters(void *self, struct flx_counters *c)
{
    const struct ref *r = self;
    c->images = c->runs = r->images;
    c->n_layers = r->n_layers;
    return FLX_OK;
}

static const struct flx_device_ops ref_ops = {
    .close = ref_close,
    .info = ref_info,
    .load = ref_load,
    .infer = ref_infer,
    .activations = ref_activations,
    .counters = ref_counters,
};

static int ref_open(const struct flx_spec *spec, const struct flx_device_ops **ops, void **self)
{
    if (*spec->name || spec->stream || spec->stall || spec->noise || *spec->trace)
        return flx_fail(FLX_ERR_ARG, "device ref takes neither a name nor options");
    *self = calloc(1, sizeof(struct ref));
    if (!*self)
        return flx_fail(FLX_ERR_NOMEM, "no memory for a device");
    *ops = &ref_ops;
    return FLX_OK;
}

static int ref_list(flx_device_list_fn fn, void *user)
{
    fn(user, "ref", "integer reference on the CPU", NULL);
    return FLX_OK;
}

const struct flx_backend flx_backend_ref = {"ref", ref_open, ref_list};
