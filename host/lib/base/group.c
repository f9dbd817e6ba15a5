/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/group.h"

#include <dlfcn.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../mpi/flx_mpi.h"
#include "flexor/status.h"

#define PLUGIN  "flexor-mpi.so"
#define SECONDS 600.0 /* without FLX_MPI_TIMEOUT */
#define TEXT    512   /* flx_last_error */

struct flx_group *flx_group_create(int rank, int size,
                                   int (*gather)(struct flx_group *, void *, size_t), void *user)
{
    struct flx_group *g = calloc(1, sizeof *g);
    char *room = malloc((size_t)size * TEXT);
    if (!g || !room) {
        free(g);
        free(room);
        return NULL;
    }
    *g = (struct flx_group){
        .rank = rank, .size = size, .threads = 1, .user = user, .gather = gather, .room = room};
    return g;
}

void flx_group_free(struct flx_group *g)
{
    if (g)
        free(g->room);
    free(g);
}

int flx_group_leads(const struct flx_group *g)
{
    return !g || g->rank == 0;
}

int flx_group_first_here(void)
{
    const char *text = getenv("OMPI_COMM_WORLD_LOCAL_RANK");
    return !text || !strcmp(text, "0");
}

int flx_group_gather(struct flx_group *g, void *all, size_t bytes)
{
    if (!g || g->size == 1)
        return FLX_OK;
    int status = g->gather(g, all, bytes);
    g->lost |= status != FLX_OK;
    return status;
}

/* The rank whose status counts, or -1. */
static int first_failure(const int32_t *statuses, int size)
{
    int stopped = -1;
    for (int i = 0; i < size; i++) {
        if (statuses[i] == FLX_ERR_INTERRUPTED && stopped < 0)
            stopped = i;
        else if (statuses[i] != FLX_OK && statuses[i] != FLX_ERR_INTERRUPTED)
            return i;
    }
    return stopped;
}

int flx_group_agree(struct flx_group *g, int status)
{
    if (!g || g->size == 1 || g->lost)
        return status;
    int32_t *statuses = (int32_t *)(void *)g->room;
    statuses[g->rank] = status;
    int exchange = flx_group_gather(g, statuses, sizeof *statuses);
    if (exchange != FLX_OK)
        return status == FLX_OK ? exchange : status;
    int from = first_failure(statuses, g->size);
    if (from < 0)
        return FLX_OK;
    int agreed = statuses[from];
    snprintf(g->room + (size_t)g->rank * TEXT, TEXT, "%s", status ? flx_last_error() : "");
    exchange = flx_group_gather(g, g->room, TEXT);
    if (exchange != FLX_OK)
        return exchange;
    const char *text = g->room + (size_t)from * TEXT;
    if (from == 0 || agreed == FLX_ERR_INTERRUPTED)
        return flx_fail(agreed, "%.*s", TEXT - 1, text);
    return flx_fail(agreed, "rank %d of %d: %.*s", from, g->size, TEXT - 1, text);
}

static int load(const struct flx_mpi_api **api)
{
    char path[1200];
    ssize_t n = readlink("/proc/self/exe", path, 1024);
    if (n <= 0 || n == 1024)
        return flx_fail(FLX_ERR_IO, "/proc/self/exe cannot be read: %s is looked for beside it",
                        PLUGIN);
    path[n] = 0;
    strcpy(strrchr(path, '/') + 1, PLUGIN);
    if (access(path, R_OK) != 0)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "started by mpirun, but built without MPI (%s is missing): run "
                        "`scripts/install-deps mpi` and `make`, or start it without mpirun",
                        path);
    /* Global: MPI loads parts of its own that want its symbols. */
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!handle)
        return flx_fail(FLX_ERR_UNSUPPORTED, "MPI cannot be loaded: %s", dlerror());
    const struct flx_mpi_api *(*get)(void);
    *(void **)&get = dlsym(handle, FLX_MPI_SYMBOL);
    *api = get ? get() : NULL;
    if (!*api || (*api)->abi != FLX_MPI_ABI)
        return flx_fail(FLX_ERR_VERSION, "%s is not of this version: run make", path);
    return FLX_OK;
}

static int gather_mpi(struct flx_group *g, void *all, size_t bytes)
{
    const struct flx_mpi_api *api = g->user;
    const char *text = getenv("FLX_MPI_TIMEOUT");
    char why[384] = "";
    double seconds = text ? strtod(text, NULL) : 0;
    int status = api->gather(all, bytes, seconds > 0 ? seconds : SECONDS, why, sizeof why);
    return status == FLX_OK ? FLX_OK : flx_fail(status, "rank %d of %d: %s", g->rank, g->size, why);
}

/* Cores of this rank: those it is bound to, or its share of the machine's; the least of
 * all ranks, since the number of threads decides the order of sums. */
static int choose_threads(struct flx_group *g)
{
    const char *text = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    int local = text ? atoi(text) : 1, bound = omp_get_num_procs();
    int share = (int)sysconf(_SC_NPROCESSORS_ONLN) / (local > 0 ? local : 1);
    int32_t *all = (int32_t *)(void *)g->room;
    share = share < bound ? share : bound;
    all[g->rank] = share > 0 ? share : 1;
    int status = flx_group_gather(g, all, sizeof *all);
    g->threads = all[g->rank];
    for (int i = 0; status == FLX_OK && i < g->size; i++)
        g->threads = all[i] < g->threads ? all[i] : g->threads;
    return status;
}

int flx_group_open(struct flx_group **out)
{
    const struct flx_mpi_api *api = NULL;
    int rank = 0, size = 1;
    char why[384] = "";
    *out = NULL;
    if (!getenv("OMPI_COMM_WORLD_SIZE") && !getenv("PMIX_RANK"))
        return FLX_OK;
    int status = load(&api);
    if (status == FLX_OK && (status = api->open(&rank, &size, why, sizeof why)) != FLX_OK)
        flx_fail(status, "%s", why);
    if (status != FLX_OK)
        return status;
    *out = flx_group_create(rank, size, gather_mpi, (void *)(uintptr_t)api);
    if (!*out) {
        api->abort(1);
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    }
    return choose_threads(*out);
}

void flx_group_close(struct flx_group *g, int code)
{
    if (!g)
        return;
    const struct flx_mpi_api *api = g->user;
    if (g->lost)
        api->abort(code);
    api->close();
    flx_group_free(g);
}
