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

#define IMAGES "t10k-images-idx3-ubyte"
#define LABELS "t10k-labels-idx1-ubyte"

/* Three images of 2 x 4 pixels, which count up. */
static const uint8_t good_images[16 + 24] = {0,  0,  8,  3,  0,  0,  0,  3,  0,  0,  0,  2, 0,  0,
                                             0,  4,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11,
                                             12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static const uint8_t good_labels[8 + 3] = {0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 9};

static int setup(void **state)
{
    struct tempdir *t = *state = calloc(1, sizeof *t);
    tempdir_make(t);
    tempdir_write(t, IMAGES, good_images, sizeof good_images);
    tempdir_write(t, LABELS, good_labels, sizeof good_labels);
    return 0;
}

static int teardown(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

static int load(struct tempdir *t, const char *kind, enum flx_split split, int limit,
                struct flx_dataset *d)
{
    char name[128];
    snprintf(name, sizeof name, "%s:%s", kind, t->path);
    return flx_dataset_load(name, split, limit, d);
}

/* Loading must fail with this status, a sentence and an empty result. */
static void check_refused(struct tempdir *t, const char *kind, int status)
{
    struct flx_dataset d;
    flx_fail(FLX_OK, "-");
    assert_int_equal(load(t, kind, FLX_TEST, 0, &d), status);
    assert_string_not_equal(flx_last_error(), "-");
    assert_null(d.images);
    assert_null(d.labels);
    assert_int_equal(d.n, 0);
}

/* Writes the good images with one byte changed. */
static void write_changed(struct tempdir *t, size_t at, uint8_t value)
{
    uint8_t bytes[sizeof good_images];
    memcpy(bytes, good_images, sizeof bytes);
    bytes[at] = value;
    tempdir_write(t, IMAGES, bytes, sizeof bytes);
}

static void write_gz(struct tempdir *t, const char *name, const void *data, unsigned len)
{
    gzFile f = gzopen(tempdir_file(t, name), "wb1");
    assert_int_equal(gzwrite(f, data, len), len);
    assert_int_equal(gzclose(f), Z_OK);
}

static void check_good(const struct flx_dataset *d)
{
    assert_int_equal(d->n, 3);
    assert_int_equal(d->height, 2);
    assert_int_equal(d->width, 4);
    assert_int_equal(d->channels, 1);
    assert_int_equal(d->classes, 10);
    assert_memory_equal(d->images, good_images + 16, 24);
    assert_memory_equal(d->labels, good_labels + 8, 3);
}

static void a_folder_of_idx_files_is_loaded(void **state)
{
    static const char *const kinds[] = {"fashion-mnist", "mnist", "idx"};
    for (int i = 0; i < 3; i++) {
        struct flx_dataset d;
        assert_int_equal(load(*state, kinds[i], FLX_TEST, 0, &d), FLX_OK);
        check_good(&d);
        assert_string_equal(d.name, kinds[i]);
        flx_dataset_free(&d);
    }
}

static void gzipped_files_are_loaded(void **state)
{
    struct flx_dataset d;
    unlink(tempdir_file(*state, IMAGES));
    unlink(tempdir_file(*state, LABELS));
    write_gz(*state, IMAGES ".gz", good_images, sizeof good_images);
    write_gz(*state, LABELS ".gz", good_labels, sizeof good_labels);
    assert_int_equal(load(*state, "mnist", FLX_TEST, 0, &d), FLX_OK);
    check_good(&d);
    flx_dataset_free(&d);
}

static void the_train_split_has_its_own_files(void **state)
{
    struct flx_dataset d;
    uint8_t labels[sizeof good_labels];
    memcpy(labels, good_labels, sizeof labels);
    labels[8] = 7;
    tempdir_write(*state, "train-images-idx3-ubyte", good_images, sizeof good_images);
    tempdir_write(*state, "train-labels-idx1-ubyte", labels, sizeof labels);
    assert_int_equal(load(*state, "mnist", FLX_TRAIN, 0, &d), FLX_OK);
    assert_int_equal(d.labels[0], 7);
    flx_dataset_free(&d);
}

static void a_limit_keeps_the_first_images(void **state)
{
    struct flx_dataset d;
    assert_int_equal(load(*state, "mnist", FLX_TEST, 2, &d), FLX_OK);
    assert_int_equal(d.n, 2);
    assert_int_equal(d.images[15], 15);
    flx_dataset_free(&d);
    assert_int_equal(load(*state, "mnist", FLX_TEST, 4, &d), FLX_OK);
    assert_int_equal(d.n, 3);
    flx_dataset_free(&d);
}

static void classes_of_an_idx_folder_come_from_its_labels(void **state)
{
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 200};
    struct flx_dataset d;
    tempdir_write(*state, LABELS, labels, sizeof labels);
    assert_int_equal(load(*state, "idx", FLX_TEST, 0, &d), FLX_OK);
    assert_int_equal(d.classes, 201);
    flx_dataset_free(&d);
}

static void a_freed_set_is_empty_and_may_be_freed_again(void **state)
{
    struct flx_dataset d;
    assert_int_equal(load(*state, "mnist", FLX_TEST, 0, &d), FLX_OK);
    flx_dataset_free(&d);
    assert_null(d.images);
    flx_dataset_free(&d);
}

static void a_missing_file_is_named(void **state)
{
    unlink(tempdir_file(*state, LABELS));
    check_refused(*state, "mnist", FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), LABELS));
}

static void idx_files_cut_anywhere_are_truncated(void **state)
{
    for (size_t n = 0; n < sizeof good_images; n++) {
        tempdir_write(*state, IMAGES, good_images, n);
        check_refused(*state, "mnist", FLX_ERR_TRUNCATED);
    }
    tempdir_write(*state, IMAGES, good_images, sizeof good_images);
    for (size_t n = 0; n < sizeof good_labels; n++) {
        tempdir_write(*state, LABELS, good_labels, n);
        check_refused(*state, "mnist", FLX_ERR_TRUNCATED);
    }
}

static void a_byte_too_many_is_refused(void **state)
{
    uint8_t longer[sizeof good_images + 1] = {0};
    memcpy(longer, good_images, sizeof good_images);
    tempdir_write(*state, IMAGES, longer, sizeof longer);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
}

static void every_wrong_byte_of_the_magic_is_refused(void **state)
{
    for (size_t i = 0; i < 4; i++) {
        write_changed(*state, i, 0x55);
        check_refused(*state, "mnist", FLX_ERR_FORMAT);
    }
    tempdir_write(*state, IMAGES, good_labels, sizeof good_labels);
    check_refused(*state, "mnist", FLX_ERR_TRUNCATED);
    tempdir_write(*state, IMAGES, good_images, sizeof good_images);
    tempdir_write(*state, LABELS, good_images, sizeof good_images);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
}

static void images_of_fewer_bits_are_the_upper_ones_of_all_images(void **state)
{
    struct flx_dataset d;
    assert_int_equal(load(*state, "mnist", FLX_TEST, 0, &d), FLX_OK);
    flx_dataset_reduce(&d, 8);
    check_good(&d);
    d.images[0] = 255;
    flx_dataset_reduce(&d, 4);
    assert_int_equal(d.images[0], 15);
    for (int i = 1; i < 24; i++)
        assert_int_equal(d.images[i], i / 16);
    flx_dataset_free(&d);
}

static void images_without_pixels_are_refused(void **state)
{
    write_changed(*state, 11, 0);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
    write_changed(*state, 15, 0);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
    write_changed(*state, 7, 0);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
}

static void absurd_dimensions_are_refused(void **state)
{
    for (size_t at = 4; at < 16; at += 4) {
        write_changed(*state, at, 0xff); /* over four thousand million */
        check_refused(*state, "mnist", FLX_ERR_FORMAT);
    }
}

static void a_different_number_of_labels_is_refused(void **state)
{
    static const uint8_t two[] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 0};
    tempdir_write(*state, LABELS, two, sizeof two);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
    assert_non_null(strstr(flx_last_error(), "3 images"));
}

static void a_label_above_nine_is_refused(void **state)
{
    static const uint8_t ten[] = {0, 0, 8, 1, 0, 0, 0, 3, 4, 10, 9};
    tempdir_write(*state, LABELS, ten, sizeof ten);
    check_refused(*state, "mnist", FLX_ERR_FORMAT);
    check_refused(*state, "fashion-mnist", FLX_ERR_FORMAT);
}

static void a_truncated_gzip_file_is_refused(void **state)
{
    unlink(tempdir_file(*state, IMAGES));
    write_gz(*state, IMAGES ".gz", good_images, sizeof good_images);
    assert_int_equal(truncate(tempdir_file(*state, IMAGES ".gz"), 30), 0);
    check_refused(*state, "mnist", FLX_ERR_TRUNCATED);
}

static void unknown_names_are_refused_with_the_list(void **state)
{
    (void)state;
    static const char *const names[] = {"",       ":",   "mnis",      "mnistx", "mnist",
                                        "mnist:", "idx", "svhn:/tmp", "cifar10"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct flx_dataset d;
        assert_int_equal(flx_dataset_load(names[i], FLX_TEST, 0, &d), FLX_ERR_ARG);
        assert_non_null(strstr(flx_last_error(), ":DIR"));
    }
}

static void an_unknown_split_is_refused(void **state)
{
    struct flx_dataset d;
    assert_int_equal(load(*state, "mnist", (enum flx_split)2, 0, &d), FLX_ERR_ARG);
}

static void fashion_mnist_comes_from_the_folder_in_the_environment(void **state)
{
    struct tempdir *t = *state;
    struct flx_dataset d;
    setenv("FLX_FASHION_MNIST", t->path, 1);
    assert_int_equal(flx_dataset_load("fashion-mnist", FLX_TEST, 0, &d), FLX_OK);
    check_good(&d);
    flx_dataset_free(&d);
    setenv("FLX_FASHION_MNIST", "/nonexistent", 1);
    assert_int_equal(flx_dataset_load("fashion-mnist", FLX_TEST, 0, &d), FLX_ERR_NOT_FOUND);
    unsetenv("FLX_FASHION_MNIST");
}

/* The real sets: their sizes, and classes that are about as frequent. */
static void check_real(const char *name, enum flx_split split, int n, int per_class)
{
    struct flx_dataset d;
    int count[10] = {0};
    assert_int_equal(flx_dataset_load(name, split, 0, &d), FLX_OK);
    assert_int_equal(d.n, n);
    assert_int_equal(d.height, 28);
    assert_int_equal(d.width, 28);
    for (int i = 0; i < n; i++)
        count[d.labels[i]]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], per_class * 85 / 100, per_class * 115 / 100);
    flx_dataset_free(&d);
}

static void fashion_mnist_of_the_package_loads(void **state)
{
    (void)state;
    if (access("/usr/share/datasets/fashion-mnist", R_OK)) {
        print_message("skipped: dataset-fashion-mnist is not installed\n");
        skip();
    }
    check_real("fashion-mnist", FLX_TRAIN, 60000, 6000);
    check_real("fashion-mnist", FLX_TEST, 10000, 1000);
}

static void mnist_loads(void **state)
{
    (void)state;
    const char *data = getenv("FLX_DATA");
    char name[256];
    if (!data) {
        print_message("skipped: FLX_DATA does not name a folder with mnist/\n");
        skip();
    }
    snprintf(name, sizeof name, "mnist:%s/mnist", data);
    check_real(name, FLX_TRAIN, 60000, 6000);
    check_real(name, FLX_TEST, 10000, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_of_idx_files_is_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(gzipped_files_are_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_train_split_has_its_own_files, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_keeps_the_first_images, setup, teardown),
        cmocka_unit_test_setup_teardown(classes_of_an_idx_folder_come_from_its_labels, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_freed_set_is_empty_and_may_be_freed_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(idx_files_cut_anywhere_are_truncated, setup, teardown),
        cmocka_unit_test_setup_teardown(a_byte_too_many_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(every_wrong_byte_of_the_magic_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(images_of_fewer_bits_are_the_upper_ones_of_all_images,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(images_without_pixels_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(absurd_dimensions_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_different_number_of_labels_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_label_above_nine_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_truncated_gzip_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_names_are_refused_with_the_list, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_split_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(fashion_mnist_comes_from_the_folder_in_the_environment,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(fashion_mnist_of_the_package_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(mnist_loads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
