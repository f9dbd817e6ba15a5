/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/safetensors.h"
#include "flexor/status.h"

#define MAX_HEADER ((size_t)100 * 1000 * 1000) /* as the safetensors library */

struct flx_st {
    const char *what; /* for messages while parsing */
    uint8_t *bytes;
    size_t len;
    const uint8_t *data; /* tensor data inside bytes */
    size_t data_len;
    json_t *root; /* owns names and metadata */
    struct flx_st_tensor *tensors;
    int n;
};

void flx_st_free(struct flx_st *st)
{
    if (!st)
        return;
    json_decref(st->root);
    free(st->tensors);
    free(st->bytes);
    free(st);
}

/* Splits the file into JSON header and data, and parses the header. */
static int parse_header(struct flx_st *st)
{
    uint64_t n;
    if (st->len < 8)
        return flx_fail(FLX_ERR_TRUNCATED, "%s: too short for a safetensors file", st->what);
    memcpy(&n, st->bytes, 8);
    if (n > MAX_HEADER)
        return flx_fail(FLX_ERR_FORMAT, "%s: not a safetensors file (impossible header length)",
                        st->what);
    if (n > st->len - 8)
        return flx_fail(FLX_ERR_TRUNCATED, "%s: ends inside its header", st->what);
    const char *text = (const char *)st->bytes + 8;
    json_error_t error;
    st->root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
    if (!json_is_object(st->root) || text[0] != '{')
        return flx_fail(FLX_ERR_FORMAT, "%s: the header is not a JSON object (%s)", st->what,
                        st->root ? "another kind of value" : error.text);
    for (size_t i = (size_t)error.position; i < n; i++)
        if (text[i] != ' ')
            return flx_fail(FLX_ERR_FORMAT, "%s: something follows the JSON header", st->what);
    st->data = st->bytes + 8 + n;
    st->data_len = st->len - 8 - n;
    return FLX_OK;
}

static int check_meta(struct flx_st *st)
{
    json_t *meta = json_object_get(st->root, "__metadata__"), *value;
    const char *key;
    if (!meta)
        return FLX_OK;
    if (!json_is_object(meta))
        return flx_fail(FLX_ERR_FORMAT, "%s: __metadata__ is not an object", st->what);
    json_object_foreach(meta, key, value) if (!json_is_string(value)) return flx_fail(
        FLX_ERR_FORMAT, "%s: metadata %s is not a string", st->what, key);
    return FLX_OK;
}

static int parse_dtype(const struct flx_st *st, struct flx_st_tensor *t, const char *name)
{
    for (int d = 0; d <= FLX_ST_F64; d++)
        if (strcmp(name, flx_st_dtype_name((enum flx_st_dtype)d)) == 0) {
            t->dtype = (enum flx_st_dtype)d;
            return FLX_OK;
        }
    return flx_fail(FLX_ERR_UNSUPPORTED, "%s: tensor %s has the unknown type %s", st->what, t->name,
                    name);
}

static int parse_shape(const struct flx_st *st, struct flx_st_tensor *t, const json_t *shape)
{
    if (json_array_size(shape) > FLX_ST_MAX_RANK)
        return flx_fail(FLX_ERR_UNSUPPORTED, "%s: tensor %s has more than %d dimensions", st->what,
                        t->name, FLX_ST_MAX_RANK);
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        const json_t *v = json_array_get(shape, (size_t)i);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return flx_fail(FLX_ERR_FORMAT, "%s: tensor %s has an impossible shape", st->what,
                            t->name);
        t->shape[i] = (uint64_t)json_integer_value(v);
    }
    return FLX_OK;
}

static int parse_tensor(const struct flx_st *st, struct flx_st_tensor *t, json_t *value)
{
    const char *dtype;
    json_t *shape;
    json_int_t begin, end;
    size_t bytes;
    if (json_unpack(value, "{s:s, s:o, s:[I,I!]!}", "dtype", &dtype, "shape", &shape,
                    "data_offsets", &begin, &end) != 0 ||
        !json_is_array(shape))
        return flx_fail(FLX_ERR_FORMAT,
                        "%s: tensor %s is not described by dtype, shape and "
                        "data_offsets",
                        st->what, t->name);
    int status = parse_dtype(st, t, dtype);
    if (!status)
        status = parse_shape(st, t, shape);
    if (status)
        return status;
    if (begin < 0 || end < begin)
        return flx_fail(FLX_ERR_FORMAT, "%s: tensor %s has impossible offsets", st->what, t->name);
    if ((uint64_t)end > st->data_len)
        return flx_fail(FLX_ERR_TRUNCATED, "%s: ends before tensor %s does", st->what, t->name);
    if (flx_st_bytes(t, &bytes) || bytes != (size_t)(end - begin))
        return flx_fail(FLX_ERR_FORMAT, "%s: tensor %s: shape and data_offsets disagree", st->what,
                        t->name);
    t->data = st->data + begin;
    t->bytes = bytes;
    return FLX_OK;
}

static int by_offset(const void *a, const void *b)
{
    const struct flx_st_tensor *x = a, *y = b;
    const uint8_t *p = x->data, *q = y->data;
    if (p != q)
        return p < q ? -1 : 1;
    /* Empty tensors come before what begins where they are. */
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Tensors must follow one another from the first byte of the data to the last. */
static int check_layout(const struct flx_st *st)
{
    const uint8_t *end = st->data;
    for (int i = 0; i < st->n; i++) {
        const struct flx_st_tensor *t = &st->tensors[i];
        if ((const uint8_t *)t->data != end)
            return flx_fail(FLX_ERR_FORMAT, "%s: %s tensor %s", st->what,
                            (const uint8_t *)t->data < end ? "data overlaps at" : "a gap before",
                            t->name);
        end += t->bytes;
    }
    if (end != st->data + st->data_len)
        return flx_fail(FLX_ERR_FORMAT, "%s: %zu bytes too many at the end", st->what,
                        (size_t)(st->data + st->data_len - end));
    return FLX_OK;
}

static int parse_tensors(struct flx_st *st)
{
    const char *key;
    json_t *value;
    st->tensors = calloc(json_object_size(st->root) + 1, sizeof *st->tensors);
    if (!st->tensors)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", st->what);
    json_object_foreach(st->root, key, value)
    {
        if (strcmp(key, "__metadata__") == 0)
            continue;
        struct flx_st_tensor *t = &st->tensors[st->n++];
        t->name = key;
        int status = parse_tensor(st, t, value);
        if (status)
            return status;
    }
    qsort(st->tensors, (size_t)st->n, sizeof *st->tensors, by_offset);
    return check_layout(st);
}

/* Takes @p bytes, also on failure. */
static int parse_owned(const char *what, uint8_t *bytes, size_t len, struct flx_st **out)
{
    struct flx_st *st = calloc(1, sizeof *st);
    if (!st) {
        free(bytes);
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", what);
    }
    st->what = what;
    st->bytes = bytes;
    st->len = len;
    int status = parse_header(st);
    if (!status)
        status = check_meta(st);
    if (!status)
        status = parse_tensors(st);
    if (status) {
        flx_st_free(st);
        return status;
    }
    st->what = NULL;
    *out = st;
    return FLX_OK;
}

int flx_st_parse(const char *what, const void *data, size_t len, struct flx_st **out)
{
    uint8_t *bytes = malloc(len ? len : 1);
    if (!bytes)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", what);
    memcpy(bytes, data, len);
    return parse_owned(what, bytes, len, out);
}

int flx_st_open(const char *path, struct flx_st **out)
{
    uint8_t *bytes;
    size_t len;
    int status = flx_file_read(path, &bytes, &len);
    return status ? status : parse_owned(path, bytes, len, out);
}

const char *flx_st_meta(const struct flx_st *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->root, "__metadata__"), key));
}

int flx_st_count(const struct flx_st *st)
{
    return st->n;
}

const struct flx_st_tensor *flx_st_at(const struct flx_st *st, int i)
{
    return i >= 0 && i < st->n ? &st->tensors[i] : NULL;
}

const struct flx_st_tensor *flx_st_find(const struct flx_st *st, const char *name)
{
    for (int i = 0; i < st->n; i++)
        if (strcmp(st->tensors[i].name, name) == 0)
            return &st->tensors[i];
    return NULL;
}
