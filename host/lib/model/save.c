/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "model_internal.h"

void flx_tensor_name(char name[32], int i, const char *field, int plane)
{
    if (plane < 0)
        snprintf(name, 32, "layer%d.%s", i, field);
    else
        snprintf(name, 32, "layer%d.%s%d", i, field, plane);
}

struct flx_st_tensor flx_rows_tensor(const struct flx_xornet *net)
{
    return (struct flx_st_tensor){.dtype = FLX_ST_I32, .rank = 1, .shape = {(uint64_t)net->n_out}};
}

struct flx_st_tensor flx_bits_tensor(const struct flx_layer *l, int plane)
{
    return (struct flx_st_tensor){
        .dtype = FLX_ST_U8,
        .rank = 2,
        .shape = {(uint64_t)l->n_in[plane], (l->slicing.n_slices + 7) / 8}};
}

struct flx_st_tensor flx_m_tensor(const struct flx_layer *l)
{
    uint64_t rows = l->plane_mode == FLX_PLANES_SCALED ? (uint64_t)l->planes : 1;
    return (struct flx_st_tensor){
        .dtype = FLX_ST_I16, .rank = 2, .shape = {rows, (uint64_t)l->out_c}};
}

struct flx_st_tensor flx_beta_tensor(const struct flx_layer *l)
{
    return (struct flx_st_tensor){.dtype = FLX_ST_I32, .rank = 1, .shape = {(uint64_t)l->out_c}};
}

/* Appends a tensor; its name is in image->names already. */
static void add(struct flx_image *image, struct flx_st_tensor t, const void *data)
{
    t.name = image->names[image->n];
    t.data = data;
    image->tensors[image->n++] = t;
}

/* The bytes of a plane that are stored: each row without the rest of its words. */
static int add_bits(struct flx_image *image, const struct flx_layer *l, int plane)
{
    struct flx_st_tensor t = flx_bits_tensor(l, plane);
    size_t row = (size_t)t.shape[1];
    uint8_t *bytes = malloc((size_t)l->n_in[plane] * row);
    if (!bytes)
        return flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory while saving", l->name);
    for (int j = 0; j < l->n_in[plane]; j++)
        memcpy(bytes + (size_t)j * row, l->bits[plane] + (size_t)j * l->n_words, row);
    image->buffers[image->n] = bytes;
    add(image, t, bytes);
    return FLX_OK;
}

static int add_layer(struct flx_image *image, const struct flx_layer *l, int i)
{
    for (int p = 0; p < l->planes; p++) {
        flx_tensor_name(image->names[image->n], i, "bits", p);
        int status = add_bits(image, l, p);
        if (status)
            return status;
    }
    flx_tensor_name(image->names[image->n], i, "m", -1);
    add(image, flx_m_tensor(l), l->m);
    flx_tensor_name(image->names[image->n], i, "beta", -1);
    add(image, flx_beta_tensor(l), l->beta);
    return FLX_OK;
}

/* CRC and metadata, when all tensors are there. */
static int add_meta(struct flx_image *image)
{
    uint32_t crc = flx_crc32(0, image->network, strlen(image->network));
    for (int i = 0; i < image->n; i++) {
        struct flx_st_tensor *t = &image->tensors[i];
        int status = flx_st_bytes(t, &t->bytes);
        if (status)
            return status;
        crc = flx_crc32(crc, t->data, t->bytes);
    }
    snprintf(image->crc, sizeof image->crc, "%08x", crc);
    _Static_assert(FLX_MODEL_VERSION == 1, "the version below");
    image->meta[0] = (struct flx_st_meta){"format", "flexor"};
    image->meta[1] = (struct flx_st_meta){"version", "1"};
    image->meta[2] = (struct flx_st_meta){"network", image->network};
    image->meta[3] = (struct flx_st_meta){"crc32", image->crc};
    return FLX_OK;
}

int flx_image_build(const struct flx_model *m, struct flx_image *image)
{
    memset(image, 0, sizeof *image);
    int status = flx_model_check(m);
    if (!status)
        status = flx_network_dump(m, &image->network);
    if (status)
        return status;
    size_t max = (size_t)m->n_nets;
    for (int i = 0; i < m->n_layers; i++)
        max += (size_t)m->layers[i].planes + 2;
    image->tensors = calloc(max, sizeof *image->tensors);
    image->buffers = calloc(max, sizeof *image->buffers);
    image->names = calloc(max, sizeof *image->names);
    if (!image->tensors || !image->buffers || !image->names)
        return flx_fail(FLX_ERR_NOMEM, "model %s: out of memory while saving", m->name);
    for (int i = 0; i < m->n_nets; i++) {
        snprintf(image->names[image->n], sizeof image->names[0], "xor%d.rows", i);
        add(image, flx_rows_tensor(&m->nets[i]), m->nets[i].rows);
    }
    for (int i = 0; i < m->n_layers && !status; i++)
        status = add_layer(image, &m->layers[i], i);
    return status ? status : add_meta(image);
}

void flx_image_free(struct flx_image *image)
{
    for (int i = 0; i < image->n; i++)
        free(image->buffers[i]);
    free(image->buffers);
    free(image->tensors);
    free(image->names);
    free(image->network);
}

int flx_model_save(const struct flx_model *m, const char *path)
{
    struct flx_image image;
    int status = flx_image_build(m, &image);
    if (!status)
        status = flx_st_save(path, image.tensors, image.n, image.meta, 4);
    flx_image_free(&image);
    return status;
}
