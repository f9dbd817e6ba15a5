/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "flexor/status.h"
#include "flexor/xornet.h"

struct shape {
    int out_c, kh, kw, in_c;
};

static const struct shape shapes[] = {
    {1, 1, 1, 1},   {32, 5, 5, 1}, {64, 5, 5, 32}, {10, 1, 1, 512}, {16, 3, 3, 3},
    {16, 3, 3, 16}, {7, 3, 2, 5},  {9, 1, 4, 6},   {33, 4, 4, 7},
};
#define N_SHAPES (sizeof shapes / sizeof shapes[0])

/* Every weight must have one place, every other place must be padding. */
static void check_bijection(enum flx_slice_order order, int n_out, struct shape d, int row_packed)
{
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, order, n_out, d.out_c, d.kh, d.kw, d.in_c, row_packed),
                     FLX_OK);
    ptrdiff_t weights = (ptrdiff_t)d.out_c * d.kh * d.kw * d.in_c, found = 0;
    unsigned char *seen = calloc((size_t)weights, 1);
    for (size_t slice = 0; slice < s.n_slices; slice++)
        for (int row = 0; row < n_out; row++) {
            ptrdiff_t at = flx_slicing_index(&s, slice, row);
            assert_true(at >= -1 && at < weights);
            if (at >= 0) {
                assert_int_equal(seen[at], 0);
                seen[at] = 1;
                found++;
            }
        }
    assert_int_equal(found, weights);
    free(seen);
}

static void tile_order_places_every_weight_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++)
        for (int n_out = 4; n_out <= 32; n_out += 4)
            check_bijection(FLX_SLICE_TILE, n_out, shapes[i], 0);
}

static void row_packed_tile_order_places_every_weight_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++)
        for (int n_out = 4; n_out <= 32; n_out += 4)
            check_bijection(FLX_SLICE_TILE, n_out, shapes[i], 1);
}

static void flat_order_places_every_weight_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++)
        for (int n_out = 1; n_out <= 32; n_out++)
            check_bijection(FLX_SLICE_FLAT, n_out, shapes[i], 0);
}

static void tile_order_counts_slices_as_the_format_says(void **state)
{
    (void)state;
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 32, 20, 3, 2, 5, 0), FLX_OK);
    assert_int_equal(s.k0, 4);
    assert_int_equal(s.t0, 8);
    assert_int_equal(s.groups, 3);     /* ceil(20 / 8) */
    assert_int_equal(s.run_chunks, 4); /* 2 positions of ceil(5 / 4) */
    assert_int_equal(s.n_slices, 3 * 3 * 4);
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 32, 20, 3, 2, 5, 1), FLX_OK);
    assert_int_equal(s.run_chunks, 3); /* ceil(2 * 5 / 4) */
    assert_int_equal(s.n_slices, 3 * 3 * 3);
}

static ptrdiff_t ohwi(struct shape d, int o, int ky, int kx, int c)
{
    return (((ptrdiff_t)o * d.kh + ky) * d.kw + kx) * d.in_c + c;
}

static void tile_order_follows_the_formula(void **state)
{
    (void)state;
    const struct shape d = {20, 3, 2, 5};
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 32, d.out_c, d.kh, d.kw, d.in_c, 0),
                     FLX_OK);
    /* group 1, ky 2, kx 1, chunk of inputs 0..3; row: input 3, channel 6 of the group */
    size_t slice = (1 * 3 + 2) * 4 + (1 * 2 + 0);
    assert_int_equal(flx_slicing_index(&s, slice, 3 * 8 + 6), ohwi(d, 14, 2, 1, 3));
    /* the next chunk holds input 4 and padding */
    assert_int_equal(flx_slicing_index(&s, slice + 1, 0), ohwi(d, 8, 2, 1, 4));
    assert_int_equal(flx_slicing_index(&s, slice + 1, 8), -1);
    /* group 2 holds channels 16..19 and padding */
    assert_int_equal(flx_slicing_index(&s, 2 * 3 * 4, 3), ohwi(d, 19, 0, 0, 0));
    assert_int_equal(flx_slicing_index(&s, 2 * 3 * 4, 4), -1);
}

static void row_packed_tile_order_follows_the_formula(void **state)
{
    (void)state;
    const struct shape d = {20, 3, 2, 5};
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 32, d.out_c, d.kh, d.kw, d.in_c, 1),
                     FLX_OK);
    size_t slice = (1 * 3 + 2) * 3 + 1; /* inputs 4..7 of the run: (0,4) (1,0) (1,1) (1,2) */
    assert_int_equal(flx_slicing_index(&s, slice, 0), ohwi(d, 8, 2, 0, 4));
    assert_int_equal(flx_slicing_index(&s, slice, 8 + 5), ohwi(d, 13, 2, 1, 0));
    /* inputs 8, 9 and two of padding */
    assert_int_equal(flx_slicing_index(&s, slice + 1, 8), ohwi(d, 8, 2, 1, 4));
    assert_int_equal(flx_slicing_index(&s, slice + 1, 16), -1);
}

static void flat_order_runs_through_hwio(void **state)
{
    (void)state;
    const struct shape d = {6, 2, 3, 5};
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_FLAT, 10, d.out_c, d.kh, d.kw, d.in_c, 0),
                     FLX_OK);
    size_t at = 0;
    for (int ky = 0; ky < d.kh; ky++)
        for (int kx = 0; kx < d.kw; kx++)
            for (int c = 0; c < d.in_c; c++)
                for (int o = 0; o < d.out_c; o++, at++)
                    assert_int_equal(flx_slicing_index(&s, at / 10, (int)(at % 10)),
                                     ohwi(d, o, ky, kx, c));
    assert_int_equal(s.n_slices, at / 10);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    struct flx_slicing s;
    static const struct shape bad[] = {
        {0, 1, 1, 1}, {1, 0, 1, 1},         {1, 1, -1, 1},
        {1, 1, 1, 0}, {65536, 1, 1, 32768}, {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int order = 0; order < 2; order++)
            assert_int_equal(flx_slicing_init(&s, (enum flx_slice_order)order, 32, bad[i].out_c,
                                              bad[i].kh, bad[i].kw, bad[i].in_c, 0),
                             FLX_ERR_ARG);
}

static void impossible_n_out_and_order_are_refused(void **state)
{
    (void)state;
    struct flx_slicing s;
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 10, 1, 1, 1, 1, 0), FLX_ERR_ARG);
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_FLAT, 10, 1, 1, 1, 1, 0), FLX_OK);
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_FLAT, 0, 1, 1, 1, 1, 0), FLX_ERR_ARG);
    assert_int_equal(flx_slicing_init(&s, FLX_SLICE_TILE, 36, 1, 1, 1, 1, 0), FLX_ERR_ARG);
    assert_int_equal(flx_slicing_init(&s, (enum flx_slice_order)2, 32, 1, 1, 1, 1, 0), FLX_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tile_order_places_every_weight_once),
        cmocka_unit_test(row_packed_tile_order_places_every_weight_once),
        cmocka_unit_test(flat_order_places_every_weight_once),
        cmocka_unit_test(tile_order_counts_slices_as_the_format_says),
        cmocka_unit_test(tile_order_follows_the_formula),
        cmocka_unit_test(row_packed_tile_order_follows_the_formula),
        cmocka_unit_test(flat_order_runs_through_hwio),
        cmocka_unit_test(impossible_shapes_are_refused),
        cmocka_unit_test(impossible_n_out_and_order_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
