/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "flexor/file.h"
#include "flexor/log.h"
#include "flexor/progress.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "tempdir.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct tempdir));
    tempdir_make(*state);
    return 0;
}

static int teardown(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

static void every_status_has_its_own_name_and_a_sentence(void **state)
{
    (void)state;
    for (int a = FLX_OK; a >= FLX_ERR_INTERNAL; a--) {
        assert_string_not_equal(flx_status_name(a), "FLX_ERR_UNKNOWN");
        assert_true(strlen(flx_strerror(a)) > 3);
        for (int b = FLX_OK; b > a; b--)
            assert_string_not_equal(flx_status_name(a), flx_status_name(b));
    }
    assert_string_equal(flx_status_name(FLX_ERR_CRC), "FLX_ERR_CRC");
}

static void a_status_out_of_range_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(flx_status_name(1), "FLX_ERR_UNKNOWN");
    assert_string_equal(flx_status_name(FLX_ERR_INTERNAL - 1), "FLX_ERR_UNKNOWN");
    assert_string_equal(flx_strerror(INT32_MIN), "unknown status code");
}

static void fail_returns_the_status_and_keeps_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(flx_fail(FLX_ERR_IO, "%s: %d", "disk", 7), FLX_ERR_IO);
    assert_string_equal(flx_last_error(), "disk: 7");
}

static void fail_may_quote_the_last_error(void **state)
{
    (void)state;
    flx_fail(FLX_ERR_IO, "inner");
    flx_fail(FLX_ERR_IO, "outer: %s", flx_last_error());
    assert_string_equal(flx_last_error(), "outer: inner");
}

static void fail_cuts_a_long_sentence_at_511_bytes(void **state)
{
    (void)state;
    flx_fail(FLX_ERR_IO, "%0600d", 1);
    assert_int_equal(strlen(flx_last_error()), 511);
}

static void *last_error_of_a_new_thread(void *copy)
{
    strcpy(copy, flx_last_error());
    flx_fail(FLX_ERR_IO, "other thread");
    return NULL;
}

static void the_last_error_belongs_to_its_thread(void **state)
{
    (void)state;
    char seen[512] = "?";
    pthread_t t;
    flx_fail(FLX_ERR_IO, "this thread");
    assert_int_equal(pthread_create(&t, NULL, last_error_of_a_new_thread, seen), 0);
    pthread_join(t, NULL);
    assert_string_equal(seen, "");
    assert_string_equal(flx_last_error(), "this thread");
}

struct seen {
    int n, level;
    char text[1024];
};

static void record(void *user, enum flx_log_level level, const char *message)
{
    struct seen *s = user;
    s->n++;
    s->level = (int)level;
    strcpy(s->text, message);
}

static void messages_up_to_the_level_reach_the_callback(void **state)
{
    (void)state;
    struct seen s = {0};
    flx_log_set_callback(record, &s);
    flx_log(FLX_LOG_WARN, "%d apples", 3);
    flx_log(FLX_LOG_INFO, "dropped");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.level, FLX_LOG_WARN);
    assert_string_equal(s.text, "3 apples");
    flx_log_set_level(FLX_LOG_INFO);
    flx_log(FLX_LOG_INFO, "%01500d", 1);
    assert_int_equal(s.n, 2);
    assert_int_equal(strlen(s.text), 1023);
    flx_log_set_callback(NULL, NULL);
    flx_log(FLX_LOG_ERROR, "nobody listens");
    assert_int_equal(s.n, 2);
    flx_log_set_level(FLX_LOG_WARN);
}

static void counter_numbers_are_a_fixed_function(void **state)
{
    (void)state;
    assert_int_equal(flx_rng_u64(1, 2, 3), flx_rng_u64(1, 2, 3));
    assert_true(flx_rng_u64(1, 2, 3) == 0x85d3f5be3b6dddeeu);
    assert_true(flx_rng_u64(2, 2, 3) != flx_rng_u64(1, 2, 3));
    assert_true(flx_rng_u64(1, 3, 3) != flx_rng_u64(1, 2, 3));
    assert_true(flx_rng_u64(1, 2, 4) != flx_rng_u64(1, 2, 3));
}

static void a_generator_gives_its_golden_sequence(void **state)
{
    (void)state;
    struct flx_rng r;
    flx_rng_init(&r, 1, 0);
    uint64_t x = 0;
    for (int i = 0; i < 1000; i++)
        x = flx_rng_next(&r);
    assert_true(x == 0x3cf9ebc2b49ffafdu);
}

static void a_copied_generator_goes_on_alike(void **state)
{
    (void)state;
    struct flx_rng a, b;
    flx_rng_init(&a, 5, 0);
    flx_rng_normal(&a); /* leaves a spare value */
    b = a;
    for (int i = 0; i < 10; i++)
        assert_true(flx_rng_normal(&a) == flx_rng_normal(&b));
}

static void streams_of_one_seed_differ(void **state)
{
    (void)state;
    struct flx_rng a, b;
    flx_rng_init(&a, 5, 0);
    flx_rng_init(&b, 5, 1);
    assert_true(flx_rng_next(&a) != flx_rng_next(&b));
}

static void below_reaches_every_value_evenly(void **state)
{
    (void)state;
    struct flx_rng r;
    int count[7] = {0};
    flx_rng_init(&r, 1, 0);
    for (int i = 0; i < 70000; i++)
        count[flx_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500); /* over five standard deviations */
    assert_int_equal(flx_rng_below(&r, 1), 0);
}

static void uniform_and_normal_have_their_moments(void **state)
{
    (void)state;
    struct flx_rng r;
    double u = 0, n = 0, n2 = 0;
    const int count = 100000;
    flx_rng_init(&r, 1, 0);
    for (int i = 0; i < count; i++) {
        double x = flx_rng_uniform(&r), y = flx_rng_normal(&r);
        assert_true(x >= 0 && x < 1);
        u += x;
        n += y;
        n2 += y * y;
    }
    assert_true(fabs(u / count - 0.5) < 0.005);
    assert_true(fabs(n / count) < 0.015);
    assert_true(fabs(n2 / count - 1) < 0.02);
}

static void a_shuffle_is_a_permutation(void **state)
{
    (void)state;
    struct flx_rng r;
    uint32_t v[100], moved = 0;
    int seen[100] = {0};
    flx_rng_init(&r, 1, 0);
    for (uint32_t i = 0; i < 100; i++)
        v[i] = i;
    flx_rng_shuffle(&r, v, 100);
    for (uint32_t i = 0; i < 100; i++) {
        seen[v[i]]++;
        moved += v[i] != i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

static void progress_in_a_file_is_plain_lines(void **state)
{
    struct flx_progress p;
    uint8_t *data = NULL;
    size_t len = 0;
    FILE *f = fopen(tempdir_file(*state, "log"), "w");
    flx_progress_begin(&p, f, "epoch 1", 200);
    p.next = HUGE_VAL;
    flx_progress_update(&p, 100, "not due");
    p.next = 0;
    flx_progress_update(&p, 200, "loss 0.5");
    flx_progress_end(&p);
    fclose(f);
    assert_int_equal(flx_file_read(tempdir_file(*state, "log"), &data, &len), FLX_OK);
    const char want[] = "epoch 1: 100 %, ETA 0:00  loss 0.5\n";
    assert_int_equal(len, strlen(want));
    assert_memory_equal(data, want, len);
    free(data);
}

static void progress_without_a_file_is_silent(void **state)
{
    (void)state;
    struct flx_progress p;
    flx_progress_begin(&p, NULL, "epoch 1", 200);
    p.next = 0;
    flx_progress_update(&p, 100, NULL);
    flx_progress_end(&p);
    assert_int_equal(p.drawn, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_status_has_its_own_name_and_a_sentence),
        T(a_status_out_of_range_is_unknown),
        T(fail_returns_the_status_and_keeps_the_sentence),
        T(fail_may_quote_the_last_error),
        T(fail_cuts_a_long_sentence_at_511_bytes),
        T(the_last_error_belongs_to_its_thread),
        T(messages_up_to_the_level_reach_the_callback),
        T(counter_numbers_are_a_fixed_function),
        T(a_generator_gives_its_golden_sequence),
        T(a_copied_generator_goes_on_alike),
        T(streams_of_one_seed_differ),
        T(below_reaches_every_value_evenly),
        T(uniform_and_normal_have_their_moments),
        T(a_shuffle_is_a_permutation),
        T(progress_in_a_file_is_plain_lines),
        T(progress_without_a_file_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
