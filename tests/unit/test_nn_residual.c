/* SPDX-License-Identifier: Apache-2.0 */
/* Residual networks against direct loops over their definition. */
#include "nn_fixture.h"

static void float_logits_equal_the_direct_ones(void **state)
{
    int which = *(const int *)*state;
    struct fixture f;
    struct direct d;
    setup(&f, which, (struct flx_net_config){.mode = FLX_NN_FLOAT});
    loss_of(&f);
    direct_forward(&f, &d);
    for (int i = 0; i < BATCH * CLASSES; i++)
        assert_true(fabs(d.logits[i] - (double)flx_net_logits(f.net)[i]) < 1e-4);
    direct_free(&d);
    flx_net_free(f.net);
}

/* The codes of each node from the codes that the net itself gave its readers: a value
 * that rounds the other way in float may differ by one, and only few do. */
static void check_codes(int which, struct flx_net_config config)
{
    struct fixture f;
    struct direct d;
    setup(&f, which, config);
    loss_of(&f);
    f.net->range_momentum = 0;
    for (int i = 0; i < NODES; i++)
        f.net->nodes[i].range = f.net->nodes[i].kind == FLX_NODE_LINEAR ? 2 : 3;
    loss_of(&f);
    for (size_t i = 0; i < sizeof f.images; i++)
        d.images[i] = f.images[i] >> (8 - f.net->act_bits);
    for (int i = 0; i < NODES - 1; i++) {
        const struct flx_node *nd = &f.net->nodes[i];
        size_t differ = 0, n = (size_t)(BATCH * nd->out_h * nd->out_w * nd->out_c);
        double *v = direct_values(f.net, &d, i, nd->input < 0 ? d.images : d.out[nd->input]);
        direct_encode(f.net, nd, v);
        d.out[i] = numbers(n);
        for (size_t k = 0; k < n; k++) {
            size_t c = (size_t)nd->out_c, place = k / c, w = (size_t)nd->out_w;
            size_t h = (size_t)nd->out_h;
            double want = direct_window(f.net, nd, v, (int)(place / w / h), (int)(place / w % h),
                                        (int)(place % w), (int)(k % c));
            assert_true(fabs(want - nd->codes[k]) <= 1);
            differ += want != nd->codes[k];
            d.out[i][k] = nd->codes[k];
        }
        assert_true(differ <= n / 500 + 1);
        free(v);
    }
    d.out[NODES - 1] = NULL;
    direct_free(&d);
    flx_net_free(f.net);
}

static void codes_of_8_bits_equal_the_direct_ones(void **state)
{
    int which = *(const int *)*state;
    check_codes(which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8});
}

static void codes_of_4_bits_equal_the_direct_ones(void **state)
{
    int which = *(const int *)*state;
    check_codes(which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 4});
}

static void codes_of_two_planes_equal_the_direct_ones(void **state)
{
    int which = *(const int *)*state;
    check_codes(which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8, .planes = 2});
}

static void sums_of_one_plane_are_exact(void **state)
{
    int which = *(const int *)*state;
    struct fixture f;
    static double in[BATCH * SIDE * SIDE * 32];
    setup(&f, which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8});
    loss_of(&f);
    for (int i = 0; i < NODES; i++) {
        const struct flx_node *nd = &f.net->nodes[i];
        const uint8_t *codes = i ? f.net->nodes[nd->input].codes : f.images;
        for (size_t k = 0; k < (size_t)(BATCH * nd->in_h * nd->in_w * nd->in_c); k++)
            in[k] = codes[k];
        for (int n = 0; n < BATCH; n++)
            for (int y = 0; y < nd->conv_h; y++)
                for (int x = 0; x < nd->conv_w; x++)
                    for (int o = 0; o < nd->out_c; o++)
                        assert_true(
                            (double)nd->sums[at(n, y, x, o, nd->conv_h, nd->conv_w, nd->out_c)] ==
                            direct_sum(nd, in, n, y, x, o));
    }
    flx_net_free(f.net);
}

/* Slopes of the loss along random directions against the gradient's. A ReLU or a maximum
 * may change over on the way, so that single slopes are off by a little. */
static void check_slopes(struct fixture *f, float *w, const float *g, size_t n)
{
    enum { MAX = 16384, DIRECTIONS = 8 };
    static float old[MAX], grad[MAX], dir[MAX];
    const float h = 1e-3F;
    double off = 0, all = 0;
    assert_true(n <= MAX);
    memcpy(old, w, n * sizeof *w);
    memcpy(grad, g, n * sizeof *g);
    for (int k = 0; k < DIRECTIONS; k++) {
        double want = 0, size = 0;
        for (size_t i = 0; i < n; i++) {
            dir[i] = normal(f);
            size += (double)(dir[i] * dir[i]);
        }
        for (size_t i = 0; i < n; i++) {
            dir[i] /= (float)sqrt(size);
            want += (double)(dir[i] * grad[i]);
            w[i] = old[i] + h * dir[i];
        }
        double up = loss_of(f);
        for (size_t i = 0; i < n; i++)
            w[i] = old[i] - h * dir[i];
        double slope = (up - loss_of(f)) / (2 * (double)h);
        memcpy(w, old, n * sizeof *w);
        off += (slope - want) * (slope - want);
        all += want * want;
    }
    assert_true(sqrt(off) < 0.07 * sqrt(all));
}

static void float_gradients_equal_finite_differences(void **state)
{
    int which = *(const int *)*state;
    struct fixture f;
    setup(&f, which, (struct flx_net_config){.mode = FLX_NN_FLOAT, .f32 = 1});
    loss_of(&f);
    assert_int_equal(flx_net_backward(f.net), FLX_OK);
    for (int i = 0; i < NODES; i++) {
        struct flx_node *nd = &f.net->nodes[i];
        check_slopes(&f, nd->w, nd->dw, nd->n_weights);
        check_slopes(&f, nd->beta, nd->dbeta, (size_t)nd->out_c);
        if (nd->kind != FLX_NODE_LOGITS)
            check_slopes(&f, nd->gamma, nd->dgamma, (size_t)nd->out_c);
    }
    flx_net_free(f.net);
}

/* Cosine and ratio of lengths. */
static void check_close(const float *a, const float *b, size_t n, double cosine)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    assert_true(ab / sqrt(aa * bb) > cosine);
    assert_true(fabs(sqrt(aa / bb) - 1) < 4 * (1 - cosine));
}

/* The vector loops and bfloat16 against the plain loops and f32. */
static void check_types(int which, struct flx_net_config config)
{
    struct fixture a, b;
    setup(&a, which, config);
    config.f32 = 1;
    setup(&b, which, config);
    if (!a.net->bf16)
        print_message("no bfloat16 here: both nets compute in f32\n");
    assert_true(fabs(loss_of(&a) - loss_of(&b)) < 1e-3);
    assert_int_equal(flx_net_backward(a.net), FLX_OK);
    assert_int_equal(flx_net_backward(b.net), FLX_OK);
    for (int i = 0; i < NODES; i++) {
        struct flx_node *na = &a.net->nodes[i], *nb = &b.net->nodes[i];
        assert_true(fabsf(na->range - nb->range) < 1e-4F);
        check_close(na->dw, nb->dw, nb->n_weights, 0.998);
        check_close(na->dbeta, nb->dbeta, (size_t)nb->out_c, 0.998);
        if (nb->kind != FLX_NODE_LOGITS)
            check_close(na->dgamma, nb->dgamma, (size_t)nb->out_c, 0.998);
    }
    flx_net_free(a.net);
    flx_net_free(b.net);
}

static void bf16_gradients_are_near_the_f32_ones(void **state)
{
    int which = *(const int *)*state;
    check_types(which, (struct flx_net_config){.mode = FLX_NN_FLOAT});
    check_types(which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8, .planes = 2});
    check_types(which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 4});
}

/* A float net with the weights that the planes of @p q make together. */
static void mirror(int which, struct fixture *q, struct fixture *f)
{
    setup(f, which, (struct flx_net_config){.mode = FLX_NN_FLOAT, .f32 = 1});
    memcpy(f->images, q->images, sizeof f->images);
    memcpy(f->labels, q->labels, sizeof f->labels);
    for (int i = 0; i < NODES; i++) {
        struct flx_node *a = &q->net->nodes[i], *b = &f->net->nodes[i];
        size_t per = b->n_weights / (size_t)b->out_c;
        for (size_t k = 0; k < b->n_weights; k++) {
            b->w[k] = a->w8[0][k];
            for (int p = 1; p < a->planes; p++)
                b->w[k] += a->ratio[p][k / per] * a->w8[p][k];
            b->w[k] *= a->alpha[k / per];
        }
        memcpy(b->gamma, a->gamma, (size_t)a->out_c * sizeof(float));
        memcpy(b->beta, a->beta, (size_t)a->out_c * sizeof(float));
    }
}

static void check_mirrored(int which, int planes)
{
    struct fixture q, f;
    setup(&q, which,
          (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8, .planes = planes});
    mirror(which, &q, &f);
    for (int i = 0; i < 300; i++) /* until the ranges fit the activations */
        loss_of(&q);
    assert_true(fabs(loss_of(&q) - loss_of(&f)) < 0.05);
    assert_int_equal(flx_net_backward(q.net), FLX_OK);
    assert_int_equal(flx_net_backward(f.net), FLX_OK);
    for (int i = 0; i < NODES; i++) {
        struct flx_node *a = &q.net->nodes[i], *b = &f.net->nodes[i];
        size_t per = b->n_weights / (size_t)b->out_c;
        for (size_t k = 0; k < b->n_weights; k++) /* d/db = alpha d/dw */
            b->dw[k] *= a->alpha[k / per];
        check_close(a->dw, b->dw, a->n_weights, 0.9);
        check_close(a->dbeta, b->dbeta, (size_t)a->out_c, 0.9);
        for (int p = 1; p < a->planes; p++)
            for (int o = 0; o < a->out_c; o++) {
                double want = 0;
                for (size_t k = (size_t)o * per; k < (size_t)(o + 1) * per; k++)
                    want += (double)a->dw[k] * a->w8[p][k];
                assert_true(fabs(want - (double)a->dratio[p][o]) < 1e-5 + 1e-4 * fabs(want));
            }
    }
    flx_net_free(q.net);
    flx_net_free(f.net);
}

static void quantised_gradients_follow_the_float_net(void **state)
{
    int which = *(const int *)*state;
    check_mirrored(which, 1);
}

static void gradients_of_two_planes_follow_the_float_net(void **state)
{
    int which = *(const int *)*state;
    check_mirrored(which, 2);
}

static void running_statistics_approach_those_of_the_batch(void **state)
{
    int which = *(const int *)*state;
    struct fixture f;
    float train[BATCH * CLASSES];
    setup(&f, which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8});
    for (int i = 0; i < 600; i++)
        loss_of(&f);
    memcpy(train, flx_net_logits(f.net), sizeof train);
    assert_int_equal(flx_net_forward(f.net, f.images, 0), FLX_OK);
    for (int i = 0; i < BATCH * CLASSES; i++)
        assert_true(fabsf(train[i] - flx_net_logits(f.net)[i]) < 0.1F);
    flx_net_free(f.net);
}

static void passes_repeat_bit_for_bit(void **state)
{
    int which = *(const int *)*state;
    struct fixture a, b;
    setup(&a, which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8, .planes = 2});
    setup(&b, which, (struct flx_net_config){.mode = FLX_NN_QUANT, .act_bits = 8, .planes = 2});
    assert_true(loss_of(&a) == loss_of(&b));
    assert_int_equal(flx_net_backward(a.net), FLX_OK);
    assert_int_equal(flx_net_backward(b.net), FLX_OK);
    for (int i = 0; i < NODES; i++)
        assert_memory_equal(a.net->nodes[i].dw, b.net->nodes[i].dw,
                            a.net->nodes[i].n_weights * sizeof(float));
    flx_net_free(a.net);
    flx_net_free(b.net);
}

int main(void)
{
    static int numbers_of_nets[] = {0, 1};
#define BOTH(test)                                                                                 \
    {#test " (narrow)", test, NULL, NULL, &numbers_of_nets[0]},                                    \
    {                                                                                              \
#test " (wide)", test, NULL, NULL, &numbers_of_nets[1]                                     \
    }
    const struct CMUnitTest tests[] = {
        BOTH(float_logits_equal_the_direct_ones),
        BOTH(codes_of_8_bits_equal_the_direct_ones),
        BOTH(codes_of_4_bits_equal_the_direct_ones),
        BOTH(codes_of_two_planes_equal_the_direct_ones),
        BOTH(sums_of_one_plane_are_exact),
        BOTH(float_gradients_equal_finite_differences),
        BOTH(bf16_gradients_are_near_the_f32_ones),
        BOTH(quantised_gradients_follow_the_float_net),
        BOTH(gradients_of_two_planes_follow_the_float_net),
        BOTH(running_statistics_approach_those_of_the_batch),
        BOTH(passes_repeat_bit_for_bit),
    };
#undef BOTH
    return cmocka_run_group_tests(tests, NULL, NULL);
}
