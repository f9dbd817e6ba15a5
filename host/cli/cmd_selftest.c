/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli.h"
#include "flexor/dataset.h"
#include "flexor/progress.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "flexor/xornet.h"
#include "verify.h"

static const char help[] =
    "usage: flexor selftest [--device usb] [--model FILE] [--images N]\n"
    "For whoever has a board: checks link, memories, XOR network and a whole model on it, and\n"
    "prints a report to paste into an issue.\n"
    "  --device SPEC  the board (default: usb); see flexor devices\n"
    "  --model FILE   a known model (default: tests/data/lenet5-fashion-0.6.safetensors)\n"
    "  --images N     random images, every activation and logit of which is compared\n"
    "                 (default: 20)";

static const struct option long_options[] = {
    {"device", required_argument, NULL, 'd'},
    {"model", required_argument, NULL, 'm'},
    {"images", required_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct options {
    const char *device, *model;
    int images;
};

static int parse(struct options *o, int argc, char **argv, int *asked)
{
    int c, status = FLX_OK;
    *o = (struct options){"usb", "tests/data/lenet5-fashion-0.6.safetensors", 20};
    while (!status && !*asked && (c = flx_cli_option(argc, argv, "h", long_options)) != -1) {
        if (c == 'd')
            o->device = optarg;
        else if (c == 'm')
            o->model = optarg;
        else if (c == 'n')
            status = flx_cli_int("--images", optarg, 1, 100000, &o->images);
        else if (c == 'h')
            *asked = 1;
        else
            status = FLX_ERR_ARG;
    }
    return status ? status : flx_cli_operands(argc, argv, 0, "");
}

static int step(const char *name, int status, const char *detail)
{
    if (status)
        printf("%-12s FAILED: %s [%s]\n", name, flx_last_error(), flx_status_name(status));
    else
        printf("%-12s ok: %s\n", name, detail);
    fflush(stdout);
    return status;
}

static int check_link(const struct options *o, struct flx_device **d)
{
    struct flx_device_info info;
    char text[300] = "", pixels[24] = "";
    int status = flx_device_open(o->device, d);
    if (!status)
        status = flx_device_info(*d, &info);
    if (!status && info.pixels > 1)
        snprintf(pixels, sizeof pixels, " PIXELS=%d", info.pixels);
    if (!status)
        snprintf(text, sizeof text, "%s, K=%d T=%d P=%d%s", info.detail, info.k, info.t, info.p,
                 pixels);
    return step("link", status, text);
}

static int check_network(struct flx_device *d, const struct flx_model *m)
{
    struct flx_device_info info;
    char text[100] = "";
    int status = flx_device_info(d, &info);
    if (!status && info.xor_hash && info.xor_hash != flx_xornet_hash(&m->nets[0]))
        status = flx_fail(FLX_ERR_XORNET,
                          "the bitstream has network %08x, the model %08x: build the bitstream "
                          "with XORNET=MODEL, or take a model that was trained with it",
                          info.xor_hash, flx_xornet_hash(&m->nets[0]));
    snprintf(text, sizeof text, "%08x", flx_xornet_hash(&m->nets[0]));
    return step("XOR network", status, text);
}

/* Random images: every bit of the image and activation memories changes. */
static uint8_t *random_images(const struct flx_model *m, int n)
{
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * (size_t)n;
    uint8_t *images = malloc(bytes);
    for (size_t i = 0; images && i < bytes; i++)
        images[i] = (uint8_t)(flx_rng_u64(1, 0, i) >> (64 - m->act_bits));
    return images;
}

static int mismatch(const struct verify *v, const struct flx_model *m)
{
    const struct verify_difference *d = &v->difference;
    const char *where = d->layer < 0 ? "logits" : m->layers[d->layer].name;
    return flx_fail(FLX_ERR_MISMATCH,
                    "%llu activations and %llu logits differ; first: image %d, %s, y %d, x %d, "
                    "channel %d: expected %d, got %d",
                    (unsigned long long)v->activation_mismatches,
                    (unsigned long long)v->logit_mismatches, d->image, where, d->y, d->x,
                    d->channel, d->expected, d->got);
}

/* The model on the board against the reference; @p stream: through the link for each
 * batch instead of from the board's memory. */
static int check_model(const struct options *o, const struct flx_model *m, uint8_t *images,
                       int stream)
{
    char device[256], text[200] = "";
    const char *name = stream ? "streaming" : "memories";
    snprintf(device, sizeof device, "%s%s", o->device, stream ? ",stream" : "");
    struct verify v = {.model = m,
                       .reference = m,
                       .device = device,
                       .images = images,
                       .n = o->images,
                       .activations = o->images < 4 ? o->images : 4,
                       .jobs = 1};
    v.logits = malloc((size_t)o->images * (size_t)m->classes * sizeof *v.logits);
    int status = v.logits ? verify_run(&v) : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (!status && (v.activation_mismatches || v.logit_mismatches))
        status = mismatch(&v, m);
    if (!status)
        snprintf(text, sizeof text,
                 "weights %s, activations of %d and logits of %d images exact, %.1f images/s, "
                 "%llu cycles an image",
                 v.info.streamed ? "streamed" : "resident", v.activations, v.n,
                 v.n / (v.seconds > 0 ? v.seconds : 1),
                 v.counters.images ? (unsigned long long)(v.counters.cycles / v.counters.images)
                                   : 0ULL);
    free(v.logits);
    return step(name, status, text);
}

static int selftest(const struct options *o)
{
    struct flx_model *m = NULL;
    struct flx_device *d = NULL;
    struct utsname u;
    uint8_t *images = NULL;
    uname(&u);
    printf("flexor selftest: device %s, model %s, %s %s %s\n", o->device, o->model, u.sysname,
           u.release, u.machine);
    int status = flx_model_load(o->model, &m);
    if (status)
        return status;
    status = check_link(o, &d);
    if (!status)
        status = check_network(d, m);
    flx_device_close(d);
    if (!status && !(images = random_images(m, o->images)))
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for %d images", o->images);
    if (!status)
        status = check_model(o, m, images, 0);
    if (!status)
        status = check_model(o, m, images, 1);
    printf("%s\n", status ? "selftest FAILED" : "selftest passed");
    free(images);
    flx_model_free(m);
    return status;
}

int flx_cmd_selftest(int argc, char **argv)
{
    struct options o;
    int asked = 0, status = parse(&o, argc, argv, &asked);
    if (!status && asked) {
        puts(help);
        return 0;
    }
    if (!status)
        status = selftest(&o);
    return flx_cli_fail(argv[0], status);
}
