/* SPDX-License-Identifier: Apache-2.0 */
/* Devices whose maps and resident weights share one memory, with a cache of rows in
 * front of it (docs/architecture.md, "Store"). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compile_internal.h"
#include "flexor/status.h"
#include "flx_proto.h"

#define STORE_WORD_BYTES 8

size_t flx_store_unit(const struct flx_desc *d)
{
    return flx_word_bytes(flx_desc_slices(d), d->nin_max);
}

static size_t layer_bytes(const struct flx_compiled_layer *l)
{
    return (size_t)l->words * l->word_bytes;
}

/* Heads, words, a zero that ends them; whole units and whole words of the store. */
static void store_size(const struct flx_desc *d, struct flx_compiled *c)
{
    size_t bytes = 1, unit = STORE_WORD_BYTES * flx_store_unit(d);
    for (int i = 0; i < c->n_layers; i++)
        bytes += FLX_STORE_HEAD_BYTES + layer_bytes(&c->layer[i]);
    c->store_bytes = (bytes + unit - 1) / unit * unit;
}

uint8_t *flx_store_image(const struct flx_compiled *c)
{
    uint8_t *image = calloc(c->store_bytes, 1), *at = image;
    for (int i = 0; i < c->n_layers && image; i++) {
        const struct flx_compiled_layer *l = &c->layer[i];
        size_t bytes = layer_bytes(l);
        *at++ = (uint8_t)l->n_in;
        for (int b = 0; b < FLX_STORE_HEAD_BYTES - 1; b++)
            *at++ = (uint8_t)(bytes >> 8 * b);
        memcpy(at, l->weights, bytes);
        at += bytes;
    }
    return image;
}

static int check_rows(const struct flx_compiled *c)
{
    for (int i = 0; i < c->n_layers; i++) {
        const struct flx_layer *l = &c->model->layers[i];
        const struct flx_map *in = flx_input_map(c, i);
        uint64_t rows = (uint64_t)l->kh + (uint64_t)(l->pool - 1) * (uint64_t)l->stride;
        if (in->words > FLX_CACHE_WORDS && rows * in->row_words > FLX_CACHE_ROW_WORDS)
            return flx_fail(FLX_ERR_CAPACITY,
                            "layer %s: %" PRIu64 " rows of %" PRIu32 " activation words are needed "
                            "at a time, the device's row cache holds %d words: use a build with "
                            "AMEM_KIND=0",
                            l->name, rows, in->row_words, FLX_CACHE_ROW_WORDS);
    }
    return FLX_OK;
}

int flx_store_place(const struct flx_desc *d, int stream, struct flx_compiled *c)
{
    int status = check_rows(c);
    if (status)
        return status;
    store_size(d, c);
    size_t words = (c->store_bytes + (size_t)d->k - 1) / (size_t)d->k;
    struct flx_desc below = *d;
    c->streamed = stream || words >= d->act_words;
    if (!c->streamed) {
        below.act_words -= (uint32_t)words;
        c->streamed = flx_compile_place(&below, c) != FLX_OK;
    }
    return c->streamed ? flx_compile_place(d, c) : FLX_OK;
}
