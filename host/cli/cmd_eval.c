/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flexor/dataset.h"
#include "flexor/device.h"
#include "flexor/exec.h"
#include "flexor/model.h"
#include "flexor/progress.h"
#include "flexor/status.h"

#define CHUNK 256 /* images between two steps of the progress bar */

static const char help[] =
    "usage: flexor eval MODEL [--data NAME] [--split test|train] [--images N]\n"
    "                   [--device ref] [--threads N] [--json]\n"
    "Measures the accuracy of the integer network on labelled images.\n"
    "  --data NAME    data set, for example mnist:DIR (default: the model's)\n"
    "  --split NAME   test (default) or train\n"
    "  --images N     only the first N images\n"
    "  --device SPEC  ref (default), sim, ...: see flexor devices\n"
    "  --threads N    threads of the reference (default: all cores)\n"
    "  --json         print JSON";

struct options {
    const char *model, *data, *device;
    enum flx_split split;
    int images, threads, json, help;
};

/* What runs the images: the reference or another device. */
struct runner {
    struct flx_exec *exec;
    struct flx_device *device;
};

struct result {
    int images, correct;
    double seconds;
};

enum { OPT_DATA = 256, OPT_SPLIT, OPT_IMAGES, OPT_DEVICE, OPT_THREADS, OPT_JSON };

static const struct option long_options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"split", required_argument, NULL, OPT_SPLIT},
    {"images", required_argument, NULL, OPT_IMAGES},
    {"device", required_argument, NULL, OPT_DEVICE},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_split(struct options *o, const char *text)
{
    if (strcmp(text, "test") != 0 && strcmp(text, "train") != 0)
        return flx_fail(FLX_ERR_ARG, "--split: '%s' is neither test nor train", text);
    o->split = strcmp(text, "test") == 0 ? FLX_TEST : FLX_TRAIN;
    return FLX_OK;
}

static int take_option(struct options *o, int c)
{
    switch (c) {
    case OPT_DATA:
        o->data = optarg;
        return FLX_OK;
    case OPT_SPLIT:
        return take_split(o, optarg);
    case OPT_IMAGES:
        return flx_cli_int("--images", optarg, 1, INT32_MAX, &o->images);
    case OPT_DEVICE:
        o->device = optarg;
        return FLX_OK;
    case OPT_THREADS:
        return flx_cli_int("--threads", optarg, 1, 1024, &o->threads);
    case OPT_JSON:
        o->json = 1;
        return FLX_OK;
    case 'h':
        o->help = 1;
        return FLX_OK;
    default:
        return FLX_ERR_ARG;
    }
}

static int parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.device = "ref", .split = FLX_TEST};
    int c, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1)
        status = take_option(o, c);
    if (status || o->help)
        return status;
    status = flx_cli_operands(argc, argv, 1, "MODEL");
    if (!status)
        o->model = argv[optind];
    if (!status && o->threads && strcmp(o->device, "ref") != 0)
        status = flx_fail(FLX_ERR_ARG, "--threads is for the device ref only");
    return status;
}

static int runner_open(struct runner *r, const struct options *o, const struct flx_model *m)
{
    if (strcmp(o->device, "ref") == 0)
        return flx_exec_create(m, o->threads, &r->exec);
    int status = flx_device_open(o->device, &r->device);
    return status ? status : flx_device_load(r->device, m);
}

static void runner_close(struct runner *r)
{
    flx_exec_free(r->exec);
    if (r->device)
        flx_device_close(r->device);
}

static int runner_infer(struct runner *r, const uint8_t *images, int n, int32_t *logits)
{
    return r->exec ? flx_exec_run(r->exec, images, n, logits)
                   : flx_device_infer(r->device, images, n, logits);
}

/* The first class with the largest logit. */
static int best_class(const int32_t *logits, int classes)
{
    int best = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[best])
            best = c;
    return best;
}

static int count_correct(struct runner *r, const struct flx_model *m, const struct flx_dataset *d,
                         int first, int n, struct result *result)
{
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c;
    int32_t *logits = malloc((size_t)n * (size_t)m->classes * sizeof *logits);
    if (!logits)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the logits of %d images", n);
    double start = flx_now();
    int status = runner_infer(r, d->images + (size_t)first * bytes, n, logits);
    result->seconds += flx_now() - start;
    for (int i = 0; i < n && !status; i++)
        result->correct += best_class(logits + i * m->classes, m->classes) == d->labels[first + i];
    result->images += n;
    free(logits);
    return status;
}

static int run_all(struct runner *r, const struct flx_model *m, const struct flx_dataset *d,
                   const char *device, struct result *result)
{
    struct flx_progress bar;
    int status = FLX_OK;
    struct flx_device_info info = {0};
    int chunk = CHUNK * 16;
    if (r->device) {
        status = flx_device_info(r->device, &info);
        chunk = flx_cli_whole_batches(&info, CHUNK);
    }
    flx_progress_begin(&bar, r->exec ? NULL : stderr, device, (uint64_t)d->n);
    for (int i = 0; i < d->n && !status; i += chunk) {
        status = count_correct(r, m, d, i, d->n - i < chunk ? d->n - i : chunk, result);
        flx_progress_update(&bar, (uint64_t)result->images, NULL);
    }
    flx_progress_end(&bar);
    return status;
}

static int check_data(const struct flx_model *m, const struct flx_dataset *d)
{
    if (d->height != m->in_h || d->width != m->in_w || d->channels != m->in_c)
        return flx_fail(FLX_ERR_ARG, "%s has %dx%dx%d images, the model takes %dx%dx%d", d->name,
                        d->height, d->width, d->channels, m->in_h, m->in_w, m->in_c);
    if (d->classes != m->classes)
        return flx_fail(FLX_ERR_ARG, "%s has %d classes, the model %d", d->name, d->classes,
                        m->classes);
    return FLX_OK;
}

static int show(const struct options *o, const struct flx_dataset *d, const struct result *r)
{
    const char *split = o->split == FLX_TEST ? "test" : "train";
    double accuracy = (double)r->correct / r->images, rate = r->images / r->seconds;
    if (o->json)
        return flx_cli_json(json_pack("{s:i, s:f, s:i, s:s, s:s, s:s, s:f}", "images", r->images,
                                      "accuracy", accuracy, "correct", r->correct, "data", d->name,
                                      "split", split, "device", o->device, "images_per_second",
                                      rate));
    printf("%s %s on %s: accuracy %.2f %% (%d of %d images), %.0f images/s\n", d->name, split,
           o->device, 100 * accuracy, r->correct, r->images, rate);
    return FLX_OK;
}

static int evaluate(const struct options *o)
{
    struct flx_model *m = NULL;
    struct flx_dataset d = {0};
    struct runner r = {0};
    struct result result = {0};
    int status = flx_model_load(o->model, &m);
    if (!status && !o->data && !*m->dataset)
        status = flx_fail(FLX_ERR_ARG, "%s names no data set: give one with --data", o->model);
    if (!status)
        status = flx_dataset_load(o->data ? o->data : m->dataset, o->split, o->images, &d);
    if (!status)
        status = check_data(m, &d);
    if (!status)
        flx_dataset_reduce(&d, m->act_bits);
    if (!status)
        status = runner_open(&r, o, m);
    if (!status)
        status = run_all(&r, m, &d, o->device, &result);
    if (!status)
        status = show(o, &d, &result);
    runner_close(&r);
    flx_dataset_free(&d);
    flx_model_free(m);
    return status;
}

int flx_cmd_eval(int argc, char **argv)
{
    struct options o;
    int status = parse(&o, argc, argv);
    if (!status && o.help) {
        puts(help);
        return 0;
    }
    if (!status)
        status = evaluate(&o);
    return flx_cli_fail(argv[0], status);
}
