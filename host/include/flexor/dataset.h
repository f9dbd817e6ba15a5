/* SPDX-License-Identifier: Apache-2.0 */
/** Labelled images, loaded by name: `fashion-mnist` (Debian's package, or
 *  FLX_FASHION_MNIST / `fashion-mnist:DIR`), `mnist:DIR`, `idx:DIR`,
 *  `cifar10:DIR`. Files may be gzipped or not. */
#ifndef FLEXOR_DATASET_H
#define FLEXOR_DATASET_H
#include <stdint.h>

enum flx_split { FLX_TRAIN = 0, FLX_TEST = 1 };

struct flx_dataset {
    int n, height, width, channels, classes;
    uint8_t *images; /* n x height x width x channels, channel innermost */
    uint8_t *labels; /* n */
    char name[64];   /* "fashion-mnist", "mnist", "idx" or "cifar10", without a folder */
};

/** Loads one split. @p limit > 0 keeps only the first images. The caller frees
 *  with flx_dataset_free; on failure *out is empty. FLX_ERR_NOT_FOUND (with the way to get it),
 *  FLX_ERR_FORMAT, FLX_ERR_TRUNCATED, FLX_ERR_NOMEM, FLX_ERR_ARG. */
int flx_dataset_load(const char *name, enum flx_split split, int limit, struct flx_dataset *out);

/** Images as a model of @p bits bits an activation, 1 to 8, takes them: the upper bits of
 *  each byte. */
void flx_dataset_reduce(struct flx_dataset *d, int bits);

void flx_dataset_free(struct flx_dataset *d);

#endif
