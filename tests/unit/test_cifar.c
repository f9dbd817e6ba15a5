/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "flexor/dataset.h"
#include "flexor/status.h"
#include "tempdir.h"

#define CIFAR_RECORD 3073
#define CIFAR_BATCH  (10000 * CIFAR_RECORD)

static int setup(void **state)
{
    struct tempdir *t = *state = calloc(1, sizeof *t);
    tempdir_make(t);
    return 0;
}

static int teardown(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

static int load(struct tempdir *t, enum flx_split split, int limit, struct flx_dataset *d)
{
    char name[128];
    snprintf(name, sizeof name, "cifar10:%s", t->path);
    return flx_dataset_load(name, split, limit, d);
}

static void check_refused(struct tempdir *t, int status)
{
    struct flx_dataset d;
    assert_int_equal(load(t, FLX_TEST, 0, &d), status);
    assert_null(d.images);
    assert_null(d.labels);
}

static void write_gz(struct tempdir *t, const char *name, const void *data, unsigned len)
{
    gzFile f = gzopen(tempdir_file(t, name), "wb1");
    assert_int_equal(gzwrite(f, data, len), len);
    assert_int_equal(gzclose(f), Z_OK);
}

/* One batch in the file format: record r has label r % 10 (+ first), and byte b of
 * its planes is r + b. */
static uint8_t *make_batch(int first)
{
    uint8_t *batch = malloc(CIFAR_BATCH);
    for (int r = 0; r < 10000; r++) {
        uint8_t *record = batch + (size_t)r * CIFAR_RECORD;
        record[0] = (uint8_t)((r + first) % 10);
        for (int b = 0; b < CIFAR_RECORD - 1; b++)
            record[1 + b] = (uint8_t)(r + b / 1024 * 100 + b % 1024);
    }
    return batch;
}

static void cifar_planes_become_interleaved_channels(void **state)
{
    struct flx_dataset d;
    uint8_t *batch = make_batch(0);
    write_gz(*state, "test_batch.bin.gz", batch, CIFAR_BATCH);
    free(batch);
    assert_int_equal(load(*state, FLX_TEST, 0, &d), FLX_OK);
    assert_int_equal(d.n, 10000);
    assert_int_equal(d.height, 32);
    assert_int_equal(d.width, 32);
    assert_int_equal(d.channels, 3);
    assert_int_equal(d.classes, 10);
    for (int r = 0; r < d.n; r += 777) {
        assert_int_equal(d.labels[r], r % 10);
        for (int p = 0; p < 1024; p++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(d.images[((size_t)r * 1024 + (size_t)p) * 3 + (size_t)c],
                                 (uint8_t)(r + c * 100 + p));
    }
    flx_dataset_free(&d);
}

static void cifar_training_joins_the_batches_in_order(void **state)
{
    struct flx_dataset d;
    for (int i = 1; i <= 5; i++) {
        char name[32];
        uint8_t *batch = make_batch(i);
        snprintf(name, sizeof name, "data_batch_%d.bin.gz", i);
        write_gz(*state, name, batch, CIFAR_BATCH);
        free(batch);
    }
    assert_int_equal(load(*state, FLX_TRAIN, 0, &d), FLX_OK);
    assert_int_equal(d.n, 50000);
    for (int i = 0; i < 5; i++)
        assert_int_equal(d.labels[i * 10000], i + 1);
    flx_dataset_free(&d);
    assert_int_equal(load(*state, FLX_TRAIN, 10001, &d), FLX_OK);
    assert_int_equal(d.n, 10001);
    assert_int_equal(d.labels[10000], 2);
    flx_dataset_free(&d);
}

static void a_missing_cifar_batch_is_named(void **state)
{
    check_refused(*state, FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), "test_batch.bin"));
}

static void a_cifar_batch_of_another_length_is_refused(void **state)
{
    uint8_t *batch = make_batch(0);
    tempdir_write(*state, "test_batch.bin", batch, CIFAR_BATCH - CIFAR_RECORD);
    check_refused(*state, FLX_ERR_TRUNCATED);
    tempdir_write(*state, "test_batch.bin", batch, CIFAR_BATCH);
    assert_int_equal(truncate(tempdir_file(*state, "test_batch.bin"), CIFAR_BATCH + 1), 0);
    check_refused(*state, FLX_ERR_FORMAT);
    free(batch);
}

static void a_cifar_label_above_nine_is_refused(void **state)
{
    uint8_t *batch = make_batch(0);
    batch[CIFAR_BATCH - CIFAR_RECORD] = 10;
    tempdir_write(*state, "test_batch.bin", batch, CIFAR_BATCH);
    check_refused(*state, FLX_ERR_FORMAT);
    free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cifar_planes_become_interleaved_channels, setup, teardown),
        cmocka_unit_test_setup_teardown(cifar_training_joins_the_batches_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_cifar_batch_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cifar_batch_of_another_length_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_cifar_label_above_nine_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
