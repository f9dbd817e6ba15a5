/* SPDX-License-Identifier: Apache-2.0 */
/** Processes that work on one thing together ("ranks", started by mpirun). All of them
 *  call the functions marked "all" in the same order. */
#ifndef FLEXOR_GROUP_H
#define FLEXOR_GROUP_H
#include <stddef.h>

struct flx_group {
    int rank, size;
    int threads; /* a rank may use, the same for all */
    int lost;    /* an exchange failed: the others cannot be reached any more */
    void *user;
    /** All: @p all holds size parts of @p bytes each; every rank brings its own, in its
     *  place, and leaves with all of them. A bounded wait. */
    int (*gather)(struct flx_group *g, void *all, size_t bytes);
    char *room; /* for flx_group_agree */
};

/** The group this process was started in, or NULL (and FLX_OK) when it was started
 *  alone. All. FLX_ERR_UNSUPPORTED without the MPI plugin. */
int flx_group_open(struct flx_group **out);

/** True in one process a machine: the one that says that flx_group_open failed. */
int flx_group_first_here(void);

/** A group that exchanges through @p gather; NULL: out of memory. */
struct flx_group *flx_group_create(int rank, int size,
                                   int (*gather)(struct flx_group *, void *, size_t), void *user);
void flx_group_free(struct flx_group *g);

/** Leaves the group of flx_group_open. All; when it is lost, ends all ranks, with
 *  @p code. Frees @p g. */
void flx_group_close(struct flx_group *g, int code);

/** True for the rank that speaks and writes files. */
int flx_group_leads(const struct flx_group *g);

/** All: FLX_OK when every rank brings it, else the first failure, with its sentence,
 *  before any FLX_ERR_INTERRUPTED. @p g may be NULL: alone. */
int flx_group_agree(struct flx_group *g, int status);

/** gather() for a group that may be NULL. Remembers that the group is lost. */
int flx_group_gather(struct flx_group *g, void *all, size_t bytes);

#endif
