/* SPDX-License-Identifier: Apache-2.0 */
/** Model files in memory, for tests. */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "model/model_internal.h"
#include "model_fixture.h"

struct file {
    uint8_t *bytes;
    size_t len;
};

/* The file of an image, with the CRC that belongs to its content. */
static inline struct file serialise(struct flx_image *image)
{
    uint32_t crc = flx_crc32(0, image->meta[2].value, strlen(image->meta[2].value));
    char *header;
    struct file f;
    for (int i = 0; i < image->n; i++)
        crc = flx_crc32(crc, image->tensors[i].data, image->tensors[i].bytes);
    snprintf(image->crc, sizeof image->crc, "%08x", crc);
    assert_int_equal(flx_st_header(image->tensors, image->n, image->meta, 4, &header, &f.len),
                     FLX_OK);
    f.bytes = (uint8_t *)header;
    for (int i = 0; i < image->n; i++) {
        f.bytes = realloc(f.bytes, f.len + image->tensors[i].bytes);
        memcpy(f.bytes + f.len, image->tensors[i].data, image->tensors[i].bytes);
        f.len += image->tensors[i].bytes;
    }
    return f;
}

static inline struct file file_of(const struct flx_model *m)
{
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    struct file f = serialise(&image);
    flx_image_free(&image);
    return f;
}

static inline int parse(const struct file *f)
{
    struct flx_model *m = NULL;
    int status = flx_model_parse("file", f->bytes, f->len, &m);
    assert_true((status == FLX_OK) == (m != NULL));
    flx_model_free(m);
    return status;
}

#endif
