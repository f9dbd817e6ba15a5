/* SPDX-License-Identifier: Apache-2.0 */
/* The fast reference. Every thread takes a few images through all layers, so that
 * their maps stay in its cache and threads meet only at the end. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec_internal.h"
#include "flexor/status.h"

#define MAX_BATCH   24                  /* a multiple of every block of positions */
#define CACHE_BYTES ((size_t)640 << 10) /* for the maps of one thread */
#define SLACK       64                  /* the inner loop reads a little past a map */

static void maps_free(struct flx_maps *maps)
{
    for (int i = 0; i < FLX_MAX_LAYERS; i++)
        free(maps->in[i]);
    free(maps->unpooled);
}

void flx_exec_free(struct flx_exec *e)
{
    if (!e)
        return;
    for (int i = 0; i < e->n_maps; i++)
        maps_free(&e->maps[i]);
    for (int i = 0; i < e->m->n_layers; i++)
        flx_plan_free(&e->plans[i]);
    free(e->maps);
    free(e);
}

/* Bytes of codes before pooling, for one image. */
static size_t unpooled_bytes(const struct flx_exec *e)
{
    size_t most = 0;
    for (int i = 0; i < e->m->n_layers; i++) {
        const struct flx_plan *plan = &e->plans[i];
        size_t map = (size_t)plan->conv_h * (size_t)plan->conv_w * (size_t)plan->l->out_c;
        if (plan->l->pool > 1 && map > most)
            most = map;
    }
    return most;
}

static void choose_batch(struct flx_exec *e)
{
    size_t bytes = unpooled_bytes(e);
    for (int i = 0; i < e->m->n_layers; i++)
        bytes += e->plans[i].in_map;
    size_t batch = CACHE_BYTES / bytes;
    e->batch = batch < 1 ? 1 : batch > MAX_BATCH ? MAX_BATCH : (int)batch;
}

/* Maps for one batch; the borders keep the value in_zero for ever. */
static int maps_init(const struct flx_exec *e, struct flx_maps *maps)
{
    size_t batch = (size_t)e->batch;
    int missing = !(maps->unpooled = malloc(batch * unpooled_bytes(e) + SLACK));
    for (int i = 0; i < e->m->n_layers && !missing; i++) {
        size_t bytes = batch * e->plans[i].in_map;
        maps->in[i] = malloc(bytes + SLACK);
        missing = !maps->in[i];
        if (!missing) {
            memset(maps->in[i], e->m->layers[i].in_zero, bytes);
            memset(maps->in[i] + bytes, 0, SLACK);
        }
    }
    return missing ? flx_fail(FLX_ERR_NOMEM, "model %s: out of memory for its maps", e->m->name)
                   : FLX_OK;
}

int flx_exec_create_with(const struct flx_model *m, int threads, flx_dot_fn *dot,
                         struct flx_exec **out)
{
    int status = flx_model_check(m);
    if (status)
        return status;
    struct flx_exec *e = calloc(1, sizeof *e);
    if (!e)
        return flx_fail(FLX_ERR_NOMEM, "model %s: out of memory", m->name);
    e->m = m;
    e->dot = dot;
    e->threads = threads > 0 ? threads : omp_get_num_procs();
    for (int i = 0; i < m->n_layers && !status; i++)
        status = flx_plan_init(&e->plans[i], m, i);
    if (!status) {
        choose_batch(e);
        e->maps = calloc((size_t)e->threads, sizeof *e->maps);
        if (!e->maps)
            status = flx_fail(FLX_ERR_NOMEM, "model %s: out of memory", m->name);
    }
    while (!status && e->n_maps < e->threads)
        status = maps_init(e, &e->maps[e->n_maps++]);
    if (status)
        flx_exec_free(e);
    else
        *out = e;
    return status;
}

int flx_exec_create(const struct flx_model *m, int threads, struct flx_exec **out)
{
    return flx_exec_create_with(m, threads, flx_dot_get(flx_dot_best()), out);
}

static size_t map_bytes(int h, int w, int c)
{
    return (size_t)h * (size_t)w * (size_t)c;
}

/* Images into the padded maps of the first layer. */
static void copy_in(const struct flx_exec *e, const struct flx_maps *maps, const uint8_t *images,
                    int n)
{
    const struct flx_plan *plan = &e->plans[0];
    size_t row = map_bytes(1, e->m->in_w, e->m->in_c), pad = (size_t)plan->l->pad;
    for (int i = 0; i < n; i++)
        for (int y = 0; y < e->m->in_h; y++, images += row)
            memcpy(maps->in[0] + (size_t)i * plan->in_map + ((size_t)y + pad) * plan->in_row +
                       pad * (size_t)e->m->in_c,
                   images, row);
}

/* Codes of layer @p layer out of the padded maps of the next one. */
static void copy_out(const struct flx_exec *e, const struct flx_maps *maps, int layer,
                     uint8_t *codes, int n)
{
    const struct flx_plan *next = &e->plans[layer + 1];
    const struct flx_layer *l = next->l;
    size_t row = map_bytes(1, l->in_w, l->in_c), pad = (size_t)l->pad;
    for (int i = 0; i < n; i++)
        for (int y = 0; y < l->in_h; y++, codes += row)
            memcpy(codes,
                   maps->in[layer + 1] + (size_t)i * next->in_map +
                       ((size_t)y + pad) * next->in_row + pad * (size_t)l->in_c,
                   row);
}

/* Layers 0 .. last of all images; the codes of @p last, or logits. */
static void run_all(const struct flx_exec *e, const uint8_t *images, int n, int last,
                    uint8_t *codes, int32_t *logits)
{
    const struct flx_model *m = e->m;
    const struct flx_layer *l = &m->layers[last];
    size_t in = map_bytes(m->in_h, m->in_w, m->in_c), out = map_bytes(l->out_h, l->out_w, l->out_c);
    int share = (n + e->threads - 1) / e->threads;
    int batch = share < e->batch ? share : e->batch;
    int tasks = batch > 0 ? (n + batch - 1) / batch : 0;
    int threads = tasks < e->threads ? tasks : e->threads;
#pragma omp parallel for num_threads(threads > 0 ? threads : 1) schedule(dynamic)
    for (int t = 0; t < tasks; t++) {
        const struct flx_maps *maps = &e->maps[omp_get_thread_num()];
        int first = t * batch, count = n - first < batch ? n - first : batch;
        copy_in(e, maps, images + (size_t)first * in, count);
        for (int i = 0; i <= last; i++)
            flx_plan_run(e, maps, i, count, logits ? logits + (size_t)first * out : NULL);
        if (codes)
            copy_out(e, maps, last, codes + (size_t)first * out, count);
    }
}

int flx_exec_run(struct flx_exec *e, const uint8_t *images, int n, int32_t *logits)
{
    if (n < 0)
        return flx_fail(FLX_ERR_ARG, "impossible number of images %d", n);
    int status = flx_exec_check_images(e->m, images, n);
    if (!status)
        run_all(e, images, n, e->m->n_layers - 1, NULL, logits);
    return status;
}

int flx_exec_activations(struct flx_exec *e, const uint8_t *images, int n, int layer,
                         uint8_t *codes)
{
    if (n < 0 || layer < 0 || layer >= e->m->n_layers - 1)
        return flx_fail(FLX_ERR_ARG, "model %s: layer %d has no codes", e->m->name, layer);
    int status = flx_exec_check_images(e->m, images, n);
    if (!status)
        run_all(e, images, n, layer, codes, NULL);
    return status;
}
