/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "flexor/xornet.h"

#define SEEDS 20

static int possible(int n_out, int n_min)
{
    return n_min * (n_min - 1) / 2 >= n_out - n_min;
}

/* Calls fn for nested networks of every possible size. */
static void for_all_nested(void (*fn)(const struct flx_xornet *net))
{
    for (int n_out = 1; n_out <= FLX_XOR_MAX; n_out++)
        for (int n_min = 1; n_min <= n_out; n_min++)
            for (uint64_t seed = 0; possible(n_out, n_min) && seed < SEEDS; seed++) {
                struct flx_xornet net;
                assert_int_equal(flx_xornet_nested(&net, n_out, n_min, seed), FLX_OK);
                fn(&net);
            }
}

static void full_rank(const struct flx_xornet *net)
{
    for (int n_in = net->n_min; n_in <= net->n_max; n_in++)
        assert_int_equal(flx_xornet_rank(net, n_in), n_in);
}

static void nested_has_full_rank_for_every_n_in(void **state)
{
    (void)state;
    for_all_nested(full_rank);
}

static void distinct_rows(const struct flx_xornet *net)
{
    for (int n_in = net->n_min; n_in <= net->n_max; n_in++)
        for (int i = 0; i < net->n_out; i++)
            for (int j = 0; j < i; j++)
                assert_int_not_equal(flx_xornet_row(net, n_in, i), flx_xornet_row(net, n_in, j));
}

static void nested_has_distinct_rows_for_every_n_in(void **state)
{
    (void)state;
    for_all_nested(distinct_rows);
}

static void all_inputs_used(const struct flx_xornet *net)
{
    for (int n_in = net->n_min; n_in <= net->n_max; n_in++) {
        uint32_t used = 0;
        for (int i = 0; i < net->n_out; i++)
            used |= flx_xornet_row(net, n_in, i);
        assert_int_equal(used, UINT32_MAX >> (32 - n_in));
    }
}

static void nested_uses_every_input_and_no_other(void **state)
{
    (void)state;
    for_all_nested(all_inputs_used);
}

static void even_degrees(const struct flx_xornet *net)
{
    int degree[FLX_XOR_MAX] = {0};
    for (int i = net->n_out - 1; i >= net->n_min; i--) {
        int low = FLX_XOR_MAX, high = 0;
        for (int j = 0; j < net->n_min; j++) {
            degree[j] += (int)(net->rows[i] >> j & 1);
            low = degree[j] < low ? degree[j] : low;
            high = degree[j] > high ? degree[j] : high;
        }
        assert_in_range(high - low, 0, 2);
    }
}

static void nested_spreads_the_pairs_of_every_n_in_evenly(void **state)
{
    (void)state;
    for_all_nested(even_degrees);
}

static void consistent(const struct flx_xornet *net)
{
    assert_int_equal(flx_xornet_check(net), FLX_OK);
}

static void nested_passes_the_check(void **state)
{
    (void)state;
    for_all_nested(consistent);
}

static void nested_with_n_in_equal_n_out_is_the_identity(void **state)
{
    (void)state;
    struct flx_xornet net;
    assert_int_equal(flx_xornet_default(&net), FLX_OK);
    for (int i = 0; i < 32; i++)
        assert_int_equal(flx_xornet_row(&net, 32, i), UINT32_C(1) << i);
}

static void nested_refuses_impossible_sizes(void **state)
{
    (void)state;
    struct flx_xornet net;
    static const int sizes[][2] = {{0, 0}, {33, 13}, {32, 0}, {32, 33}, {32, -1}, {32, 7}, {4, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(flx_xornet_nested(&net, sizes[i][0], sizes[i][1], 1), FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "raise n_min"));
}

static void the_same_seed_gives_the_same_network(void **state)
{
    (void)state;
    struct flx_xornet a, b, c;
    flx_xornet_nested(&a, 32, 13, 9);
    flx_xornet_nested(&b, 32, 13, 9);
    flx_xornet_nested(&c, 32, 13, 10);
    assert_memory_equal(a.rows, b.rows, sizeof a.rows);
    assert_memory_not_equal(a.rows, c.rows, sizeof a.rows);
}

/* Model files and bitstreams depend on these values. */
static void the_default_network_never_changes(void **state)
{
    (void)state;
    struct flx_xornet net;
    assert_int_equal(flx_xornet_default(&net), FLX_OK);
    assert_int_equal(net.kind, FLX_XORNET_NESTED);
    assert_int_equal(net.n_out, 32);
    assert_int_equal(net.n_min, 13);
    assert_int_equal(net.n_max, 32);
    assert_int_equal(net.rows[13], 0x00000802);
    assert_int_equal(net.rows[31], 0x00000102);
    assert_int_equal(flx_xornet_hash(&net), 0xe3fb0d7e);
}

static void the_random_network_never_changes(void **state)
{
    (void)state;
    struct flx_xornet net;
    assert_int_equal(flx_xornet_random(&net, 8, 20, 2, 4), FLX_OK);
    assert_int_equal(flx_xornet_hash(&net), 0x0c168f1f);
}

static void random_rows_have_the_number_of_taps(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int taps = 1; taps <= 12; taps++) {
            struct flx_xornet net;
            assert_int_equal(flx_xornet_random(&net, 12, 20, taps, seed), FLX_OK);
            assert_int_equal(flx_xornet_check(&net), FLX_OK);
            assert_int_equal(net.n_min, 12);
            assert_int_equal(net.n_max, 12);
            for (int i = 0; i < 20; i++) {
                assert_int_equal(__builtin_popcount(net.rows[i]), taps);
                assert_int_equal(net.rows[i] >> 12, 0);
            }
        }
}

static void random_two_tap_networks_lose_rank(void **state)
{
    (void)state;
    int sum = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct flx_xornet net;
        flx_xornet_random(&net, 20, 20, 2, seed);
        assert_true(flx_xornet_rank(&net, 20) < 20); /* rows of even weight cannot span */
        sum += flx_xornet_rank(&net, 20);
    }
    assert_in_range(sum, 200 * 15, 200 * 17); /* mean 16.0 */
}

static void random_fill_has_no_empty_row_and_half_the_taps(void **state)
{
    (void)state;
    int taps = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct flx_xornet net;
        assert_int_equal(flx_xornet_random(&net, 2, 32, 0, seed), FLX_OK);
        assert_int_equal(flx_xornet_check(&net), FLX_OK);
        for (int i = 0; i < 32; i++)
            taps += __builtin_popcount(net.rows[i]);
    }
    /* Of 01, 10 and 11 each a third: 4/3 taps a row. */
    assert_in_range(taps, 200 * 32 * 13 / 10, 200 * 32 * 137 / 100);
}

static void random_refuses_impossible_sizes(void **state)
{
    (void)state;
    struct flx_xornet net;
    static const int sizes[][3] = {{0, 20, 2}, {21, 20, 2}, {8, 33, 2},
                                   {8, 0, 2},  {8, 20, 9},  {8, 20, -1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(flx_xornet_random(&net, sizes[i][0], sizes[i][1], sizes[i][2], 1),
                         FLX_ERR_ARG);
}

static struct flx_xornet valid(enum flx_xornet_kind kind)
{
    struct flx_xornet net;
    if (kind == FLX_XORNET_NESTED)
        flx_xornet_nested(&net, 20, 8, 1);
    else
        flx_xornet_random(&net, 8, 20, 2, 1);
    return net;
}

static void check_refuses(struct flx_xornet net)
{
    flx_fail(FLX_OK, "-");
    assert_int_equal(flx_xornet_check(&net), FLX_ERR_ARG);
    assert_string_not_equal(flx_last_error(), "-");
}

static void the_check_refuses_wrong_sizes(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct flx_xornet net = valid((enum flx_xornet_kind)kind);
        assert_int_equal(flx_xornet_check(&net), FLX_OK);
        struct flx_xornet a = net, b = net, c = net, d = net, e = net;
        a.kind = (enum flx_xornet_kind)2;
        b.n_out = 33;
        c.n_min = 0;
        d.n_max++;
        e.n_min = 21;
        check_refuses(a);
        check_refuses(b);
        check_refuses(c);
        check_refuses(d);
        check_refuses(e);
    }
}

static void the_check_refuses_wrong_rows(void **state)
{
    (void)state;
    struct flx_xornet net = valid(FLX_XORNET_NESTED);
    struct flx_xornet one_tap = net, beyond = net, twice = net, below = net, after = net;
    one_tap.rows[10] = 1;
    beyond.rows[10] = 0x101; /* input 8 is not below n_min */
    twice.rows[10] = twice.rows[19];
    below.rows[3] = 3;
    after.rows[20] = 3;
    check_refuses(one_tap);
    check_refuses(beyond);
    check_refuses(twice);
    check_refuses(below);
    check_refuses(after);
    struct flx_xornet empty = valid(FLX_XORNET_FIXED), far = empty;
    empty.rows[19] = 0;
    far.rows[0] = 0x101;
    check_refuses(empty);
    check_refuses(far);
}

static void the_hash_depends_on_all_but_the_seed(void **state)
{
    (void)state;
    struct flx_xornet net = valid(FLX_XORNET_FIXED), seed = net, row = net, kind = net;
    seed.seed++;
    row.rows[19] ^= 1;
    kind.kind = FLX_XORNET_NESTED;
    assert_int_equal(flx_xornet_hash(&seed), flx_xornet_hash(&net));
    assert_int_not_equal(flx_xornet_hash(&row), flx_xornet_hash(&net));
    assert_int_not_equal(flx_xornet_hash(&kind), flx_xornet_hash(&net));
}

/* Decodes random planes and compares each slice with M times its stored bits; the
 * words between the planes must stay untouched. */
static void check_decode(const struct flx_xornet *net, int n_in, size_t n_words, size_t stride)
{
    struct flx_rng rng;
    size_t words = FLX_XOR_MAX * stride;
    uint64_t *in = malloc(words * sizeof *in), *out = malloc(words * sizeof *out);
    flx_rng_init(&rng, net->seed, n_words);
    for (size_t i = 0; i < words; i++) {
        in[i] = flx_rng_next(&rng);
        out[i] = 0x5555;
    }
    flx_xornet_decode(net, n_in, in, out, n_words, stride);
    for (size_t s = 0; s < 64 * n_words; s++) {
        uint32_t x = 0;
        for (int j = 0; j < n_in; j++)
            x |= (uint32_t)(in[(size_t)j * stride + s / 64] >> s % 64 & 1) << j;
        for (int i = 0; i < net->n_out; i++) {
            int want = __builtin_popcount(flx_xornet_row(net, n_in, i) & x) & 1;
            assert_int_equal(out[(size_t)i * stride + s / 64] >> s % 64 & 1, want);
        }
    }
    for (size_t i = 0; i < words; i++)
        if (i % stride >= n_words || i / stride >= (size_t)net->n_out)
            assert_int_equal(out[i], 0x5555);
    free(in);
    free(out);
}

static void decode_of_nested_equals_the_matrix_row_by_row(void **state)
{
    (void)state;
    struct flx_xornet net;
    flx_xornet_default(&net);
    for (int n_in = 13; n_in <= 32; n_in++)
        check_decode(&net, n_in, 7, 9);
}

static void decode_of_random_equals_the_matrix_row_by_row(void **state)
{
    (void)state;
    for (int taps = 0; taps <= 7; taps++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct flx_xornet net;
            flx_xornet_random(&net, 12, 20, taps, seed);
            check_decode(&net, 12, 3, 3);
        }
}

static void decode_works_for_every_number_of_words(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 8, 63, 64, 65, 127, 128, 200};
    struct flx_xornet net;
    flx_xornet_nested(&net, 12, 6, 1);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        check_decode(&net, 7, counts[i], counts[i] + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_has_full_rank_for_every_n_in),
        cmocka_unit_test(nested_has_distinct_rows_for_every_n_in),
        cmocka_unit_test(nested_uses_every_input_and_no_other),
        cmocka_unit_test(nested_spreads_the_pairs_of_every_n_in_evenly),
        cmocka_unit_test(nested_passes_the_check),
        cmocka_unit_test(nested_with_n_in_equal_n_out_is_the_identity),
        cmocka_unit_test(nested_refuses_impossible_sizes),
        cmocka_unit_test(the_same_seed_gives_the_same_network),
        cmocka_unit_test(the_default_network_never_changes),
        cmocka_unit_test(the_random_network_never_changes),
        cmocka_unit_test(random_rows_have_the_number_of_taps),
        cmocka_unit_test(random_two_tap_networks_lose_rank),
        cmocka_unit_test(random_fill_has_no_empty_row_and_half_the_taps),
        cmocka_unit_test(random_refuses_impossible_sizes),
        cmocka_unit_test(the_check_refuses_wrong_sizes),
        cmocka_unit_test(the_check_refuses_wrong_rows),
        cmocka_unit_test(the_hash_depends_on_all_but_the_seed),
        cmocka_unit_test(decode_of_nested_equals_the_matrix_row_by_row),
        cmocka_unit_test(decode_of_random_equals_the_matrix_row_by_row),
        cmocka_unit_test(decode_works_for_every_number_of_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
