/* SPDX-License-Identifier: Apache-2.0 */
#include "flx_mpi.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "flexor/status.h"

/* How long a wait keeps asking: ranks meet within that when they are evenly loaded. Then
 * it sleeps in between, since the threads of other ranks may want the core. */
#define EAGER_SECONDS 0.02
#define NAP_NS        50000

static int failed(int code, const char *what, char *why, size_t size)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    MPI_Error_string(code, text, &n);
    snprintf(why, size, "MPI, %s: %s", what, text);
    return FLX_ERR_LINK;
}

static int open_world(int *rank, int *ranks, char *why, size_t size)
{
    int level, code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_rank(MPI_COMM_WORLD, rank);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_size(MPI_COMM_WORLD, ranks);
    return code == MPI_SUCCESS ? FLX_OK : failed(code, "start", why, size);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int wait_for(MPI_Request *request, double seconds, char *why, size_t size)
{
    const struct timespec nap = {0, NAP_NS};
    double start = now();
    for (;;) {
        int done = 0, code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS)
            return failed(code, "exchange", why, size);
        double waited = now() - start;
        if (done)
            return FLX_OK;
        if (waited > seconds) {
            snprintf(why, size,
                     "a rank did not answer for %.0f s: is its machine overloaded or gone? "
                     "FLX_MPI_TIMEOUT sets the seconds",
                     seconds);
            return FLX_ERR_TIMEOUT;
        }
        if (waited < EAGER_SECONDS)
            sched_yield();
        else
            nanosleep(&nap, NULL);
    }
}

static int gather(void *all, size_t bytes, double seconds, char *why, size_t size)
{
    int words = bytes % sizeof(uint32_t) == 0;
    size_t n = words ? bytes / sizeof(uint32_t) : bytes;
    MPI_Request request;
    if (n > INT_MAX) {
        snprintf(why, size, "%zu bytes are too many for one exchange", bytes);
        return FLX_ERR_UNSUPPORTED;
    }
    int code = MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, (int)n,
                              words ? MPI_UINT32_T : MPI_BYTE, MPI_COMM_WORLD, &request);
    if (code != MPI_SUCCESS)
        return failed(code, "exchange", why, size);
    return wait_for(&request, seconds, why, size);
}

static void close_world(void)
{
    MPI_Finalize();
}

static void end_all(int code)
{
    MPI_Abort(MPI_COMM_WORLD, code);
}

const struct flx_mpi_api *flx_mpi_get(void)
{
    static const struct flx_mpi_api api = {FLX_MPI_ABI, open_world, gather, close_world, end_all};
    return &api;
}
