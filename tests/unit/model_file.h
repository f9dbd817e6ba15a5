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

/* Refused with that status and one sentence that names the file and @p word. */
static inline void refused(const struct file *f, int status, const char *word)
{
    int got = parse(f);
    if (got != status || strncmp(flx_last_error(), "file: ", 6) != 0 ||
        !strstr(flx_last_error(), word) || strchr(flx_last_error(), '\n'))
        fail_msg("%s: %s, expected %s with '%s'", flx_status_name(got), flx_last_error(),
                 flx_status_name(status), word);
}

/* Parses the file of @p m after @p from in its network text became @p to. */
static inline void refused_text(const struct flx_model *m, const char *from, const char *to,
                                int status, const char *word)
{
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    char *at = strstr(image.network, from), *text = malloc(strlen(image.network) + 256);
    assert_non_null(at);
    sprintf(text, "%.*s%s%s", (int)(at - image.network), image.network, to, at + strlen(from));
    image.meta[2].value = text;
    struct file f = serialise(&image);
    refused(&f, status, word);
    free(text);
    free(f.bytes);
    flx_image_free(&image);
}

#endif
