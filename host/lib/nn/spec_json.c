/* SPDX-License-Identifier: Apache-2.0 */
/* Network descriptions in JSON (docs/networks.md). */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Where we are, for messages, and the first error; the getters do nothing after it. */
struct reader {
    const char *what;
    char where[48];
    int status;
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *r, int status,
                                                       const char *fmt, ...)
{
    char text[320];
    va_list args;
    if (r->status)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r->status = flx_fail(status, "%s: %s: %s", r->what, r->where, text);
}

/* "a, b, c" of a list that ends with NULL. */
static void list(const char *const *words, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; words[i]; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
    }
}

static int find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}

static void only_keys(struct reader *r, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    char all[160];
    if (!json_is_object(object)) {
        fail(r, FLX_ERR_FORMAT, "is not a JSON object");
        return;
    }
    list(known, all, sizeof all);
    json_object_foreach(object, key, value)
    {
        if (find(known, key) < 0)
            fail(r, FLX_ERR_UNSUPPORTED, "unknown key '%.40s', supported are %s", key, all);
    }
}

/* @p absent when the key is not there; without a default pass one below @p lo. */
static int get_int(struct reader *r, const json_t *o, const char *key, int lo, int hi, int absent)
{
    const json_t *value = json_object_get(o, key);
    if (!value && absent >= lo)
        return absent;
    if (!json_is_integer(value))
        fail(r, FLX_ERR_FORMAT, "'%s' is missing or not an integer", key);
    else if (json_integer_value(value) < lo || json_integer_value(value) > hi)
        fail(r, FLX_ERR_FORMAT, "'%s' is %lld, not %d to %d", key,
             (long long)json_integer_value(value), lo, hi);
    else
        return (int)json_integer_value(value);
    return lo;
}

/* A name: not empty, and short enough for a struct. */
static void get_name(struct reader *r, const json_t *o, char out[32])
{
    const json_t *value = json_object_get(o, "name");
    size_t n = json_string_length(value);
    if (!json_is_string(value) || n < 1 || n > 31)
        fail(r, FLX_ERR_FORMAT, "'name' is missing or not a text of 1 to 31 bytes");
    else
        memcpy(out, json_string_value(value), n + 1);
}

static int get_word(struct reader *r, const json_t *o, const char *key, const char *const *words)
{
    const json_t *value = json_object_get(o, key);
    const char *text = json_string_value(value);
    char all[64];
    if (!value)
        return 0;
    int at = text ? find(words, text) : -1;
    list(words, all, sizeof all);
    if (at < 0)
        fail(r, FLX_ERR_UNSUPPORTED, "%s '%.40s' is not supported, supported are %s", key,
             text ? text : "(not a text)", all);
    return at < 0 ? 0 : at;
}

/* The node of that name before node @p n. */
static int get_node(struct reader *r, const json_t *o, const char *key,
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
    fail(r, FLX_ERR_FORMAT, "'%s' is no node before this one: %.40s", key,
         text ? text : "(not a text)");
    return absent;
}

static void read_pool(struct reader *r, json_t *pool, struct flx_node_spec *n)
{
    n->pool = n->pool_stride = 1;
    if (!pool)
        return;
    only_keys(r, pool, pool_keys);
    n->pool_kind = (enum flx_nn_pool)get_word(r, pool, "kind", pools);
    n->pool = get_int(r, pool, "size", 0, MAX_SIDE, -1);
    n->pool_stride = get_int(r, pool, "stride", 1, MAX_SIDE, n->pool ? n->pool : 1);
    n->pool_pad = get_int(r, pool, "pad", 0, MAX_SIDE, 0);
}

static void read_node(struct reader *r, json_t *o, struct flx_net_spec *s)
{
    int i = s->n_nodes;
    struct flx_node_spec *n = &s->nodes[i];
    snprintf(r->where, sizeof r->where, "node %d", i);
    only_keys(r, o, node_keys);
    get_name(r, o, n->name);
    if (!r->status)
        snprintf(r->where, sizeof r->where, "node %s", n->name);
    for (int k = 0; k < i; k++)
        if (!strcmp(s->nodes[k].name, n->name))
            fail(r, FLX_ERR_FORMAT, "an earlier node has the same name");
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
        fail(r, FLX_ERR_FORMAT, "'weight_bits' is 1: use 0 (XOR-coded) or 2 to 7");
    read_pool(r, json_object_get(o, "pool"), n);
    s->n_nodes++;
}

static void read_net(struct reader *r, json_t *root, struct flx_net_spec *s)
{
    only_keys(r, root, net_keys);
    get_name(r, root, s->name);
    const json_t *nodes = json_object_get(root, "nodes");
    size_t n = json_array_size(nodes);
    if (n < 1 || n > FLX_NN_MAX_NODES)
        fail(r, FLX_ERR_FORMAT, "'nodes' is missing or not an array of 1 to %d nodes",
             FLX_NN_MAX_NODES);
    for (size_t i = 0; i < n && !r->status; i++)
        read_node(r, json_array_get(nodes, i), s);
}

int flx_net_spec_parse(const char *what, const char *json, struct flx_net_spec *spec)
{
    struct reader r = {.what = what, .where = "network"};
    json_error_t error;
    *spec = (struct flx_net_spec){.n_nodes = 0};
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return flx_fail(FLX_ERR_FORMAT, "%s:%d:%d: no JSON: %s", what, error.line, error.column,
                        error.text);
    read_net(&r, root, spec);
    json_decref(root);
    return r.status;
}
