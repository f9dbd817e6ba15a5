/* SPDX-License-Identifier: Apache-2.0 */
/* A link that loses, damages, doubles and delays bytes: the session recovers or ends
 * with a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/noise.h"
#include "soft_bench.h"

static void logits_are_right_although_answers_get_lost(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed(), recoveries = 0, resent = 0;
    for (uint64_t i = 0; i < 40; i++) {
        struct bench b;
        bench_begin(&b, seed + i, 9);
        b.soft->faults.drop_frame = 5 + i % 6;
        expect_right(&b, i % 2);
        recoveries += b.stats.recoveries;
        resent += b.stats.resent;
        bench_end(&b);
    }
    assert_true(recoveries > 40);
    assert_true(resent > 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_right_although_answers_get_lost),
        cmocka_unit_test(logits_are_right_over_a_noisy_link),
        cmocka_unit_test(logits_are_right_through_a_noisy_cable),
        cmocka_unit_test(a_hopeless_link_ends_with_a_name_and_never_with_wrong_logits),
        cmocka_unit_test(a_device_that_dies_is_reported),
        cmocka_unit_test(endless_garbage_is_reported),
        cmocka_unit_test(garbage_after_a_good_start_is_reported),
        cmocka_unit_test(a_refusal_is_noticed_although_its_answer_was_lost),
        cmocka_unit_test(a_broken_transport_is_reported_as_it_is),
        cmocka_unit_test(loading_again_cures_a_failure),
        cmocka_unit_test(a_device_that_was_exchanged_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
