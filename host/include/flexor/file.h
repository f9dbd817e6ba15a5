/* SPDX-License-Identifier: Apache-2.0 */
/** Whole files: read (plain or gzipped), written atomically, checksummed. */
#ifndef FLEXOR_FILE_H
#define FLEXOR_FILE_H
#include <stddef.h>
#include <stdint.h>

/** Reads a whole file. The caller frees *data, which is never NULL on success
 *  (one byte is allocated for an empty file). FLX_ERR_NOT_FOUND, _IO, _NOMEM. */
int flx_file_read(const char *path, uint8_t **data, size_t *len);

/** As flx_file_read, and unpacks the file when it begins with the gzip magic.
 *  FLX_ERR_TRUNCATED when the gzip stream ends early, FLX_ERR_FORMAT when it is
 *  damaged or unpacks to more than @p max_len bytes (0: no bound). */
int flx_file_read_gz(const char *path, size_t max_len, uint8_t **data, size_t *len);

/** Writes the @p n_parts buffers one after the other to a temporary file next
 *  to @p path, syncs it, renames it to @p path and syncs the folder: a reader
 *  sees the old file or the whole new one. The temporary file is removed on
 *  failure. FLX_ERR_IO, _NOT_FOUND (no such folder), _NOMEM. */
int flx_file_write_atomic(const char *path, const void *const parts[], const size_t lens[],
                          int n_parts);

/** CRC-32 (zlib's) of @p len bytes, continuing @p crc; start with 0. */
uint32_t flx_crc32(uint32_t crc, const void *data, size_t len);

#endif
