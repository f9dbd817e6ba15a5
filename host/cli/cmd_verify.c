/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flexor/dataset.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "verify.h"

static const char help[] =
    "usage: flexor verify MODEL [--device sim] [--data NAME] [--images N] [--first I]\n"
    "                     [--activations [N]] [--jobs J] [--random N] [--json]\n"
    "Runs test images on a device and compares every logit with the integer reference.\n"
    "  --device SPEC      sim (default), sim:SHAPE, ...: see flexor devices; options after\n"
    "                     commas: stream, seed=N, stall=PERCENT, noise=N, timeout=MS, trace=FILE\n"
    "  --data NAME        data set, for example mnist:DIR (default: the model's)\n"
    "  --images N         so many test images (default: 100)\n"
    "  --first I          begin with test image I (default: 0)\n"
    "  --activations [N]  compare every layer's activations of the first N images too\n"
    "                     (default: 1)\n"
    "  --random N         N random images instead of a data set, drawn from --seed N\n"
    "  --reference FILE   compare with another model than the one on the device\n"
    "  --jobs J           so many devices share the images, one a thread (default: 1)\n"
    "  --json             print JSON";

struct options {
    const char *model, *reference, *data, *device;
    int images, first, activations, random, jobs, json, help;
    int64_t seed;
};

enum {
    OPT_DATA = 256,
    OPT_DEVICE,
    OPT_IMAGES,
    OPT_FIRST,
    OPT_ACTIVATIONS,
    OPT_RANDOM,
    OPT_SEED,
    OPT_REFERENCE,
    OPT_JOBS,
    OPT_JSON
};

static const struct option long_options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"device", required_argument, NULL, OPT_DEVICE},
    {"images", required_argument, NULL, OPT_IMAGES},
    {"first", required_argument, NULL, OPT_FIRST},
    {"activations", optional_argument, NULL, OPT_ACTIVATIONS},
    {"random", required_argument, NULL, OPT_RANDOM},
    {"seed", required_argument, NULL, OPT_SEED},
    {"reference", required_argument, NULL, OPT_REFERENCE},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* "--activations 5" as well as "--activations=5" and "--activations" alone. */
static int take_activations(struct options *o, int argc, char **argv)
{
    const char *text = optarg ? optarg : "1";
    if (!optarg && optind < argc && isdigit((unsigned char)argv[optind][0]))
        text = argv[optind++];
    return flx_cli_int("--activations", text, 0, INT32_MAX, &o->activations);
}

static int take_option(struct options *o, int c, int argc, char **argv)
{
    switch (c) {
    case OPT_DATA:
        o->data = optarg;
        return FLX_OK;
    case OPT_DEVICE:
        o->device = optarg;
        return FLX_OK;
    case OPT_IMAGES:
        return flx_cli_int("--images", optarg, 1, INT32_MAX, &o->images);
    case OPT_FIRST:
        return flx_cli_int("--first", optarg, 0, INT32_MAX / 2, &o->first);
    case OPT_ACTIVATIONS:
        return take_activations(o, argc, argv);
    case OPT_RANDOM:
        return flx_cli_int("--random", optarg, 1, 1000000, &o->random);
    case OPT_SEED:
        return flx_cli_int64("--seed", optarg, 0, INT64_MAX, &o->seed);
    case OPT_REFERENCE:
        o->reference = optarg;
        return FLX_OK;
    case OPT_JOBS:
        return flx_cli_int("--jobs", optarg, 1, 256, &o->jobs);
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
    *o = (struct options){.device = "sim", .jobs = 1, .seed = 1};
    int c, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1)
        status = take_option(o, c, argc, argv);
    if (status || o->help)
        return status;
    status = flx_cli_operands(argc, argv, 1, "MODEL");
    if (!status)
        o->model = argv[optind];
    if (!status && o->random && (o->data || o->images || o->first))
        status = flx_fail(FLX_ERR_ARG, "--random takes the place of --data, --images and --first");
    if (!status && o->jobs > 1 && strstr(o->device, "trace="))
        status = flx_fail(FLX_ERR_ARG, "a trace is of one device: leave out --jobs");
    if (!o->images)
        o->images = 100;
    return status;
}

/* Test images first .. first+images-1, or random ones without labels. */
static int load_images(const struct options *o, const struct flx_model *m, struct flx_dataset *d)
{
    if (!o->random) {
        if (!o->data && !*m->dataset)
            return flx_fail(FLX_ERR_ARG, "%s names no data set: give one with --data or --random",
                            o->model);
        int status =
            flx_dataset_load(o->data ? o->data : m->dataset, FLX_TEST, o->first + o->images, d);
        if (!status)
            flx_dataset_reduce(d, m->act_bits);
        return status;
    }
    *d = (struct flx_dataset){.n = o->random,
                              .height = m->in_h,
                              .width = m->in_w,
                              .channels = m->in_c,
                              .classes = m->classes,
                              .name = "random"};
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * (size_t)o->random;
    d->images = malloc(bytes);
    if (!d->images)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d random images", o->random);
    for (size_t i = 0; i < bytes; i++)
        d->images[i] = (uint8_t)(flx_rng_u64((uint64_t)o->seed, 0, i) >> (64 - m->act_bits));
    return FLX_OK;
}

static int check_images(const struct options *o, const struct flx_model *m,
                        const struct flx_dataset *d)
{
    if (d->height != m->in_h || d->width != m->in_w || d->channels != m->in_c)
        return flx_fail(FLX_ERR_ARG, "%s has %dx%dx%d images, the model takes %dx%dx%d", d->name,
                        d->height, d->width, d->channels, m->in_h, m->in_w, m->in_c);
    if (o->first >= d->n)
        return flx_fail(FLX_ERR_ARG, "--first %d: %s has %d test images", o->first, d->name, d->n);
    return FLX_OK;
}

/* Share of right answers among the logits; -1 without labels. */
static double accuracy(const struct verify *v, const uint8_t *labels)
{
    int correct = 0, classes = v->model->classes;
    if (!labels)
        return -1;
    for (int i = 0; i < v->n; i++) {
        const int32_t *logits = v->logits + (size_t)i * (size_t)classes;
        int best = 0;
        for (int c = 1; c < classes; c++)
            if (logits[c] > logits[best])
                best = c;
        correct += best == labels[i];
    }
    return (double)correct / v->n;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static const char *layer_name(const struct verify *v, int layer)
{
    return v->model->layers[layer < 0 ? v->model->n_layers - 1 : layer].name;
}

static json_t *difference_json(const struct verify *v)
{
    const struct verify_difference *d = &v->difference;
    if (!d->found)
        return json_null();
    return json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:i}", "image", v->first + d->image, "layer",
                     layer_name(v, d->layer), "y", d->y, "x", d->x, "channel", d->channel,
                     "expected", d->expected, "got", d->got);
}

/* Share of the lanes' time in which they work. */
static double lanes_busy(const struct verify *v, uint64_t busy, uint64_t cycles)
{
    return ratio(busy, (uint64_t)v->info.pixels * cycles);
}

static json_t *layers_json(const struct verify *v)
{
    const struct flx_counters *c = &v->counters;
    json_t *list = json_array();
    for (int i = 0; i < c->n_layers; i++) {
        const struct flx_layer_counters *l = &c->layer[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:f, s:I, s:I, s:I}", "name", v->model->layers[i].name,
                            "cycles", (json_int_t)l->cycles, "busy", (json_int_t)l->busy,
                            "lanes_busy", lanes_busy(v, l->busy, l->cycles), "stall_weights",
                            (json_int_t)l->stall_weights, "stall_requant",
                            (json_int_t)l->stall_requant, "stall_skip", (json_int_t)l->stall_skip));
    }
    return list;
}

static int show_json(const struct verify *v, const struct flx_dataset *d, double right)
{
    const struct flx_counters *c = &v->counters;
    return flx_cli_json(json_pack(
        "{s:i, s:I, s:i, s:I, s:o, s:f, s:f, s:o, s:o, s:s, s:s, s:b, s:s, s:f}", "images", v->n,
        "logit_mismatches", (json_int_t)v->logit_mismatches, "activation_images", v->activations,
        "activation_mismatches", (json_int_t)v->activation_mismatches, "first_difference",
        difference_json(v), "cycles_per_image", ratio(c->cycles, c->images), "lanes_busy",
        lanes_busy(v, c->busy, c->cycles), "layers", layers_json(v), "accuracy",
        right < 0 ? json_null() : json_real(right), "device", v->device, "detail", v->info.detail,
        "streamed", v->info.streamed, "data", d->name, "images_per_second", v->n / v->seconds));
}

static void show_text(const struct verify *v, const struct flx_dataset *d, double right)
{
    const struct flx_counters *c = &v->counters;
    printf("%s, weights %s\n", v->info.detail, v->info.streamed ? "streamed" : "resident");
    printf("%d images of %s: %llu logits differ", v->n, d->name,
           (unsigned long long)v->logit_mismatches);
    if (v->activations)
        printf(", %llu activations of %d images differ",
               (unsigned long long)v->activation_mismatches, v->activations);
    putchar('\n');
    if (right >= 0)
        printf("accuracy %.2f %%\n", 100 * right);
    if (c->cycles)
        printf("%.0f cycles an image, lanes busy %.1f %%, %.1f images/s\n",
               ratio(c->cycles, c->images), 100 * lanes_busy(v, c->busy, c->cycles),
               v->n / v->seconds);
    for (int i = 0; i < c->n_layers && c->cycles; i++) {
        const struct flx_layer_counters *l = &c->layer[i];
        printf("  %-16s %9.0f cycles  busy %5.1f %%  waits: weights %4.1f %%, requantiser "
               "%4.1f %%\n",
               v->model->layers[i].name, ratio(l->cycles, c->images),
               100 * lanes_busy(v, l->busy, l->cycles), 100 * ratio(l->stall_weights, l->cycles),
               100 * ratio(l->stall_requant, l->cycles));
    }
}

static int verdict(const struct verify *v)
{
    const struct verify_difference *d = &v->difference;
    if (!d->found)
        return FLX_OK;
    return flx_fail(FLX_ERR_MISMATCH,
                    "%llu logits and %llu activations differ; first: image %d, layer %s, y %d, "
                    "x %d, channel %d: expected %d, got %d",
                    (unsigned long long)v->logit_mismatches,
                    (unsigned long long)v->activation_mismatches, v->first + d->image,
                    layer_name(v, d->layer), d->y, d->x, d->channel, d->expected, d->got);
}

static int run(const struct options *o, struct verify *v, const struct flx_dataset *d)
{
    int status = check_images(o, v->model, d);
    if (status)
        return status;
    size_t bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    v->n = d->n - o->first;
    v->images = d->images + (size_t)o->first * bytes;
    v->activations = o->activations < v->n ? o->activations : v->n;
    v->logits = calloc((size_t)v->n * (size_t)v->model->classes, sizeof *v->logits);
    if (!v->logits)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the logits of %d images", v->n);
    status = verify_run(v);
    double right = accuracy(v, d->labels ? d->labels + o->first : NULL);
    if (!status && o->json)
        status = show_json(v, d, right);
    else if (!status)
        show_text(v, d, right);
    free(v->logits);
    return status ? status : verdict(v);
}

static int verify(const struct options *o)
{
    struct flx_model *model = NULL, *reference = NULL;
    struct flx_dataset d = {0};
    struct verify v = {.device = o->device, .jobs = o->jobs, .first = o->first, .progress = stderr};
    int status = flx_model_load(o->model, &model);
    if (!status && o->reference)
        status = flx_model_load(o->reference, &reference);
    if (!status && reference)
        status = verify_same_shapes(model, reference);
    if (!status)
        status = load_images(o, model, &d);
    if (!status) {
        v.model = model;
        v.reference = reference ? reference : model;
        status = run(o, &v, &d);
    }
    flx_dataset_free(&d);
    flx_model_free(reference);
    flx_model_free(model);
    return status;
}

int flx_cmd_verify(int argc, char **argv)
{
    struct options o;
    int status = parse(&o, argc, argv);
    if (!status && o.help) {
        puts(help);
        return 0;
    }
    if (!status)
        status = verify(&o);
    return flx_cli_fail(argv[0], status);
}
