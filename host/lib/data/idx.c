/* SPDX-License-Identifier: Apache-2.0 */
/* IDX, the format of MNIST: big-endian magic and dimensions, then the bytes. */
#include <stdlib.h>
#include <string.h>

#include "data_internal.h"
#include "flexor/status.h"

#define MAX_COUNT 10000000
#define MAX_SIDE  1024

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Checks magic, dimensions and length; dims receives n_dims values. */
static int check_idx(const char *path, const uint8_t *data, size_t len, int n_dims, int dims[])
{
    size_t header = 4 + 4 * (size_t)n_dims, size = 1;
    if (len < header)
        return flx_fail(FLX_ERR_TRUNCATED, "%s: %zu bytes are too few for an IDX header", path,
                        len);
    uint32_t magic = 0x800 + (uint32_t)n_dims; /* unsigned bytes */
    if (be32(data) != magic)
        return flx_fail(FLX_ERR_FORMAT,
                        "%s: magic %08x, an IDX file of bytes with %d dimensions "
                        "has %08x",
                        path, be32(data), n_dims, magic);
    for (int i = 0; i < n_dims; i++) {
        uint32_t d = be32(data + 4 + 4 * i), max = i ? MAX_SIDE : MAX_COUNT;
        if (d < 1 || d > max)
            return flx_fail(FLX_ERR_FORMAT, "%s: dimension %d is %u, must be 1 to %u", path, i, d,
                            max);
        dims[i] = (int)d;
        size *= d;
    }
    if (len - header < size)
        return flx_fail(FLX_ERR_TRUNCATED, "%s: holds %zu of %zu bytes of data", path, len - header,
                        size);
    if (len - header > size)
        return flx_fail(FLX_ERR_FORMAT, "%s: %zu bytes too many at the end", path,
                        len - header - size);
    return FLX_OK;
}

/* Reads one file and leaves only its data bytes in *data. */
static int read_idx(const char *dir, const char *file, int n_dims, int dims[], char **path,
                    uint8_t **data)
{
    size_t len = 0;
    int status = flx_data_read(dir, file, path, data, &len);
    if (!status)
        status = check_idx(*path, *data, len, n_dims, dims);
    if (!status) {
        size_t header = 4 + 4 * (size_t)n_dims;
        memmove(*data, *data + header, len - header);
    }
    return status;
}

static int largest(const uint8_t *v, int n)
{
    int max = 0;
    for (int i = 0; i < n; i++)
        max = v[i] > max ? v[i] : max;
    return max;
}

int flx_idx_load(const char *dir, enum flx_split split, int classes, struct flx_dataset *out)
{
    int train = split == FLX_TRAIN, dims[3] = {0}, count = 0;
    char *images = NULL, *labels = NULL;
    int status = read_idx(dir, train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte", 3,
                          dims, &images, &out->images);
    if (!status)
        status = read_idx(dir, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", 1,
                          &count, &labels, &out->labels);
    if (!status && count != dims[0])
        status = flx_fail(FLX_ERR_FORMAT, "%s holds %d images, but %s %d labels", images, dims[0],
                          labels, count);
    if (!status) {
        out->n = count;
        out->height = dims[1];
        out->width = dims[2];
        out->channels = 1;
        out->classes = classes ? classes : largest(out->labels, count) + 1;
        status = flx_data_check_labels(labels, out->labels, count, out->classes);
    }
    free(images);
    free(labels);
    return status;
}
