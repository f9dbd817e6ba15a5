/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/exec_internal.h"
#include "flexor/status.h"
#include "resnet_fixture.h"

#define MODELS 300
#define IMAGES 3

static size_t codes_of(const struct flx_layer *l)
{
    return (size_t)l->out_h * (size_t)l->out_w * (size_t)l->out_c;
}

static size_t image_bytes(const struct flx_model *m)
{
    return (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c;
}

static void assert_same(const char *what, uint64_t seed, const void *got, const void *expected,
                        size_t n)
{
    if (memcmp(got, expected, n) != 0)
        fail_msg("%s of the random model %llu differ from the plain reference", what,
                 (unsigned long long)seed);
}

/* Logits and the codes of every layer, image by image. */
static void compare(const struct flx_model *m, uint64_t seed, flx_dot_fn *dot, int threads,
                    int count)
{
    struct flx_exec *e;
    uint8_t *images = fixture_images(m, count, seed), *acts[FLX_MAX_LAYERS] = {NULL};
    int32_t *logits = calloc((size_t)m->classes * (size_t)count, 4),
            *fast = calloc((size_t)m->classes * (size_t)count, 4);
    assert_int_equal(flx_exec_create_with(m, threads, dot, &e), FLX_OK);
    assert_int_equal(flx_exec_run(e, images, count, fast), FLX_OK);
    for (int i = 0; i < m->n_layers; i++)
        acts[i] = malloc(codes_of(&m->layers[i]));
    for (int n = 0; n < count; n++) {
        assert_int_equal(
            flx_plain_run(m, images + (size_t)n * image_bytes(m), logits + n * m->classes, acts),
            FLX_OK);
        for (int i = 0; i < m->n_layers - 1; i++) {
            size_t codes = codes_of(&m->layers[i]);
            uint8_t *all = malloc(codes * (size_t)count);
            assert_int_equal(flx_exec_activations(e, images, count, i, all), FLX_OK);
            assert_same("activations", seed, all + (size_t)n * codes, acts[i], codes);
            free(all);
        }
    }
    assert_same("logits", seed, fast, logits, (size_t)m->classes * (size_t)count * 4);
    for (int i = 0; i < m->n_layers; i++)
        free(acts[i]);
    free(images);
    free(logits);
    free(fast);
    flx_exec_free(e);
}

/* Each random model with each inner loop that this CPU has. */
static void fast_equals_plain_on_random_models(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < MODELS; i++) {
        struct flx_model *m = fixture_model(seed + i);
        assert_non_null(m);
        for (int kind = 0; kind < FLX_DOT_KINDS; kind++) {
            flx_dot_fn *dot = flx_dot_get((enum flx_dot_kind)kind);
            if (dot)
                compare(m, seed + i, dot, i % 8 ? 1 : 2, IMAGES);
        }
        flx_model_free(m);
    }
}

static void fast_equals_plain_on_lenet5(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_model *m = fixture_lenet5(seed);
    assert_non_null(m);
    compare(m, seed, flx_dot_get(flx_dot_best()), 2, IMAGES);
    flx_model_free(m);
}

static void fast_equals_plain_on_residual_networks(void **state)
{
    (void)state;
    static const char *const names[] = {"resnet20", "two-planes", "resnet18-small"};
    static const int n_in[] = {26, 19, 14};
    uint64_t seed = fixture_seed();
    for (int i = 0; i < 3; i++) {
        struct flx_model *m = resnet_model(resnet_find(names[i]), n_in, i ? 1 : 3, seed);
        assert_non_null(m);
        compare(m, seed, flx_dot_get(flx_dot_best()), 2, 1);
        flx_model_free(m);
    }
}

static void logits_do_not_depend_on_threads_or_batches(void **state)
{
    (void)state;
    enum { N = 61 };
    uint64_t seed = fixture_seed();
    struct flx_model *m = fixture_lenet5(seed);
    uint8_t *images = fixture_images(m, N, seed);
    int32_t logits[N][10], again[N][10];
    struct flx_exec *one, *two;
    assert_int_equal(flx_exec_create(m, 1, &one), FLX_OK);
    assert_int_equal(flx_exec_create(m, 2, &two), FLX_OK);
    assert_int_equal(flx_exec_run(one, images, N, logits[0]), FLX_OK);
    assert_int_equal(flx_exec_run(two, images, N, again[0]), FLX_OK);
    assert_memory_equal(logits, again, sizeof logits);
    for (int i = 0; i < N; i++)
        assert_int_equal(flx_exec_run(two, images + i * 784, 1, again[i]), FLX_OK);
    assert_memory_equal(logits, again, sizeof logits);
    assert_int_equal(flx_exec_run(one, images, 0, logits[0]), FLX_OK);
    flx_exec_free(one);
    flx_exec_free(two);
    free(images);
    flx_model_free(m);
}

/* One 1x1 layer with one channel: V = m·S + beta by hand. */
static void one_weight_gives_the_number_of_the_definition(void **state)
{
    (void)state;
    struct flx_model *m = flx_model_new();
    struct flx_layer *l = &m->layers[0];
    snprintf(m->name, sizeof m->name, "one");
    flx_layer_defaults(l, 0);
    snprintf(l->name, sizeof l->name, "only");
    m->in_h = m->in_w = m->in_c = m->classes = m->n_layers = m->n_nets = 1;
    m->act_bits = 8;
    assert_int_equal(flx_xornet_nested(&m->nets[0], 32, 13, 1), FLX_OK);
    l->in_h = l->in_w = l->in_c = l->out_c = l->kh = l->kw = l->logits = 1;
    l->n_in[0] = 32;
    assert_int_equal(flx_layer_alloc(m, l), FLX_OK);
    l->m[0] = -300;
    l->beta[0] = 17;
    for (int bit = 0; bit < 2; bit++) {
        uint8_t image = 200;
        int32_t logit = 0;
        struct flx_exec *e;
        l->bits[0][0] = (uint64_t)bit;
        assert_int_equal(flx_plain_run(m, &image, &logit, NULL), FLX_OK);
        assert_int_equal(logit, bit ? -300 * 200 + 17 : 300 * 200 + 17);
        assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
        logit = 0;
        assert_int_equal(flx_exec_run(e, &image, 1, &logit), FLX_OK);
        assert_int_equal(logit, bit ? -300 * 200 + 17 : 300 * 200 + 17);
        flx_exec_free(e);
    }
    flx_model_free(m);
}

/* Allocates a 1x1 layer of one channel; its weight is +1. */
static void set_one(struct flx_model *m, struct flx_layer *l, int16_t mul)
{
    assert_int_equal(flx_layer_alloc(m, l), FLX_OK);
    l->bits[0][0] = 1;
    l->m[0] = mul;
}

/* Appends a 1x1 layer of one channel that passes its codes on. */
static struct flx_layer *pass_on(struct flx_model *m, int side)
{
    struct flx_layer *l = &m->layers[m->n_layers];
    flx_layer_defaults(l, m->n_layers++);
    snprintf(l->name, sizeof l->name, "pass%d", m->n_layers);
    l->in_h = l->in_w = side;
    l->in_c = l->out_c = l->kh = l->kw = 1;
    l->n_in[0] = 32;
    set_one(m, l, 1);
    return l;
}

/* Codes of layer @p layer of both references; a last layer gives the logit. */
static void expect_codes(struct flx_model *m, const uint8_t *image, int layer,
                         const uint8_t *expected, size_t n)
{
    uint8_t plain[64] = {0}, fast[64] = {0}, *acts[FLX_MAX_LAYERS] = {NULL};
    int32_t logit;
    struct flx_exec *e;
    struct flx_layer *last = &m->layers[m->n_layers], *before = last - 1;
    flx_layer_defaults(last, m->n_layers++);
    snprintf(last->name, sizeof last->name, "logits");
    last->kh = last->kw = last->in_h = last->in_w = before->out_h;
    last->in_c = last->out_c = last->logits = 1;
    last->n_in[0] = 32;
    assert_int_equal(flx_layer_alloc(m, last), FLX_OK);
    acts[layer] = plain;
    assert_int_equal(flx_plain_run(m, image, &logit, acts), FLX_OK);
    assert_memory_equal(plain, expected, n);
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    assert_int_equal(flx_exec_activations(e, image, 1, layer, fast), FLX_OK);
    assert_memory_equal(fast, expected, n);
    flx_exec_free(e);
    flx_model_free(m);
}

/* A model without layers that takes @p side x @p side x 1 images. */
static struct flx_model *empty_model(int side)
{
    struct flx_model *m = flx_model_new();
    snprintf(m->name, sizeof m->name, "small");
    m->in_h = m->in_w = side;
    m->in_c = m->classes = m->n_nets = 1;
    m->act_bits = 8;
    assert_int_equal(flx_xornet_nested(&m->nets[0], 32, 13, 1), FLX_OK);
    return m;
}

static void pools_look_at_the_positions_that_exist(void **state)
{
    (void)state;
    static const uint8_t image[9] = {1, 2, 3, 4, 5, 6, 7, 200, 255};
    static const uint8_t largest[4] = {5, 6, 200, 255};
    /* (sum + 2) >> 2 of 12, 16, 216 and 466 */
    static const uint8_t sums[4] = {3, 4, 54, 117};
    for (int kind = 0; kind < 2; kind++) {
        struct flx_model *m = empty_model(3);
        struct flx_layer *l = pass_on(m, 3);
        l->pool = 3;
        l->pool_stride = 2;
        l->pool_pad = 1;
        l->pool_kind = (enum flx_pool_kind)kind;
        l->pool_shift = kind ? 2 : 0;
        set_one(m, l, 1);
        expect_codes(m, image, 0, kind ? sums : largest, 4);
    }
}

static void a_sum_pool_clamps(void **state)
{
    (void)state;
    static const uint8_t image[4] = {60, 70, 80, 255}, expected[1] = {255};
    struct flx_model *m = empty_model(2);
    struct flx_layer *l = pass_on(m, 2);
    l->pool = l->pool_stride = 2;
    l->pool_kind = FLX_POOL_SUM;
    set_one(m, l, 1);
    expect_codes(m, image, 0, expected, 1);
}

/* code = (2 a + 3 e + 1) >> 1, both at (2 y, 2 x) */
static void a_skip_adds_m_times_the_code_at_its_stride(void **state)
{
    (void)state;
    static const uint8_t image[9] = {10, 0, 20, 0, 99, 0, 30, 0, 40};
    static const uint8_t expected[4] = {15 + 10, 30 + 20, 45 + 30, 60 + 40};
    struct flx_model *m = empty_model(3);
    pass_on(m, 3);
    struct flx_layer *l = pass_on(m, 3);
    l->stride = l->skip_stride = 2;
    l->skip = 0;
    l->skip_m = 3;
    l->shift = 1;
    set_one(m, l, 2);
    expect_codes(m, image, 1, expected, 4);
}

static void requantise_rounds_half_up_and_clamps(void **state)
{
    (void)state;
    const int32_t v[16] = {-1000, -9, -8, -7, 7, 8, 23, 24, 4072, 4088, 1 << 30};
    const uint8_t shifted[11] = {0, 0, 0, 0, 0, 1, 1, 2, 255, 255, 255};
    const uint8_t plain[11] = {0, 0, 0, 0, 7, 8, 15, 15, 15, 15, 15};
    int32_t half[16], none[16] = {0}, one[16];
    uint8_t codes[16], *out[1] = {codes};
    for (int i = 0; i < 16; i++) {
        half[i] = 8;
        one[i] = 1;
    }
    struct flx_scaling s = {.base = half, .mul = one, .shift = 4, .max = 255};
    flx_requantise(out, 16, &s, v, 1, 1);
    assert_memory_equal(codes, shifted, 11);
    s = (struct flx_scaling){.base = none, .mul = one, .shift = 0, .max = 15};
    flx_requantise(out, 16, &s, v, 1, 1);
    assert_memory_equal(codes, plain, 11);
}

static void a_model_that_breaks_a_bound_is_not_run(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_exec *e;
    uint8_t *image = fixture_images(m, 1, 1);
    int32_t logits[10];
    m->layers[1].m[7] = 32767;
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_ERR_OVERFLOW);
    assert_non_null(strstr(flx_last_error(), "conv2"));
    assert_int_equal(flx_plain_run(m, image, logits, NULL), FLX_ERR_OVERFLOW);
    free(image);
    flx_model_free(m);
}

static void images_above_4_bits_are_refused_by_a_4_bit_model(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_exec *e;
    uint8_t image[784] = {0};
    int32_t logits[10];
    m->act_bits = 4;
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    image[783] = 15;
    assert_int_equal(flx_exec_run(e, image, 1, logits), FLX_OK);
    image[783] = 16;
    assert_int_equal(flx_exec_run(e, image, 1, logits), FLX_ERR_ARG);
    assert_int_equal(flx_plain_run(m, image, logits, NULL), FLX_ERR_ARG);
    flx_exec_free(e);
    flx_model_free(m);
}

static void the_last_layer_has_no_codes(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_exec *e;
    uint8_t image[784] = {0}, codes[512];
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    assert_int_equal(flx_exec_activations(e, image, 1, 2, codes), FLX_OK);
    assert_int_equal(flx_exec_activations(e, image, 1, 3, codes), FLX_ERR_ARG);
    assert_int_equal(flx_exec_activations(e, image, 1, -1, codes), FLX_ERR_ARG);
    flx_exec_free(e);
    flx_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_equals_plain_on_random_models),
        cmocka_unit_test(fast_equals_plain_on_lenet5),
        cmocka_unit_test(fast_equals_plain_on_residual_networks),
        cmocka_unit_test(logits_do_not_depend_on_threads_or_batches),
        cmocka_unit_test(one_weight_gives_the_number_of_the_definition),
        cmocka_unit_test(pools_look_at_the_positions_that_exist),
        cmocka_unit_test(a_sum_pool_clamps),
        cmocka_unit_test(a_skip_adds_m_times_the_code_at_its_stride),
        cmocka_unit_test(requantise_rounds_half_up_and_clamps),
        cmocka_unit_test(a_model_that_breaks_a_bound_is_not_run),
        cmocka_unit_test(images_above_4_bits_are_refused_by_a_4_bit_model),
        cmocka_unit_test(the_last_layer_has_no_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
