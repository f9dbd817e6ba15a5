/* SPDX-License-Identifier: Apache-2.0 */
/* The words of docs/architecture.md, "Program". */
#include <stdlib.h>

#include "compile_internal.h"
#include "flexor/status.h"
#include "flx_proto.h"

#define PROGRAM_MAGIC 0xF1E0u

static uint32_t pair(uint32_t low, uint32_t high)
{
    return low | high << 16;
}

static void header(uint32_t *w, const struct flx_compiled *c)
{
    const struct flx_layer *l = c->model->layers;
    uint32_t channels = (uint32_t)l->in_c;
    w[0] = pair((uint32_t)c->n_layers, PROGRAM_MAGIC);
    w[1] = (uint32_t)l->kw * channels | (uint32_t)l->stride * channels << 8 |
           (uint32_t)l->in_w * channels << 16;
    w[2] = (uint32_t)l->in_h | (uint32_t)l->pad << 16 | (uint32_t)l->in_zero << 24;
    w[3] = pair((uint32_t)l->pad * channels, c->image.pixel_words);
    w[4] = pair(c->image.base, c->image_base1);
}

/* Granules of a pixel's last word that are written. */
static uint32_t valid_granules(const struct flx_layer *l, const struct flx_desc *d)
{
    uint32_t last = flx_pixel_channels(l, d) - (flx_pixel_words(l, d) - 1) * (uint32_t)d->k;
    uint32_t granules = flx_ceil_div(last, FLX_K0);
    return granules == 32 ? UINT32_MAX : (UINT32_C(1) << granules) - 1;
}

static void layer(uint32_t *w, const struct flx_desc *d, const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct flx_compiled_layer *cl = &c->layer[i];
    const struct flx_map *in = i ? &c->layer[i - 1].out : &c->image;
    uint32_t stride = (uint32_t)l->stride, pad = i ? (uint32_t)l->pad : 0;
    uint32_t step = (i ? stride : 1) * in->pixel_words; /* the image has one pixel a window */
    w[0] = (uint32_t)l->logits | (uint32_t)(i == 0) << 1 |
           (uint32_t)(l->plane_mode == FLX_PLANES_BINARY) << 2 | (uint32_t)cl->n_in << 8 |
           (uint32_t)l->planes << 16 | (uint32_t)(l->logits ? 0 : l->shift) << 24;
    w[1] = pair(in->base, cl->out.base);
    w[2] = pair(in->row_words, stride * in->row_words);
    w[3] = flx_run_words(l, d) | (uint32_t)l->kh << 16 | pad << 24;
    w[4] = pair(step, pad * in->pixel_words);
    w[5] = pair((uint32_t)l->out_w, (uint32_t)l->out_h);
    w[6] = pair((uint32_t)l->pool, cl->words / cl->block_words);
    w[7] = pair((uint32_t)in->rows, in->row_words);
    w[8] = pair(in->pixel_words, cl->out.pixel_words);
    w[9] = valid_granules(l, d);
    w[10] = cl->base;
    w[11] = cl->block_words;
    w[12] = pair(cl->param_base, (uint32_t)l->out_c);
}

/* Sums that are multiplied and added on the way must fit the fields. */
static int check_fields(const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct flx_map *in = i ? &c->layer[i - 1].out : &c->image;
    if ((uint64_t)l->stride * in->row_words > UINT16_MAX)
        return flx_fail(FLX_ERR_CAPACITY, "layer %s: stride %d is beyond the program's 16 bits",
                        l->name, l->stride);
    return FLX_OK;
}

int flx_compile_program(const struct flx_desc *d, struct flx_compiled *c)
{
    c->program_words = FLX_PROG_HDR_WORDS + (size_t)c->n_layers * FLX_PROG_LAYER_WORDS;
    c->program = calloc(c->program_words, sizeof *c->program);
    if (!c->program)
        return flx_fail(FLX_ERR_NOMEM, "no memory for the program");
    header(c->program, c);
    for (int i = 0; i < c->n_layers; i++) {
        int status = check_fields(c, i);
        if (status)
            return status;
        layer(c->program + FLX_PROG_HDR_WORDS + (size_t)i * FLX_PROG_LAYER_WORDS, d, c, i);
    }
    return FLX_OK;
}
