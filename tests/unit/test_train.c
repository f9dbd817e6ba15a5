/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/exec.h"
#include "train_fixture.h"

static void same_seed_gives_the_same_checkpoint(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    char *a = in_dir("a.ckpt"), *b = in_dir("b.ckpt");
    job.options.epochs = 1;
    job.options.threads = 2;
    job.options.train_images = 100; /* waiting threads are slow on a busy machine */
    run_to(&job, a, FLX_OK);
    run_to(&job, b, FLX_OK);
    assert_same_file(a, b);
}

static void another_seed_gives_another_checkpoint(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    job.options.epochs = 1;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    double loss = r.loss;
    job.options.seed = 2;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    assert_true(loss != r.loss);
}

static void all_modes_learn(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    for (int mode = FLX_TRAIN_FLEXOR; mode <= FLX_TRAIN_FLOAT; mode++) {
        job.options.mode = (enum flx_train_mode)mode;
        job.options.epochs = 6;
        job.options.augment = FLX_AUGMENT_NONE;
        job.output = mode == FLX_TRAIN_FLOAT ? NULL : in_dir("m.safetensors");
        assert_int_equal(flx_train_run(&job, &r), FLX_OK);
        print_message("mode %d: %.2f %.2f\n", mode, r.test_accuracy, r.integer_accuracy);
        assert_true(r.test_accuracy > 0.9);
        if (job.output)
            assert_true(r.integer_accuracy > r.test_accuracy - 0.021);
    }
}

/* Codes of the trainer's float evaluation against the integer network's. */
struct difference {
    size_t codes, unequal;
    int largest, largest_first; /* over all layers; in the first */
};

static void compare_codes(struct flx_trainer *t, struct flx_exec *e, const uint8_t *images, int n,
                          struct difference *d)
{
    for (int i = 0; i + 1 < t->net->n_nodes; i++) {
        const struct flx_node *nd = &t->net->nodes[i];
        size_t size = (size_t)n * (size_t)(nd->out_h * nd->out_w * nd->out_c);
        uint8_t *codes = malloc(size);
        assert_non_null(codes);
        assert_int_equal(flx_exec_activations(e, images, n, i, codes), FLX_OK);
        for (size_t k = 0; k < size; k++) {
            int gap = abs(codes[k] - nd->codes[k]);
            d->codes++;
            d->unequal += gap != 0;
            d->largest = gap > d->largest ? gap : d->largest;
            if (i == 0)
                d->largest_first = gap > d->largest_first ? gap : d->largest_first;
        }
        free(codes);
    }
}

/* Multipliers are rounded to 13 bits or more, so a value close to a half may fall
 * on its other side: the first layer's codes differ by at most 1, rarely. The next
 * layers sum such differences, with both signs. */
static void integer_codes_equal_the_float_evaluation_up_to_rounding(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    struct flx_exec *e = NULL;
    struct flx_dataset test;
    struct difference d = {0};
    run_to(&job, in_dir("codes.ckpt"), FLX_OK);
    assert_int_equal(flx_checkpoint_load(in_dir("codes.ckpt"), NULL, NULL, &t), FLX_OK);
    assert_int_equal(flx_pack_checkpoint(in_dir("codes.ckpt"), &m), FLX_OK);
    assert_int_equal(flx_dataset_load(data_option, FLX_TEST, 0, &test), FLX_OK);
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    flx_trainer_weights(t);
    for (int at = 0; at + 20 <= N_TEST; at += 20) {
        const uint8_t *images = test.images + (size_t)at * SIDE * SIDE;
        assert_int_equal(flx_net_forward(t->net, images, 0), FLX_OK);
        compare_codes(t, e, images, 20, &d);
    }
    print_message("%zu of %zu codes differ, by at most %d\n", d.unequal, d.codes, d.largest);
    assert_true(d.codes > 100000);
    assert_true(d.largest_first <= 1);
    assert_true(d.largest <= 3);
    assert_true(d.unequal * 50 <= d.codes);
    flx_exec_free(e);
    flx_model_free(m);
    flx_dataset_free(&test);
    flx_trainer_free(t);
}

static void packed_weights_are_those_of_training(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    static const enum flx_slice_order orders[] = {FLX_SLICE_TILE, FLX_SLICE_FLAT};
    for (int k = 0; k < 2; k++) {
        job.options.epochs = 1;
        job.options.order = orders[k];
        job.options.xor_kind = k ? FLX_TRAIN_FILL : FLX_TRAIN_NESTED;
        run_to(&job, in_dir("w.ckpt"), FLX_OK);
        assert_int_equal(flx_checkpoint_load(in_dir("w.ckpt"), NULL, NULL, &t), FLX_OK);
        assert_int_equal(flx_trainer_pack(t, &m), FLX_OK);
        flx_trainer_weights(t);
        for (int i = 0; i < m->n_layers; i++) {
            const struct flx_node *nd = &t->net->nodes[i];
            int8_t *w = malloc(nd->n_weights);
            assert_non_null(w);
            assert_int_equal(flx_layer_weights(m, &m->layers[i], 0, w), FLX_OK);
            assert_memory_equal(w, nd->w8[0], nd->n_weights);
            free(w);
        }
        flx_model_free(m);
        flx_trainer_free(t);
    }
}

static void float_weights_are_not_packed(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    struct flx_model *m = NULL;
    job.options.mode = FLX_TRAIN_FLOAT;
    job.options.epochs = 1;
    job.output = in_dir("none.safetensors");
    assert_int_equal(flx_train_run(&job, &r), FLX_ERR_UNSUPPORTED);
    job.output = NULL;
    run_to(&job, in_dir("f.ckpt"), FLX_OK);
    assert_int_equal(flx_pack_checkpoint(in_dir("f.ckpt"), &m), FLX_ERR_UNSUPPORTED);
    assert_null(m);
}

/* Whether @p b is @p a moved by (dy, dx), mirrored or not; 0 comes in from outside. */
static int is_view(const uint8_t *a, const uint8_t *b, int flip, int dy, int dx)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int sy = y - dy, sx = flip ? SIDE - 1 - (x - dx) : x - dx;
            int in = sy >= 0 && sy < SIDE && x - dx >= 0 && x - dx < SIDE;
            if (b[y * SIDE + x] != (in ? a[sy * SIDE + sx] : 0))
                return 0;
        }
    return 1;
}

/* Finds the view; its number is below 162. */
static int find_view(const uint8_t *a, const uint8_t *b)
{
    for (int view = 0; view < 162; view++)
        if (is_view(a, b, view / 81, view / 9 % 9 - 4, view % 9 - 4))
            return view;
    return -1;
}

static void a_crop_moves_by_up_to_four_pixels_and_mirrors(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_dataset d;
    int seen[162] = {0}, kinds = 0;
    uint32_t order[N_TRAIN];
    uint8_t *images = malloc(N_TRAIN * SIDE * SIDE), labels[N_TRAIN];
    assert_non_null(images);
    job.options.augment = FLX_AUGMENT_FLIP_CROP;
    assert_int_equal(flx_dataset_load(data_option, FLX_TRAIN, 0, &d), FLX_OK);
    for (uint32_t i = 0; i < N_TRAIN; i++)
        order[i] = N_TRAIN - 1 - i;
    flx_batch_fill(&job.options, &d, order, N_TRAIN, 3, images, labels);
    for (int i = 0; i < N_TRAIN; i++) {
        size_t from = order[i] * (size_t)(SIDE * SIDE);
        int view = find_view(d.images + from, images + (size_t)i * SIDE * SIDE);
        assert_true(view >= 0);
        assert_int_equal(labels[i], d.labels[order[i]]);
        kinds += !seen[view]++;
    }
    assert_true(kinds > 120); /* 148 are expected of 400 draws among 162 */
    free(images);
    flx_dataset_free(&d);
}

/* With one batch the statistics are those of that batch. */
static void batch_norm_is_estimated_anew(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_trainer *t = NULL;
    struct flx_dataset d;
    job.options.epochs = 1;
    job.options.bn_images = 20;
    run_to(&job, in_dir("bn.ckpt"), FLX_OK);
    assert_int_equal(flx_checkpoint_load(in_dir("bn.ckpt"), NULL, NULL, &t), FLX_OK);
    assert_int_equal(flx_dataset_load(data_option, FLX_TRAIN, 0, &d), FLX_OK);
    struct flx_node *nd = &t->net->nodes[0];
    float range = nd->range, stored = nd->mean[0];
    nd->mean[0] = 1e6F;
    assert_int_equal(flx_trainer_calibrate(t, &d), FLX_OK);
    assert_true(nd->range == range);
    assert_true(nd->mean[0] == stored); /* training ended with it */
    for (int o = 0; o < nd->out_c; o++)
        assert_float_equal(nd->mean[o], nd->alpha[o] * nd->step_in * nd->batch_mean[o], 1e-5F);
    flx_dataset_free(&d);
    flx_trainer_free(t);
}

/* Labels that say nothing: all is learnt from the teacher. */
static void a_student_learns_from_its_teacher_alone(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    char teacher[128], folder[128], command[512];
    uint8_t labels[8 + N_TRAIN] = {0, 0, 8, 1, 0, 0, N_TRAIN >> 8, N_TRAIN & 255};
    snprintf(teacher, sizeof teacher, "%s", in_dir("teacher.ckpt"));
    snprintf(folder, sizeof folder, "%s", in_dir("unlabelled"));
    snprintf(command, sizeof command, "mkdir '%s' && cp '%s'/*ubyte '%s'", folder, dir, folder);
    assert_int_equal(system(command), 0);
    labels[8] = 9; /* ten classes */
    char path[256];
    snprintf(path, sizeof path, "%s/train-labels-idx1-ubyte", folder);
    write_file(path, labels, sizeof labels);
    job.options.augment = FLX_AUGMENT_NONE;
    job.options.epochs = 6;
    job.options.mode = FLX_TRAIN_FLOAT;
    run_to(&job, teacher, FLX_OK);
    job.checkpoint = NULL;
    job.options.mode = FLX_TRAIN_FLEXOR;
    snprintf(job.options.data, sizeof job.options.data, "idx:%s", folder);
    snprintf(job.options.teacher, sizeof job.options.teacher, "%s", teacher);
    job.options.distill = 1;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    assert_true(r.test_accuracy > 0.9);
}

static void impossible_jobs_are_refused(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    job.options.train_images = 10;
    run_to(&job, NULL, FLX_ERR_ARG);
    job = small_job();
    job.options.batch = 500; /* more than all images */
    run_to(&job, NULL, FLX_ERR_ARG);
    job = small_job();
    snprintf(job.options.data, sizeof job.options.data, "idx:%s/missing", dir);
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
    job = small_job();
    run_to(&job, in_dir("missing/x.ckpt"), FLX_ERR_NOT_FOUND);
    job.resume = in_dir("missing.ckpt");
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
    job = small_job();
    snprintf(job.options.teacher, sizeof job.options.teacher, "%s", in_dir("missing.ckpt"));
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
    job = small_job();
    snprintf(job.options.model, sizeof job.options.model, "%s", in_dir("missing.json"));
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
    write_file(in_dir("bad.json"), "{}", 2);
    snprintf(job.options.model, sizeof job.options.model, "%s", in_dir("bad.json"));
    run_to(&job, NULL, FLX_ERR_FORMAT);
}

static void a_diverging_run_ends_with_advice(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    job.options.mode = FLX_TRAIN_FLOAT;
    job.options.sgd = 1;
    job.options.lr = 100;
    job.options.decay = 1; /* each step multiplies the weights by -99 */
    run_to(&job, NULL, FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "--lr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_checkpoint),
        cmocka_unit_test(another_seed_gives_another_checkpoint),
        cmocka_unit_test(all_modes_learn),
        cmocka_unit_test(integer_codes_equal_the_float_evaluation_up_to_rounding),
        cmocka_unit_test(packed_weights_are_those_of_training),
        cmocka_unit_test(float_weights_are_not_packed),
        cmocka_unit_test(a_crop_moves_by_up_to_four_pixels_and_mirrors),
        cmocka_unit_test(batch_norm_is_estimated_anew),
        cmocka_unit_test(a_student_learns_from_its_teacher_alone),
        cmocka_unit_test(impossible_jobs_are_refused),
        cmocka_unit_test(a_diverging_run_ends_with_advice),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
