/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant/quant.h"

#define SEED 20240607

struct fixture {
    struct flx_xornet net;
    struct flx_xor_layer layer;
    int n_in;
    size_t n_weights;
    int8_t *w8;
    float *dw;
};

/* A layer out_c x kh x kw x in_c with random encrypted weights, a few of them 0. */
static void setup(struct fixture *f, int n_in, enum flx_slice_order order, const int shape[4],
                  int row_packed, uint64_t seed)
{
    struct flx_slicing slicing;
    struct flx_rng rng;
    flx_rng_init(&rng, seed, 0);
    f->n_in = n_in;
    f->n_weights = (size_t)shape[0] * (size_t)(shape[1] * shape[2] * shape[3]);
    assert_int_equal(flx_slicing_init(&slicing, order, f->net.n_out, shape[0], shape[1], shape[2],
                                      shape[3], row_packed),
                     FLX_OK);
    assert_int_equal(flx_xor_layer_init(&f->layer, &f->net, n_in, &slicing, f->n_weights, 10.0F),
                     FLX_OK);
    for (int j = 0; j < n_in; j++)
        for (size_t s = 0; s < slicing.n_slices; s++)
            f->layer.x[(size_t)j * f->layer.stride + s] =
                flx_rng_below(&rng, 50) ? 0.1F * (float)flx_rng_normal(&rng) : 0.0F;
    f->w8 = calloc(f->n_weights + 1, 1);
    f->dw = calloc(f->n_weights + 1, sizeof *f->dw);
    assert_non_null(f->w8);
    assert_non_null(f->dw);
    for (size_t i = 0; i < f->n_weights; i++)
        f->dw[i] = (float)flx_rng_normal(&rng);
}

static void teardown(struct fixture *f)
{
    flx_xor_layer_free(&f->layer);
    free(f->w8);
    free(f->dw);
}

static float stored(const struct fixture *f, int j, size_t s)
{
    return f->layer.x[(size_t)j * f->layer.stride + s];
}

/* y = (-1)^(n-1) * product of sign(x_j), without input @p skip. */
static int product(const struct fixture *f, int row, size_t s, int skip)
{
    uint32_t taps = flx_xornet_row(&f->net, f->n_in, row);
    int y = __builtin_popcount(taps) % 2 ? 1 : -1;
    for (int j = 0; j < f->n_in; j++)
        if ((taps >> j & 1) && j != skip && stored(f, j, s) < 0)
            y = -y;
    return y;
}

static void check_forward(struct fixture *f)
{
    const struct flx_slicing *sl = &f->layer.slicing;
    size_t seen = 0;
    flx_xor_forward(&f->layer, f->w8, 2);
    for (size_t s = 0; s < sl->n_slices; s++)
        for (int r = 0; r < f->net.n_out; r++) {
            ptrdiff_t at = flx_slicing_index(sl, s, r);
            if (at < 0)
                continue;
            assert_int_equal(f->w8[at], product(f, r, s, -1));
            seen++;
        }
    assert_int_equal(seen, f->n_weights);
}

/* Eq. 6, written as it stands in the paper. */
static double naive_gradient(const struct fixture *f, int j, size_t s)
{
    double steep = (double)f->layer.s_tanh, t = tanh(steep * (double)stored(f, j, s)), sum = 0;
    for (int r = 0; r < f->net.n_out; r++) {
        ptrdiff_t at = flx_slicing_index(&f->layer.slicing, s, r);
        if (at < 0 || !(flx_xornet_row(&f->net, f->n_in, r) >> j & 1))
            continue;
        sum += (double)f->dw[at] * steep * (1 - t * t) * product(f, r, s, j);
    }
    return sum;
}

static void check_backward(struct fixture *f)
{
    flx_xor_backward(&f->layer, f->dw, 2);
    for (int j = 0; j < f->n_in; j++)
        for (size_t s = 0; s < f->layer.slicing.n_slices; s++) {
            double want = naive_gradient(f, j, s);
            double got = (double)f->layer.g[(size_t)j * f->layer.stride + s];
            assert_true(fabs(got - want) <= 2e-5 * (fabs(want) + 10));
        }
}

static const int first_layer[4] = {32, 5, 5, 1}, inner_layer[4] = {20, 3, 3, 6},
                 full_layer[4] = {16, 2, 2, 8};

static void check_layers(struct fixture *f, int n_in, enum flx_slice_order order)
{
    const int *shapes[] = {first_layer, inner_layer, full_layer};
    for (int i = 0; i < 3; i++) {
        uint64_t seed = SEED + (uint64_t)(100 * i + n_in);
        print_message("seed %llu\n", (unsigned long long)seed);
        setup(f, n_in, order, shapes[i], i == 0, seed);
        check_forward(f);
        check_backward(f);
        teardown(f);
    }
}

static void nested_network_follows_the_formula(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    for (int n_in = 13; n_in <= 32; n_in += 6)
        check_layers(&f, n_in, FLX_SLICE_TILE);
}

static void random_taps_follow_the_formula(void **state)
{
    (void)state;
    struct fixture f = {0};
    for (int taps = 0; taps <= 4; taps++) {
        assert_int_equal(flx_xornet_random(&f.net, 12, 20, taps, SEED), FLX_OK);
        check_layers(&f, 12, taps % 2 ? FLX_SLICE_TILE : FLX_SLICE_FLAT);
    }
}

static void identity_is_plain_binary(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 32, FLX_SLICE_TILE, full_layer, 0, SEED);
    flx_xor_forward(&f.layer, f.w8, 1);
    for (size_t s = 0; s < f.layer.slicing.n_slices; s++)
        for (int r = 0; r < 32; r++)
            assert_int_equal(f.w8[flx_slicing_index(&f.layer.slicing, s, r)],
                             stored(&f, r, s) < 0 ? -1 : 1);
    teardown(&f);
}

static void sign_of_zero_is_plus_one(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 32, FLX_SLICE_TILE, full_layer, 0, SEED);
    memset(f.layer.x, 0, 32 * f.layer.stride * sizeof(float));
    flx_xor_forward(&f.layer, f.w8, 1);
    for (size_t i = 0; i < f.n_weights; i++)
        assert_int_equal(f.w8[i], 1);
    teardown(&f);
}

static void gradient_does_not_depend_on_threads(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 19, FLX_SLICE_TILE, (const int[4]){64, 4, 4, 32}, 0, SEED);
    size_t bytes = 19 * f.layer.stride * sizeof(float);
    float *first = malloc(bytes);
    assert_non_null(first);
    flx_xor_backward(&f.layer, f.dw, 1);
    memcpy(first, f.layer.g, bytes);
    flx_xor_backward(&f.layer, f.dw, 2);
    assert_memory_equal(first, f.layer.g, bytes);
    free(first);
    teardown(&f);
}

/* Without S and tanh: sum over the rows of dw times the signs of the other taps. */
static void straight_through_takes_the_signs_of_the_others(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 19, FLX_SLICE_TILE, inner_layer, 0, SEED);
    f.layer.estimator = FLX_ESTIMATOR_STE;
    flx_xor_backward(&f.layer, f.dw, 2);
    for (int j = 0; j < 19; j++)
        for (size_t s = 0; s < f.layer.slicing.n_slices; s++) {
            double want = 0;
            for (int r = 0; r < 32; r++) {
                ptrdiff_t at = flx_slicing_index(&f.layer.slicing, s, r);
                if (at >= 0 && (flx_xornet_row(&f.net, 19, r) >> j & 1))
                    want += (double)f.dw[at] * product(&f, r, s, j);
            }
            double got = (double)f.layer.g[(size_t)j * f.layer.stride + s];
            assert_true(fabs(got - want) <= 1e-5 * (fabs(want) + 1));
        }
    teardown(&f);
}

/* sum of dw * (-1)^(n-1) * product of tanh(S x), with input @p j moved by @p by. */
static double smooth_loss(const struct fixture *f, size_t s, int j, double by)
{
    double sum = 0, steep = (double)f->layer.s_tanh;
    for (int r = 0; r < f->net.n_out; r++) {
        ptrdiff_t at = flx_slicing_index(&f->layer.slicing, s, r);
        uint32_t taps = flx_xornet_row(&f->net, f->n_in, r);
        double y = __builtin_popcount(taps) % 2 ? 1 : -1;
        for (int k = 0; k < f->n_in; k++)
            if (taps >> k & 1)
                y *= tanh(steep * ((double)stored(f, k, s) + (k == j ? by : 0)));
        sum += at >= 0 ? (double)f->dw[at] * y : 0;
    }
    return sum;
}

static void analog_is_the_derivative_of_the_smooth_product(void **state)
{
    (void)state;
    struct fixture f = {0};
    for (int taps = 1; taps <= 3; taps++) {
        assert_int_equal(flx_xornet_random(&f.net, 12, 20, taps, SEED), FLX_OK);
        setup(&f, 12, FLX_SLICE_TILE, inner_layer, 0, SEED);
        f.layer.estimator = FLX_ESTIMATOR_ANALOG;
        flx_xor_backward(&f.layer, f.dw, 2);
        for (int j = 0; j < 12; j++)
            for (size_t s = 0; s < f.layer.slicing.n_slices; s++) {
                double want = (smooth_loss(&f, s, j, 1e-4) - smooth_loss(&f, s, j, -1e-4)) / 2e-4;
                double got = (double)f.layer.g[(size_t)j * f.layer.stride + s];
                assert_true(fabs(got - want) <= 1e-3 * (fabs(want) + 1));
            }
        teardown(&f);
    }
}

/* Part of the magnitude of @p target whose sign the decoded weights have. */
static double agreement(const struct fixture *f, const float *target)
{
    double sum = 0, all = 0;
    for (size_t i = 0; i < f->n_weights; i++) {
        double size = fabs((double)target[i]);
        all += size;
        sum += (target[i] < 0) == (f->w8[i] < 0) ? size : 0;
    }
    return sum / all;
}

static double encrypt(struct fixture *f, const float *target)
{
    flx_xor_encrypt(&f->layer, target, 0.1F, SEED);
    flx_xor_forward(&f->layer, f->w8, 1);
    return agreement(f, target);
}

static void encryption_finds_weights_that_have_a_code(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    for (int n_in = 13; n_in <= 32; n_in += 6) {
        setup(&f, n_in, FLX_SLICE_TILE, inner_layer, 0, SEED);
        flx_xor_forward(&f.layer, f.w8, 1);
        for (size_t i = 0; i < f.n_weights; i++)
            f.dw[i] = fabsf(f.dw[i]) * (float)f.w8[i];
        assert_true(encrypt(&f, f.dw) > 0.999999);
        teardown(&f);
    }
}

/* Targets drawn at random have no code: 0.5 by chance, n_in / n_out of the signs and
 * half of the others when only rows that are inputs were followed. */
static void encryption_agrees_better_than_chance(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 26, FLX_SLICE_TILE, full_layer, 0, SEED);
    double nested = encrypt(&f, f.dw);
    teardown(&f);
    assert_int_equal(flx_xornet_random(&f.net, 20, 20, 2, 1), FLX_OK);
    setup(&f, 20, FLX_SLICE_FLAT, full_layer, 0, SEED);
    double taps = encrypt(&f, f.dw);
    teardown(&f);
    print_message("agreement: nested 26/32 %.3f, two taps 20/20 %.3f\n", nested, taps);
    assert_true(nested > (26 + 3) / 32.0);
    assert_true(taps > 0.9);
}

static void encryption_is_exact_for_one_bit(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(flx_xornet_nested(&f.net, 32, 13, 1), FLX_OK);
    setup(&f, 32, FLX_SLICE_TILE, inner_layer, 0, SEED);
    assert_true(encrypt(&f, f.dw) > 0.999999);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_network_follows_the_formula),
        cmocka_unit_test(random_taps_follow_the_formula),
        cmocka_unit_test(identity_is_plain_binary),
        cmocka_unit_test(sign_of_zero_is_plus_one),
        cmocka_unit_test(gradient_does_not_depend_on_threads),
        cmocka_unit_test(straight_through_takes_the_signs_of_the_others),
        cmocka_unit_test(analog_is_the_derivative_of_the_smooth_product),
        cmocka_unit_test(encryption_finds_weights_that_have_a_code),
        cmocka_unit_test(encryption_agrees_better_than_chance),
        cmocka_unit_test(encryption_is_exact_for_one_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
