/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "flexor/status.h"

#define REPLUG_MS 800 /* so that a board that is gone for good is reported within a second */

static int number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || v > max)
        return flx_fail(FLX_ERR_ARG, "device option %s: '%s' is not a number up to %llu", option,
                        text, (unsigned long long)max);
    *out = v;
    return FLX_OK;
}

static int integer(const char *option, const char *text, int max, int *out)
{
    uint64_t v = 0;
    int status = number(option, text, (uint64_t)max, &v);
    *out = (int)v;
    return status;
}

static int take_option(char *text, struct flx_spec *o)
{
    char *value = strchr(text, '=');
    if (value)
        *value++ = 0;
    if (!strcmp(text, "stream") && !value) {
        o->stream = 1;
        return FLX_OK;
    }
    if (!strcmp(text, "seed") && value)
        return number(text, value, UINT32_MAX, &o->seed);
    if (!strcmp(text, "stall") && value)
        return integer(text, value, 95, &o->stall);
    if (!strcmp(text, "noise") && value)
        return number(text, value, UINT32_MAX, &o->noise);
    if (!strcmp(text, "timeout") && value)
        return integer(text, value, 1000000, &o->timeout_ms);
    if (!strcmp(text, "baud") && value)
        return integer(text, value, 12000000, &o->baud);
    if (!strcmp(text, "flow") && value && (!strcmp(value, "none") || !strcmp(value, "rtscts"))) {
        o->flow = *value == 'n' ? FLX_FLOW_NONE : FLX_FLOW_RTS_CTS;
        return FLX_OK;
    }
    if (!strcmp(text, "replug") && value)
        return integer(text, value, 3600000, &o->replug_ms);
    if (!strcmp(text, "trace") && value && *value && strlen(value) < sizeof o->trace) {
        strcpy(o->trace, value);
        return FLX_OK;
    }
    if (!strcmp(text, "pace") && value && *value && strlen(value) < sizeof o->pace) {
        strcpy(o->pace, value);
        return FLX_OK;
    }
    return flx_fail(FLX_ERR_ARG,
                    "device option '%s': known are stream, seed=N, stall=PERCENT, noise=N, "
                    "timeout=MS, trace=FILE, pace=LINK, baud=N, flow=none, flow=rtscts, "
                    "replug=MS",
                    text);
}

/* BACKEND[:NAME] */
static int take_name(const char *text, struct flx_spec *o)
{
    const char *colon = strchr(text, ':'), *name = colon ? colon + 1 : "";
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (len >= sizeof o->backend || strlen(name) >= sizeof o->name || (colon && !*name))
        return flx_fail(FLX_ERR_ARG, "device '%.80s': BACKEND[:NAME][,OPTION...] is expected",
                        text);
    memcpy(o->backend, text, len);
    strcpy(o->name, name);
    for (const char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *c) ||
            *name == '.')
            return flx_fail(FLX_ERR_ARG, "device '%.80s': impossible name", text);
    return FLX_OK;
}

int flx_spec_parse(const char *text, struct flx_spec *out)
{
    char copy[512], *rest = copy;
    *out = (struct flx_spec){.seed = 1, .replug_ms = REPLUG_MS};
    if (strlen(text) >= sizeof copy)
        return flx_fail(FLX_ERR_ARG, "device: the text is too long");
    strcpy(copy, text);
    int status = take_name(strsep(&rest, ","), out);
    while (rest && !status)
        status = take_option(strsep(&rest, ","), out);
    return status;
}
