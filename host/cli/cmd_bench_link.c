/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "flexor/device.h"
#include "flexor/exec.h"
#include "flexor/rng.h"
#include "flexor/status.h"

static const char help[] =
    "usage: flexor bench-link MODEL [--device sim] [--images N] [--json]\n"
    "Streams a model's weights over simulated links of limited speed, in clock cycles of the\n"
    "device, and prints the share of each link's ceiling that weights reach. The results\n"
    "are compared with the reference.\n"
    "  --device SPEC  a simulation (default: sim)\n"
    "  --images N     the longer of the two runs whose difference is taken (default: 16)\n"
    "  --json         print JSON";

static const struct option long_options[] = {
    {"device", required_argument, NULL, 'd'},
    {"images", required_argument, NULL, 'n'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

#define EDGE 4 /* batches of the shorter run */

/* Clocks of the device behind each link (docs/usb.md, "Paced links"). */
static const struct {
    const char *name;
    double clk_hz;
} links[] = {{"uart12", 24e6}, {"fs", 24e6}, {"fifo40", 60e6}};

struct result {
    double share, all; /* of the ceiling: weights; every byte to the device */
    double waits;      /* a batch */
    uint64_t cycles;   /* a batch */
    double images_s;
};

struct bench {
    const struct flx_model *model;
    uint8_t *images;
    int32_t *got, *expected;
    int n;
};

/* What the first @p images cost. */
static int measure(struct bench *b, struct flx_device *d, int images, struct flx_link_stats *out)
{
    struct flx_link_stats a, z;
    int status = flx_device_link_stats(d, &a);
    if (!status)
        status = flx_device_infer(d, b->images, images, b->got);
    if (!status)
        status = flx_device_link_stats(d, &z);
    for (int i = 0; i < images * b->model->classes && !status; i++)
        if (b->got[i] != b->expected[i])
            status = flx_fail(FLX_ERR_MISMATCH, "logits differ from the reference");
    if (!status)
        *out = (struct flx_link_stats){.bytes_out = z.bytes_out - a.bytes_out,
                                       .weight_bytes = z.weight_bytes - a.weight_bytes,
                                       .cycles = z.cycles - a.cycles,
                                       .idle_waits = z.idle_waits - a.idle_waits,
                                       .bytes_per_cycle = z.bytes_per_cycle};
    return status;
}

/* Steady state: a long batch less a short one, which have the same beginning and end. */
static int run(struct bench *b, const char *device, size_t link, struct result *r)
{
    char spec[256];
    struct flx_device *d = NULL;
    struct flx_device_info info;
    struct flx_link_stats shorter, longer;
    snprintf(spec, sizeof spec, "%s,stream,pace=%s", device, links[link].name);
    int status = flx_device_open(spec, &d);
    if (!status)
        status = flx_device_load(d, b->model);
    if (!status)
        status = flx_device_info(d, &info);
    if (!status && b->n < (EDGE + 1) * info.p)
        status = flx_fail(FLX_ERR_ARG, "--images: at least %d for this array", (EDGE + 1) * info.p);
    if (!status)
        status = measure(b, d, EDGE * info.p, &shorter);
    int batches = status ? 0 : b->n / info.p;
    if (!status)
        status = measure(b, d, batches * info.p, &longer);
    flx_device_close(d);
    if (status)
        return status;
    double could = (double)(longer.cycles - shorter.cycles) * longer.bytes_per_cycle;
    r->cycles = (longer.cycles - shorter.cycles) / (uint64_t)(batches - EDGE);
    r->images_s = links[link].clk_hz * info.p / (double)r->cycles;
    r->share = (double)(longer.weight_bytes - shorter.weight_bytes) / could;
    r->all = (double)(longer.bytes_out - shorter.bytes_out) / could;
    r->waits = (double)(longer.idle_waits - shorter.idle_waits) / (batches - EDGE);
    return FLX_OK;
}

static int prepare(struct bench *b)
{
    size_t bytes =
        (size_t)b->model->in_h * (size_t)b->model->in_w * (size_t)b->model->in_c * (size_t)b->n;
    size_t logits = (size_t)b->n * (size_t)b->model->classes;
    struct flx_exec *exec = NULL;
    b->images = malloc(bytes);
    b->got = malloc(logits * sizeof *b->got);
    b->expected = malloc(logits * sizeof *b->expected);
    if (!b->images || !b->got || !b->expected)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d images", b->n);
    for (size_t i = 0; i < bytes; i++)
        b->images[i] = (uint8_t)(flx_rng_u64(1, 0, i) >> (64 - b->model->act_bits));
    int status = flx_exec_create(b->model, 1, &exec);
    if (!status)
        status = flx_exec_run(exec, b->images, b->n, b->expected);
    flx_exec_free(exec);
    return status;
}

static void print(const char *link, const struct result *r)
{
    printf("%-7s weights %5.1f %% of the ceiling, with frames and images %5.1f %%; "
           "%.2f idle waits and %llu cycles a batch, %.1f images/s\n",
           link, 100 * r->share, 100 * r->all, r->waits, (unsigned long long)r->cycles,
           r->images_s);
}

static int bench_links(const char *path, const char *device, int n, int json)
{
    struct flx_model *m = NULL;
    json_t *list = json_array();
    int status = flx_model_load(path, &m);
    struct bench b = {.model = m, .n = n};
    if (!status)
        status = prepare(&b);
    for (size_t i = 0; i < sizeof links / sizeof links[0] && !status; i++) {
        struct result r;
        status = run(&b, device, i, &r);
        if (!status && !json)
            print(links[i].name, &r);
        if (!status)
            json_array_append_new(
                list, json_pack("{s:s, s:f, s:f, s:f, s:I, s:f}", "link", links[i].name, "weights",
                                r.share, "all", r.all, "waits_per_batch", r.waits, "cycles",
                                (json_int_t)r.cycles, "images_per_second", r.images_s));
    }
    if (!status && json)
        status = flx_cli_json(json_incref(list));
    json_decref(list);
    free(b.images);
    free(b.got);
    free(b.expected);
    flx_model_free(m);
    return status;
}

int flx_cmd_bench_link(int argc, char **argv)
{
    const char *device = "sim";
    int c, json = 0, images = 16, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1) {
        if (c == 'h') {
            puts(help);
            return 0;
        }
        json |= c == 'j';
        if (c == 'd')
            device = optarg;
        else if (c == 'n')
            status = flx_cli_int("--images", optarg, 1, 10000, &images);
        else if (c == '?')
            status = FLX_ERR_ARG;
    }
    if (!status)
        status = flx_cli_operands(argc, argv, 1, "MODEL");
    if (!status)
        status = bench_links(argv[optind], device, images, json);
    return flx_cli_fail(argv[0], status);
}
