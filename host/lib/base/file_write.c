/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_errno.h"
#include "flexor/file.h"
#include "flexor/status.h"

static int write_all(int fd, const char *path, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return flx_fail_errno("cannot write", path);
        p += n;
        len -= (size_t)n;
    }
    return FLX_OK;
}

/* Makes the rename last: syncs the folder of path. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder and answer EINVAL. */
    int bad = fd < 0 || (fsync(fd) != 0 && errno != EINVAL);
    int status = bad ? flx_fail_errno("cannot sync the folder", path) : FLX_OK;
    if (fd >= 0)
        close(fd);
    free(folder);
    return status;
}

/* A new file next to path, with the permissions that open() gives. */
static int create_temp(const char *path, char *temp, size_t size)
{
    static atomic_uint counter;
    int fd;
    do {
        unsigned n = atomic_fetch_add(&counter, 1);
        snprintf(temp, size, "%s.%ld-%u.tmp", path, (long)getpid(), n);
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

int flx_file_write_atomic(const char *path, const void *const parts[], const size_t lens[],
                          int n_parts)
{
    int status = FLX_OK;
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return flx_fail(FLX_ERR_IO, "%s: is not a regular file, will not be replaced", path);
    size_t size = strlen(path) + 64;
    char *temp = malloc(size);
    if (!temp)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
    int fd = create_temp(path, temp, size);
    if (fd < 0) {
        status = flx_fail_errno("cannot create", path);
        goto out;
    }
    for (int i = 0; i < n_parts && !status; i++)
        status = write_all(fd, path, parts[i], lens[i]);
    if (!status && fsync(fd) != 0)
        status = flx_fail_errno("cannot write", path);
    if (close(fd) != 0 && !status)
        status = flx_fail_errno("cannot write", path);
    if (!status && rename(temp, path) != 0)
        status = flx_fail_errno("cannot replace", path);
    if (status)
        unlink(temp);
    else
        status = sync_folder(path);
out:
    free(temp);
    return status;
}
