/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/safetensors.h"
#include "flexor/status.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are stored little-endian");

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [FLX_ST_U8] = {"U8", 1},   [FLX_ST_I8] = {"I8", 1},   [FLX_ST_U16] = {"U16", 2},
    [FLX_ST_I16] = {"I16", 2}, [FLX_ST_U32] = {"U32", 4}, [FLX_ST_I32] = {"I32", 4},
    [FLX_ST_U64] = {"U64", 8}, [FLX_ST_I64] = {"I64", 8}, [FLX_ST_F32] = {"F32", 4},
    [FLX_ST_F64] = {"F64", 8},
};
#define N_DTYPES (sizeof dtypes / sizeof dtypes[0])

size_t flx_st_dtype_size(enum flx_st_dtype dtype)
{
    return (size_t)dtype < N_DTYPES ? dtypes[dtype].size : 0;
}

const char *flx_st_dtype_name(enum flx_st_dtype dtype)
{
    return (size_t)dtype < N_DTYPES ? dtypes[dtype].name : "?";
}

int flx_st_bytes(const struct flx_st_tensor *t, size_t *bytes)
{
    size_t n = flx_st_dtype_size(t->dtype);
    if (n == 0 || t->rank < 0 || t->rank > FLX_ST_MAX_RANK)
        return flx_fail(FLX_ERR_ARG, "tensor %s: impossible type or rank", t->name);
    for (int i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(n, t->shape[i], &n) || n > PTRDIFF_MAX)
            return flx_fail(FLX_ERR_ARG, "tensor %s: impossible shape", t->name);
    *bytes = n;
    return FLX_OK;
}

/* {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}; NULL without memory. */
static json_t *tensor_json(const struct flx_st_tensor *t, size_t begin, size_t end)
{
    json_t *shape = json_array();
    int bad = !shape;
    for (int i = 0; i < t->rank && !bad; i++)
        bad = json_array_append_new(shape, json_integer((json_int_t)t->shape[i])) != 0;
    if (bad) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", flx_st_dtype_name(t->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static int add_meta(json_t *root, const struct flx_st_meta *meta, int n_meta)
{
    if (n_meta == 0)
        return FLX_OK;
    json_t *object = json_object();
    if (!object || json_object_set(root, "__metadata__", object) != 0) {
        json_decref(object);
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the header of a tensor file");
    }
    json_decref(object);
    for (int i = 0; i < n_meta; i++)
        if (json_object_set_new(object, meta[i].key, json_string(meta[i].value)) != 0)
            return flx_fail(FLX_ERR_ARG, "metadata %s: is not UTF-8 text", meta[i].key);
    return FLX_OK;
}

static int add_tensors(json_t *root, const struct flx_st_tensor *tensors, int n)
{
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        const struct flx_st_tensor *t = &tensors[i];
        size_t begin = end, bytes = 0;
        int status = flx_st_bytes(t, &bytes);
        if (status)
            return status;
        if (__builtin_add_overflow(begin, bytes, &end) || end > PTRDIFF_MAX)
            return flx_fail(FLX_ERR_ARG, "tensor %s: too large", t->name);
        if (!t->data && bytes)
            return flx_fail(FLX_ERR_ARG, "tensor %s: has no data", t->name);
        if (json_object_get(root, t->name) || strcmp(t->name, "__metadata__") == 0)
            return flx_fail(FLX_ERR_ARG, "tensor %s: the name is used already", t->name);
        if (json_object_set_new(root, t->name, tensor_json(t, begin, end)) != 0)
            return flx_fail(FLX_ERR_ARG, "tensor %s: the name is not UTF-8 text", t->name);
    }
    return FLX_OK;
}

int flx_st_header(const struct flx_st_tensor *tensors, int n, const struct flx_st_meta *meta,
                  int n_meta, char **header, size_t *len)
{
    int status = FLX_OK;
    char *text = NULL, *bytes = NULL;
    json_t *root = json_object();
    if (!root)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the header of a tensor file");
    status = add_meta(root, meta, n_meta);
    if (!status)
        status = add_tensors(root, tensors, n);
    if (status)
        goto out;
    text = json_dumps(root, JSON_COMPACT);
    size_t used = text ? strlen(text) : 0, padded = (used + 7) / 8 * 8;
    bytes = text ? malloc(8 + padded) : NULL;
    if (!bytes) {
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for the header of a tensor file");
        goto out;
    }
    uint64_t length = padded;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, text, used);
    memset(bytes + 8 + used, ' ', padded - used);
    *header = bytes;
    *len = 8 + padded;
out:
    free(text);
    json_decref(root);
    return status;
}

int flx_st_save(const char *path, const struct flx_st_tensor *tensors, int n,
                const struct flx_st_meta *meta, int n_meta)
{
    char *header = NULL;
    const void **parts = calloc((size_t)n + 1, sizeof *parts);
    size_t *lens = calloc((size_t)n + 1, sizeof *lens);
    int status;
    if (!parts || !lens) {
        status = flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
        goto out;
    }
    status = flx_st_header(tensors, n, meta, n_meta, &header, &lens[0]);
    if (status)
        goto out;
    parts[0] = header;
    for (int i = 0; i < n && !status; i++) {
        parts[i + 1] = tensors[i].data;
        status = flx_st_bytes(&tensors[i], &lens[i + 1]);
    }
    if (!status)
        status = flx_file_write_atomic(path, parts, lens, n + 1);
out:
    free(header);
    free(lens);
    free(parts);
    return status;
}
