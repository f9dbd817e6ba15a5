/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "model_file.h"

#define MODELS 60

static void assert_same_model(const struct flx_model *a, const struct flx_model *b)
{
    struct file f = file_of(a), g = file_of(b);
    assert_int_equal(f.len, g.len);
    assert_memory_equal(f.bytes, g.bytes, f.len);
    free(f.bytes);
    free(g.bytes);
}

static void saved_models_come_back_identical(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    char path[] = "/tmp/flx_model_XXXXXX";
    close(mkstemp(path));
    for (uint64_t i = 0; i < MODELS; i++) {
        struct flx_model *m = fixture_model(seed + i), *again;
        assert_non_null(m);
        assert_int_equal(flx_model_save(m, path), FLX_OK);
        assert_int_equal(flx_model_load(path, &again), FLX_OK);
        assert_string_equal(m->name, again->name);
        assert_int_equal(m->n_layers, again->n_layers);
        assert_memory_equal(m->nets, again->nets, sizeof m->nets);
        for (int l = 0; l < m->n_layers; l++) {
            const struct flx_layer *x = &m->layers[l], *y = &again->layers[l];
            assert_int_equal(x->n_words, y->n_words);
            assert_int_equal(x->in_zero, y->in_zero);
            assert_memory_equal(x->beta, y->beta, (size_t)x->out_c * sizeof *x->beta);
            for (int p = 0; p < x->planes; p++)
                assert_memory_equal(x->bits[p], y->bits[p],
                                    (size_t)x->n_in[p] * x->n_words * sizeof *x->bits[p]);
        }
        assert_same_model(m, again);
        flx_model_free(m);
        flx_model_free(again);
    }
    unlink(path);
}

static void unused_bits_must_be_0(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_layer *l = &m->layers[0]; /* 4 groups x 5 rows x 2 chunks = 40 slices */
    assert_int_equal(l->slicing.n_slices, 40);
    l->bits[0][3] |= 1ULL << 40;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "conv1"));
    l->bits[0][3] &= ~(1ULL << 40);
    assert_int_equal(flx_model_check(m), FLX_OK);
    flx_model_free(m);
}

/* V's bound of conv2 by the formula of docs/numerics.md: the largest m that fits
 * is accepted, the next one is refused with the layer's name. */
static void a_layer_that_could_overflow_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_layer *l = &m->layers[1];
    int64_t inputs = 5 * 5 * 32, unit = 255 * inputs + 2 * inputs + 4096;
    l->beta[3] = -1000;
    for (l->shift = 0; l->shift <= 31; l->shift += 31) {
        int64_t half = l->shift ? 1LL << 30 : 0;
        int64_t most = ((1LL << 31) - 1 - 1000 - half) / unit;
        l->m[3] = (int16_t)-most;
        assert_int_equal(flx_model_check(m), FLX_OK);
        l->m[3] = (int16_t)(-most - 1);
        assert_int_equal(flx_model_check(m), FLX_ERR_OVERFLOW);
        assert_non_null(strstr(flx_last_error(), "conv2"));
    }
    l->shift = 31;
    unlink("/tmp/flx_model_never_written");
    assert_int_equal(flx_model_save(m, "/tmp/flx_model_never_written"), FLX_ERR_OVERFLOW);
    assert_int_equal(access("/tmp/flx_model_never_written", F_OK), -1);
    l->m[3] = 0;
    l->beta[3] = INT32_MIN;
    assert_int_equal(flx_model_check(m), FLX_ERR_OVERFLOW);
    flx_model_free(m);
}

/* One fully connected layer of @p inputs inputs and q planes. */
static struct flx_model *wide_model(int inputs, int planes, enum flx_plane_mode mode)
{
    struct flx_model *m = flx_model_new();
    struct flx_layer *l = &m->layers[0];
    snprintf(m->name, sizeof m->name, "wide");
    flx_layer_defaults(l, 0);
    snprintf(l->name, sizeof l->name, "only");
    m->in_h = m->in_w = m->classes = m->n_layers = m->n_nets = 1;
    m->in_c = l->in_c = inputs;
    m->act_bits = 8;
    assert_int_equal(flx_xornet_nested(&m->nets[0], 32, 13, 1), FLX_OK);
    l->in_h = l->in_w = l->out_c = l->kh = l->kw = l->logits = 1;
    l->planes = planes;
    l->plane_mode = mode;
    for (int p = 0; p < planes; p++)
        l->n_in[p] = 13;
    assert_int_equal(flx_layer_alloc(m, l), FLX_OK);
    return m;
}

static void sums_must_fit_the_accumulator(void **state)
{
    (void)state;
    /* 2^21 / 255 = 8224.1; in binary mode / (255 * 7) = 1174.8 */
    static const struct {
        int inputs, planes;
        enum flx_plane_mode mode;
        int status;
    } cases[] = {
        {8224, 1, FLX_PLANES_SCALED, FLX_OK}, {8225, 1, FLX_PLANES_SCALED, FLX_ERR_OVERFLOW},
        {8224, 3, FLX_PLANES_SCALED, FLX_OK}, {8224, 1, FLX_PLANES_BINARY, FLX_OK},
        {1174, 3, FLX_PLANES_BINARY, FLX_OK}, {1175, 3, FLX_PLANES_BINARY, FLX_ERR_OVERFLOW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flx_model *m = wide_model(cases[i].inputs, cases[i].planes, cases[i].mode);
        assert_int_equal(flx_model_check(m), cases[i].status);
        if (cases[i].status)
            assert_non_null(strstr(flx_last_error(), "layer only"));
        flx_model_free(m);
    }
}

static void a_model_changed_after_allocation_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_layer *l = &m->layers[0];
    l->stride = 2;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    l->stride = 1;
    l->order = FLX_SLICE_FLAT;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    l->order = FLX_SLICE_TILE;
    m->nets[0].seed = UINT64_MAX;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    m->nets[0].seed = 1;
    m->name[0] = 0;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    m->name[0] = 'x';
    assert_int_equal(flx_model_check(m), FLX_OK);
    flx_model_free(m);
}

static void a_layer_that_gives_no_logits_at_the_end_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    m->layers[3].logits = 0;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "fc2"));
    m->layers[3].logits = 1;
    m->n_layers = 0;
    assert_int_equal(flx_model_check(m), FLX_ERR_ARG);
    m->n_layers = 4;
    flx_model_free(m);
}

static void weights_are_the_rows_of_m_times_the_stored_bits(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    for (uint64_t i = 0; i < 20; i++) {
        struct flx_model *m = fixture_model(seed + i);
        const struct flx_layer *l = &m->layers[0];
        const struct flx_xornet *net = &m->nets[l->net[0]];
        size_t n = (size_t)(l->out_c * l->kh * l->kw * l->in_c), seen = 0;
        int8_t *w = calloc(n, 1);
        assert_int_equal(flx_layer_weights(m, l, 0, w), FLX_OK);
        for (size_t s = 0; s < l->slicing.n_slices; s++)
            for (int row = 0; row < net->n_out; row++) {
                ptrdiff_t at = flx_slicing_index(&l->slicing, s, row);
                int y = 0;
                for (int j = 0; j < l->n_in[0]; j++)
                    if (flx_xornet_row(net, l->n_in[0], row) >> j & 1)
                        y ^= (int)(l->bits[0][(size_t)j * l->n_words + s / 64] >> (s % 64) & 1);
                if (at >= 0) {
                    assert_int_equal(w[at], y ? 1 : -1);
                    seen++;
                }
            }
        assert_int_equal(seen, n);
        assert_int_equal(flx_layer_weights(m, l, l->planes, w), FLX_ERR_ARG);
        free(w);
        flx_model_free(m);
    }
}

static void stats_count_weights_operations_and_all_stored_bits(void **state)
{
    (void)state;
    char path[] = "/tmp/flx_model_XXXXXX";
    close(mkstemp(path));
    struct flx_model *m = fixture_lenet5(1);
    struct flx_model_stats s, t;
    assert_int_equal(flx_model_save(m, path), FLX_OK);
    struct file f = file_of(m);
    assert_int_equal(flx_model_stats(m, path, &s), FLX_OK);
    assert_int_equal(flx_model_stats(m, NULL, &t), FLX_OK);
    assert_memory_equal(&s, &t, sizeof s);
    uint64_t weights = 25 * 32 + 25 * 32 * 64 + 1024 * 512 + 512 * 10;
    assert_int_equal(s.weights, weights);
    assert_int_equal(s.macs, 25 * 32 * 576 + 25 * 32 * 64 * 64 + 1024 * 512 + 512 * 10);
    assert_int_equal(s.nominal_bits, weights * 19 / 32);
    assert_true(s.bits_per_weight == 19.0 / 32);
    assert_int_equal(s.bytes, f.len);
    assert_int_equal(s.stored_bits, f.len * 8);
    assert_true(s.bits_per_weight_stored == (double)(f.len * 8) / (double)weights);
    assert_int_equal(flx_model_stats(m, "/nowhere/model", &s), FLX_ERR_NOT_FOUND);
    free(f.bytes);
    unlink(path);
    flx_model_free(m);
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    struct flx_model *m = NULL;
    assert_int_equal(flx_model_load("/nowhere/model.safetensors", &m), FLX_ERR_NOT_FOUND);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_models_come_back_identical),
        cmocka_unit_test(unused_bits_must_be_0),
        cmocka_unit_test(a_layer_that_could_overflow_is_refused),
        cmocka_unit_test(sums_must_fit_the_accumulator),
        cmocka_unit_test(a_model_changed_after_allocation_is_refused),
        cmocka_unit_test(a_layer_that_gives_no_logits_at_the_end_is_refused),
        cmocka_unit_test(weights_are_the_rows_of_m_times_the_stored_bits),
        cmocka_unit_test(stats_count_weights_operations_and_all_stored_bits),
        cmocka_unit_test(a_missing_file_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
