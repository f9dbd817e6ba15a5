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
    free(plan->skip_at);
    free(plan->weights);
    free(plan->mul);
    free(plan->beta);
    free(plan->skip_mul);
}

/* Rows or columns that windows of the pool reach. */
static int pooled_side(const struct flx_layer *l, int conv, int out)
{
    return min_int(conv, (out - 1) * l->pool_stride + l->pool - l->pool_pad);
}

static void set_shape(struct flx_plan *plan, const struct flx_layer *l, const struct flx_view *in)
{
    int run = l->kw * l->in_c;
    plan->l = l;
    plan->shape.runs = l->kh;
    plan->shape.run_stride = (ptrdiff_t)in->row;
    if ((size_t)run == in->row) { /* whole rows: they follow one another */
        run *= l->kh;
        plan->shape.runs = 1;
    }
    plan->shape.steps = (run + FLX_DOT_STEP - 1) / FLX_DOT_STEP;
    plan->conv_h = pooled_side(l, l->conv_h, l->out_h);
    plan->conv_w = pooled_side(l, l->conv_w, l->out_w);
    plan->channels = (l->out_c + FLX_DOT_LANES - 1) / FLX_DOT_LANES * FLX_DOT_LANES;
    plan->pass_bytes = (size_t)plan->shape.runs * (size_t)plan->shape.steps * FLX_DOT_STEP *
                       (size_t)plan->channels;
    plan->passes = l->plane_mode == FLX_PLANES_SCALED
                       ? l->planes
                       : (l->planes + FLX_DOT_PLANES - 1) / FLX_DOT_PLANES;
}

/* Offset of (y, x) in a view; its border counts. */
static uint32_t place(const struct flx_view *view, int y, int x)
{
    return (uint32_t)((size_t)(y + view->pad) * view->row +
                      (size_t)(x + view->pad) * (size_t)view->c);
}

/* Codes go into a view, or before pooling into a map of their own. */
static void fill_addresses(struct flx_plan *plan, const struct flx_view *views)
{
    const struct flx_layer *l = plan->l;
    struct flx_view own = {.c = l->out_c, .row = (size_t)plan->conv_w * (size_t)l->out_c};
    const struct flx_view *out = l->pool > 1 || plan->out < 0 ? &own : &views[plan->out];
    for (int y = 0; y < plan->conv_h; y++)
        for (int x = 0; x < plan->conv_w; x++) {
            int at = y * plan->conv_w + x;
            plan->in_at[at] =
                place(&views[plan->in], y * l->stride - l->pad, x * l->stride - l->pad);
            plan->out_at[at] = place(out, y, x);
            if (plan->skip >= 0)
                plan->skip_at[at] =
                    place(&views[plan->skip], y * l->skip_stride, x * l->skip_stride);
        }
}

/* One pass, OHWI to [block][run][step][channel of the block][input of the step]. */
static void pack_pass(const struct flx_plan *plan, const int8_t *from, int8_t *to)
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

/* Planes of pass @p p: first .. first + n - 1. */
static int planes_of(const struct flx_layer *l, int p, int *first)
{
    *first = l->plane_mode == FLX_PLANES_SCALED ? p : p * FLX_DOT_PLANES;
    return l->plane_mode == FLX_PLANES_SCALED ? 1 : min_int(FLX_DOT_PLANES, l->planes - *first);
}

/* Binary planes of a pass count 1, 2, 4, ... from its last one; m takes the rest. */
static void fill_scales(struct flx_plan *plan, const struct flx_view *views)
{
    const struct flx_layer *l = plan->l;
    int32_t half = !l->logits && l->shift > 0 ? (int32_t)(1U << (l->shift - 1)) : 0;
    for (int o = 0; o < l->out_c; o++)
        plan->beta[o] = l->beta[o] + half;
    for (int p = 0; p < plan->passes; p++) {
        int first, n = planes_of(l, p, &first);
        for (int o = 0; o < l->out_c; o++)
            plan->mul[p * plan->channels + o] = l->plane_mode == FLX_PLANES_SCALED
                                                    ? l->m[p * l->out_c + o]
                                                    : l->m[o] * (1 << (l->planes - first - n));
    }
    for (int o = 0; plan->skip >= 0 && o < min_int(l->out_c, views[plan->skip].c); o++)
        plan->skip_mul[o] = l->skip_m;
}

/* The integer weights of a pass; @p plane and @p sum hold one of each weight. */
static int fill_weights(struct flx_plan *plan, const struct flx_model *m, int8_t *plane,
                        int8_t *sum)
{
    const struct flx_layer *l = plan->l;
    size_t n = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    for (int p = 0; p < plan->passes; p++) {
        int first, planes = planes_of(l, p, &first);
        memset(sum, 0, n);
        for (int k = 0; k < planes; k++) {
            int status = flx_layer_weights(m, l, first + k, plane);
            if (status)
                return status;
            for (size_t i = 0; i < n; i++)
                sum[i] = (int8_t)(2 * sum[i] + plane[i]);
        }
        pack_pass(plan, sum, plan->weights + (size_t)p * plan->pass_bytes);
    }
    return FLX_OK;
}

static int allocate(struct flx_plan *plan)
{
    size_t positions = (size_t)plan->conv_h * (size_t)plan->conv_w;
    size_t passes = (size_t)plan->passes, channels = (size_t)plan->channels;
    plan->in_at = calloc(positions, sizeof *plan->in_at);
    plan->out_at = calloc(positions, sizeof *plan->out_at);
    plan->skip_at = calloc(positions, sizeof *plan->skip_at);
    plan->weights = calloc(passes, plan->pass_bytes);
    plan->mul = calloc(passes * channels, sizeof *plan->mul);
    plan->beta = calloc(channels, sizeof *plan->beta);
    plan->skip_mul = calloc(channels, sizeof *plan->skip_mul);
    return plan->in_at && plan->out_at && plan->skip_at && plan->weights && plan->mul &&
           plan->beta && plan->skip_mul;
}

int flx_plan_init(struct flx_plan *plan, const struct flx_model *m, const struct flx_views *views,
                  int i)
{
    const struct flx_layer *l = &m->layers[i];
    size_t weights = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    memset(plan, 0, sizeof *plan);
    plan->in = views->input[i];
    plan->out = views->first[i + 1];
    plan->skip = l->skip == FLX_NO_SKIP ? -1 : views->first[l->skip + 1];
    set_shape(plan, l, &views->view[plan->in]);
    int8_t *plane = malloc(weights), *sum = malloc(weights);
    int status = FLX_OK;
    if (!allocate(plan) || !plane || !sum)
        status = flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
    else
        status = fill_weights(plan, m, plane, sum);
    if (!status) {
        fill_addresses(plan, views->view);
        fill_scales(plan, views->view);
    }
    free(plane);
    free(sum);
    return status;
}
