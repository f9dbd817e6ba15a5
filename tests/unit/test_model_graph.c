/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that are no chains: inputs, skips and pools. */
#include "model_file.h"
#include "resnet_fixture.h"

static struct flx_model *small_resnet(void)
{
    static const int n_in[] = {26};
    struct flx_model *m = resnet_model(resnet_find("resnet18-small"), n_in, 1, 1);
    assert_non_null(m);
    return m;
}

/* The check refuses the model with that word in its sentence. */
static void unfit(const struct flx_model *m, int status, const char *word)
{
    assert_int_equal(flx_model_check(m), status);
    if (!strstr(flx_last_error(), word))
        fail_msg("'%s' does not say '%s'", flx_last_error(), word);
}

static void a_layer_reads_a_layer_before_it_and_only_the_first_the_image(void **state)
{
    (void)state;
    struct flx_model *m = small_resnet();
    m->layers[3].input = 3;
    unfit(m, FLX_ERR_ARG, "conv4: reads layer 3");
    m->layers[3].input = FLX_IMAGE;
    unfit(m, FLX_ERR_ARG, "conv4: reads layer -1");
    m->layers[3].input = 2;
    m->layers[0].input = 0;
    unfit(m, FLX_ERR_ARG, "conv1: reads layer 0");
    m->layers[0].input = FLX_IMAGE;
    m->layers[9].input = 4;
    unfit(m, FLX_ERR_ARG, "conv10: takes 8x8x32, but gets 16x16x16");
    flx_model_free(m);
}

static void only_the_first_layer_is_row_packed(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_layer *l = &m->layers[3]; /* 1x1: packed or not, the slices are the same */
    l->row_packed = l->slicing.row_packed = 1;
    unfit(m, FLX_ERR_ARG, "fc2: the first layer, and only it, is row-packed");
    flx_model_free(m);
}

static void a_skip_comes_from_a_layer_before_whose_map_is_large_enough(void **state)
{
    (void)state;
    struct flx_model *m = small_resnet();
    struct flx_layer *l = &m->layers[7]; /* 8x8 positions, adds the projection conv6 */
    l->skip = 7;
    unfit(m, FLX_ERR_ARG, "conv8: adds layer 7");
    l->skip = -3;
    unfit(m, FLX_ERR_ARG, "conv8: adds layer -3");
    l->skip = 5;
    l->skip_stride = 2; /* 15 rows of 8 */
    unfit(m, FLX_ERR_ARG, "conv8: adds layer conv6 at stride 2");
    l->skip = 4; /* 15 rows of 16 */
    unfit(m, FLX_ERR_ARG, "conv6: no later layer uses its output");
    flx_model_free(m);
}

static void the_skip_counts_in_the_bound_of_v(void **state)
{
    (void)state;
    struct flx_model *m = small_resnet();
    struct flx_layer *l = &m->layers[7];
    int64_t inputs = 9 * 32, half = 1LL << (l->shift - 1);
    int64_t rest = llabs(l->m[0]) * (255 * inputs + 2 * inputs + 4096) + half;
    for (l->skip_m = -1000; l->skip_m <= 1000; l->skip_m += 2000) {
        l->beta[0] = (int32_t)((1LL << 31) - 1 - rest - 255 * 1000);
        assert_int_equal(flx_model_check(m), FLX_OK);
        l->beta[0]++;
        unfit(m, FLX_ERR_OVERFLOW, "conv8");
    }
    l->beta[0] = 0;
    l->skip_m = 32768;
    unfit(m, FLX_ERR_ARG, "conv8: the multiplier of its skip");
    flx_model_free(m);
}

/* LeNet's second layer has 8x8 positions. */
static void a_pool_has_no_empty_window_and_fits_its_map(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_layer l = m->layers[1];
    l.pool = 3;
    l.pool_stride = 2;
    l.pool_pad = 1;
    assert_int_equal(flx_layer_derive(m, &l), FLX_OK);
    assert_int_equal(l.out_h, 4);
    l.pool_pad = 2;
    assert_int_equal(flx_layer_derive(m, &l), FLX_ERR_ARG);
    l.pool = 9;
    l.pool_pad = 0;
    assert_int_equal(flx_layer_derive(m, &l), FLX_ERR_ARG);
    l.pool_pad = 1;
    assert_int_equal(flx_layer_derive(m, &l), FLX_OK);
    assert_int_equal(l.out_h, 1);
    l.pool_shift = 1; /* of a maximum */
    assert_int_equal(flx_layer_derive(m, &l), FLX_ERR_ARG);
    l.pool_kind = FLX_POOL_SUM;
    assert_int_equal(flx_layer_derive(m, &l), FLX_OK);
    l.pool = 1;
    l.pool_pad = 0;
    assert_int_equal(flx_layer_derive(m, &l), FLX_ERR_ARG);
    flx_model_free(m);
}

/* A 1x1 layer over a map of @p size, summed up, and one that gives the logit. */
static struct flx_model *sum_model(int size)
{
    struct flx_model *m = flx_model_new();
    snprintf(m->name, sizeof m->name, "sum");
    m->in_h = m->in_w = size;
    m->in_c = m->classes = m->n_nets = 1;
    m->act_bits = 8;
    assert_int_equal(flx_xornet_default(&m->nets[0]), FLX_OK);
    for (m->n_layers = 0; m->n_layers < 2; m->n_layers++) {
        struct flx_layer *l = &m->layers[m->n_layers];
        flx_layer_defaults(l, m->n_layers);
        snprintf(l->name, sizeof l->name, m->n_layers ? "logits" : "sums");
        l->in_h = l->in_w = m->n_layers ? 1 : size;
        l->in_c = l->out_c = l->kh = l->kw = 1;
        l->n_in[0] = 13;
        l->logits = m->n_layers;
    }
    m->layers[0].pool = m->layers[0].pool_stride = size;
    m->layers[0].pool_kind = FLX_POOL_SUM;
    for (int i = 0; i < 2; i++)
        assert_int_equal(flx_layer_alloc(m, &m->layers[i]), FLX_OK);
    return m;
}

/* 90 * 90 * 255 is below 2^21, 91 * 91 * 255 is not. */
static void sums_of_a_pool_must_fit_the_accumulator(void **state)
{
    (void)state;
    struct flx_model *m = sum_model(90);
    assert_int_equal(flx_model_check(m), FLX_OK);
    flx_model_free(m);
    m = sum_model(91);
    unfit(m, FLX_ERR_OVERFLOW, "layer sums: sums of 91x91 codes");
    flx_model_free(m);
}

/* The network text of a model, to be freed. */
static char *text_of(const struct flx_model *m)
{
    char *text;
    assert_int_equal(flx_network_dump(m, &text), FLX_OK);
    return text;
}

static void edges_and_pools_are_written_only_where_they_are_not_plain(void **state)
{
    (void)state;
    static const int n_in[] = {26};
    struct flx_model *plain = fixture_lenet5(1);
    struct flx_model *m = resnet_model(resnet_find("resnet18-small"), n_in, 1, 1);
    char *text = text_of(plain);
    assert_null(strstr(text, "\"input\":0"));
    assert_null(strstr(text, "skip"));
    assert_null(strstr(text, "kind\":\"max"));
    free(text);
    text = text_of(m);
    assert_null(strstr(text, "\"input\":3"));
    assert_non_null(strstr(text, "\"input\":4")); /* conv7 reads conv5, like conv6 */
    assert_non_null(strstr(text, "\"skip\":{\"layer\":5,\"stride\":1,\"m\":"));
    assert_non_null(strstr(text, "\"pool\":{\"kind\":\"max\",\"size\":3,\"stride\":2,\"pad\":1,"
                                 "\"shift\":0}"));
    assert_non_null(strstr(text, "\"pool\":{\"kind\":\"sum\",\"size\":2,\"stride\":2,\"pad\":0,"
                                 "\"shift\":2}"));
    free(text);
    flx_model_free(plain);
    flx_model_free(m);
}

static void edges_and_pools_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    static const int n_in[] = {26};
    struct flx_model *m = resnet_model(resnet_find("resnet18-small"), n_in, 1, 1);
    refused_text(m, "\"skip\":{", "\"skip\":{\"more\":1,", FLX_ERR_UNSUPPORTED, "'more'");
    refused_text(m, "\"pool\":{", "\"pool\":{\"more\":1,", FLX_ERR_UNSUPPORTED, "'more'");
    refused_text(m, "\"kind\":\"max\"", "\"kind\":\"mean\"", FLX_ERR_UNSUPPORTED, "max, sum");
    refused_text(m, "\"size\":3,", "", FLX_ERR_FORMAT, "layer 0: 'size'");
    refused_text(m, "\"shift\":0}", "\"shift\":1}", FLX_ERR_FORMAT, "conv1: impossible shift");
    refused_text(m, "\"skip\":{\"layer\":0", "\"skip\":{\"layer\":2", FLX_ERR_FORMAT,
                 "conv3: adds layer 2");
    refused_text(m, "\"skip\":{\"layer\":0,", "\"skip\":{", FLX_ERR_FORMAT, "layer 2: 'layer'");
    refused_text(m, "\"input\":4", "\"input\":-1", FLX_ERR_FORMAT, "layer 6: 'input'");
    refused_text(m, "\"input\":4", "\"input\":6", FLX_ERR_FORMAT, "conv7: reads layer 6");
    flx_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_reads_a_layer_before_it_and_only_the_first_the_image),
        cmocka_unit_test(only_the_first_layer_is_row_packed),
        cmocka_unit_test(a_skip_comes_from_a_layer_before_whose_map_is_large_enough),
        cmocka_unit_test(the_skip_counts_in_the_bound_of_v),
        cmocka_unit_test(a_pool_has_no_empty_window_and_fits_its_map),
        cmocka_unit_test(sums_of_a_pool_must_fit_the_accumulator),
        cmocka_unit_test(edges_and_pools_are_written_only_where_they_are_not_plain),
        cmocka_unit_test(edges_and_pools_that_are_not_understood_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
