/* SPDX-License-Identifier: Apache-2.0 */
/* Residual networks in the trainer: what is packed equals what was trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/exec.h"
#include "train_fixture.h"

static struct flx_train_job residual_job(int bits)
{
    struct flx_train_job job = small_job();
    char *path = in_dir("tiny.json");
    write_network(path, bits);
    snprintf(job.options.model, sizeof job.options.model, "%s", path);
    job.options.epochs = 6;
    job.options.augment = FLX_AUGMENT_NONE;
    job.output = in_dir("tiny.safetensors");
    return job;
}

static void set(struct flx_train_job *job, const char *name, const char *text)
{
    assert_int_equal(flx_train_option_set(&job->options, name, text), FLX_OK);
}

/* Codes of the float evaluation against the integer network's, over the first layers. */
static void assert_codes_agree(const char *checkpoint, int layers)
{
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    struct flx_exec *e = NULL;
    struct flx_dataset test;
    uint8_t *images = calloc(20, SIDE * SIDE);
    size_t codes = 0, unequal = 0;
    int largest = 0;
    assert_non_null(images);
    assert_int_equal(flx_checkpoint_load(checkpoint, NULL, NULL, &t), FLX_OK);
    assert_int_equal(flx_trainer_pack(t, &m), FLX_OK);
    assert_int_equal(flx_dataset_load(data_option, FLX_TEST, 20, &test), FLX_OK);
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    assert_int_equal(flx_net_forward(t->net, test.images, 0), FLX_OK);
    for (size_t i = 0; i < 20 * SIDE * SIDE; i++)
        images[i] = (uint8_t)(test.images[i] >> (8 - m->act_bits));
    for (int i = 0; i < layers; i++) {
        const struct flx_node *nd = &t->net->nodes[i];
        size_t size = 20 * (size_t)(nd->out_h * nd->out_w * nd->out_c);
        uint8_t *got = malloc(size);
        assert_non_null(got);
        assert_int_equal(flx_exec_activations(e, images, 20, i, got), FLX_OK);
        for (size_t k = 0; k < size; k++) {
            int gap = abs(got[k] - nd->codes[k]);
            unequal += gap != 0;
            largest = gap > largest ? gap : largest;
        }
        codes += size;
        free(got);
    }
    print_message("%zu of %zu codes differ, by at most %d\n", unequal, codes, largest);
    assert_true(largest <= 3);
    assert_true(unequal * 6 <= codes); /* values near a half fall on its other side */
    flx_exec_free(e);
    flx_model_free(m);
    flx_trainer_free(t);
    flx_dataset_free(&test);
    free(images);
}

static void check_training(struct flx_train_job *job, double least)
{
    struct flx_train_result r;
    char *checkpoint = in_dir("tiny.ckpt");
    job->checkpoint = checkpoint;
    assert_int_equal(flx_train_run(job, &r), FLX_OK);
    print_message("float %.2f integer %.2f, %.3f bits\n", r.test_accuracy, r.integer_accuracy,
                  r.bits_per_weight);
    assert_true(r.test_accuracy > least);
    assert_true(r.integer_accuracy > r.test_accuracy - 0.021);
    assert_codes_agree(checkpoint, 6);
}

static void a_residual_network_packs_to_what_was_trained(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(6);
    check_training(&job, 0.9);
}

static void two_planes_pack_to_what_was_trained(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(4);
    set(&job, "planes", "2");
    set(&job, "plane-xor", "own");
    set(&job, "bits", "1.6");
    check_training(&job, 0.9);
}

static void rates_by_stage_pack_to_what_was_trained(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(4);
    set(&job, "nin", "30,26,13");
    check_training(&job, 0.9);
}

static void the_papers_networks_pack_to_what_was_trained(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(4);
    set(&job, "nout", "20");
    set(&job, "nin", "19,16,7");
    set(&job, "xor", "two-tap");
    set(&job, "order", "flat");
    check_training(&job, 0.9);
}

static void four_bit_activations_pack_to_what_was_trained(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(4);
    set(&job, "act-bits", "4");
    check_training(&job, 0.8);
}

/* 7x7 stride 2, 3x3 maximum stride 2 in padding, 1x1 projections; too short to learn. */
static void resnet18_trains_and_packs(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    set(&job, "model", "resnet18");
    set(&job, "train-images", "40");
    set(&job, "epochs", "1");
    run_to(&job, NULL, FLX_ERR_OVERFLOW); /* 512 inputs of the last layer, 6 bits */
    assert_non_null(strstr(flx_last_error(), "--last-bits"));
    set(&job, "last-bits", "4");
    job.checkpoint = in_dir("resnet18.ckpt");
    job.output = in_dir("resnet18.safetensors");
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    assert_true(r.integer_accuracy >= 0);
    assert_codes_agree(job.checkpoint, 4); /* without training roundings add up fast */
}

static void integer_layers_are_packed_exactly(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(5);
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    job.options.epochs = 1;
    run_to(&job, in_dir("int.ckpt"), FLX_OK);
    assert_int_equal(flx_checkpoint_load(in_dir("int.ckpt"), NULL, NULL, &t), FLX_OK);
    assert_int_equal(flx_trainer_pack(t, &m), FLX_OK);
    const struct flx_node *nd = &t->net->nodes[0];
    assert_int_equal(m->layers[0].planes, 5);
    assert_int_equal(m->layers[0].plane_mode, FLX_PLANES_BINARY);
    int *sum = calloc(nd->n_weights, sizeof *sum);
    int8_t *bits = malloc(nd->n_weights);
    assert_non_null(sum);
    assert_non_null(bits);
    for (int p = 0; p < 5; p++) {
        assert_int_equal(flx_layer_weights(m, &m->layers[0], p, bits), FLX_OK);
        for (size_t i = 0; i < nd->n_weights; i++)
            sum[i] += bits[i] * (1 << (4 - p));
    }
    for (size_t i = 0; i < nd->n_weights; i++)
        assert_int_equal(sum[i], nd->w8[0][i]);
    free(sum);
    free(bits);
    flx_model_free(m);
    flx_trainer_free(t);
}

static void rates_that_fit_no_layer_are_refused(void **state)
{
    (void)state;
    struct flx_train_job job = residual_job(4);
    set(&job, "nin", "30,26,13,13,13,13");
    run_to(&job, NULL, FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "5 XOR-coded layers in 3 stages"));
}

static void every_estimator_learns(void **state)
{
    (void)state;
    static const char *const names[] = {"flexor", "ste", "analog"};
    for (int i = 0; i < 3; i++) {
        struct flx_train_job job = residual_job(4);
        set(&job, "estimator", names[i]);
        set(&job, "s-tanh", "10");
        set(&job, "init", "0.03");
        check_training(&job, 0.5);
    }
}

/* The share of signs that the start of a coded network has from a float one. */
static double shared_signs(const char *float_checkpoint, const char *coded_checkpoint)
{
    struct flx_trainer *a = NULL, *b = NULL;
    size_t same = 0, all = 0;
    assert_int_equal(flx_checkpoint_load(float_checkpoint, NULL, NULL, &a), FLX_OK);
    assert_int_equal(flx_checkpoint_load(coded_checkpoint, NULL, NULL, &b), FLX_OK);
    flx_trainer_weights(b);
    for (int i = 1; i < 6; i++) {
        const struct flx_node *x = &a->net->nodes[i], *y = &b->net->nodes[i];
        for (size_t k = 0; k < x->n_weights; k++)
            same += (x->w[k] < 0) == (y->w8[0][k] < 0);
        all += x->n_weights;
    }
    flx_trainer_free(a);
    flx_trainer_free(b);
    return (double)same / (double)all;
}

static void a_warm_start_begins_near_the_float_network(void **state)
{
    (void)state;
    struct flx_train_job teacher = residual_job(4), job = residual_job(4);
    struct flx_train_result r;
    char *checkpoint = in_dir("float.ckpt"), *coded = in_dir("warm.ckpt");
    teacher.options.mode = FLX_TRAIN_FLOAT;
    teacher.output = NULL;
    run_to(&teacher, checkpoint, FLX_OK);
    set(&job, "bits", "0.8");
    set(&job, "warm-start", checkpoint);
    set(&job, "teacher", checkpoint);
    set(&job, "lr", "1e-9"); /* nothing but batch norm moves */
    job.options.epochs = 1;
    job.checkpoint = coded;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    double signs = shared_signs(checkpoint, coded);
    print_message("%.3f of the signs, accuracy %.2f\n", signs, r.test_accuracy);
    assert_true(signs > 0.85);
    assert_true(r.test_accuracy > 0.3); /* 0.1 by chance */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_network_packs_to_what_was_trained),
        cmocka_unit_test(two_planes_pack_to_what_was_trained),
        cmocka_unit_test(rates_by_stage_pack_to_what_was_trained),
        cmocka_unit_test(the_papers_networks_pack_to_what_was_trained),
        cmocka_unit_test(four_bit_activations_pack_to_what_was_trained),
        cmocka_unit_test(resnet18_trains_and_packs),
        cmocka_unit_test(integer_layers_are_packed_exactly),
        cmocka_unit_test(rates_that_fit_no_layer_are_refused),
        cmocka_unit_test(every_estimator_learns),
        cmocka_unit_test(a_warm_start_begins_near_the_float_network),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
