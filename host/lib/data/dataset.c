/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_internal.h"
#include "flexor/file.h"
#include "flexor/status.h"

#define MAX_FILE          ((size_t)1 << 32) /* an unpacked file larger than this is refused */
#define FASHION_MNIST_DIR "/usr/share/datasets/fashion-mnist"

int flx_data_read(const char *dir, const char *file, char **path, uint8_t **data, size_t *len)
{
    size_t size = strlen(dir) + strlen(file) + sizeof "/.gz";
    char *p = *path = malloc(size);
    if (!p)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", dir);
    snprintf(p, size, "%s/%s", dir, file);
    int status = flx_file_read_gz(p, MAX_FILE, data, len);
    if (status != FLX_ERR_NOT_FOUND)
        return status;
    snprintf(p, size, "%s/%s.gz", dir, file);
    status = flx_file_read_gz(p, MAX_FILE, data, len);
    if (status == FLX_ERR_NOT_FOUND)
        return flx_fail(status, "%s: neither %s nor %s.gz is there", dir, file, file);
    return status;
}

int flx_data_check_labels(const char *path, const uint8_t *labels, int n, int classes)
{
    for (int i = 0; i < n; i++)
        if (labels[i] >= classes)
            return flx_fail(FLX_ERR_FORMAT, "%s: label %d of image %d is not below %d", path,
                            labels[i], i, classes);
    return FLX_OK;
}

static int load_fashion_mnist(enum flx_split split, struct flx_dataset *out)
{
    const char *env = getenv("FLX_FASHION_MNIST");
    if (env && *env)
        return flx_idx_load(env, split, 10, out);
    int status = flx_idx_load(FASHION_MNIST_DIR, split, 10, out);
    if (status == FLX_ERR_NOT_FOUND)
        return flx_fail(status,
                        "Fashion-MNIST is not in %s: apt-get install "
                        "dataset-fashion-mnist, or name its folder in FLX_FASHION_MNIST",
                        FASHION_MNIST_DIR);
    return status;
}

/* "kind" or "kind:DIR"; records the kind as the name of the set. */
static int load_named(const char *name, enum flx_split split, int limit, struct flx_dataset *out)
{
    static const char *const kinds[] = {"fashion-mnist", "mnist", "idx", "cifar10"};
    const char *colon = strchr(name, ':'), *dir = colon ? colon + 1 : NULL;
    size_t kind_len = colon ? (size_t)(colon - name) : strlen(name), k = 0;
    while (k < 4 && (strlen(kinds[k]) != kind_len || strncmp(name, kinds[k], kind_len)))
        k++;
    if (k == 4 || (colon && !*dir))
        return flx_fail(FLX_ERR_ARG,
                        "unknown data set '%s': fashion-mnist, fashion-mnist:DIR, "
                        "mnist:DIR, idx:DIR and cifar10:DIR are known",
                        name);
    snprintf(out->name, sizeof out->name, "%s", kinds[k]);
    if (k == 0 && !dir)
        return load_fashion_mnist(split, out);
    if (!dir)
        return flx_fail(FLX_ERR_ARG, "data set '%s' needs its folder: %s:DIR", name, name);
    if (k == 3)
        return flx_cifar_load(dir, split, limit, out);
    return flx_idx_load(dir, split, k == 2 ? 0 : 10, out);
}

int flx_dataset_load(const char *name, enum flx_split split, int limit, struct flx_dataset *out)
{
    memset(out, 0, sizeof *out);
    if (split != FLX_TRAIN && split != FLX_TEST)
        return flx_fail(FLX_ERR_ARG, "data set '%s': unknown split %d", name, (int)split);
    int status = load_named(name, split, limit, out);
    if (status)
        flx_dataset_free(out);
    else if (limit > 0 && limit < out->n)
        out->n = limit;
    return status;
}

void flx_dataset_reduce(struct flx_dataset *d, int bits)
{
    size_t bytes = (size_t)(d->height * d->width * d->channels) * (size_t)d->n;
    for (size_t i = 0; bits < 8 && i < bytes; i++)
        d->images[i] = (uint8_t)(d->images[i] >> (8 - bits));
}

void flx_dataset_free(struct flx_dataset *d)
{
    free(d->images);
    free(d->labels);
    memset(d, 0, sizeof *d);
}
