/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "fail_errno.h"
#include "flexor/status.h"

int flx_fail_errno(const char *what, const char *path)
{
    int e = errno;
    int status = e == ENOENT || e == ENOTDIR ? FLX_ERR_NOT_FOUND : FLX_ERR_IO;
    return flx_fail(status, "%s: %s: %s", path, what, strerror(e));
}

/* A buffer that doubles; never empty once grown. */
struct buffer {
    uint8_t *data;
    size_t len, cap;
};

static int buffer_grow(struct buffer *b, const char *path)
{
    if (b->len < b->cap)
        return FLX_OK;
    size_t cap = b->cap ? b->cap * 2 : 65536;
    uint8_t *data = cap > b->cap ? realloc(b->data, cap) : NULL;
    if (!data)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory after %zu bytes", path, b->len);
    b->data = data;
    b->cap = cap;
    return FLX_OK;
}

static int read_all(int fd, const char *path, struct buffer *b)
{
    for (;;) {
        int status = buffer_grow(b, path);
        if (status)
            return status;
        ssize_t n = read(fd, b->data + b->len, b->cap - b->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return flx_fail_errno("cannot read", path);
        if (n == 0)
            return FLX_OK;
        b->len += (size_t)n;
    }
}

int flx_file_read(const char *path, uint8_t **data, size_t *len)
{
    struct buffer b = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return flx_fail_errno("cannot open", path);
    /* One byte more than the size, so that the end is seen without growing. */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        b.data = malloc((size_t)st.st_size + 1);
        b.cap = b.data ? (size_t)st.st_size + 1 : 0;
    }
    int status = read_all(fd, path, &b);
    close(fd);
    if (status) {
        free(b.data);
        return status;
    }
    *data = b.data;
    *len = b.len;
    return FLX_OK;
}

/* Unpacks one or more gzip members; z is ready for gzip input. */
static int inflate_all(z_stream *z, const char *path, size_t max_len, struct buffer *b)
{
    for (;;) {
        int status = buffer_grow(b, path);
        if (status)
            return status;
        size_t room = b->cap - b->len;
        z->next_out = b->data + b->len;
        z->avail_out = room > (1u << 30) ? 1u << 30 : (uInt)room;
        uInt before = z->avail_out;
        int r = inflate(z, Z_NO_FLUSH);
        b->len += before - z->avail_out;
        if (max_len && b->len > max_len)
            return flx_fail(FLX_ERR_FORMAT, "%s: unpacks to more than %zu bytes", path, max_len);
        if (r == Z_STREAM_END && z->avail_in == 0)
            return FLX_OK;
        if (r == Z_STREAM_END)
            r = inflateReset(z);
        if (r == Z_MEM_ERROR)
            return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
        if (r != Z_OK && r != Z_BUF_ERROR)
            return flx_fail(FLX_ERR_FORMAT, "%s: damaged gzip data: %s", path,
                            z->msg ? z->msg : "unreadable");
        if (z->avail_in == 0 && z->avail_out > 0)
            return flx_fail(FLX_ERR_TRUNCATED, "%s: the gzip data ends too early", path);
    }
}

int flx_file_read_gz(const char *path, size_t max_len, uint8_t **data, size_t *len)
{
    uint8_t *packed = NULL;
    size_t n = 0;
    struct buffer b = {0};
    z_stream z = {0};
    int status = flx_file_read(path, &packed, &n);
    if (status)
        return status;
    if (n < 2 || packed[0] != 0x1f || packed[1] != 0x8b) {
        *data = packed;
        *len = n;
        return FLX_OK;
    }
    if (n > UINT32_MAX) {
        status = flx_fail(FLX_ERR_FORMAT, "%s: a gzip file of %zu bytes is too large", path, n);
        goto out;
    }
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        status = flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
        goto out;
    }
    z.next_in = packed;
    z.avail_in = (uInt)n;
    status = inflate_all(&z, path, max_len, &b);
    inflateEnd(&z);
out:
    free(packed);
    if (status) {
        free(b.data);
        return status;
    }
    *data = b.data;
    *len = b.len;
    return FLX_OK;
}

uint32_t flx_crc32(uint32_t crc, const void *data, size_t len)
{
    return (uint32_t)crc32_z(crc, data, len);
}
