/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/safetensors.h"
#include "flexor/status.h"
#include "report_internal.h"

/* 'x' for the encrypted weights of a layer (NAME.x, or NAME.x0, NAME.x1 for planes), 'w'
 * for float or integer weights, 0 for everything else. */
static char weight_kind(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || (dot[1] != 'x' && dot[1] != 'w'))
        return 0;
    for (const char *c = dot + 2; *c; c++)
        if (!isdigit((unsigned char)*c))
            return 0;
    return dot[1];
}

static float element(const struct flx_st_tensor *t, size_t i)
{
    float x;
    memcpy(&x, (const char *)t->data + i * sizeof x, sizeof x);
    return x;
}

/* Exact zeros of encrypted weights are the padding at the end of each row. */
static int counts(const struct flx_report_histogram *h, float x)
{
    return isfinite(x) && (!h->encrypted || x < 0 || x > 0);
}

static void fill(struct flx_report_histogram *h, const struct flx_st_tensor *t)
{
    size_t n = t->bytes / sizeof(float);
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        float x = element(t, i);
        if (!counts(h, x))
            continue;
        h->n++;
        squares += (double)x * x;
        h->max = fabs((double)x) > h->max ? fabs((double)x) : h->max;
    }
    h->deviation = h->n ? sqrt(squares / (double)h->n) : 0;
    for (size_t i = 0; i < n && h->max > 0; i++) {
        float x = element(t, i);
        int bin = counts(h, x) ? (int)((x / h->max + 1) * (FLX_REPORT_BINS / 2)) : -1;
        if (bin >= 0)
            h->bins[bin < FLX_REPORT_BINS ? bin : FLX_REPORT_BINS - 1]++;
    }
}

static int read_histograms(const struct flx_st *st, struct flx_report_run *run)
{
    int n = flx_st_count(st);
    run->histograms = calloc((size_t)n + 1, sizeof *run->histograms);
    if (!run->histograms)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the histograms");
    for (int i = 0; i < n; i++) {
        const struct flx_st_tensor *t = flx_st_at(st, i);
        char kind = weight_kind(t->name);
        if (!kind || t->dtype != FLX_ST_F32 || !t->bytes)
            continue;
        struct flx_report_histogram *h = &run->histograms[run->n_histograms++];
        snprintf(h->name, sizeof h->name, "%.*s", (int)(strrchr(t->name, '.') - t->name), t->name);
        if (strrchr(t->name, '.')[2]) {
            size_t used = strlen(h->name);
            snprintf(h->name + used, sizeof h->name - used, ", plane %s",
                     strrchr(t->name, '.') + 2);
        }
        h->encrypted = kind == 'x';
        fill(h, t);
    }
    return FLX_OK;
}

int flx_report_checkpoint_read(const char *path, struct flx_report_run *run)
{
    struct flx_st *st = NULL;
    int status = flx_st_open(path, &st);
    const char *text = status == FLX_OK ? flx_st_meta(st, "options") : NULL;
    run->options = text ? json_loads(text, 0, NULL) : NULL;
    if (status == FLX_OK && !json_is_object(run->options))
        status = flx_fail(FLX_ERR_FORMAT, "%s: a checkpoint without its options", path);
    const char *mode = json_string_value(json_object_get(run->options, "mode"));
    run->float_weights = mode && !strcmp(mode, "float");
    if (status == FLX_OK)
        status = read_histograms(st, run);
    flx_st_free(st);
    return status;
}
