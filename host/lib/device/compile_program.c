/* SPDX-License-Identifier: Apache-2.0 */
/* The words of docs/architecture.md, "Program". */
#include <inttypes.h>
#include <stdlib.h>

#include "compile_internal.h"
#include "flexor/status.h"
#include "flx_proto.h"

#define PROGRAM_MAGIC 0xF1E0u

/* Two fields; a negative one is a two's complement, an address is modulo 2^16. */
static uint32_t pair(int64_t low, int64_t high)
{
    return ((uint32_t)low & 0xffff) | (uint32_t)high << 16;
}

static void header(uint32_t *w, const struct flx_compiled *c)
{
    const struct flx_layer *l = c->model->layers;
    uint32_t channels = (uint32_t)l->in_c;
    w[0] = pair(c->n_layers | FLX_PROG_VERSION << 8, PROGRAM_MAGIC);
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

/* Distances in a map, in words and rows. */
struct steps {
    int64_t column, row;         /* between positions, in words */
    int64_t win_column, win_row; /* between windows of the pool */
    int64_t rows, win_rows;      /* in rows */
    int64_t pad, pad_rows;       /* of the kernel: words, rows */
    int64_t first, first_row;    /* of the first position: column in words, row */
};

static struct steps steps_of(const struct flx_layer *l, const struct flx_map *in)
{
    int image = l->row_packed; /* has its padding and one pixel a window of a kernel row */
    int64_t across = image ? 1 : l->stride, pad = image ? 0 : l->pad;
    struct steps s = {.column = across * in->pixel_words,
                      .row = (int64_t)l->stride * in->row_words,
                      .rows = l->stride,
                      .pad = pad * in->pixel_words,
                      .pad_rows = pad};
    s.win_column = l->pool_stride * s.column;
    s.win_row = l->pool_stride * s.row;
    s.win_rows = l->pool_stride * s.rows;
    s.first = -s.pad - l->pool_pad * s.column;
    s.first_row = -s.pad_rows - l->pool_pad * s.rows;
    return s;
}

/* Words 17 to 19: codes that are added. */
static void skip(uint32_t *w, const struct flx_desc *d, const struct flx_compiled *c,
                 const struct flx_layer *l)
{
    const struct flx_map *from = &c->layer[l->skip].out;
    int64_t column = (int64_t)l->skip_stride * from->pixel_words;
    int64_t row = (int64_t)l->skip_stride * from->row_words;
    w[17] = pair(from->base - l->pool_pad * (column + row),
                 flx_ceil_div((uint32_t)from->channels, (uint32_t)d->t));
    w[18] = pair(column, row);
    w[19] = pair(l->pool_stride * column, l->pool_stride * row);
}

static uint32_t flags(const struct flx_layer *l, const struct flx_compiled_layer *cl,
                      const struct flx_map *in)
{
    uint32_t cached = in->words <= FLX_CACHE_WORDS;
    uint32_t scaled = cl->sets > 1, sum = l->pool_kind == FLX_POOL_SUM;
    return (uint32_t)l->logits | (uint32_t)l->row_packed << 1 | (uint32_t)!scaled << 2 |
           scaled << 3 | sum << 4 | (uint32_t)(l->skip != FLX_NO_SKIP) << 5 | cached << 6 |
           (uint32_t)cl->n_in << 8 | (uint32_t)l->planes << 16 |
           (sum ? (uint32_t)l->pool_shift << 20 : 0) | (uint32_t)(l->logits ? 0 : l->shift) << 24;
}

/* The lanes take neighbours in the window instead of neighbouring windows. */
static void join(uint32_t *w, const struct flx_layer *l, const struct flx_desc *d)
{
    uint32_t column = w[4] & 0xffff, added = w[18] & 0xffff, pixels = (uint32_t)d->pixels;
    w[0] |= 1 << 7;
    w[4] += (pixels - 1) * column;
    w[9] |= (uint32_t)(l->pool / d->pixels) << 24;
    w[14] = (w[14] & 0xffff0000) | column;
    if (l->skip != FLX_NO_SKIP) {
        w[18] += (pixels - 1) * added;
        w[19] = (w[19] & 0xffff0000) | added;
    }
}

static void layer(uint32_t *w, const struct flx_desc *d, const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct flx_compiled_layer *cl = &c->layer[i];
    const struct flx_map *in = flx_input_map(c, i);
    const struct steps s = steps_of(l, in);
    int64_t base = i ? in->base : 0; /* the image buffer is added */
    w[0] = flags(l, cl, in);
    w[1] = pair(base + s.first_row * in->row_words, cl->out.base);
    w[2] = pair(in->row_words, s.row);
    w[3] = flx_run_words(l, d) | (uint32_t)l->kh << 16 | (uint32_t)l->stride << 24;
    w[4] = pair(s.column, s.pad);
    w[5] = pair(l->out_w, l->out_h);
    w[6] = pair(l->pool | s.pad_rows << 8, cl->words / cl->block_words);
    w[7] = pair(in->rows, in->row_words);
    w[8] = pair(in->pixel_words, cl->out.pixel_words);
    w[9] = valid_granules(l, d);
    w[10] = cl->base;
    w[11] = pair(cl->block_words, base);
    w[12] = pair(cl->param_base, l->out_c);
    w[13] = pair(s.first_row, s.first);
    w[14] = pair(s.win_column, s.win_row);
    w[15] = pair(l->skip != FLX_NO_SKIP ? l->skip_m : 0, s.win_rows);
    w[16] = pair((l->conv_w - 1) * s.column, (l->conv_h - 1) * s.rows);
    if (l->skip != FLX_NO_SKIP)
        skip(w, d, c, l);
    if (flx_joined(l, d))
        join(w, l, d);
}

/* Words of a row, and rows, from the first that the layer reaches to the last, with those outside
 * its map: the address generator counts up to twice the activation words. */
static int check_reach(const struct flx_desc *d, const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct steps s = steps_of(l, flx_input_map(c, i));
    int64_t most = 2, words = (l->pool - 1) * s.column + flx_run_words(l, d);
    int64_t rows = (l->pool - 1) * s.rows + l->kh;
    words += (l->out_w - 1) * s.win_column - s.first;
    rows += (l->out_h - 1) * s.win_rows - s.first_row;
    while (most < 2 * (int64_t)d->act_words && most <= UINT16_MAX)
        most *= 2;
    if (words >= most || rows >= most)
        return flx_fail(
            FLX_ERR_CAPACITY,
            "layer %s: reaches over %" PRId64 " words and %" PRId64 " rows of its padded "
            "input, the device counts to %" PRId64 ": build it with a larger AMEM_WORDS",
            l->name, words, rows, most - 1);
    return FLX_OK;
}

/* Distances must fit the fields; addresses wrap, so those between windows may be larger. */
static int check_fields(const struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct steps s = steps_of(l, flx_input_map(c, i));
    if (s.row > UINT16_MAX || s.win_column > UINT16_MAX || s.win_rows > UINT16_MAX ||
        s.first < INT16_MIN || s.first_row < INT16_MIN)
        return flx_fail(FLX_ERR_CAPACITY,
                        "layer %s: stride %d and padding %d, windows of pooling %d apart, are "
                        "beyond the program's 16 bits",
                        l->name, l->stride, l->pad, l->pool_stride);
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
        if (!status)
            status = check_reach(d, c, i);
        if (status)
            return status;
        layer(c->program + FLX_PROG_HDR_WORDS + (size_t)i * FLX_PROG_LAYER_WORDS, d, c, i);
    }
    return FLX_OK;
}
