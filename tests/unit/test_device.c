/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/accel.h"
#include "device/noise.h"
#include "device_fixture.h"
#include "flexor/device.h"
#include "flexor/exec.h"
#include "flexor/status.h"
#include "soft_device.h"

/* A random model, the device for it, and what the device should answer. */
struct bench {
    struct flx_xornet net;
    struct flx_model *m;
    struct flx_desc desc;
    struct soft_device *soft;
    uint8_t *images;
    int n;
    int32_t *expected, *logits;
    uint64_t seed;
};

static void bench_begin(struct bench *b, uint64_t seed, int n)
{
    struct flx_rng r;
    flx_rng_init(&r, seed, 5);
    *b = (struct bench){.n = n, .seed = seed};
    assert_int_equal(flx_xornet_nested(&b->net, 32, 13, 1), FLX_OK);
    b->m = fixture_device_model(seed, &b->net, 8);
    assert_non_null(b->m);
    b->desc = fixture_desc(8 << flx_rng_below(&r, 2), 8, fixture_pick(&r, 1, 3), &b->net, 8);
    b->desc.max_payload = 64 << flx_rng_below(&r, 5);
    if (b->desc.max_payload < 128)
        b->desc.max_payload = 128;
    b->soft = soft_device_new(&b->desc, &b->net, seed);
    b->images = fixture_images(b->m, n, seed);
    size_t bytes = (size_t)b->m->in_h * (size_t)b->m->in_w * (size_t)b->m->in_c;
    size_t classes = (size_t)b->m->classes;
    b->expected = calloc((size_t)n * classes, 4);
    b->logits = calloc((size_t)n * classes, 4);
    for (int i = 0; i < n; i++)
        assert_int_equal(flx_plain_run(b->m, b->images + (size_t)i * bytes,
                                       b->expected + (size_t)i * classes, NULL),
                         FLX_OK);
}

static void bench_end(struct bench *b)
{
    soft_device_free(b->soft);
    flx_model_free(b->m);
    free(b->images);
    free(b->expected);
    free(b->logits);
}

static int bench_open(struct bench *b, int stream, struct flx_accel **a)
{
    const struct flx_accel_options o = {.backend = "soft",
                                        .detail = "software device",
                                        .stream = stream,
                                        .session = {.timeout_ms = 100, .retries = 12}};
    return flx_accel_open((struct flx_transport){&soft_transport, b->soft}, &o, a);
}

static int same_logits(const struct bench *b)
{
    return !memcmp(b->logits, b->expected, (size_t)b->n * (size_t)b->m->classes * 4);
}

/* Open, load, infer: the first failure. The device is left open. */
static int bench_infer(struct bench *b, int stream, struct flx_accel **a)
{
    int status = bench_open(b, stream, a);
    if (status)
        return status;
    status = flx_accel_ops.load(*a, b->m);
    return status ? status : flx_accel_ops.infer(*a, b->images, b->n, b->logits);
}

static void expect_right(struct bench *b, int stream)
{
    struct flx_accel *a;
    int status = bench_infer(b, stream, &a);
    if (status)
        fail_msg("seed %llu: %s", (unsigned long long)b->seed, flx_last_error());
    if (!same_logits(b))
        fail_msg("seed %llu: wrong logits", (unsigned long long)b->seed);
    flx_accel_ops.close(a);
    assert_true(b->soft->closed);
}

static void logits_are_right_over_a_clean_link(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 40; i++) {
        struct bench b;
        bench_begin(&b, seed + i, 1 + (int)(i % 8));
        expect_right(&b, i % 2);
        bench_end(&b);
    }
}

static void logits_are_right_although_answers_get_lost(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 40; i++) {
        struct bench b;
        bench_begin(&b, seed + i, 9);
        b.soft->faults.drop_frame = 5 + i % 6;
        expect_right(&b, i % 2);
        bench_end(&b);
    }
}

static void logits_are_right_over_a_noisy_link(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 60; i++) {
        struct bench b;
        bench_begin(&b, seed + i, 7);
        b.soft->faults = (struct soft_faults){.drop = i % 3 ? 4000 : 0,
                                              .corrupt = i % 4 ? 3000 : 0,
                                              .duplicate = i % 5 ? 5000 : 0,
                                              .delay = i % 2 ? 20 : 0,
                                              .drop_frame = 100,
                                              .partial = i % 2};
        expect_right(&b, i % 7 < 3);
        bench_end(&b);
    }
}

static void logits_are_right_through_a_noisy_cable(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 20; i++) {
        struct bench b;
        struct flx_accel *a;
        bench_begin(&b, seed + i, 5);
        struct flx_transport t = {&soft_transport, b.soft};
        const struct flx_accel_options o = {.backend = "soft",
                                            .detail = "software device",
                                            .stream = i % 2,
                                            .session = {.timeout_ms = 100, .retries = 12}};
        assert_int_equal(flx_noise_wrap(&t, 2000, seed + i), FLX_OK);
        assert_int_equal(flx_accel_open(t, &o, &a), FLX_OK);
        assert_int_equal(flx_accel_ops.load(a, b.m), FLX_OK);
        assert_int_equal(flx_accel_ops.infer(a, b.images, b.n, b.logits), FLX_OK);
        if (!same_logits(&b))
            fail_msg("seed %llu: wrong logits", (unsigned long long)b.seed);
        flx_accel_ops.close(a);
        assert_true(b.soft->closed);
        bench_end(&b);
    }
}

static void a_hopeless_link_ends_with_a_name_and_never_with_wrong_logits(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    int failures = 0;
    for (uint64_t i = 0; i < 60; i++) {
        struct bench b;
        struct flx_accel *a;
        bench_begin(&b, seed + i, 5);
        b.soft->faults = (struct soft_faults){.drop = 40 + 20 * i,
                                              .corrupt = 100 + i,
                                              .duplicate = 90,
                                              .delay = 3,
                                              .drop_frame = 4,
                                              .partial = 1};
        int status = bench_infer(&b, i % 2, &a);
        if (status != FLX_OK && status != FLX_ERR_TIMEOUT && status != FLX_ERR_LINK)
            fail_msg("seed %llu: unexpected %s", (unsigned long long)b.seed,
                     flx_status_name(status));
        if (status == FLX_OK && !same_logits(&b))
            fail_msg("seed %llu: wrong logits", (unsigned long long)b.seed);
        failures += status != FLX_OK;
        if (a)
            flx_accel_ops.close(a);
        bench_end(&b);
    }
    assert_true(failures > 0);
}

static void a_device_that_dies_is_reported(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t frames = 1; frames < 40; frames += 3) {
        struct bench b;
        struct flx_accel *a;
        bench_begin(&b, seed + frames, 30);
        b.soft->faults.stop_after = frames;
        assert_int_equal(bench_infer(&b, frames % 2, &a), FLX_ERR_TIMEOUT);
        assert_non_null(strstr(flx_last_error(), "answer"));
        if (a)
            flx_accel_ops.close(a);
        bench_end(&b);
    }
}

static void endless_garbage_is_reported(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    b.soft->faults.garbage = 1;
    b.soft->faults.drop_frame = 1; /* only garbage */
    assert_int_equal(bench_open(&b, 0, &a), FLX_ERR_TIMEOUT);
    assert_null(a);
    assert_true(b.soft->closed);
    bench_end(&b);
}

static void garbage_after_a_good_start_is_reported(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_OK);
    b.soft->faults.garbage = 1;
    b.soft->faults.drop_frame = 1;
    assert_int_equal(flx_accel_ops.infer(a, b.images, 1, b.logits), FLX_ERR_TIMEOUT);
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void another_protocol_version_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    b.soft->desc[0] = 99;
    assert_int_equal(bench_open(&b, 0, &a), FLX_ERR_VERSION);
    assert_non_null(strstr(flx_last_error(), "99"));
    assert_true(b.soft->closed);
    bench_end(&b);
}

static void another_xor_network_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    b.soft->desc[12] ^= 1;
    assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_ERR_XORNET);
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void a_refused_request_names_the_reason(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
    b.soft->faults.fail_status = FLX_ST_RANGE;
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_ERR_DEVICE);
    assert_non_null(strstr(flx_last_error(), "out of range"));
    b.soft->faults.fail_status = FLX_ST_TIMEOUT;
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_ERR_TIMEOUT);
    assert_non_null(strstr(flx_last_error(), "watchdog"));
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void a_refusal_is_noticed_although_its_answer_was_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct bench b;
        struct flx_accel *a;
        bench_begin(&b, seed, 1);
        assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
        b.soft->faults.fail_status = FLX_ST_LENGTH;
        b.soft->faults.drop_frame = 2;
        assert_int_equal(flx_accel_ops.load(a, b.m), FLX_ERR_DEVICE);
        flx_accel_ops.close(a);
        bench_end(&b);
    }
}

static void a_broken_transport_is_reported_as_it_is(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_OK);
    b.soft->faults.fail_io = 1;
    assert_int_equal(flx_accel_ops.infer(a, b.images, 1, b.logits), FLX_ERR_IO);
    assert_string_equal(flx_last_error(), "the cable was pulled");
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void loading_again_cures_a_failure(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 4);
    b.soft->faults.stop_after = 8;
    assert_int_equal(bench_infer(&b, 0, &a), FLX_ERR_TIMEOUT);
    b.soft->faults.stop_after = 0;
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_OK);
    assert_int_equal(flx_accel_ops.infer(a, b.images, b.n, b.logits), FLX_OK);
    assert_true(same_logits(&b));
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void a_device_that_was_exchanged_is_noticed(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    assert_int_equal(bench_open(&b, 0, &a), FLX_OK);
    b.soft->desc[44]++;
    assert_int_equal(flx_accel_ops.load(a, b.m), FLX_ERR_LINK);
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void activations_are_right_in_every_layer(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 12; i++) {
        struct bench b;
        struct flx_accel *a;
        struct flx_exec *e;
        bench_begin(&b, seed + i, 4);
        b.soft->faults.drop_frame = i % 2 ? 30 : 0;
        assert_int_equal(bench_open(&b, i % 3 == 0, &a), FLX_OK);
        assert_int_equal(flx_accel_ops.load(a, b.m), FLX_OK);
        assert_int_equal(flx_exec_create(b.m, 1, &e), FLX_OK);
        for (int l = 0; l < b.m->n_layers - 1; l++) {
            const struct flx_layer *ly = &b.m->layers[l];
            size_t n = (size_t)(b.n * ly->out_h * ly->out_w) * (size_t)ly->out_c;
            uint8_t *got = malloc(n), *expected = malloc(n);
            assert_int_equal(flx_accel_ops.activations(a, b.images, b.n, l, got), FLX_OK);
            assert_int_equal(flx_exec_activations(e, b.images, b.n, l, expected), FLX_OK);
            assert_memory_equal(got, expected, n);
            free(got);
            free(expected);
        }
        flx_exec_free(e);
        flx_accel_ops.close(a);
        bench_end(&b);
    }
}

static void counters_add_up_over_many_runs(void **state)
{
    (void)state;
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, fixture_seed(), 1);
    const int n = 1300 * b.desc.p + 1;
    uint8_t *many = fixture_images(b.m, n, 1);
    int32_t *logits = calloc((size_t)n * (size_t)b.m->classes, 4);
    struct flx_counters c = {0};
    uint64_t one = 0;
    for (int i = 0; i < b.m->n_layers; i++)
        b.m->layers[i].in_zero = 0;
    assert_int_equal(bench_infer(&b, 0, &a), FLX_OK);
    assert_int_equal(flx_accel_ops.counters(a, &c), FLX_OK);
    assert_int_equal(c.runs, 1);
    assert_true(c.busy > 0);
    one = c.busy;
    assert_int_equal(flx_accel_ops.infer(a, many, n, logits), FLX_OK);
    assert_int_equal(flx_accel_ops.counters(a, &c), FLX_OK);
    assert_int_equal(c.images, n + 1);
    assert_int_equal(c.runs, 1302);
    assert_int_equal(c.busy, 1302 * one);
    free(many);
    free(logits);
    flx_accel_ops.close(a);
    bench_end(&b);
}

static void a_bad_spec_string_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "teapot",    "ref:x",        "ref,stream",   "sim:",
        "sim:../k16", "sim,seed=", "sim,seed=-1",  "sim,stall=96", "sim,stall=x",
        "sim,trace=", "sim,,",     "sim,stream=1", "sim,nonsense", "sim,noise=x",
        "ref,noise=5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct flx_device *d;
        if (flx_device_open(bad[i], &d) != FLX_ERR_ARG)
            fail_msg("'%s' was not refused", bad[i]);
        assert_null(d);
    }
}

static void a_simulation_that_is_not_built_is_named(void **state)
{
    (void)state;
    struct flx_device *d;
    assert_int_equal(flx_device_open("sim:k3t3p0", &d), FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), "make build/sim/k3t3p0.so"));
}

static void the_reference_is_a_device(void **state)
{
    (void)state;
    struct bench b;
    struct flx_device *d;
    struct flx_device_info info;
    bench_begin(&b, fixture_seed(), 3);
    assert_int_equal(flx_device_open("ref", &d), FLX_OK);
    assert_int_equal(flx_device_infer(d, b.images, 3, b.logits), FLX_ERR_ARG);
    assert_int_equal(flx_device_load(d, b.m), FLX_OK);
    assert_int_equal(flx_device_infer(d, b.images, 3, b.logits), FLX_OK);
    assert_true(same_logits(&b));
    assert_int_equal(flx_device_activations(d, b.images, 1, b.m->n_layers - 1, b.images),
                     FLX_ERR_ARG);
    assert_int_equal(flx_device_info(d, &info), FLX_OK);
    assert_string_equal(info.backend, "ref");
    flx_device_close(d);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_right_over_a_clean_link),
        cmocka_unit_test(logits_are_right_although_answers_get_lost),
        cmocka_unit_test(logits_are_right_over_a_noisy_link),
        cmocka_unit_test(logits_are_right_through_a_noisy_cable),
        cmocka_unit_test(a_hopeless_link_ends_with_a_name_and_never_with_wrong_logits),
        cmocka_unit_test(a_device_that_dies_is_reported),
        cmocka_unit_test(endless_garbage_is_reported),
        cmocka_unit_test(garbage_after_a_good_start_is_reported),
        cmocka_unit_test(another_protocol_version_is_refused),
        cmocka_unit_test(another_xor_network_is_refused),
        cmocka_unit_test(a_refused_request_names_the_reason),
        cmocka_unit_test(a_refusal_is_noticed_although_its_answer_was_lost),
        cmocka_unit_test(a_broken_transport_is_reported_as_it_is),
        cmocka_unit_test(loading_again_cures_a_failure),
        cmocka_unit_test(a_device_that_was_exchanged_is_noticed),
        cmocka_unit_test(activations_are_right_in_every_layer),
        cmocka_unit_test(counters_add_up_over_many_runs),
        cmocka_unit_test(a_bad_spec_string_is_refused),
        cmocka_unit_test(a_simulation_that_is_not_built_is_named),
        cmocka_unit_test(the_reference_is_a_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
