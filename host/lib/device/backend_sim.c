/* SPDX-License-Identifier: Apache-2.0 */
/* The Verilated accelerator: SHAPE.so in the folder sim next to the program (or one
 * or two above it), or in $FLX_SIM_DIR. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../sim/flx_sim.h"
#include "accel.h"
#include "flexor/status.h"
#include "noise.h"
#include "pace.h"

#define DEFAULT_SHAPE "k16t16p1"
#define TRACE_SUFFIX  "-trace"

struct sim {
    const struct flx_sim_api *api;
    void *instance;
};

static ptrdiff_t sim_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct sim *s = self;
    return (ptrdiff_t)s->api->send(s->instance, data, len, (uint64_t)timeout_ms * s->api->clk_khz);
}

static ptrdiff_t sim_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct sim *s = self;
    return (ptrdiff_t)s->api->recv(s->instance, data, cap, (uint64_t)timeout_ms * s->api->clk_khz);
}

static int sim_reset(void *self)
{
    struct sim *s = self;
    s->api->reset(s->instance);
    return FLX_OK;
}

/* The shared object stays loaded: its code may still be needed at exit. */
static void sim_close(void *self)
{
    struct sim *s = self;
    s->api->close(s->instance);
    free(s);
}

static const struct flx_transport_ops sim_transport = {sim_send, sim_recv, sim_reset, sim_close,
                                                       NULL};

/* Candidate i for the folder of the simulations; 0 after the last. */
static int folder(int i, char *path, size_t size)
{
    static const char *const places[] = {"sim", "../sim", "../../sim"};
    const char *env = getenv("FLX_SIM_DIR");
    if (env && *env)
        return i == 0 && snprintf(path, size, "%s", env) < (int)size;
    char exe[1024];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0 || i >= (int)(sizeof places / sizeof places[0]))
        return 0;
    exe[n] = 0;
    *strrchr(exe, '/') = 0;
    return snprintf(path, size, "%s/%s", exe, places[i]) < (int)size;
}

static int find(const char *shape, int trace, char *path, size_t size)
{
    char dir[1200];
    for (int i = 0; folder(i, dir, sizeof dir); i++) {
        int n = snprintf(path, size, "%s/%s%s.so", dir, shape, trace ? TRACE_SUFFIX : "");
        if (n > 0 && n < (int)size && access(path, R_OK) == 0)
            return FLX_OK;
    }
    return flx_fail(FLX_ERR_NOT_FOUND,
                    "the simulation %s%s is not built (`flexor devices` lists those that are): "
                    "make build/sim/%s%s.so",
                    shape, trace ? " with tracing" : "", shape, trace ? TRACE_SUFFIX : "");
}

/* Loads a shared object for the rest of the process. */
static int load(const char *path, const struct flx_sim_api **out)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return flx_fail(FLX_ERR_NOT_FOUND, "%s cannot be loaded: %s", path, dlerror());
    const struct flx_sim_api *(*get)(void);
    *(void **)&get = dlsym(handle, FLX_SIM_SYMBOL);
    *out = get ? get() : NULL;
    if (!*out || (*out)->abi != FLX_SIM_ABI)
        return flx_fail(FLX_ERR_VERSION, "%s is no simulation of this version: run make sim", path);
    return FLX_OK;
}

static int open_transport(const struct flx_spec *spec, const char *path, struct flx_transport *t,
                          const char **detail)
{
    const struct flx_sim_options o = {.seed = (uint32_t)spec->seed,
                                      .stall = spec->stall,
                                      .trace = *spec->trace ? spec->trace : NULL};
    const struct flx_sim_api *api;
    int status = load(path, &api);
    if (status)
        return status;
    struct sim *s = calloc(1, sizeof *s);
    if (!s)
        return flx_fail(FLX_ERR_NOMEM, "no memory for a simulation");
    s->api = api;
    s->instance = api->open(&o);
    if (!s->instance) {
        free(s);
        return o.trace ? flx_fail(FLX_ERR_IO, "%s: cannot write the trace", o.trace)
                       : flx_fail(FLX_ERR_NOMEM, "no memory for a simulation");
    }
    *detail = api->detail;
    if (*spec->pace) {
        status = flx_pace_open(api, s->instance, spec->pace, t);
        free(s);
        return status;
    }
    *t = (struct flx_transport){&sim_transport, s};
    return FLX_OK;
}

static int sim_open(const struct flx_spec *spec, const struct flx_device_ops **ops, void **self)
{
    char path[1400], detail[128];
    const char *shape = *spec->name ? spec->name : DEFAULT_SHAPE, *text = "";
    struct flx_transport t;
    int status = find(shape, *spec->trace != 0, path, sizeof path);
    if (!status)
        status = open_transport(spec, path, &t, &text);
    if (!status && spec->noise)
        status = flx_noise_wrap(&t, spec->noise, spec->seed);
    if (status)
        return status;
    snprintf(detail, sizeof detail, "%s: %s", shape, text);
    const struct flx_accel_options o = {.backend = "sim",
                                        .detail = detail,
                                        .stream = spec->stream,
                                        .session = {.timeout_ms = spec->timeout_ms}};
    *ops = &flx_accel_ops;
    return flx_accel_open(t, &o, (struct flx_accel **)self);
}

static int is_shape(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && !strcmp(dot, ".so");
}

static int list_folder(const char *dir, flx_device_list_fn fn, void *user)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, is_shape, alphasort);
    for (int i = 0; i < n; i++) {
        char path[1500], spec[300];
        const struct flx_sim_api *api;
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", dir, name);
        snprintf(spec, sizeof spec, "sim:%.*s", (int)(strlen(name) - 3), name);
        if (load(path, &api) == FLX_OK && !api->has_trace)
            fn(user, spec, api->detail, NULL);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return n > 0;
}

static int sim_list(flx_device_list_fn fn, void *user)
{
    char dir[1200];
    for (int i = 0; folder(i, dir, sizeof dir); i++)
        if (list_folder(dir, fn, user))
            break;
    return FLX_OK;
}

const struct flx_backend flx_backend_sim = {"sim", sim_open, sim_list};
