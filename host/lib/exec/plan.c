/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "exec_internal.h"
#include "flexor/status.h"

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

void flx_plan_free(struct flx_plan *plan)
{
    free(plan->in_at);
    free(plan->out_at);
    free(plan->weights);
    free(plan->mul);
    free(plan->beta);
}

static void set_shape(struct flx_plan *plan, const struct flx_layer *l)
{
    int run = l->kw * l->in_c;
    plan->l = l;
    plan->in_row = (size_t)(l->in_w + 2 * l->pad) * (size_t)l->in_c;
    plan->in_map = plan->in_row * (size_t)(l->in_h + 2 * l->pad);
    plan->shape.runs = l->kh;
    plan->shape.run_stride = (ptrdiff_t)plan->in_row;
    if ((size_t)run == plan->in_row) { /* whole rows: they follow one another */
        run *= l->kh;
        plan->shape.runs = 1;
    }
    plan->shape.steps = (run + FLX_DOT_STEP - 1) / FLX_DOT_STEP;
    plan->conv_h = l->out_h * l->pool;
    plan->conv_w = l->out_w * l->pool;
    plan->channels = (l->out_c + FLX_DOT_LANES - 1) / FLX_DOT_LANES * FLX_DOT_LANES;
    plan->plane_bytes = (size_t)plan->shape.runs * (size_t)plan->shape.steps * FLX_DOT_STEP *
                        (size_t)plan->channels;
}

/* Codes go into the padded map of @p next, or without it and before pooling into
 * a map of their own. */
static void fill_addresses(struct flx_plan *plan, const struct flx_layer *next)
{
    const struct flx_layer *l = plan->l;
    int pad = 0, width = plan->conv_w;
    if (next && l->pool == 1) {
        pad = next->pad;
        width = next->in_w + 2 * next->pad;
    }
    for (int y = 0; y < plan->conv_h; y++)
        for (int x = 0; x < plan->conv_w; x++) {
            int at = y * plan->conv_w + x;
            plan->in_at[at] = (uint32_t)((size_t)(y * l->stride) * plan->in_row +
                                         (size_t)(x * l->stride) * (size_t)l->in_c);
            plan->out_at[at] = (uint32_t)((size_t)((y + pad) * width + x + pad) * (size_t)l->out_c);
        }
}

/* One plane, OHWI to [block][run][step][channel of the block][input of the step]. */
static void pack_plane(const struct flx_plan *plan, const int8_t *from, int8_t *to)
{
    const struct flx_layer *l = plan->l;
    int inputs = l->kh * l->kw * l->in_c, run = inputs / plan->shape.runs;
    int block = FLX_DOT_VECS * FLX_DOT_LANES;
    for (int first = 0; first < plan->channels; first += block) {
        int width = min_int(block, plan->channels - first);
        for (int r = 0; r < plan->shape.runs; r++)
            for (int k = 0; k < plan->shape.steps * FLX_DOT_STEP; k++) {
                int8_t *step = to + (size_t)(k / FLX_DOT_STEP * width) * FLX_DOT_STEP;
                for (int c = 0; c < width && k < run; c++)
                    if (first + c < l->out_c)
                        step[c * FLX_DOT_STEP + k % FLX_DOT_STEP] =
                            from[(size_t)(first + c) * (size_t)inputs + (size_t)(r * run + k)];
                if (k == plan->shape.steps * FLX_DOT_STEP - 1)
                    to = step + (size_t)width * FLX_DOT_STEP;
            }
    }
}

/* Binary planes are scaled planes whose multipliers are m times a power of two. */
static void fill_scales(struct flx_plan *plan)
{
    const struct flx_layer *l = plan->l;
    memcpy(plan->beta, l->beta, (size_t)l->out_c * sizeof *plan->beta);
    for (int p = 0; p < l->planes; p++)
        for (int o = 0; o < l->out_c; o++)
            plan->mul[p * plan->channels + o] = l->plane_mode == FLX_PLANES_SCALED
                                                    ? l->m[p * l->out_c + o]
                                                    : l->m[o] * (1 << (l->planes - 1 - p));
}

int flx_plan_init(struct flx_plan *plan, const struct flx_model *m, int i)
{
    const struct flx_layer *l = &m->layers[i];
    memset(plan, 0, sizeof *plan);
    set_shape(plan, l);
    size_t positions = (size_t)plan->conv_h * (size_t)plan->conv_w;
    size_t planes = (size_t)l->planes, channels = (size_t)plan->channels;
    plan->in_at = calloc(positions, sizeof *plan->in_at);
    plan->out_at = calloc(positions, sizeof *plan->out_at);
    plan->weights = calloc(planes, plan->plane_bytes);
    plan->mul = calloc(planes * channels, sizeof *plan->mul);
    plan->beta = calloc(channels, sizeof *plan->beta);
    int8_t *plain = malloc((size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c);
    int status = FLX_OK;
    if (!plan->in_at || !plan->out_at || !plan->weights || !plan->mul || !plan->beta || !plain)
        status = flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
    else
        fill_addresses(plan, i + 1 < m->n_layers ? l + 1 : NULL);
    for (int p = 0; p < l->planes && !status; p++) {
        status = flx_layer_weights(m, l, p, plain);
        if (!status)
            pack_plane(plan, plain, plan->weights + (size_t)p * plan->plane_bytes);
    }
    if (!status)
        fill_scales(plan);
    free(plain);
    return status;
}
