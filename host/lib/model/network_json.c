/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON text that describes the network inside a model file. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/json_reader.h"
#include "flexor/status.h"
#include "model_internal.h"

static const char *const kinds[] = {
    [FLX_XORNET_NESTED] = "nested", [FLX_XORNET_FIXED] = "fixed", NULL};
static const char *const orders[] = {[FLX_SLICE_TILE] = "tile", [FLX_SLICE_FLAT] = "flat", NULL};
static const char *const pools[] = {[FLX_POOL_MAX] = "max", [FLX_POOL_SUM] = "sum", NULL};
static const char *const modes[] = {
    [FLX_PLANES_SCALED] = "scaled", [FLX_PLANES_BINARY] = "binary", NULL};

static int get_bool(struct flx_json *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing or not true or false", key);
    return json_is_true(value);
}

/* An array of exactly @p n integers from 1. */
static void get_ints(struct flx_json *r, const json_t *object, const char *key, size_t n,
                     int *const out[])
{
    const json_t *array = json_object_get(object, key);
    if (json_array_size(array) != n) {
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing or not an array of %zu integers", key, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        *out[i] = (int)flx_json_number(r, json_array_get(array, i), key, 1, INT_MAX);
}

/* An array of 1 to @p max objects; returns how many. */
static int get_list(struct flx_json *r, const json_t *object, const char *key, int max,
                    const json_t **list)
{
    *list = json_object_get(object, key);
    size_t n = json_array_size(*list);
    if (n < 1 || n > (size_t)max)
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing or not an array of 1 to %d objects", key,
                      max);
    return r->status ? 0 : (int)n;
}

static void read_xornet(struct flx_json *r, json_t *object, struct flx_xornet *net)
{
    static const char *const known[] = {"kind", "n_out", "n_min", "n_max", "seed", NULL};
    flx_json_only_keys(r, object, known);
    net->kind = (enum flx_xornet_kind)flx_json_word(r, object, "kind", kinds);
    net->n_out = flx_json_int(r, object, "n_out", 1, FLX_XOR_MAX);
    net->n_min = flx_json_int(r, object, "n_min", 1, FLX_XOR_MAX);
    net->n_max = flx_json_int(r, object, "n_max", 1, FLX_XOR_MAX);
    net->seed = (uint64_t)flx_json_number(r, json_object_get(object, "seed"), "seed", 0, INT64_MAX);
}

static void read_planes(struct flx_json *r, const json_t *object, struct flx_layer *l)
{
    static const char *const known[] = {"xor", "n_in", NULL};
    const json_t *list;
    l->planes = get_list(r, object, "planes", FLX_MAX_PLANES, &list);
    for (int p = 0; p < l->planes; p++) {
        json_t *plane = json_array_get(list, (size_t)p);
        flx_json_only_keys(r, plane, known);
        l->net[p] = flx_json_int(r, plane, "xor", 0, FLX_MAX_XORNETS - 1);
        l->n_in[p] = flx_json_int(r, plane, "n_in", 1, FLX_XOR_MAX);
    }
}

/* A number p: the maximum over p x p windows, p apart; else an object that says all. */
static void read_pool(struct flx_json *r, const json_t *object, struct flx_layer *l)
{
    static const char *const known[] = {"kind", "size", "stride", "pad", "shift", NULL};
    json_t *pool = json_object_get(object, "pool");
    if (!json_is_object(pool)) {
        l->pool = l->pool_stride = flx_json_int(r, object, "pool", 1, INT_MAX);
        return;
    }
    flx_json_only_keys(r, pool, known);
    l->pool_kind = (enum flx_pool_kind)flx_json_word(r, pool, "kind", pools);
    l->pool = flx_json_int(r, pool, "size", 1, INT_MAX);
    l->pool_stride = flx_json_int(r, pool, "stride", 1, INT_MAX);
    l->pool_pad = flx_json_int(r, pool, "pad", 0, INT_MAX);
    l->pool_shift = flx_json_int(r, pool, "shift", 0, FLX_MAX_POOL_SHIFT);
}

/* The edges of the graph, where they are not those of a chain. */
static void read_edges(struct flx_json *r, const json_t *object, struct flx_layer *l)
{
    static const char *const known[] = {"layer", "stride", "m", NULL};
    json_t *skip = json_object_get(object, "skip");
    if (json_object_get(object, "input"))
        l->input = flx_json_int(r, object, "input", 0, FLX_MAX_LAYERS - 1);
    if (!skip)
        return;
    flx_json_only_keys(r, skip, known);
    l->skip = flx_json_int(r, skip, "layer", 0, FLX_MAX_LAYERS - 1);
    l->skip_stride = flx_json_int(r, skip, "stride", 1, INT_MAX);
    l->skip_m = flx_json_int(r, skip, "m", INT16_MIN, INT16_MAX);
}

static void read_layer(struct flx_json *r, json_t *object, struct flx_layer *l)
{
    static const char *const known[] = {
        "name",    "input", "in",     "out_c",  "kernel",     "stride",     "pad",   "skip", "pool",
        "in_zero", "shift", "logits", "planes", "plane_mode", "row_packed", "order", NULL};
    flx_json_only_keys(r, object, known);
    flx_json_text(r, object, "name", 0, l->name, sizeof l->name);
    get_ints(r, object, "in", 3, (int *[]){&l->in_h, &l->in_w, &l->in_c});
    l->out_c = flx_json_int(r, object, "out_c", 1, INT_MAX);
    get_ints(r, object, "kernel", 2, (int *[]){&l->kh, &l->kw});
    l->stride = flx_json_int(r, object, "stride", 1, INT_MAX);
    l->pad = flx_json_int(r, object, "pad", 0, INT_MAX);
    read_edges(r, object, l);
    read_pool(r, object, l);
    l->in_zero = flx_json_int(r, object, "in_zero", 0, 255);
    l->row_packed = get_bool(r, object, "row_packed");
    l->logits = get_bool(r, object, "logits");
    l->shift = flx_json_int(r, object, "shift", 0, 31);
    l->plane_mode = (enum flx_plane_mode)flx_json_word(r, object, "plane_mode", modes);
    l->order = (enum flx_slice_order)flx_json_word(r, object, "order", orders);
    read_planes(r, object, l);
}

static void read_network(struct flx_json *r, json_t *root, struct flx_model *m)
{
    static const char *const known[] = {"name",     "dataset", "input",  "classes",
                                        "act_bits", "xor",     "layers", NULL};
    const json_t *nets, *layers;
    flx_json_only_keys(r, root, known);
    flx_json_text(r, root, "name", 0, m->name, sizeof m->name);
    flx_json_text(r, root, "dataset", 0, m->dataset, sizeof m->dataset);
    get_ints(r, root, "input", 3, (int *[]){&m->in_h, &m->in_w, &m->in_c});
    m->classes = flx_json_int(r, root, "classes", 1, INT_MAX);
    m->act_bits = flx_json_int(r, root, "act_bits", 4, 8);
    m->n_nets = get_list(r, root, "xor", FLX_MAX_XORNETS, &nets);
    m->n_layers = get_list(r, root, "layers", FLX_MAX_LAYERS, &layers);
    for (int i = 0; i < m->n_nets && !r->status; i++) {
        snprintf(r->where, sizeof r->where, "xor %d", i);
        read_xornet(r, json_array_get(nets, (size_t)i), &m->nets[i]);
    }
    for (int i = 0; i < m->n_layers && !r->status; i++) {
        snprintf(r->where, sizeof r->where, "layer %d", i);
        flx_layer_defaults(&m->layers[i], i);
        read_layer(r, json_array_get(layers, (size_t)i), &m->layers[i]);
    }
}

int flx_network_parse(const char *what, const char *text, struct flx_model *m)
{
    struct flx_json r = {.what = what, .where = "network"};
    json_t *root;
    int rc = flx_json_parse(&r, text, &root);
    if (rc)
        return rc;
    read_network(&r, root, m);
    json_decref(root);
    return r.status;
}

static json_t *xornet_json(const struct flx_xornet *net)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:I}", "kind", kinds[net->kind], "n_out", net->n_out,
                     "n_min", net->n_min, "n_max", net->n_max, "seed", (json_int_t)net->seed);
}

static json_t *pool_json(const struct flx_layer *l)
{
    if (l->pool_kind == FLX_POOL_MAX && l->pool_stride == l->pool && l->pool_pad == 0)
        return json_integer(l->pool);
    return json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind", pools[l->pool_kind], "size", l->pool,
                     "stride", l->pool_stride, "pad", l->pool_pad, "shift", l->pool_shift);
}

/* 0, or -1 without memory. */
static int add_edges(json_t *object, const struct flx_layer *l, int i)
{
    int bad = 0;
    if (i > 0 && l->input != i - 1)
        bad = json_object_set_new(object, "input", json_integer(l->input));
    if (!bad && l->skip != FLX_NO_SKIP)
        bad = json_object_set_new(object, "skip",
                                  json_pack("{s:i, s:i, s:i}", "layer", l->skip, "stride",
                                            l->skip_stride, "m", l->skip_m));
    return bad;
}

static json_t *layer_json(const struct flx_layer *l, int i)
{
    json_t *planes = json_array();
    for (int p = 0; planes && p < l->planes; p++)
        if (json_array_append_new(
                planes, json_pack("{s:i, s:i}", "xor", l->net[p], "n_in", l->n_in[p])) != 0) {
            json_decref(planes);
            planes = NULL;
        }
    /* An `o` that is NULL makes the whole NULL. */
    json_t *object = json_pack(
        "{s:s, s:[i,i,i], s:i, s:[i,i], s:i, s:i, s:o, s:i, s:b, s:b, s:i, s:s, s:s, s:o}", "name",
        l->name, "in", l->in_h, l->in_w, l->in_c, "out_c", l->out_c, "kernel", l->kh, l->kw,
        "stride", l->stride, "pad", l->pad, "pool", pool_json(l), "in_zero", l->in_zero,
        "row_packed", l->row_packed, "logits", l->logits, "shift", l->shift, "plane_mode",
        modes[l->plane_mode], "order", orders[l->order], "planes", planes);
    if (object && add_edges(object, l, i) != 0) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

int flx_network_dump(const struct flx_model *m, char **text)
{
    json_t *nets = json_array(), *layers = json_array();
    int bad = !nets || !layers;
    for (int i = 0; i < m->n_nets && !bad; i++)
        bad = json_array_append_new(nets, xornet_json(&m->nets[i])) != 0;
    for (int i = 0; i < m->n_layers && !bad; i++)
        bad = json_array_append_new(layers, layer_json(&m->layers[i], i)) != 0;
    json_t *root =
        bad ? NULL
            : json_pack("{s:s, s:s, s:[i,i,i], s:i, s:i, s:O, s:O}", "name", m->name, "dataset",
                        m->dataset, "input", m->in_h, m->in_w, m->in_c, "classes", m->classes,
                        "act_bits", m->act_bits, "xor", nets, "layers", layers);
    *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    json_decref(layers);
    json_decref(nets);
    if (!*text)
        return flx_fail(FLX_ERR_ARG, "model %s: its names are not UTF-8 text", m->name);
    return FLX_OK;
}
