/* SPDX-License-Identifier: Apache-2.0 */
/* Network descriptions in JSON (docs/networks.md). */
#include <stdio.h>
#include <string.h>

#include "../base/json_reader.h"
#include "flexor/nn.h"
#include "flexor/status.h"

#define MAX_SIDE 65535

static const char *const kinds[] = {
    [FLX_NODE_RELU] = "relu", [FLX_NODE_LINEAR] = "linear", [FLX_NODE_LOGITS] = "logits", NULL};
static const char *const pools[] = {[FLX_NN_POOL_MAX] = "max", [FLX_NN_POOL_MEAN] = "mean", NULL};
static const char *const net_keys[] = {"name", "nodes", NULL};
static const char *const node_keys[] = {"name", "kind", "input",       "out_c", "kernel", "stride",
                                        "pad",  "skip", "weight_bits", "stage", "pool",   NULL};
static const char *const pool_keys[] = {"kind", "size", "stride", "pad", NULL};

/* @p absent when the key is not there; without a default pass one below @p lo. */
static int get_int(struct flx_json *r, const json_t *o, const char *key, int lo, int hi, int absent)
{
    if (!json_object_get(o, key) && absent >= lo)
        return absent;
    return flx_json_int(r, o, key, lo, hi);
}

/* The first word when the key is not there. */
static int get_word(struct flx_json *r, const json_t *o, const char *key, const char *const *words)
{
    return json_object_get(o, key) ? flx_json_word(r, o, key, words) : 0;
}

/* The node of that name before node @p n. */
static int get_node(struct flx_json *r, const json_t *o, const char *key,
                    const struct flx_net_spec *s, int n, int absent)
{
    const json_t *value = json_object_get(o, key);
    const char *text = json_string_value(value);
    if (!value)
        return absent;
    if (text && !strcmp(key, "input") && !strcmp(text, "image"))
        return FLX_NN_IMAGE;
    for (int i = 0; text && i < n; i++)
        if (!strcmp(s->nodes[i].name, text))
            return i;
    flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is no node before this one: %.40s", key,
                  text ? text : "(not a text)");
    return absent;
}

static void read_pool(struct flx_json *r, json_t *pool, struct flx_node_spec *n)
{
    n->pool = n->pool_stride = 1;
    if (!pool)
        return;
    flx_json_only_keys(r, pool, pool_keys);
    n->pool_kind = (enum flx_nn_pool)get_word(r, pool, "kind", pools);
    n->pool = get_int(r, pool, "size", 0, MAX_SIDE, -1);
    n->pool_stride = get_int(r, pool, "stride", 1, MAX_SIDE, n->pool ? n->pool : 1);
    n->pool_pad = get_int(r, pool, "pad", 0, MAX_SIDE, 0);
}

static void read_node(struct flx_json *r, json_t *o, struct flx_net_spec *s)
{
    int i = s->n_nodes;
    struct flx_node_spec *n = &s->nodes[i];
    snprintf(r->where, sizeof r->where, "node %d", i);
    flx_json_only_keys(r, o, node_keys);
    flx_json_text(r, o, "name", 1, n->name, sizeof n->name);
    if (!r->status)
        snprintf(r->where, sizeof r->where, "node %s", n->name);
    for (int k = 0; k < i; k++)
        if (!strcmp(s->nodes[k].name, n->name))
            flx_json_fail(r, FLX_ERR_FORMAT, "an earlier node has the same name");
    n->kind = (enum flx_node_kind)get_word(r, o, "kind", kinds);
    n->input = get_node(r, o, "input", s, i, i - 1);
    n->skip = get_node(r, o, "skip", s, i, FLX_NN_NO_SKIP);
    n->out_c = get_int(r, o, "out_c", 1, MAX_SIDE, 0);
    n->kernel = get_int(r, o, "kernel", 0, MAX_SIDE, -1);
    n->stride = get_int(r, o, "stride", 1, MAX_SIDE, 1);
    n->pad = get_int(r, o, "pad", 0, MAX_SIDE, 0);
    n->weight_bits = get_int(r, o, "weight_bits", 0, 7, 0);
    n->stage = get_int(r, o, "stage", 0, FLX_NN_MAX_NODES, 0);
    if (n->weight_bits == 1)
        flx_json_fail(r, FLX_ERR_FORMAT, "'weight_bits' is 1: use 0 (XOR-coded) or 2 to 7");
    read_pool(r, json_object_get(o, "pool"), n);
    s->n_nodes++;
}

static void read_net(struct flx_json *r, json_t *root, struct flx_net_spec *s)
{
    flx_json_only_keys(r, root, net_keys);
    flx_json_text(r, root, "name", 1, s->name, sizeof s->name);
    const json_t *nodes = json_object_get(root, "nodes");
    size_t n = json_array_size(nodes);
    if (n < 1 || n > FLX_NN_MAX_NODES)
        flx_json_fail(r, FLX_ERR_FORMAT, "'nodes' is missing or not an array of 1 to %d nodes",
                      FLX_NN_MAX_NODES);
    for (size_t i = 0; i < n && !r->status; i++)
        read_node(r, json_array_get(nodes, i), s);
}

int flx_net_spec_parse(const char *what, const char *json, struct flx_net_spec *spec)
{
    struct flx_json r = {.what = what, .where = "network"};
    json_t *root;
    *spec = (struct flx_net_spec){.n_nodes = 0};
    int rc = flx_json_parse(&r, json, &root);
    if (rc)
        return rc;
    read_net(&r, root, spec);
    json_decref(root);
    return r.status;
}
