/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/status.h"
#include "quant/quant.h"

static void option_text_reads_back(void **state)
{
    (void)state;
    struct flx_train_options a, b;
    char text[512];
    flx_train_defaults(&a);
    assert_int_equal(flx_train_option_set(&a, "lr", "0.0123"), FLX_OK);
    assert_int_equal(flx_train_option_set(&a, "xor", "fill"), FLX_OK);
    assert_int_equal(flx_train_option_set(&a, "nin", "30,26,13"), FLX_OK);
    assert_int_equal(flx_train_option_set(&a, "teacher", "a b.ckpt"), FLX_OK);
    a.decay = 1.0 / 3; /* needs all digits */
    assert_int_equal(flx_train_option_set(&a, "seed", "9007199254740991"), FLX_OK);
    memset(&b, 0, sizeof b);
    for (int i = 0; i < flx_train_option_count(); i++) {
        flx_train_option_text(&a, i, text, sizeof text);
        assert_int_equal(flx_train_option_set(&b, flx_train_option_name(i), text), FLX_OK);
    }
    assert_true(a.lr == b.lr && a.decay == b.decay && a.seed == b.seed && a.xor_kind == b.xor_kind);
    assert_string_equal(a.data, b.data);
    assert_string_equal(a.teacher, b.teacher);
    assert_memory_equal(&a.n_in, &b.n_in, sizeof a.n_in);
    assert_int_equal(b.decay_epochs.n, 0);
}

static void impossible_values_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"bits", "4.5"}, {"bits", "x"},     {"nin", "33"},       {"nin", "-1"},
        {"nin", "1.5"},  {"epochs", "-1"},  {"epochs", ""},      {"batch", "1e9"},
        {"lr", "nan"},   {"lr", "-1"},      {"mode", "ternary"}, {"augment", "rotate"},
        {"data", ""},    {"nin", "20,"},    {"nin", "20;13"},    {"decay-epochs", "0,3"},
        {"seed", "-1"},  {"colour", "red"}, {"s-tanh", "0"},     {"threads", "9999"}};
    struct flx_train_options o;
    flx_train_defaults(&o);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(flx_train_option_set(&o, bad[i][0], bad[i][1]), FLX_ERR_ARG);
}

static int check_options(const char *const pairs[][2], int n, struct flx_train_options *o)
{
    flx_train_defaults(o);
    for (int i = 0; i < n; i++)
        assert_int_equal(flx_train_option_set(o, pairs[i][0], pairs[i][1]), FLX_OK);
    return flx_train_options_check(o);
}

static void contradicting_options_are_refused(void **state)
{
    (void)state;
    struct flx_train_options o;
    const char *const binary[][2] = {{"mode", "binary"}, {"bits", "0.6"}};
    const char *const both[][2] = {{"bits", "0.6"}, {"nin", "20"}};
    const char *const wide[][2] = {{"nin", "21"}, {"nout", "20"}};
    const char *const odd[][2] = {{"nin", "5"}, {"nout", "10"}};
    const char *const few[][2] = {{"train-images", "50"}};
    const char *const model[][2] = {{"model", "lenet6"}};
    const char *const list[][2] = {{"bits", "0.6"}, {"nin", "20,13"}};
    const char *const much[][2] = {{"bits", "1.5"}};
    const char *const shards[][2] = {{"batch", "100"}, {"shards", "3"}};
    const char *const act[][2] = {{"act-bits", "6"}};
    const char *const one[][2] = {{"first-bits", "1"}};
    assert_int_equal(check_options(binary, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(both, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(wide, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(odd, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(few, 1, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(model, 1, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(list, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(much, 1, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(shards, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(act, 1, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(one, 1, &o), FLX_ERR_ARG);
}

static void bits_set_the_stored_bits(void **state)
{
    (void)state;
    static const struct {
        const char *bits;
        int n_in;
    } want[] = {{"0.4", 13}, {"0.6", 19}, {"0.8", 26}, {"1", 32}};
    struct flx_train_options o;
    for (int i = 0; i < 4; i++) {
        const char *const pair[][2] = {{"bits", want[i].bits}};
        assert_int_equal(check_options(pair, 1, &o), FLX_OK);
        assert_int_equal(o.n_in.n, 1);
        assert_int_equal(o.n_in.v[0], want[i].n_in);
    }
}

static void planes_share_the_bits(void **state)
{
    (void)state;
    struct flx_train_options o;
    const char *const two[][2] = {{"bits", "1.2"}, {"planes", "2"}, {"nout", "20"}};
    assert_int_equal(check_options(two, 3, &o), FLX_OK);
    assert_int_equal(o.n_in.v[0], 12);
}

static void the_data_set_decides_what_is_left_open(void **state)
{
    (void)state;
    struct flx_train_options o;
    const char *const cifar[][2] = {{"data", "cifar10:/x"}};
    const char *const both[][2] = {{"data", "cifar10:/x"}, {"model", "mlp"}, {"batch", "50"}};
    assert_int_equal(check_options(NULL, 0, &o), FLX_OK);
    assert_string_equal(o.model, "lenet5");
    assert_int_equal(o.augment, FLX_AUGMENT_FLIP);
    assert_int_equal(check_options(cifar, 1, &o), FLX_OK);
    assert_string_equal(o.model, "resnet20");
    assert_int_equal(o.batch, 128);
    assert_int_equal(o.augment, FLX_AUGMENT_FLIP_CROP);
    assert_int_equal(check_options(both, 3, &o), FLX_OK);
    assert_string_equal(o.model, "mlp");
    assert_int_equal(o.batch, 50);
}

/* What resolved options leave in a checkpoint resolves to itself. */
static void resolved_options_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {"none", "paper-mnist", "paper-resnet", "paper-ablation",
                                        "fast"};
    for (int recipe = FLX_RECIPE_NONE; recipe <= FLX_RECIPE_FAST; recipe++) {
        struct flx_train_options a, b;
        char text[512];
        flx_train_defaults(&a);
        assert_int_equal(flx_train_recipe(&a, (enum flx_recipe)recipe), FLX_OK);
        assert_int_equal(flx_train_options_check(&a), FLX_OK);
        flx_train_defaults(&b);
        for (int i = 0; i < flx_train_option_count(); i++) {
            flx_train_option_text(&a, i, text, sizeof text);
            assert_int_equal(flx_train_option_set(&b, flx_train_option_name(i), text), FLX_OK);
            if (!strcmp(flx_train_option_name(i), "recipe"))
                assert_string_equal(text, names[recipe]);
        }
        assert_int_equal(flx_train_options_check(&b), FLX_OK);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

static void assert_near(double a, double b)
{
    assert_true(fabs(a - b) < 1e-9);
}

static void the_learning_rate_rises_then_falls_to_zero(void **state)
{
    (void)state;
    struct flx_train_options o;
    flx_train_defaults(&o);
    o.lr = 0.1;
    o.epochs = 10;
    o.warmup = 0.2;
    assert_near(flx_schedule_lr(&o, 0, 10), 0.1 / 20);
    assert_near(flx_schedule_lr(&o, 18, 10), 0.1 * 19 / 20);
    assert_near(flx_schedule_lr(&o, 19, 10), 0.1);
    assert_near(flx_schedule_lr(&o, 59, 10), 0.05);
    assert_near(flx_schedule_lr(&o, 99, 10), 0);
    o.schedule = FLX_SCHEDULE_LINEAR;
    assert_near(flx_schedule_lr(&o, 39, 10), 0.075);
    assert_near(flx_schedule_lr(&o, 99, 10), 0);
}

/* Section 5 of the paper: 500 epochs, warm-up over 100, halved at 350, 400 and 450. */
static void the_paper_warms_up_and_halves(void **state)
{
    (void)state;
    struct flx_train_options o;
    flx_train_defaults(&o);
    assert_int_equal(flx_train_recipe(&o, FLX_RECIPE_PAPER_RESNET), FLX_OK);
    assert_near(flx_schedule_lr(&o, 49 * 390 + 389, 390), 0.05);
    assert_near(flx_schedule_s(&o, 0, 390), 5 + 5 / 39000.0);
    assert_near(flx_schedule_s(&o, 49 * 390 + 389, 390), 7.5);
    assert_near(flx_schedule_s(&o, 200 * 390, 390), 10);
    static const struct {
        uint64_t epoch;
        double lr, s;
    } want[] = {
        {100, 0.1, 10}, {349, 0.1, 10}, {350, 0.05, 20}, {400, 0.025, 40}, {499, 0.0125, 80}};
    for (int i = 0; i < 5; i++) {
        assert_near(flx_schedule_lr(&o, want[i].epoch * 390, 390), want[i].lr);
        assert_near(flx_schedule_s(&o, want[i].epoch * 390, 390), want[i].s);
    }
}

static void a_recipe_leaves_what_it_does_not_name(void **state)
{
    (void)state;
    struct flx_train_options o;
    flx_train_defaults(&o);
    o.seed = 77;
    assert_int_equal(flx_train_recipe(&o, FLX_RECIPE_PAPER_ABLATION), FLX_OK);
    assert_int_equal(o.seed, 77);
    assert_string_equal(o.model, "resnet32");
    assert_int_equal(o.decay_epochs.n, 2);
    assert_int_equal(o.decay_epochs.v[1], 175);
    assert_int_equal(flx_train_options_check(&o), FLX_OK);
    assert_true(o.bits == 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_text_reads_back),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(contradicting_options_are_refused),
        cmocka_unit_test(bits_set_the_stored_bits),
        cmocka_unit_test(planes_share_the_bits),
        cmocka_unit_test(the_data_set_decides_what_is_left_open),
        cmocka_unit_test(resolved_options_stay_as_they_are),
        cmocka_unit_test(the_learning_rate_rises_then_falls_to_zero),
        cmocka_unit_test(the_paper_warms_up_and_halves),
        cmocka_unit_test(a_recipe_leaves_what_it_does_not_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
