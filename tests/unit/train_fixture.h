/* SPDX-License-Identifier: Apache-2.0 */
/** A small set of images that the tests of the trainer draw: each class has
 *  stripes of its own direction and width, with noise. Include after cmocka.h. */
#ifndef FLEXOR_TRAIN_FIXTURE_H
#define FLEXOR_TRAIN_FIXTURE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant/quant.h"

#define SIDE    20
#define N_TRAIN 400
#define N_TEST  100
#define N_STEPS 20 /* an epoch: 400 images in batches of 20 */
#define SEED    11

static char dir[64], data_option[128];

static char *in_dir(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void draw_image(struct flx_rng *rng, int label, uint8_t *image)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int on = (label % 2 ? x : y) / (2 + label / 2) % 2;
            image[y * SIDE + x] = (uint8_t)((on ? 140 : 20) + flx_rng_below(rng, 100));
        }
}

static void write_split(const char *prefix, int n, uint64_t stream)
{
    size_t pixels = (size_t)n * SIDE * SIDE;
    uint8_t *images = calloc(16 + pixels, 1), *labels = calloc(8 + (size_t)n, 1);
    struct flx_rng rng;
    char name[64];
    assert_non_null(images);
    assert_non_null(labels);
    flx_rng_init(&rng, SEED, stream);
    memcpy(images,
           (const uint8_t[16]){0, 0, 8, 3, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, SIDE, 0, 0,
                               0, SIDE},
           16);
    memcpy(labels, (const uint8_t[8]){0, 0, 8, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}, 8);
    for (int i = 0; i < n; i++) {
        labels[8 + i] = (uint8_t)(i % 10);
        draw_image(&rng, i % 10, images + 16 + (size_t)i * SIDE * SIDE);
    }
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    write_file(in_dir(name), images, 16 + pixels);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    write_file(in_dir(name), labels, 8 + (size_t)n);
    free(images);
    free(labels);
}

static int make_data(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/flexor-test-train-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    write_split("train", N_TRAIN, 0);
    write_split("t10k", N_TEST, 1);
    snprintf(data_option, sizeof data_option, "idx:%s", dir);
    return 0;
}

static int remove_data(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

static inline struct flx_train_job small_job(void)
{
    struct flx_train_job job = {0};
    flx_train_defaults(&job.options);
    snprintf(job.options.data, sizeof job.options.data, "%s", data_option);
    job.options.epochs = 3;
    job.options.batch = 20;
    job.options.threads = 1;
    job.options.augment = FLX_AUGMENT_FLIP_SHIFT;
    return job;
}

/* A residual network of every kind of node. @p bits: of the first and the last. */
static inline void write_network(const char *path, int bits)
{
    char text[2048];
    int n = snprintf(
        text, sizeof text,
        "{\"name\": \"tiny\", \"nodes\": ["
        "{\"name\": \"conv1\", \"out_c\": 8, \"kernel\": 5, \"stride\": 2, \"pad\": 2, "
        "\"weight_bits\": %d},"
        "{\"name\": \"a\", \"out_c\": 8, \"kernel\": 3, \"pad\": 1, \"stage\": 1},"
        "{\"name\": \"b\", \"out_c\": 8, \"kernel\": 3, \"pad\": 1, \"stage\": 1, \"skip\": "
        "\"conv1\"},"
        "{\"name\": \"c\", \"out_c\": 16, \"kernel\": 3, \"stride\": 2, \"pad\": 1, \"stage\": 2, "
        "\"skip\": \"b\"},"
        "{\"name\": \"proj\", \"kind\": \"linear\", \"out_c\": 24, \"kernel\": 1, \"stage\": 3},"
        "{\"name\": \"d\", \"input\": \"c\", \"out_c\": 24, \"kernel\": 3, \"pad\": 1, \"stage\": "
        "3, "
        "\"skip\": \"proj\", \"pool\": {\"kind\": \"mean\", \"size\": 0}},"
        "{\"name\": \"fc\", \"kind\": \"logits\", \"out_c\": 10, \"kernel\": 0, \"weight_bits\": "
        "%d}]}",
        bits, bits);
    assert_true(n > 0 && (size_t)n < sizeof text);
    write_file(path, text, (size_t)n);
}

static inline void read_all(const char *path, uint8_t **data, size_t *len)
{
    assert_int_equal(flx_file_read(path, data, len), FLX_OK);
}

static inline void assert_same_file(const char *a, const char *b)
{
    uint8_t *x, *y;
    size_t n, m;
    read_all(a, &x, &n);
    read_all(b, &y, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static inline void run_to(struct flx_train_job *job, const char *checkpoint, int want)
{
    struct flx_train_result r;
    job->checkpoint = checkpoint;
    assert_int_equal(flx_train_run(job, &r), want);
}

#endif
