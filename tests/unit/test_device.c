/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/device.h"
#include "soft_bench.h"

static void logits_are_right_over_a_clean_link(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 40; i++) {
        struct bench b;
        bench_begin(&b, seed + i, 1 + (int)(i % 8));
        expect_right(&b, i % 2);
        assert_int_equal(b.stats.recoveries, 0);
        bench_end(&b);
    }
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
        cmocka_unit_test(another_protocol_version_is_refused),
        cmocka_unit_test(another_xor_network_is_refused),
        cmocka_unit_test(a_refused_request_names_the_reason),
        cmocka_unit_test(activations_are_right_in_every_layer),
        cmocka_unit_test(counters_add_up_over_many_runs),
        cmocka_unit_test(a_bad_spec_string_is_refused),
        cmocka_unit_test(a_simulation_that_is_not_built_is_named),
        cmocka_unit_test(the_reference_is_a_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
