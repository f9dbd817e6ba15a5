/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "flexor/exec.h"
#include "flexor/model.h"
#include "flexor/progress.h"
#include "flexor/rng.h"
#include "flexor/status.h"

#define RUNS      21   /* the best one counts: short runs, so that other work disturbs few */
#define RUN_BYTES 3e7  /* decoded bytes of one run, at least */
#define IMAGES    2000 /* of the reference */
#define N_IN      19   /* of the decoder: 0.6 bit */
#define N_MIN     13

static const char help[] =
    "usage: flexor bench [MODEL] [--threads N] [--json]\n"
    "Measures the decoder of XOR-coded weights against memcpy and, given a model, the\n"
    "integer reference against the plain one. Every ratio is of the same run.\n"
    "  --threads N  threads of the reference (default: all cores)\n"
    "  --json       print JSON";

struct options {
    const char *model;
    int threads, json, help;
};

/* Bytes per second, decoded bits counted; one thread. */
struct decode {
    const char *where;
    size_t bytes; /* decoded at once */
    double decode, copy;
};

struct reference {
    double fast, plain; /* images per second */
    double macs;        /* per second */
};

enum { OPT_THREADS = 256, OPT_JSON };

static const struct option long_options[] = {
    {"threads", required_argument, NULL, OPT_THREADS},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){0};
    int c, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1) {
        if (c == OPT_THREADS)
            status = flx_cli_int("--threads", optarg, 1, 1024, &o->threads);
        else if (c == OPT_JSON)
            o->json = 1;
        else if (c == 'h')
            o->help = 1;
        else
            status = FLX_ERR_ARG;
    }
    if (!status && !o->help && optind < argc) {
        status = flx_cli_operands(argc, argv, 1, "MODEL");
        o->model = argv[optind];
    }
    return status;
}

/* Processor time of this thread: other programs do not count. */
static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In turn, on memory that was touched before. */
static void time_decode(const struct flx_xornet *net, const uint64_t *in, uint64_t *out,
                        uint64_t *copy, struct decode *d)
{
    size_t words = d->bytes / 8 / (size_t)net->n_out;
    int repeats = (int)(RUN_BYTES / (double)d->bytes) + 1;
    for (int run = 0; run < RUNS; run++) {
        double start = thread_seconds();
        for (int i = 0; i < repeats; i++)
            flx_xornet_decode(net, N_IN, in, out, words, words);
        double middle = thread_seconds();
        for (int i = 0; i < repeats; i++) {
            memcpy(copy, out, d->bytes);
            __asm__ volatile("" : : "r"(copy) : "memory"); /* every copy counts */
        }
        double decode = (double)d->bytes * repeats / (middle - start);
        double plain = (double)d->bytes * repeats / (thread_seconds() - middle);
        d->decode = decode > d->decode ? decode : d->decode;
        d->copy = plain > d->copy ? plain : d->copy;
    }
}

static int measure_decode(struct decode *d)
{
    struct flx_xornet net;
    int status = flx_xornet_nested(&net, FLX_XOR_MAX, N_MIN, 1);
    uint64_t *in = calloc(1, d->bytes), *out = calloc(1, d->bytes), *copy = calloc(1, d->bytes);
    if (!status && (!in || !out || !copy))
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for 3 x %zu bytes", d->bytes);
    if (!status) {
        for (size_t i = 0; i < d->bytes / 8; i++)
            in[i] = flx_rng_u64(1, 0, i);
        time_decode(&net, in, out, copy, d);
    }
    free(in);
    free(out);
    free(copy);
    return status;
}

static int time_reference(const struct flx_model *m, int threads, const uint8_t *images,
                          int32_t *logits, struct reference *r)
{
    struct flx_exec *e = NULL;
    int status = flx_exec_create(m, threads, &e);
    for (int run = 0; run < RUNS && !status; run++) {
        double start = flx_now();
        status = flx_exec_run(e, images, IMAGES, logits);
        double rate = IMAGES / (flx_now() - start);
        r->fast = rate > r->fast ? rate : r->fast;
    }
    double start = flx_now(), seconds = 0;
    int n = 0;
    for (; seconds < 0.5 && !status; n++) {
        status = flx_plain_run(m, images, logits, NULL);
        seconds = flx_now() - start;
    }
    r->plain = n / seconds;
    flx_exec_free(e);
    return status;
}

static int measure_reference(const struct options *o, struct reference *r)
{
    struct flx_model *m = NULL;
    struct flx_model_stats stats;
    uint8_t *images = NULL;
    int32_t *logits = NULL;
    int status = flx_model_load(o->model, &m);
    if (!status)
        status = flx_model_stats(m, o->model, &stats);
    if (status)
        goto out;
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c * IMAGES;
    images = malloc(bytes);
    logits = malloc((size_t)m->classes * IMAGES * sizeof *logits);
    if (!images || !logits) {
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for %d images", IMAGES);
        goto out;
    }
    for (size_t i = 0; i < bytes; i++)
        images[i] = (uint8_t)(flx_rng_u64(1, 1, i) & ((1U << m->act_bits) - 1));
    status = time_reference(m, o->threads, images, logits, r);
    r->macs = r->fast * (double)stats.macs;
out:
    free(logits);
    free(images);
    flx_model_free(m);
    return status;
}

static json_t *to_json(const struct options *o, const struct decode *d, int n,
                       const struct reference *r)
{
    json_t *root = json_object(), *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:f, s:f, s:f}", "where", d[i].where, "bytes",
                                        (json_int_t)d[i].bytes, "decode_gb_per_second",
                                        d[i].decode / 1e9, "memcpy_gb_per_second", d[i].copy / 1e9,
                                        "ratio", d[i].decode / d[i].copy));
    json_object_set_new(root, "decode", list);
    if (o->model)
        json_object_set_new(root, "reference",
                            json_pack("{s:s, s:f, s:f, s:f, s:f}", "model", o->model,
                                      "images_per_second", r->fast, "macs_per_second", r->macs,
                                      "plain_images_per_second", r->plain, "ratio",
                                      r->fast / r->plain));
    return root;
}

static void print_text(const struct options *o, const struct decode *d, int n,
                       const struct reference *r)
{
    for (int i = 0; i < n; i++)
        printf("decode %d to %d bits, %s: %.1f GB/s, %.2f x memcpy (%.1f GB/s)\n", N_IN,
               FLX_XOR_MAX, d[i].where, d[i].decode / 1e9, d[i].decode / d[i].copy,
               d[i].copy / 1e9);
    if (o->model)
        printf("reference, %s: %.0f images/s, %.1f G MAC/s, %.0f x the plain reference "
               "(%.1f images/s)\n",
               o->model, r->fast, r->macs / 1e9, r->fast / r->plain, r->plain);
}

static int bench(const struct options *o)
{
    /* Planes of 1000 and 262152 words: at powers of two all planes would meet in
     * the same few lines of the cache. */
    struct decode decode[] = {{.where = "in the cache", .bytes = 32 * 8 * 1000},
                              {.where = "in memory", .bytes = 32 * 8 * 262152}};
    int n = sizeof decode / sizeof decode[0], status = FLX_OK;
    struct reference reference = {0};
    for (int i = 0; i < n && !status; i++)
        status = measure_decode(&decode[i]);
    if (!status && o->model)
        status = measure_reference(o, &reference);
    if (!status && o->json)
        status = flx_cli_json(to_json(o, decode, n, &reference));
    else if (!status)
        print_text(o, decode, n, &reference);
    return status;
}

int flx_cmd_bench(int argc, char **argv)
{
    struct options o;
    int status = parse(&o, argc, argv);
    if (!status && o.help) {
        puts(help);
        return 0;
    }
    if (!status)
        status = bench(&o);
    return flx_cli_fail(argv[0], status);
}
