/* SPDX-License-Identifier: Apache-2.0 */
/** The file formats behind flx_dataset_load. */
#ifndef FLEXOR_DATA_INTERNAL_H
#define FLEXOR_DATA_INTERNAL_H
#include <stddef.h>
#include <stdint.h>

#include "flexor/dataset.h"

/** Reads DIR/FILE, or else DIR/FILE.gz, unpacked; the caller frees *data. The file
 *  that was read is named in @p path (heap, the caller frees it, also on failure;
 *  may be NULL then). FLX_ERR_NOT_FOUND when both are missing. */
int flx_data_read(const char *dir, const char *file, char **path, uint8_t **data, size_t *len);

/** FLX_OK if all labels are below @p classes, else FLX_ERR_FORMAT. */
int flx_data_check_labels(const char *path, const uint8_t *labels, int n, int classes);

/** IDX images and labels of a folder. classes 0: the largest label + 1. On failure
 *  @p out may own memory: the caller frees it with flx_dataset_free. */
int flx_idx_load(const char *dir, enum flx_split split, int classes, struct flx_dataset *out);

/** CIFAR-10's binary batches of a folder; as many as @p limit needs (<= 0: all).
 *  On failure as above. */
int flx_cifar_load(const char *dir, enum flx_split split, int limit, struct flx_dataset *out);

#endif
