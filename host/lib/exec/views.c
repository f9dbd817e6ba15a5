/* SPDX-License-Identifier: Apache-2.0 */
/* Which padded maps a model needs, and which of them can share memory. */
#include "exec_internal.h"

/* A view of @p source for a reader that pads with @p zero; one that does not pad
 * takes any. */
static int find_view(struct flx_views *views, const struct flx_model *m, int source, int pad,
                     int zero)
{
    int first = views->first[source + 1];
    for (int v = first; v < views->n && first >= 0; v++) {
        struct flx_view *view = &views->view[v];
        if (pad > 0 && view->pad > 0 && view->zero != zero)
            continue;
        if (pad > 0)
            view->zero = zero;
        if (pad > view->pad)
            view->pad = pad;
        return v;
    }
    const struct flx_layer *l = source < 0 ? NULL : &m->layers[source];
    views->view[views->n] = (struct flx_view){.source = source,
                                              .h = l ? l->out_h : m->in_h,
                                              .w = l ? l->out_w : m->in_w,
                                              .c = l ? l->out_c : m->in_c,
                                              .pad = pad,
                                              .zero = zero,
                                              .last = source};
    if (first < 0)
        views->first[source + 1] = views->n;
    return views->n++;
}

/* Source after source, so that the views of one lie side by side. */
static void collect(struct flx_views *views, const struct flx_model *m)
{
    for (int source = FLX_IMAGE; source < m->n_layers; source++) {
        views->first[source + 1] = -1;
        for (int i = source + 1; i < m->n_layers; i++) {
            const struct flx_layer *l = &m->layers[i];
            if (l->input == source) {
                views->input[i] = find_view(views, m, source, l->pad, l->in_zero);
                views->view[views->input[i]].last = i;
            }
            if (l->skip == source)
                views->view[find_view(views, m, source, 0, 0)].last = i;
        }
    }
}

static int same_geometry(const struct flx_view *a, const struct flx_view *b)
{
    return a->h == b->h && a->w == b->w && a->c == b->c && a->pad == b->pad && a->zero == b->zero;
}

/* The buffer of an earlier view that nobody reads any more, else a new one. */
static void place(struct flx_views *views, int v)
{
    struct flx_view *view = &views->view[v];
    for (int b = 0; b < views->n_buffers; b++) {
        int free_before = views->view[views->of_buffer[b]].last < view->source;
        if (free_before && same_geometry(view, &views->view[views->of_buffer[b]])) {
            views->of_buffer[b] = v;
            view->buffer = b;
            return;
        }
    }
    view->buffer = views->n_buffers;
    views->of_buffer[views->n_buffers++] = v;
}

void flx_views_init(struct flx_views *views, const struct flx_model *m)
{
    *views = (struct flx_views){0};
    collect(views, m);
    for (int v = 0; v < views->n; v++) {
        struct flx_view *view = &views->view[v];
        view->row = (size_t)(view->w + 2 * view->pad) * (size_t)view->c;
        view->map = view->row * (size_t)(view->h + 2 * view->pad);
        place(views, v);
    }
}
