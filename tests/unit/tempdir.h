/* SPDX-License-Identifier: Apache-2.0 */
/** A temporary folder for one test, and files in it. */
#ifndef FLEXOR_TEST_TEMPDIR_H
#define FLEXOR_TEST_TEMPDIR_H
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tempdir {
    char path[64];
    char file[512]; /* set by tempdir_file */
};

/** Makes an empty folder; ends the test program if that fails. */
static inline void tempdir_make(struct tempdir *t)
{
    snprintf(t->path, sizeof t->path, "/tmp/flexor-test-XXXXXX");
    if (!mkdtemp(t->path)) {
        perror(t->path);
        exit(1);
    }
}

/** Path of a file in the folder, valid until the next call. */
static inline const char *tempdir_file(struct tempdir *t, const char *name)
{
    snprintf(t->file, sizeof t->file, "%s/%s", t->path, name);
    return t->file;
}

/** Writes a file into the folder. */
static inline void tempdir_write(struct tempdir *t, const char *name, const void *data, size_t len)
{
    FILE *f = fopen(tempdir_file(t, name), "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(t->file);
        exit(1);
    }
}

/** Number of files in the folder. */
static inline int tempdir_count(const struct tempdir *t)
{
    DIR *d = opendir(t->path);
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/** Removes the folder and the files in it. */
static inline void tempdir_remove(struct tempdir *t)
{
    DIR *d = opendir(t->path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            unlink(tempdir_file(t, e->d_name));
    if (d)
        closedir(d);
    rmdir(t->path);
}

#endif
