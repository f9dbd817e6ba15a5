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

static void option_text_reads_back(void **state)
{
    (void)state;
    struct flx_train_options a, b;
    char text[512];
    flx_train_defaults(&a);
    assert_int_equal(flx_train_option_set(&a, "lr", "0.0123"), FLX_OK);
    assert_int_equal(flx_train_option_set(&a, "xor", "fill"), FLX_OK);
    a.decay = 1.0 / 3; /* needs all digits */
    assert_int_equal(flx_train_option_set(&a, "seed", "9007199254740991"), FLX_OK);
    memset(&b, 0, sizeof b);
    for (int i = 0; i < flx_train_option_count(); i++) {
        flx_train_option_text(&a, i, text, sizeof text);
        assert_int_equal(flx_train_option_set(&b, flx_train_option_name(i), text), FLX_OK);
    }
    assert_true(a.lr == b.lr && a.decay == b.decay && a.seed == b.seed && a.xor_kind == b.xor_kind);
    assert_string_equal(a.data, b.data);
}

static void impossible_values_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"bits", "4.5"},    {"bits", "x"},   {"nin", "33"},       {"nin", "-1"},
        {"nin", "1.5"},     {"epochs", "-1"}, {"epochs", ""},      {"batch", "1e9"},
        {"lr", "nan"},      {"lr", "-1"},    {"mode", "ternary"}, {"augment", "rotate"},
        {"data", ""},       {"seed", "-1"},  {"colour", "red"},   {"s-tanh", "0"},
        {"threads", "9999"}};
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
    assert_int_equal(check_options(binary, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(both, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(wide, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(odd, 2, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(few, 1, &o), FLX_ERR_ARG);
    assert_int_equal(check_options(model, 1, &o), FLX_ERR_ARG);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_network_follows_the_formula),
        cmocka_unit_test(random_taps_follow_the_formula),
        cmocka_unit_test(identity_is_plain_binary),
        cmocka_unit_test(sign_of_zero_is_plus_one),
        cmocka_unit_test(gradient_does_not_depend_on_threads),
        cmocka_unit_test(option_text_reads_back),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(contradicting_options_are_refused),
        cmocka_unit_test(bits_set_the_stored_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
