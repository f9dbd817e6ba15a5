/* SPDX-License-Identifier: Apache-2.0 */
/** Safetensors containers: named tensors and string metadata in one file. Used
 *  for models (docs/model-format.md) and for the trainer's checkpoints. */
#ifndef FLEXOR_SAFETENSORS_H
#define FLEXOR_SAFETENSORS_H
#include <stddef.h>
#include <stdint.h>

#define FLX_ST_MAX_RANK 8

enum flx_st_dtype {
    FLX_ST_U8 = 0,
    FLX_ST_I8,
    FLX_ST_U16,
    FLX_ST_I16,
    FLX_ST_U32,
    FLX_ST_I32,
    FLX_ST_U64,
    FLX_ST_I64,
    FLX_ST_F32,
    FLX_ST_F64
};

/** One tensor. Name and data are borrowed: from the reader's struct flx_st, or
 *  from the caller who writes. @p data is little-endian and may be unaligned in
 *  a reader: copy it out with memcpy. */
struct flx_st_tensor {
    const char *name;
    enum flx_st_dtype dtype;
    int rank; /* 0..FLX_ST_MAX_RANK */
    uint64_t shape[FLX_ST_MAX_RANK];
    const void *data;
    size_t bytes; /* product of shape x size of dtype; set by the reader, the writer computes it */
};

struct flx_st_meta {
    const char *key, *value; /* UTF-8 */
};

/** An open container; owns the bytes of the file. */
struct flx_st;

/** Reads and checks a container: header length, JSON, types, shapes, offsets in
 *  range without gaps or overlaps, total length. FLX_ERR_NOT_FOUND, _IO, _NOMEM,
 *  _TRUNCATED, _FORMAT, _UNSUPPORTED (a dtype not listed above). */
int flx_st_open(const char *path, struct flx_st **out);

/** The same from memory, which is copied. @p what stands for the path in messages. */
int flx_st_parse(const char *what, const void *data, size_t len, struct flx_st **out);

void flx_st_free(struct flx_st *st);

/** Value of a metadata key, or NULL. */
const char *flx_st_meta(const struct flx_st *st, const char *key);

/** Tensors in file order. */
int flx_st_count(const struct flx_st *st);
const struct flx_st_tensor *flx_st_at(const struct flx_st *st, int i);

/** The tensor of that name, or NULL. */
const struct flx_st_tensor *flx_st_find(const struct flx_st *st, const char *name);

/** Writes a container atomically; the tensors lie in the order given. FLX_ERR_ARG
 *  (impossible tensor, name used twice, text that is not UTF-8), _IO, _NOT_FOUND,
 *  _NOMEM. */
int flx_st_save(const char *path, const struct flx_st_tensor *tensors, int n,
                const struct flx_st_meta *meta, int n_meta);

/** The bytes before the tensor data: length, JSON, spaces to a multiple of 8.
 *  The caller frees *header. */
int flx_st_header(const struct flx_st_tensor *tensors, int n, const struct flx_st_meta *meta,
                  int n_meta, char **header, size_t *len);

/** Bytes of one element, and name in the file ("U8"). */
size_t flx_st_dtype_size(enum flx_st_dtype dtype);
const char *flx_st_dtype_name(enum flx_st_dtype dtype);

/** Bytes of a tensor from its shape. FLX_ERR_ARG when rank or size is impossible. */
int flx_st_bytes(const struct flx_st_tensor *t, size_t *bytes);

#endif
