/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/exec.h"
#include "flexor/status.h"
#include "report_internal.h"

static int check_data(const struct flx_report_run *run, const struct flx_dataset *d)
{
    const struct flx_model *m = run->model;
    if (d->height != m->in_h || d->width != m->in_w || d->channels != m->in_c ||
        d->classes > m->classes)
        return flx_fail(FLX_ERR_ARG,
                        "%s: %s has %dx%dx%d images of %d classes, the model takes %dx%dx%d and %d",
                        run->name, d->name, d->height, d->width, d->channels, d->classes, m->in_h,
                        m->in_w, m->in_c, m->classes);
    return FLX_OK;
}

/* Answer: the first class with the largest logit. */
static int count(struct flx_report_run *run, const struct flx_dataset *d, const int32_t *logits)
{
    int classes = run->model->classes, correct = 0;
    for (int i = 0; i < d->n; i++) {
        const int32_t *l = logits + (size_t)i * (size_t)classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            best = l[c] > l[best] ? c : best;
        run->confusion[d->labels[i] * classes + best]++;
        correct += best == d->labels[i];
    }
    return correct;
}

/* A copy of the images with the codes of a model: the next run's may have other bits. */
static int reduced(const struct flx_dataset *d, int bits, struct flx_dataset *out)
{
    size_t bytes = (size_t)(d->height * d->width * d->channels) * (size_t)d->n;
    *out = *d;
    out->images = malloc(bytes);
    if (!out->images)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d images", d->n);
    memcpy(out->images, d->images, bytes);
    flx_dataset_reduce(out, bits);
    return FLX_OK;
}

int flx_report_confusion(struct flx_report_run *run, const struct flx_dataset *d, int threads)
{
    struct flx_exec *e = NULL;
    struct flx_dataset codes = {0};
    int32_t *logits = NULL;
    int status = check_data(run, d);
    if (status != FLX_OK)
        return status;
    size_t classes = (size_t)run->model->classes;
    run->confusion = calloc(classes * classes, sizeof *run->confusion);
    logits = malloc((size_t)d->n * classes * sizeof *logits);
    if (!run->confusion || !logits)
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for %d images", d->n);
    if (status == FLX_OK)
        status = reduced(d, run->model->act_bits, &codes);
    if (status == FLX_OK)
        status = flx_exec_create(run->model, threads, &e);
    if (status == FLX_OK)
        status = flx_exec_run(e, codes.images, d->n, logits);
    if (status == FLX_OK) {
        run->tested = d->n;
        run->tested_accuracy = (double)count(run, d, logits) / d->n;
        if (isnan(run->integer_accuracy))
            run->integer_accuracy = run->tested_accuracy;
        snprintf(run->tested_on, sizeof run->tested_on, "%s", d->name);
    }
    flx_exec_free(e);
    free(codes.images);
    free(logits);
    return status;
}
