/* SPDX-License-Identifier: Apache-2.0 */
#include "conv.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clones.h"
#include "bf16.h"
#include "direct.h"
#include "flexor/status.h"

/* One of the three passes: a primitive, and its weights (or weight gradient) in
 * the layout that oneDNN chose. */
struct pass {
    dnnl_primitive_t prim;
    dnnl_memory_t src, weights, dst;
    void *data;   /* of weights; NULL when the caller's OHWI buffer serves as it is */
    int32_t *map; /* element of data -> OHWI index, -1: padding; NULL: the same order */
    size_t n;     /* elements of data */
};

struct flx_conv {
    struct flx_conv_shape s;
    size_t n_weights;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct pass fwd, bwd_d, bwd_w; /* those that direct leaves */
    struct flx_direct *direct;
};

static int check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return FLX_OK;
    if (status == dnnl_out_of_memory)
        return flx_fail(FLX_ERR_NOMEM, "oneDNN: out of memory while %s; use a smaller batch", what);
    return flx_fail(FLX_ERR_UNSUPPORTED, "oneDNN refuses %s (status %d)", what, (int)status);
}

/* A convolution whose kernel covers its input is a matrix product. */
static int is_full(const struct flx_conv_shape *s)
{
    return s->kh == s->in_h && s->kw == s->in_w && s->pad == 0;
}

enum { SRC, WEIGHTS, DST };

static int make_desc(const struct flx_conv_shape *s, int which, dnnl_data_type_t type,
                     dnnl_memory_desc_t *md)
{
    if (is_full(s)) {
        int k = s->kh * s->kw * s->in_c;
        dnnl_dims_t dims[3] = {{s->batch, k}, {s->out_c, k}, {s->batch, s->out_c}};
        return check(dnnl_memory_desc_init_by_tag(md, 2, dims[which], type, dnnl_ab),
                     "describing a matrix");
    }
    dnnl_dims_t dims[3] = {{s->batch, s->in_c, s->in_h, s->in_w},
                           {s->out_c, s->in_c, s->kh, s->kw},
                           {s->batch, s->out_c, s->out_h, s->out_w}};
    dnnl_format_tag_t tag = which == WEIGHTS ? dnnl_format_tag_any : dnnl_nhwc;
    return check(dnnl_memory_desc_init_by_tag(md, 4, dims[which], type, tag),
                 "describing a tensor");
}

union op_desc {
    dnnl_convolution_desc_t conv;
    dnnl_inner_product_desc_t full;
};

static dnnl_status_t init_op(const struct flx_conv_shape *s, dnnl_prop_kind_t kind,
                             const dnnl_memory_desc_t md[3], union op_desc *d)
{
    dnnl_dims_t stride = {s->stride, s->stride}, pad = {s->pad, s->pad};
    dnnl_alg_kind_t alg = dnnl_convolution_auto;
    const dnnl_memory_desc_t *a = &md[SRC], *w = &md[WEIGHTS], *o = &md[DST];
    if (is_full(s)) {
        if (kind == dnnl_backward_data)
            return dnnl_inner_product_backward_data_desc_init(&d->full, a, w, o);
        if (kind == dnnl_backward_weights)
            return dnnl_inner_product_backward_weights_desc_init(&d->full, a, w, NULL, o);
        return dnnl_inner_product_forward_desc_init(&d->full, kind, a, w, NULL, o);
    }
    if (kind == dnnl_backward_data)
        return dnnl_convolution_backward_data_desc_init(&d->conv, alg, a, w, o, stride, pad, pad);
    if (kind == dnnl_backward_weights)
        return dnnl_convolution_backward_weights_desc_init(&d->conv, alg, a, w, NULL, o, stride,
                                                           pad, pad);
    return dnnl_convolution_forward_desc_init(&d->conv, kind, alg, a, w, NULL, o, stride, pad, pad);
}

/* The backward primitives want a forward one of the same types as a hint. */
static int make_prim_desc(struct flx_conv *c, dnnl_prop_kind_t kind, const dnnl_data_type_t t[3],
                          dnnl_data_type_t hint_type, dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t md[3], hint_md[3];
    dnnl_primitive_desc_t hint = NULL;
    union op_desc d;
    int status = FLX_OK;
    for (int i = 0; i < 3 && status == FLX_OK; i++) {
        status = make_desc(&c->s, i, t[i], &md[i]);
        if (status == FLX_OK)
            status = make_desc(&c->s, i, hint_type, &hint_md[i]);
    }
    if (status == FLX_OK && kind != dnnl_forward_inference) {
        status = check(init_op(&c->s, dnnl_forward_training, hint_md, &d), "a convolution");
        if (status == FLX_OK)
            status = check(dnnl_primitive_desc_create(&hint, &d, NULL, c->engine, NULL),
                           "a convolution");
    }
    if (status == FLX_OK)
        status = check(init_op(&c->s, kind, md, &d), "a convolution");
    if (status == FLX_OK)
        status = check(dnnl_primitive_desc_create(out, &d, NULL, c->engine, hint),
                       "a convolution of this shape");
    dnnl_primitive_desc_destroy(hint);
    return status;
}

/* Where each element of layout @p md comes from: reorders a tensor of indices. */
static int make_map(struct flx_conv *c, const dnnl_memory_desc_t *md, struct pass *p)
{
    const struct flx_conv_shape *s = &c->s;
    dnnl_memory_desc_t plain, blocked = *md;
    dnnl_dims_t dims = {s->out_c, s->in_c, s->kh, s->kw};
    dnnl_primitive_desc_t rd = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    blocked.data_type = dnnl_f32;
    memset(&blocked.extra, 0, sizeof blocked.extra);
    p->n = dnnl_memory_desc_get_size(&blocked) / sizeof(float);
    float *index = malloc(c->n_weights * sizeof *index), *moved = calloc(p->n, sizeof *moved);
    p->map = malloc(p->n * sizeof *p->map);
    int status = index && moved && p->map ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status != FLX_OK)
        goto done;
    for (size_t i = 0; i < c->n_weights; i++)
        index[i] = (float)(i + 1); /* exact below 2^24 */
    status = check(dnnl_memory_desc_init_by_tag(&plain, 4, dims, dnnl_f32, dnnl_acdb), "weights");
    if (status == FLX_OK)
        status = check(dnnl_memory_create(&from, &plain, c->engine, index), "weights");
    if (status == FLX_OK)
        status = check(dnnl_memory_create(&to, &blocked, c->engine, moved), "weights");
    if (status == FLX_OK)
        status = check(
            dnnl_reorder_primitive_desc_create(&rd, &plain, c->engine, &blocked, c->engine, NULL),
            "reordering weights");
    if (status == FLX_OK)
        status = check(dnnl_primitive_create(&reorder, rd), "reordering weights");
    dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (status == FLX_OK)
        status = check(dnnl_primitive_execute(reorder, c->stream, 2, args), "reordering");
    for (size_t i = 0; status == FLX_OK && i < p->n; i++)
        p->map[i] = (int32_t)moved[i] - 1;
done:
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(rd);
    dnnl_memory_destroy(from);
    dnnl_memory_destroy(to);
    free(index);
    free(moved);
    return status;
}

static int make_memories(struct flx_conv *c, dnnl_primitive_desc_t pd, const dnnl_query_t query[3],
                         struct pass *p)
{
    const dnnl_memory_desc_t *md[3];
    dnnl_memory_t *mem[3] = {&p->src, &p->weights, &p->dst};
    int status = FLX_OK;
    for (int i = 0; i < 3 && status == FLX_OK; i++) {
        md[i] = dnnl_primitive_desc_query_md(pd, query[i], 0);
        status = check(dnnl_memory_create(mem[i], md[i], c->engine, DNNL_MEMORY_NONE), "a tensor");
    }
    p->n = c->n_weights;
    if (status == FLX_OK && !is_full(&c->s))
        status = make_map(c, md[WEIGHTS], p);
    if (status != FLX_OK)
        return status;
    size_t bytes = dnnl_memory_desc_get_size(md[WEIGHTS]);
    p->data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p->data)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    memset(p->data, 0, bytes);
    return check(dnnl_memory_set_data_handle(p->weights, p->data), "weights");
}

static int make_pass(struct flx_conv *c, dnnl_prop_kind_t kind, const dnnl_data_type_t types[3],
                     dnnl_data_type_t hint, struct pass *p)
{
    static const dnnl_query_t queries[3][3] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    int which = kind == dnnl_backward_data ? 1 : kind == dnnl_backward_weights ? 2 : 0;
    dnnl_primitive_desc_t pd = NULL;
    int status = make_prim_desc(c, kind, types, hint, &pd);
    if (status == FLX_OK)
        status = make_memories(c, pd, queries[which], p);
    if (status == FLX_OK)
        status = check(dnnl_primitive_create(&p->prim, pd), "a convolution");
    dnnl_primitive_desc_destroy(pd);
    return status;
}

int flx_conv_create(const struct flx_conv_shape *shape, struct flx_conv **out)
{
    struct flx_conv *c = calloc(1, sizeof *c);
    if (!c)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    c->s = *shape;
    c->n_weights = (size_t)shape->out_c * (size_t)(shape->kh * shape->kw * shape->in_c);
    dnnl_data_type_t b = shape->back == FLX_CONV_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_data_type_t fwd[3] = {shape->integer ? dnnl_u8 : dnnl_f32,
                                     shape->integer ? dnnl_s8 : dnnl_f32, dnnl_f32};
    const dnnl_data_type_t bwd_d[3] = {dnnl_f32, b, b}, bwd_w[3] = {b, dnnl_f32, b};
    int status = flx_direct_create(shape, &c->direct);
    int backward = !flx_direct_has(c->direct, FLX_DIRECT_BACKWARD);
    if (status == FLX_OK)
        status = check(dnnl_engine_create(&c->engine, dnnl_cpu, 0), "an engine");
    if (status == FLX_OK)
        status =
            check(dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags), "a stream");
    if (status == FLX_OK && !flx_direct_has(c->direct, FLX_DIRECT_FORWARD))
        status = make_pass(c, dnnl_forward_inference, fwd, dnnl_f32, &c->fwd);
    if (status == FLX_OK && backward && shape->need_data_gradient)
        status = make_pass(c, dnnl_backward_data, bwd_d, b, &c->bwd_d);
    if (status == FLX_OK && backward)
        status = make_pass(c, dnnl_backward_weights, bwd_w, b, &c->bwd_w);
    if (status == FLX_OK)
        *out = c;
    else
        flx_conv_free(c);
    return status;
}

static void free_pass(struct pass *p)
{
    dnnl_primitive_destroy(p->prim);
    dnnl_memory_destroy(p->src);
    dnnl_memory_destroy(p->weights);
    dnnl_memory_destroy(p->dst);
    free(p->data);
    free(p->map);
}

void flx_conv_free(struct flx_conv *c)
{
    if (!c)
        return;
    free_pass(&c->fwd);
    free_pass(&c->bwd_d);
    free_pass(&c->bwd_w);
    flx_direct_free(c->direct);
    dnnl_stream_destroy(c->stream);
    dnnl_engine_destroy(c->engine);
    free(c);
}

FLX_CLONES static void place_s8(const struct pass *p, const int8_t *w)
{
    int8_t *to = p->data;
    for (size_t i = 0; i < p->n; i++)
        to[i] = p->map[i] < 0 ? (int8_t)0 : w[p->map[i]];
}

FLX_CLONES static void place_f32(const struct pass *p, const float *w)
{
    float *to = p->data;
    for (size_t i = 0; i < p->n; i++)
        to[i] = !p->map ? w[i] : p->map[i] < 0 ? 0.0F : w[p->map[i]];
}

FLX_CLONES static void place_bf16(const struct pass *p, const float *w)
{
    uint16_t *to = p->data;
    for (size_t i = 0; i < p->n; i++)
        to[i] = flx_bf16(!p->map ? w[i] : p->map[i] < 0 ? 0.0F : w[p->map[i]]);
}

/* s8 to the type of the backward pass, which holds small integers exactly. */
FLX_CLONES static void widen_s8(const struct pass *p, const int8_t *w, enum flx_conv_type type)
{
    uint16_t *half = p->data;
    float *full = p->data;
    if (type == FLX_CONV_BF16 && !p->map)
        for (size_t i = 0; i < p->n; i++)
            half[i] = flx_bf16((float)w[i]);
    else if (type == FLX_CONV_BF16)
        for (size_t i = 0; i < p->n; i++)
            half[i] = p->map[i] < 0 ? (uint16_t)0 : flx_bf16((float)w[p->map[i]]);
    else
        for (size_t i = 0; i < p->n; i++)
            full[i] = !p->map ? (float)w[i] : p->map[i] < 0 ? 0.0F : (float)w[p->map[i]];
}

void flx_conv_set_weights(struct flx_conv *c, const void *ohwi)
{
    if (flx_direct_has(c->direct, FLX_DIRECT_FORWARD))
        flx_direct_set_weights(c->direct, ohwi);
    else if (!c->fwd.map)
        memcpy(c->fwd.data, ohwi, c->n_weights * (c->s.integer ? 1 : sizeof(float)));
    else if (c->s.integer)
        place_s8(&c->fwd, ohwi);
    else
        place_f32(&c->fwd, ohwi);
}

void flx_conv_set_back(struct flx_conv *c, const int8_t *w8, const float *w)
{
    if (flx_direct_has(c->direct, FLX_DIRECT_BACKWARD))
        flx_direct_set_back(c->direct, w8, w);
    if (!c->bwd_d.prim)
        return;
    if (w8)
        widen_s8(&c->bwd_d, w8, c->s.back);
    else if (c->s.back == FLX_CONV_BF16)
        place_bf16(&c->bwd_d, w);
    else
        place_f32(&c->bwd_d, w);
}

static int execute(struct flx_conv *c, struct pass *p, const void *src, const void *dst,
                   const int arg[3])
{
    /* oneDNN's handles are not const; it writes only to the output. */
    int status = check(dnnl_memory_set_data_handle(p->src, (void *)(uintptr_t)src), "a tensor");
    if (status == FLX_OK)
        status = check(dnnl_memory_set_data_handle(p->dst, (void *)(uintptr_t)dst), "a tensor");
    dnnl_exec_arg_t args[3] = {{arg[SRC], p->src}, {arg[WEIGHTS], p->weights}, {arg[DST], p->dst}};
    if (status == FLX_OK)
        status = check(dnnl_primitive_execute(p->prim, c->stream, 3, args), "a convolution");
    if (status == FLX_OK)
        status = check(dnnl_stream_wait(c->stream), "a convolution");
    return status;
}

int flx_conv_forward_whole(const struct flx_conv *c)
{
    return !flx_direct_has(c->direct, FLX_DIRECT_FORWARD);
}

int flx_conv_backward_whole(const struct flx_conv *c)
{
    return !flx_direct_has(c->direct, FLX_DIRECT_BACKWARD);
}

int flx_conv_forward(struct flx_conv *c, int n, const void *src, float *sums)
{
    static const int arg[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    if (flx_direct_has(c->direct, FLX_DIRECT_FORWARD)) {
        flx_direct_forward(c->direct, n, src, sums);
        return FLX_OK;
    }
    return execute(c, &c->fwd, src, sums, arg);
}

int flx_conv_backward_data(struct flx_conv *c, int n, const void *dsums, float *dsrc)
{
    static const int arg[3] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST};
    if (flx_direct_has(c->direct, FLX_DIRECT_BACKWARD)) {
        flx_direct_backward_data(c->direct, n, dsums, dsrc);
        return FLX_OK;
    }
    return execute(c, &c->bwd_d, dsrc, dsums, arg);
}

void flx_conv_weights_begin(struct flx_conv *c)
{
    if (flx_direct_has(c->direct, FLX_DIRECT_BACKWARD))
        flx_direct_weights_begin(c->direct);
}

int flx_conv_weights_add(struct flx_conv *c, int n, const void *src, const void *dsums)
{
    static const int arg[3] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST};
    if (flx_direct_has(c->direct, FLX_DIRECT_BACKWARD)) {
        flx_direct_weights_add(c->direct, n, src, dsums);
        return FLX_OK;
    }
    return execute(c, &c->bwd_w, src, dsums, arg);
}

FLX_CLONES static void collect(const struct pass *p, float *dw)
{
    const float *from = p->data;
    for (size_t i = 0; i < p->n; i++)
        if (p->map[i] >= 0)
            dw[p->map[i]] = from[i];
}

void flx_conv_weights_end(struct flx_conv *c, float *dw)
{
    if (flx_direct_has(c->direct, FLX_DIRECT_BACKWARD))
        flx_direct_weights_end(c->direct, dw);
    else if (c->bwd_w.map)
        collect(&c->bwd_w, dw);
    else
        memcpy(dw, c->bwd_w.data, c->n_weights * sizeof *dw);
}
