/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the graph of layers: inputs and skips come from earlier layers and
 * have the right shape, and nothing is computed in vain. */
#include "flexor/status.h"
#include "model_internal.h"

static int check_input(const struct flx_model *m, int i)
{
    const struct flx_layer *l = &m->layers[i];
    int h = m->in_h, w = m->in_w, c = m->in_c;
    if (i == 0 ? l->input != FLX_IMAGE : l->input < 0 || l->input >= i)
        return flx_fail(FLX_ERR_ARG,
                        "layer %s: reads layer %d; the first layer reads the image, "
                        "every other one a layer before it",
                        l->name, l->input);
    if (l->row_packed != (i == 0))
        return flx_fail(FLX_ERR_ARG, "layer %s: the first layer, and only it, is row-packed",
                        l->name);
    if (i > 0) {
        const struct flx_layer *from = &m->layers[l->input];
        h = from->out_h;
        w = from->out_w;
        c = from->out_c;
    }
    if (l->in_h != h || l->in_w != w || l->in_c != c)
        return flx_fail(FLX_ERR_ARG, "layer %s: takes %dx%dx%d, but gets %dx%dx%d", l->name,
                        l->in_h, l->in_w, l->in_c, h, w, c);
    return FLX_OK;
}

static int check_skip(const struct flx_model *m, int i)
{
    const struct flx_layer *l = &m->layers[i];
    if (l->skip == FLX_NO_SKIP)
        return FLX_OK;
    if (l->skip < 0 || l->skip >= i)
        return flx_fail(FLX_ERR_ARG, "layer %s: adds layer %d, which is not before it", l->name,
                        l->skip);
    const struct flx_layer *from = &m->layers[l->skip];
    int64_t h = (int64_t)(l->conv_h - 1) * l->skip_stride + 1;
    int64_t w = (int64_t)(l->conv_w - 1) * l->skip_stride + 1;
    if (h > from->out_h || w > from->out_w)
        return flx_fail(FLX_ERR_ARG,
                        "layer %s: adds layer %s at stride %d, whose %dx%d map is too "
                        "small for %dx%d positions",
                        l->name, from->name, l->skip_stride, from->out_h, from->out_w, l->conv_h,
                        l->conv_w);
    return FLX_OK;
}

static int is_used(const struct flx_model *m, int i)
{
    for (int k = i + 1; k < m->n_layers; k++)
        if (m->layers[k].input == i || m->layers[k].skip == i)
            return 1;
    return 0;
}

static int check_place(const struct flx_model *m, int i)
{
    const struct flx_layer *l = &m->layers[i];
    int last = i == m->n_layers - 1;
    if (l->logits != last)
        return flx_fail(FLX_ERR_ARG, "layer %s: the last layer, and only it, gives logits",
                        l->name);
    if (!last && !is_used(m, i))
        return flx_fail(FLX_ERR_ARG, "layer %s: no later layer uses its output", l->name);
    return FLX_OK;
}

int flx_model_check_graph(const struct flx_model *m)
{
    int status = FLX_OK;
    for (int i = 0; i < m->n_layers && !status; i++) {
        status = check_input(m, i);
        if (!status)
            status = check_skip(m, i);
    }
    for (int i = 0; i < m->n_layers && !status; i++)
        status = check_place(m, i);
    if (status)
        return status;
    const struct flx_layer *last = &m->layers[m->n_layers - 1];
    if (last->out_h != 1 || last->out_w != 1 || last->pool != 1 || last->out_c != m->classes)
        return flx_fail(FLX_ERR_ARG, "layer %s: gives %dx%dx%d (pool %d) and not %d logits",
                        last->name, last->out_h, last->out_w, last->out_c, last->pool, m->classes);
    return FLX_OK;
}
