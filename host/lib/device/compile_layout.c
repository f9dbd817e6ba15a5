/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of maps and of their rows and pixels; where weights and parameters lie. */
#include <inttypes.h>

#include "compile_internal.h"
#include "flexor/status.h"

uint32_t flx_stored_channels(const struct flx_desc *d, int channels)
{
    return flx_ceil_div((uint32_t)channels, (uint32_t)d->t) * (uint32_t)d->t;
}

uint32_t flx_pixel_channels(const struct flx_layer *l, const struct flx_desc *d)
{
    return l->row_packed ? (uint32_t)(l->kw * l->in_c) : flx_stored_channels(d, l->in_c);
}

uint32_t flx_pixel_words(const struct flx_layer *l, const struct flx_desc *d)
{
    return flx_ceil_div(flx_pixel_channels(l, d), (uint32_t)d->k);
}

uint32_t flx_run_words(const struct flx_layer *l, const struct flx_desc *d)
{
    return flx_pixel_words(l, d) * (uint32_t)(l->row_packed ? 1 : l->kw);
}

int flx_joined(const struct flx_layer *l, const struct flx_desc *d)
{
    int pixels = d->pixels, log2 = 0;
    while (1 << log2 < pixels)
        log2++;
    return pixels > 1 && 1 << log2 == pixels && l->pool_kind == FLX_POOL_SUM && l->out_w == 1 &&
           l->pool % pixels == 0 && !l->pool_pad && l->pool_shift > log2;
}

/* Activation memory addresses have 16 bits; larger maps cannot be addressed. */
static int make_map(struct flx_map *map, const char *name, int rows, int columns, int channels,
                    uint32_t pixel_words)
{
    uint64_t words = (uint64_t)rows * (uint64_t)columns * pixel_words;
    if (words > UINT16_MAX)
        return flx_fail(FLX_ERR_CAPACITY,
                        "layer %s: a map of %" PRIu64 " activation words is beyond the 16-bit "
                        "addresses of the program: build the device with a larger K",
                        name, words);
    *map = (struct flx_map){.words = (uint32_t)words,
                            .row_words = (uint32_t)columns * pixel_words,
                            .pixel_words = pixel_words,
                            .rows = rows,
                            .columns = columns,
                            .channels = channels};
    return FLX_OK;
}

static int make_maps(const struct flx_desc *d, struct flx_compiled *c)
{
    const struct flx_layer *l = c->model->layers;
    int columns = (l->in_w + 2 * l->pad - l->kw) / l->stride + 1;
    int status = make_map(&c->image, l->name, l->in_h + 2 * l->pad, columns, l->kw * l->in_c,
                          flx_pixel_words(l, d));
    for (int i = 0; i + 1 < c->n_layers && !status; i++, l++)
        status = make_map(&c->layer[i].out, l->name, l->out_h, l->out_w, l->out_c,
                          flx_ceil_div(flx_stored_channels(d, l->out_c), (uint32_t)d->k));
    return status;
}

static int place_weights(const struct flx_desc *d, int stream, struct flx_compiled *c)
{
    uint64_t words = 0;
    for (int i = 0; i < c->n_layers; i++) {
        const struct flx_layer *l = &c->model->layers[i];
        struct flx_compiled_layer *out = &c->layer[i];
        uint64_t block = (uint64_t)l->planes * (uint64_t)l->kh * flx_run_words(l, d);
        uint64_t groups = flx_ceil_div((uint32_t)l->out_c, (uint32_t)d->t);
        if (block > d->weight_words || block > UINT16_MAX)
            return flx_fail(FLX_ERR_CAPACITY,
                            "layer %s: %" PRIu64 " weight words for %d output channels, the "
                            "device's weight memory holds %" PRIu32 ": build it with a larger "
                            "WMEM_WORDS or K",
                            l->name, block, d->t, d->weight_words);
        out->n_in = l->n_in[0];
        out->sets = l->plane_mode == FLX_PLANES_SCALED ? l->planes : 1;
        out->word_bytes = flx_word_bytes(flx_desc_slices(d), out->n_in);
        out->block_words = (uint32_t)block;
        out->words = (uint32_t)(block * groups);
        out->base = (uint32_t)words;
        words += block * groups;
        if (words > INT32_MAX)
            return flx_fail(FLX_ERR_CAPACITY, "the model has too many weights for the device");
    }
    c->weight_words = (uint32_t)words;
    c->streamed = stream || (!d->store && words > d->weight_words);
    return FLX_OK;
}

static int place_params(const struct flx_desc *d, struct flx_compiled *c)
{
    uint64_t n = 0;
    for (int i = 0; i < c->n_layers; i++) {
        c->layer[i].param_base = (uint32_t)n;
        n += (uint64_t)flx_ceil_div((uint32_t)c->model->layers[i].out_c, (uint32_t)d->t) *
             (uint64_t)d->t * (uint64_t)c->layer[i].sets;
    }
    if (n > d->param_entries || n > UINT16_MAX + 1)
        return flx_fail(FLX_ERR_CAPACITY,
                        "the model needs %" PRIu64 " channel parameters, the device holds "
                        "%" PRIu32 ": build it with a larger PMEM_CH",
                        n, d->param_entries);
    c->n_params = (size_t)n;
    return FLX_OK;
}

int flx_compile_layout(const struct flx_desc *d, int stream, struct flx_compiled *c)
{
    const struct flx_model *m = c->model;
    int results = (int)flx_ceil_div((uint32_t)m->classes, (uint32_t)d->t) * d->t;
    if (results > d->results)
        return flx_fail(FLX_ERR_CAPACITY,
                        "the model needs room for %d results (%d classes), the device holds %d: "
                        "build it with a larger RES_WORDS",
                        results, m->classes, d->results);
    c->image_bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c;
    int status = make_maps(d, c);
    if (!status)
        status = place_weights(d, stream, c);
    if (!status)
        status = d->store ? flx_store_place(d, stream, c) : flx_compile_place(d, c);
    if (!status)
        status = place_params(d, c);
    return status;
}
