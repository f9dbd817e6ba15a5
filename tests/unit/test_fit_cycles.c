/* SPDX-License-Identifier: Apache-2.0 */
/* Cycles of one layer against numbers by hand. The array: K = T = 16, 4 requantiser lanes, so a
 * set takes 16/4 = 4 cycles there, and a layer 40 + 4 of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "device/fit_cycles.h"

#define START (40 + 4)

struct bench {
    struct flx_model *model;
    struct flx_compiled compiled;
    struct flx_desc desc;
    uint64_t busy, cycles;
};

/* Layer 1 of two layers with 32 output channels, so 2 groups; 9 words a group. */
static struct bench a_bench(int pixels, int rows, int columns)
{
    struct bench b = {.model = flx_model_new(),
                      .desc = {.k = 16, .t = 16, .p = 1, .rq_lanes = 4, .pixels = pixels}};
    assert_non_null(b.model);
    b.model->n_layers = 2;
    for (int i = 0; i < 2; i++)
        flx_layer_defaults(&b.model->layers[i], i);
    b.model->layers[0].out_c = 32;
    b.model->layers[1].out_h = rows;
    b.model->layers[1].out_w = columns;
    b.compiled.model = b.model;
    b.compiled.layer[1] = (struct flx_compiled_layer){.words = 2 * 9, .block_words = 9, .sets = 1};
    return b;
}

static void expect(struct bench *b, uint64_t busy, uint64_t cycles)
{
    flx_fit_cycles(&b->desc, &b->compiled, 1, &b->busy, &b->cycles);
    assert_int_equal(b->busy, busy);
    assert_int_equal(b->cycles, cycles);
    flx_model_free(b->model);
}

static void one_pixel_takes_a_step_an_output(void **state)
{
    (void)state;
    struct bench b = a_bench(1, 5, 6);
    expect(&b, 2 * 30 * 9, START + 30 * 2 * 9);
}

static void four_pixels_take_two_steps_for_a_row_of_six(void **state)
{
    (void)state;
    struct bench b = a_bench(4, 5, 6);
    expect(&b, 2 * 30 * 9, START + 5 * 2 * 2 * 9);
}

static void a_step_does_the_same_place_of_neighbouring_windows(void **state)
{
    (void)state;
    struct bench b = a_bench(4, 2, 3);
    b.model->layers[1].pool = b.model->layers[1].pool_stride = 2;
    expect(&b, 2 * 6 * 4 * 9, START + 2 * 4 * 2 * 9);
}

static void a_fully_connected_layer_takes_one_step(void **state)
{
    (void)state;
    struct bench b = a_bench(4, 1, 1);
    expect(&b, 2 * 9, START + 2 * 9);
}

static void additions_take_the_requantiser_twice_or_have_multipliers_of_their_own(void **state)
{
    (void)state;
    /* 8 cycles in the requantiser are less than 9 words and 1 word of codes; ... */
    struct bench one = a_bench(1, 5, 6);
    one.model->layers[1].skip = 0;
    expect(&one, 2 * 30 * 9, START + 30 * 2 * 10);
    /* ... with 3 words they are what counts, ... */
    struct bench few = a_bench(4, 5, 6);
    few.model->layers[1].skip = 0;
    few.compiled.layer[1].block_words = 3;
    few.compiled.layer[1].words = 2 * 3;
    expect(&few, 2 * 30 * 3, START + 10 * 2 * 8);
    /* ... or 4 and the one in which codes must wait for those before. */
    struct bench own = a_bench(4, 5, 6);
    own.model->layers[1].skip = 0;
    own.compiled.layer[1].block_words = 3;
    own.compiled.layer[1].words = 2 * 3;
    own.desc.skip = 2;
    expect(&own, 2 * 30 * 3, START + 10 * 2 * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pixel_takes_a_step_an_output),
        cmocka_unit_test(four_pixels_take_two_steps_for_a_row_of_six),
        cmocka_unit_test(a_step_does_the_same_place_of_neighbouring_windows),
        cmocka_unit_test(a_fully_connected_layer_takes_one_step),
        cmocka_unit_test(additions_take_the_requantiser_twice_or_have_multipliers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
