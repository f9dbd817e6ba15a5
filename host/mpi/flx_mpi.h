/* SPDX-License-Identifier: Apache-2.0 */
/** What the program knows of MPI: a shared object beside it, loaded only under mpirun,
 *  so that the program itself needs no MPI library. */
#ifndef FLX_MPI_H
#define FLX_MPI_H
#include <stddef.h>

#define FLX_MPI_ABI    1
#define FLX_MPI_SYMBOL "flx_mpi_get"

/** Functions return an enum flx_status; on failure @p why[size] holds a sentence. */
struct flx_mpi_api {
    int abi;
    int (*open)(int *rank, int *ranks, char *why, size_t size);
    /** @p all: one part of @p bytes a rank, the own one in its place; waits @p seconds
     *  at most, after which (FLX_ERR_TIMEOUT) only abort may be called. */
    int (*gather)(void *all, size_t bytes, double seconds, char *why, size_t size);
    void (*close)(void);
    void (*abort)(int code); /* ends every rank */
};

const struct flx_mpi_api *flx_mpi_get(void);

#endif
