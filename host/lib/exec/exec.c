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
    for (int b = 0; b < FLX_MAX_VIEWS; b++)
        free(maps->buffer[b]);
    free(maps->unpooled);
    free(maps->scratch);
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

/* Bytes of codes before pooling and of its scratch, for one image. */
static size_t pool_bytes(const struct flx_exec *e, size_t *scratch)
{
    size_t most = 0;
    *scratch = 0;
    for (int i = 0; i < e->m->n_layers; i++) {
        struct flx_pool pool = flx_plan_pool(&e->plans[i], 0, e->m->act_bits);
        size_t map = (size_t)pool.in_h * pool.in_row, need = flx_pool_scratch(&pool);
        if (pool.size == 1)
            continue;
        most = map > most ? map : most;
        *scratch = need > *scratch ? need : *scratch;
    }
    return most;
}

static const struct flx_view *buffer_view(const struct flx_exec *e, int b)
{
    return &e->views.view[e->views.of_buffer[b]];
}

static void choose_batch(struct flx_exec *e)
{
    size_t scratch, bytes = pool_bytes(e, &scratch);
    for (int b = 0; b < e->views.n_buffers; b++)
        bytes += buffer_view(e, b)->map;
    size_t batch = CACHE_BYTES / bytes;
    e->batch = batch < 1 ? 1 : batch > MAX_BATCH ? MAX_BATCH : (int)batch;
}

/* Maps for one batch; the borders keep the value outside the map for ever. */
static int maps_init(const struct flx_exec *e, struct flx_maps *maps)
{
    size_t batch = (size_t)e->batch, scratch, unpooled = pool_bytes(e, &scratch);
    int missing = !(maps->unpooled = malloc(batch * unpooled + SLACK)) ||
                  !(maps->scratch = malloc(scratch + 1));
    for (int b = 0; b < e->views.n_buffers && !missing; b++) {
        size_t bytes = batch * buffer_view(e, b)->map;
        maps->buffer[b] = malloc(bytes + SLACK);
        missing = !maps->buffer[b];
        if (!missing) {
            memset(maps->buffer[b], buffer_view(e, b)->zero, bytes);
            memset(maps->buffer[b] + bytes, 0, SLACK);
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
    flx_views_init(&e->views, m);
    for (int i = 0; i < m->n_layers && !status; i++)
        status = flx_plan_init(&e->plans[i], m, &e->views, i);
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

uint8_t *flx_view_map(const struct flx_exec *e, const struct flx_maps *maps, int view, int image)
{
    const struct flx_view *v = &e->views.view[view];
    return maps->buffer[v->buffer] + (size_t)image * v->map +
           (size_t)v->pad * (v->row + (size_t)v->c);
}

/* Images into the view of the first layer. */
static void copy_in(const struct flx_exec *e, const struct flx_maps *maps, const uint8_t *images,
                    int n)
{
    const struct flx_view *view = &e->views.view[e->views.input[0]];
    size_t row = map_bytes(1, view->w, view->c);
    for (int i = 0; i < n; i++)
        for (int y = 0; y < view->h; y++, images += row)
            memcpy(flx_view_map(e, maps, e->views.input[0], i) + (size_t)y * view->row, images,
                   row);
}

/* Codes of layer @p layer out of its first view. */
static void copy_out(const struct flx_exec *e, const struct flx_maps *maps, int layer,
                     uint8_t *codes, int n)
{
    int v = e->views.first[layer + 1];
    const struct flx_view *view = &e->views.view[v];
    size_t row = map_bytes(1, view->w, view->c);
    for (int i = 0; i < n; i++)
        for (int y = 0; y < view->h; y++, codes += row)
            memcpy(codes, flx_view_map(e, maps, v, i) + (size_t)y * view->row, row);
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
