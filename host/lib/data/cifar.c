/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10, binary version: files of 10,000 records, a record is the label and
 * 32 x 32 pixels, plane by plane (red, green, blue). */
#include <stdio.h>
#include <stdlib.h>

#include "data_internal.h"
#include "flexor/status.h"

#define SIDE    32
#define PIXELS  (SIDE * SIDE)
#define RECORD  (1 + 3 * PIXELS)
#define RECORDS 10000
#define CLASSES 10

static void unpack(const uint8_t *record, uint8_t *image, uint8_t *label)
{
    *label = record[0];
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < 3; c++)
            image[3 * i + c] = record[1 + c * PIXELS + i];
}

/* Appends the first n records of a file. */
static int load_batch(const char *dir, const char *file, int n, struct flx_dataset *out)
{
    char *path = NULL;
    uint8_t *data = NULL, *labels = out->labels + out->n;
    size_t len = 0, want = (size_t)RECORD * RECORDS;
    int status = flx_data_read(dir, file, &path, &data, &len);
    if (status == FLX_ERR_NOT_FOUND)
        status = flx_fail(status,
                          "%s: neither %s nor %s.gz; get the binary version of CIFAR-10 "
                          "(https://www.cs.toronto.edu/~kriz/cifar.html)",
                          dir, file, file);
    else if (!status && len < want)
        status =
            flx_fail(FLX_ERR_TRUNCATED, "%s: %zu bytes, a CIFAR-10 batch has %zu", path, len, want);
    else if (!status && len > want)
        status =
            flx_fail(FLX_ERR_FORMAT, "%s: %zu bytes, a CIFAR-10 batch has %zu", path, len, want);
    if (!status) {
        for (int i = 0; i < n; i++)
            unpack(data + (size_t)i * RECORD, out->images + (size_t)(out->n + i) * 3 * PIXELS,
                   labels + i);
        status = flx_data_check_labels(path, labels, n, CLASSES);
        out->n += n;
    }
    free(path);
    free(data);
    return status;
}

int flx_cifar_load(const char *dir, enum flx_split split, int limit, struct flx_dataset *out)
{
    int total = split == FLX_TRAIN ? 5 * RECORDS : RECORDS, status = FLX_OK;
    total = limit > 0 && limit < total ? limit : total;
    out->height = out->width = SIDE;
    out->channels = 3;
    out->classes = CLASSES;
    out->images = malloc((size_t)total * 3 * PIXELS);
    out->labels = malloc((size_t)total);
    if (!out->images || !out->labels)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory for %d images", dir, total);
    for (int batch = 1; out->n < total && !status; batch++) {
        char file[32] = "test_batch.bin";
        if (split == FLX_TRAIN)
            snprintf(file, sizeof file, "data_batch_%d.bin", batch);
        int left = total - out->n;
        status = load_batch(dir, file, left < RECORDS ? left : RECORDS, out);
    }
    return status;
}
