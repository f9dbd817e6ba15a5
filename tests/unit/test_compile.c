/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/compile_internal.h"
#include "device_fixture.h"
#include "flexor/exec.h"
#include "flexor/status.h"
#include "resnet_fixture.h"
#include "soft_array.h"

#define MODELS 150

static struct flx_xornet default_net(void)
{
    struct flx_xornet net;
    assert_int_equal(flx_xornet_nested(&net, 32, 13, 1), FLX_OK);
    return net;
}

static size_t codes_of(const struct flx_layer *l)
{
    return (size_t)l->out_h * (size_t)l->out_w * (size_t)l->out_c;
}

/* What the link would do with a compiled model before a run. */
static void install(struct soft_array *a, const struct flx_compiled *c)
{
    a->stream_len = a->stream_at = 0;
    memcpy(a->program, c->program, c->program_words * sizeof *c->program);
    for (size_t i = 0; i < c->n_params; i++) {
        const uint8_t *p = c->params + 6 * i;
        a->m[i] = (int16_t)(p[0] | p[1] << 8);
        a->beta[i] =
            (int32_t)(p[2] | (uint32_t)p[3] << 8 | (uint32_t)p[4] << 16 | (uint32_t)p[5] << 24);
    }
    for (int i = 0; i < c->n_layers; i++) {
        const struct flx_compiled_layer *l = &c->layer[i];
        for (uint32_t w = 0; w < l->words; w++) {
            const uint8_t *word = l->weights + w * l->word_bytes;
            if (c->streamed) {
                assert_true(a->stream_len + l->word_bytes <= SOFT_RING);
                memcpy(a->stream + a->stream_len, word, l->word_bytes);
                a->stream_len += l->word_bytes;
            } else {
                memcpy(a->weights + (size_t)(l->base + w) * SOFT_WORD, word, l->word_bytes);
            }
        }
    }
}

static void compare_layer(const struct soft_array *a, const struct flx_compiled *c, int i,
                          const uint8_t *expected, uint64_t seed)
{
    const struct flx_map *map = &c->layer[i].out;
    for (int at = 0; at < map->rows * map->columns; at++) {
        const uint8_t *pixel =
            a->act[0] + ((size_t)map->base + (size_t)at * map->pixel_words) * (size_t)a->d.k;
        if (memcmp(pixel, expected + (size_t)at * (size_t)map->channels, (size_t)map->channels))
            fail_msg("model %llu, layer %d, pixel %d differs from the plain reference",
                     (unsigned long long)seed, i, at);
    }
}

/* Two images, so that both image buffers are used; activations of every layer. */
static void run_model(uint64_t seed, const struct flx_model *m, const struct flx_desc *d,
                      int stream)
{
    struct flx_compiled c;
    uint8_t *acts[FLX_MAX_LAYERS] = {NULL};
    uint8_t *images = fixture_images(m, 2, seed);
    int32_t logits[32];
    size_t bytes = (size_t)m->in_h * (size_t)m->in_w * (size_t)m->in_c;
    int status = flx_compile(m, d, stream, &c);
    if (status)
        fail_msg("model %llu: %s", (unsigned long long)seed, flx_last_error());
    for (int i = 0; i < m->n_layers; i++)
        acts[i] = malloc(codes_of(&m->layers[i]));
    struct soft_array *a = soft_array_new(d, &m->nets[0], seed);
    for (int n = 0; n < 2; n++) {
        int last = n ? m->n_layers - 1 : m->n_layers / 2;
        assert_int_equal(flx_plain_run(m, images + (size_t)n * bytes, logits, acts), FLX_OK);
        memcpy(a->image[0], images + (size_t)n * bytes, bytes);
        install(a, &c);
        soft_run_begin(a, c.streamed, last);
        assert_true(soft_run_finish(a));
        if (last < m->n_layers - 1)
            compare_layer(a, &c, last, acts[last], seed);
    }
    if (memcmp(a->results[a->latest][0], logits, (size_t)m->classes * 4))
        fail_msg("model %llu: logits differ from the plain reference", (unsigned long long)seed);
    soft_array_free(a);
    flx_compiled_free(&c);
    for (int i = 0; i < m->n_layers; i++)
        free(acts[i]);
    free(images);
}

static void compiled_models_give_the_plain_logits_on_any_array(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < MODELS; i++) {
        struct flx_rng r;
        struct flx_xornet net;
        flx_rng_init(&r, seed + i, 4);
        assert_int_equal(fixture_net(&r, &net, i % 3 ? 32 : 20), FLX_OK);
        int act_bits = i % 5 ? 8 : 4;
        struct flx_model *m = fixture_device_model(seed + i, &net, act_bits);
        assert_non_null(m);
        struct flx_desc d = fixture_random_desc(&r, &net, act_bits);
        d.p = 1;
        run_model(seed + i, m, &d, i % 2);
        flx_model_free(m);
    }
}

static void lenet5_takes_2290_weight_words_on_16_by_16(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
    struct flx_compiled c;
    assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK);
    assert_int_equal(c.weight_words, 2290);
    assert_int_equal(c.layer[1].word_bytes, 19);
    assert_false(c.streamed);
    run_model(1, m, &d, 0);
    flx_compiled_free(&c);
    flx_model_free(m);
}

/* Whether compiling for d fails so, with the word in its sentence. */
static void expect(const struct flx_model *m, const struct flx_desc *d, int status,
                   const char *word)
{
    struct flx_compiled c;
    assert_int_equal(flx_compile(m, d, 0, &c), status);
    if (!strstr(flx_last_error(), word))
        fail_msg("'%s' does not say %s", flx_last_error(), word);
    flx_compiled_free(&c);
}

static void what_does_not_fit_is_named_with_its_parameter(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    const struct flx_desc fits = fixture_desc(16, 16, 1, &m->nets[0], 8);
    struct flx_desc d = fits;
    d.act_words = 512;
    expect(m, &d, FLX_ERR_CAPACITY, "AMEM_WORDS");
    d = fits;
    d.weight_words = 32;
    expect(m, &d, FLX_ERR_CAPACITY, "WMEM_WORDS");
    d = fits;
    d.param_entries = 512;
    expect(m, &d, FLX_ERR_CAPACITY, "PMEM_CH");
    d = fits;
    d.layers = 3;
    expect(m, &d, FLX_ERR_CAPACITY, "PROG_LAYERS");
    d = fits;
    d.results = 8;
    expect(m, &d, FLX_ERR_CAPACITY, "RES_WORDS");
    d = fits;
    d.window_max = 4;
    expect(m, &d, FLX_ERR_CAPACITY, "WIN_MAX");
    d = fits;
    d.nin_max = 18;
    expect(m, &d, FLX_ERR_CAPACITY, "NIN_MAX");
    d = fits;
    d.acc_bits = 18;
    expect(m, &d, FLX_ERR_OVERFLOW, "ACC_W");
    d = fits;
    d.act_bits = 4;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "ACT_W");
    d = fits;
    d.pixels = 4;
    d.k = 8;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "K a multiple of T");
    flx_model_free(m);
}

static void weights_that_do_not_fit_are_streamed(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
    struct flx_compiled c;
    d.weight_words = 2048;
    assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK);
    assert_true(c.streamed);
    flx_compiled_free(&c);
    d.weight_words = 4096;
    assert_int_equal(flx_compile(m, &d, 1, &c), FLX_OK);
    assert_true(c.streamed);
    flx_compiled_free(&c);
    flx_model_free(m);
}

static void another_xor_network_is_refused_by_both_hashes(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
    char hash[16];
    snprintf(hash, sizeof hash, "%08x", d.xor_hash);
    d.xor_hash = 0x12345678;
    expect(m, &d, FLX_ERR_XORNET, hash);
    expect(m, &d, FLX_ERR_XORNET, "12345678");
    expect(m, &d, FLX_ERR_XORNET, "XORNET=");
    flx_model_free(m);
}

static void codings_that_the_device_lacks_are_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
    struct flx_layer *l = &m->layers[1];
    l->order = FLX_SLICE_FLAT;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "tile order");
    l->order = FLX_SLICE_TILE;
    l->planes = 2;
    l->plane_mode = FLX_PLANES_BINARY;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "coded differently");
    l->planes = 1;
    l->pad = 1;
    l->in_zero = 3;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "padding code 3");
    l->pad = l->in_zero = 0;
    m->layers[0].row_packed = 0;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "row-packed");
    m->layers[0].row_packed = 1;
    l->row_packed = 1;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "row-packed");
    flx_model_free(m);
}

/* The last layer that reads or adds map i. */
static int last_use(const struct flx_model *m, int i)
{
    int last = i;
    for (int k = i + 1; k < m->n_layers; k++)
        if (m->layers[k].input == i || m->layers[k].skip == i)
            last = k;
    return last;
}

static int share(const struct flx_map *a, const struct flx_map *b)
{
    return a->base < b->base + b->words && b->base < a->base + a->words;
}

static void maps_that_are_needed_together_lie_apart(void **state)
{
    (void)state;
    struct flx_xornet net = default_net();
    uint64_t seed = fixture_seed();
    for (uint64_t s = seed; s < seed + MODELS; s++) {
        struct flx_model *m = fixture_device_model(s, &net, 8);
        struct flx_desc d = fixture_desc(8, 8, 1, &net, 8);
        struct flx_compiled c;
        assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK);
        for (int i = 0; i < c.n_layers - 1; i++) {
            const struct flx_map *map = &c.layer[i].out;
            assert_true(map->base >= c.image_base1 + c.image.words);
            assert_true(map->base + map->words <= d.act_words);
            for (int k = i + 1; k < c.n_layers - 1 && k <= last_use(m, i); k++) {
                /* Only the layer that adds a map as the last one may overwrite it. */
                int replaces = m->layers[k].skip == i && k == last_use(m, i);
                assert_true(replaces
                                ? !share(map, &c.layer[k].out) || map->base == c.layer[k].out.base
                                : !share(map, &c.layer[k].out));
            }
        }
        flx_compiled_free(&c);
        flx_model_free(m);
    }
}

/* Whether the first layer's output may lie where the image does: word for word. */
static int covers_image(const struct flx_compiled *c, const struct flx_desc *d)
{
    const struct flx_layer *l = &c->model->layers[0];
    const struct flx_map *out = &c->layer[0].out;
    return out->base == 0 && l->pool == 1 && l->out_c <= d->t &&
           out->row_words == c->image.row_words && out->pixel_words == c->image.pixel_words;
}

static void where_two_images_do_not_fit_the_first_layer_is_the_last_use_of_one(void **state)
{
    (void)state;
    struct flx_xornet net = default_net();
    uint64_t seed = fixture_seed();
    int alone = 0;
    for (uint64_t s = seed; s < seed + MODELS; s++) {
        struct flx_model *m = fixture_device_model(s, &net, 8);
        struct flx_desc d = fixture_desc(8, 8, 1, &net, 8);
        struct flx_compiled c;
        assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK);
        assert_false(c.one_image);
        d.act_words = 2 * c.image.words - 1;
        flx_compiled_free(&c);
        if (flx_compile(m, &d, 0, &c) == FLX_OK) {
            alone++;
            assert_true(c.one_image);
            assert_int_equal(c.image_base1, 0);
            assert_true(c.image.words <= d.act_words);
            assert_true(!share(&c.image, &c.layer[0].out) || covers_image(&c, &d));
        }
        flx_compiled_free(&c);
        flx_model_free(m);
    }
    assert_true(alone > 0);
}

/* Maps of 1,024 words: one is added and overwritten while another is read, and two images of
 * 34 x 32 words; or one image, which the first layer overwrites. */
static void resnet20_takes_4224_activation_words_on_16_by_16_or_2048_with_one_image(void **state)
{
    (void)state;
    const int n_in[] = {19};
    struct flx_model *m = resnet_model(resnet_find("resnet20"), n_in, 1, 1);
    assert_non_null(m);
    struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
    d.layers = 20;
    for (int one = 0; one < 2; one++) {
        struct flx_compiled c;
        d.act_words = one ? 2048 : 4224;
        assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK);
        assert_int_equal(c.one_image, one);
        assert_false(c.streamed);
        flx_compiled_free(&c);
    }
    d.act_words--;
    expect(m, &d, FLX_ERR_CAPACITY, "AMEM_WORDS=2048");
    flx_model_free(m);
}

static void layers_that_need_an_option_are_refused_by_its_name(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    const struct flx_desc full = fixture_desc(16, 16, 1, &m->nets[0], 8);
    struct flx_desc d = full;
    struct flx_layer *l = &m->layers[1];
    d.skip = d.windows = d.scaled = d.pool_bits = 0;
    struct flx_compiled c;
    assert_int_equal(flx_compile(m, &d, 0, &c), FLX_OK); /* LeNet-5 needs none */
    flx_compiled_free(&c);
    l->skip = 0;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "SKIP=1");
    l->skip = FLX_NO_SKIP;
    l->planes = 2;
    l->n_in[1] = l->n_in[0];
    expect(m, &d, FLX_ERR_UNSUPPORTED, "SCALED=1");
    l->planes = 1;
    l->pool_stride = 1;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "WINDOWS=1");
    l->pool_stride = l->pool;
    l->pool_pad = 1;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "WINDOWS=1");
    l->pool_pad = 0;
    l->pool_kind = FLX_POOL_SUM;
    expect(m, &d, FLX_ERR_UNSUPPORTED, "POOL_BITS=6");
    d = full;
    d.pool_bits = 1;
    expect(m, &d, FLX_ERR_CAPACITY, "POOL_BITS");
    flx_model_free(m);
}

/* A layer of 8 x 8 positions on a map of 12 x 12 pixels, two words each on a 16 x 16 array, whose
 * codes it adds too, and the mean of all positions. */
static struct flx_model *a_mean(void)
{
    struct flx_rng r;
    struct flx_model *m = flx_model_new();
    flx_rng_init(&r, 1, 2);
    snprintf(m->name, sizeof m->name, "mean");
    m->in_h = m->in_w = 28;
    m->in_c = 1;
    m->classes = 10;
    m->act_bits = 8;
    m->n_nets = 1;
    m->nets[0] = default_net();
    assert_int_equal(fixture_add(&r, m, "conv1", 5, 32, 2), FLX_OK);
    assert_int_equal(fixture_add(&r, m, "conv2", 5, 64, 8), FLX_OK);
    assert_int_equal(fixture_add(&r, m, "fc", 1, 10, 1), FLX_OK);
    struct flx_layer *l = &m->layers[1];
    l->pool_kind = FLX_POOL_SUM;
    l->pool_shift = 6;
    l->skip = 0;
    l->skip_stride = 1;
    m->layers[2].logits = 1;
    assert_int_equal(flx_model_check(m), FLX_OK);
    return m;
}

static int joined_by(const struct flx_layer *l, int pixels)
{
    struct flx_desc d = {.pixels = pixels};
    return flx_joined(l, &d);
}

static void one_window_a_row_whose_sum_is_wanted_is_joined(void **state)
{
    (void)state;
    struct flx_model *m = a_mean();
    struct flx_layer l = m->layers[1];
    assert_true(joined_by(&l, 4));
    assert_true(joined_by(&l, 2));
    assert_false(joined_by(&l, 1));
    l.out_h = 3; /* rows of windows do not matter */
    assert_true(joined_by(&l, 4));
    flx_model_free(m);
}

static void windows_that_lanes_cannot_share_are_not_joined(void **state)
{
    (void)state;
    struct flx_model *m = a_mean();
    struct flx_layer l = m->layers[1];
    l.pool = 6;
    assert_false(joined_by(&l, 4)); /* a pass of four, and two are left */
    assert_false(joined_by(&l, 3)); /* the half is divided by shifts */
    l = m->layers[1];
    l.out_w = 2;
    assert_false(joined_by(&l, 4));
    l = m->layers[1];
    l.pool_kind = FLX_POOL_MAX;
    assert_false(joined_by(&l, 4));
    l = m->layers[1];
    l.pool_pad = 1;
    assert_false(joined_by(&l, 4));
    l = m->layers[1];
    l.pool_shift = 2; /* the half is 2, for each of four lanes 1/2 */
    assert_false(joined_by(&l, 4));
    assert_true(joined_by(&l, 2));
    flx_model_free(m);
}

static void a_joined_layer_has_steps_of_lanes_and_of_passes(void **state)
{
    (void)state;
    struct flx_model *m = a_mean();
    struct flx_desc one = fixture_desc(16, 16, 1, &m->nets[0], 8), four = one;
    struct flx_compiled plain, joined;
    uint32_t expected[FLX_PROG_LAYER_WORDS];
    const size_t at = FLX_PROG_HDR_WORDS + FLX_PROG_LAYER_WORDS;
    four.pixels = 4;
    assert_int_equal(flx_compile(m, &one, 0, &plain), FLX_OK);
    assert_int_equal(flx_compile(m, &four, 0, &joined), FLX_OK);
    memcpy(expected, plain.program + at, sizeof expected);
    assert_int_equal(expected[4], 2);
    assert_int_equal(expected[9], 0xf);
    assert_int_equal(expected[14], 16 | 8 * 24 << 16);
    expected[0] |= 1 << 7;
    expected[4] = 8;             /* words of a pass: 4 columns of 2 */
    expected[9] |= 2u << 24;     /* passes for 8 columns */
    expected[14] -= 16 - 2;      /* words of a column in place of a window */
    expected[18] = 8 | 24 << 16; /* the same of the map that is added */
    expected[19] = 2 | 8 * 24 << 16;
    assert_memory_equal(joined.program + at, expected, sizeof expected);
    flx_compiled_free(&plain);
    flx_compiled_free(&joined);
    flx_model_free(m);
}

static void joined_layers_give_the_plain_logits(void **state)
{
    (void)state;
    struct flx_model *m = a_mean();
    for (int pixels = 2; pixels <= 4; pixels += 2) {
        struct flx_desc d = fixture_desc(16, 16, 1, &m->nets[0], 8);
        d.pixels = pixels;
        run_model((uint64_t)pixels, m, &d, 0);
    }
    flx_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiled_models_give_the_plain_logits_on_any_array),
        cmocka_unit_test(lenet5_takes_2290_weight_words_on_16_by_16),
        cmocka_unit_test(what_does_not_fit_is_named_with_its_parameter),
        cmocka_unit_test(weights_that_do_not_fit_are_streamed),
        cmocka_unit_test(another_xor_network_is_refused_by_both_hashes),
        cmocka_unit_test(codings_that_the_device_lacks_are_refused),
        cmocka_unit_test(maps_that_are_needed_together_lie_apart),
        cmocka_unit_test(where_two_images_do_not_fit_the_first_layer_is_the_last_use_of_one),
        cmocka_unit_test(resnet20_takes_4224_activation_words_on_16_by_16_or_2048_with_one_image),
        cmocka_unit_test(layers_that_need_an_option_are_refused_by_its_name),
        cmocka_unit_test(one_window_a_row_whose_sum_is_wanted_is_joined),
        cmocka_unit_test(windows_that_lanes_cannot_share_are_not_joined),
        cmocka_unit_test(a_joined_layer_has_steps_of_lanes_and_of_passes),
        cmocka_unit_test(joined_layers_give_the_plain_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
