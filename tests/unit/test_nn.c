/* SPDX-License-Identifier: Apache-2.0 */
#include "nn_random.h"

#define SEED  7
#define BATCH 24
#define SIDE  10

/* 10x10x2 -> 3x3 convolution with padding, pooling that drops a row -> two full layers. */
static const struct flx_net_spec small_net = {.name = "small",
                                              .n_nodes = 3,
                                              .nodes = {{.name = "a",
                                                         .input = FLX_NN_IMAGE,
                                                         .out_c = 8,
                                                         .kernel = 3,
                                                         .stride = 1,
                                                         .skip = FLX_NN_NO_SKIP,
                                                         .pool = 3,
                                                         .pool_stride = 3},
                                                        {.name = "b",
                                                         .input = 0,
                                                         .out_c = 12,
                                                         .stride = 1,
                                                         .skip = FLX_NN_NO_SKIP,
                                                         .pool = 1,
                                                         .pool_stride = 1},
                                                        {.name = "c",
                                                         .kind = FLX_NODE_LOGITS,
                                                         .input = 1,
                                                         .out_c = 5,
                                                         .stride = 1,
                                                         .skip = FLX_NN_NO_SKIP,
                                                         .pool = 1,
                                                         .pool_stride = 1}}};

static void setup(struct fixture *f, enum flx_nn_mode mode, int threads)
{
    const struct flx_net_config config = {.mode = mode,
                                          .act_bits = 8,
                                          .planes = 1,
                                          .batch = BATCH,
                                          .in_h = SIDE,
                                          .in_w = SIDE,
                                          .in_c = 2,
                                          .threads = threads,
                                          .f32 = mode == FLX_NN_FLOAT};
    fixture_create(f, &small_net, &config, SEED, BATCH * SIDE * SIDE * 2);
}

/* Slope of the loss along a random direction against the gradient's. */
static void check_slope(struct fixture *f, float *w, const float *g, size_t n)
{
    enum { MAX = 4096 };
    static float old[MAX], grad[MAX], dir[MAX];
    const float h = 2e-3F;
    double want = 0, size = 0;
    assert_true(n <= MAX);
    memcpy(old, w, n * sizeof *w);
    memcpy(grad, g, n * sizeof *g);
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
    assert_true(fabs(slope - want) <= 0.02 * fabs(want) + 2e-4);
}

static void float_gradients_equal_finite_differences(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, FLX_NN_FLOAT, 2);
    loss_of(&f);
    assert_int_equal(flx_net_backward(f.net), FLX_OK);
    for (int i = 0; i < f.net->n_nodes; i++) {
        struct flx_node *nd = &f.net->nodes[i];
        for (int k = 0; k < 5; k++)
            check_slope(&f, nd->w, nd->dw, nd->n_weights);
        check_slope(&f, nd->beta, nd->dbeta, (size_t)nd->out_c);
        if (nd->kind != FLX_NODE_LOGITS)
            check_slope(&f, nd->gamma, nd->dgamma, (size_t)nd->out_c);
    }
    flx_net_free(f.net);
}

static void logit_scale_gradient_equals_finite_differences(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, FLX_NN_QUANT, 1);
    f.net->range_momentum = 0;
    loss_of(&f);
    assert_int_equal(flx_net_backward(f.net), FLX_OK);
    struct flx_node *last = &f.net->nodes[2];
    check_slope(&f, last->alpha, last->dalpha, 5);
    check_slope(&f, last->beta, last->dbeta, 5);
    flx_net_free(f.net);
}

/* Sum of an image at one output position, as docs/numerics.md writes it. */
static int naive_sum(const struct flx_node *nd, const uint8_t *in, int y, int x, int o)
{
    int sum = 0;
    for (int ky = 0; ky < nd->kh; ky++)
        for (int kx = 0; kx < nd->kw; kx++)
            for (int c = 0; c < nd->in_c; c++) {
                int at = ((y * nd->stride + ky) * nd->in_w + x * nd->stride + kx) * nd->in_c + c;
                sum += nd->w8[0][((o * nd->kh + ky) * nd->kw + kx) * nd->in_c + c] * in[at];
            }
    return sum;
}

static void check_node_sums(const struct flx_node *nd, const uint8_t *in)
{
    size_t image = (size_t)(nd->in_h * nd->in_w * nd->in_c), at = 0;
    for (int n = 0; n < BATCH; n++)
        for (int y = 0; y < nd->conv_h; y++)
            for (int x = 0; x < nd->conv_w; x++)
                for (int o = 0; o < nd->out_c; o++, at++)
                    assert_true(nd->sums[at] ==
                                (float)naive_sum(nd, in + (size_t)n * image, y, x, o));
}

static void quantised_sums_are_exact(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, FLX_NN_QUANT, 2);
    loss_of(&f);
    for (int i = 0; i < f.net->n_nodes; i++)
        check_node_sums(&f.net->nodes[i], i ? f.net->nodes[i - 1].codes : f.images);
    flx_net_free(f.net);
}

/* Code of a pool window: the largest requantised sum in it. */
static int naive_code(const struct flx_node *nd, int n, int oy, int ox, int o)
{
    int best = 0;
    for (int y = oy * nd->pool; y < (oy + 1) * nd->pool; y++)
        for (int x = ox * nd->pool; x < (ox + 1) * nd->pool; x++) {
            size_t at = (size_t)((n * nd->conv_h + y) * nd->conv_w + x) * (size_t)nd->out_c;
            float v = nd->sums[at + (size_t)o] * nd->scale[o] + nd->offset[o];
            int code = (int)floorf(v * (1 / nd->step_code) + 0.5F);
            code = code < 0 ? 0 : code > 255 ? 255 : code;
            best = code > best ? code : best;
        }
    return best;
}

static void codes_are_quantised_then_pooled(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, FLX_NN_QUANT, 2);
    loss_of(&f);
    struct flx_node *nd = &f.net->nodes[0];
    assert_int_equal(nd->out_h, 2); /* 8 rows, windows of 3: two are dropped */
    size_t at = 0;
    for (int n = 0; n < BATCH; n++)
        for (int y = 0; y < nd->out_h; y++)
            for (int x = 0; x < nd->out_w; x++)
                for (int o = 0; o < nd->out_c; o++, at++)
                    assert_int_equal(nd->codes[at], naive_code(nd, n, y, x, o));
    flx_net_free(f.net);
}

/* Same direction and length, up to what rounded activations do to a small batch. */
static void check_close(const float *a, const float *b, size_t n)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    assert_true(ab / sqrt(aa * bb) > 0.95);
    assert_true(fabs(sqrt(aa / bb) - 1) < 0.1);
}

/* With alpha * b as float weights, only the rounding of activations differs. */
static void quantised_gradients_follow_the_float_net(void **state)
{
    (void)state;
    struct fixture q, f;
    setup(&q, FLX_NN_QUANT, 1);
    setup(&f, FLX_NN_FLOAT, 1);
    for (int i = 0; i < 3; i++) {
        struct flx_node *a = &q.net->nodes[i], *b = &f.net->nodes[i];
        size_t per = b->n_weights / (size_t)b->out_c;
        for (size_t k = 0; k < b->n_weights; k++)
            b->w[k] = a->alpha[k / per] * a->w8[0][k];
        memcpy(b->gamma, a->gamma, (size_t)a->out_c * sizeof(float));
        memcpy(b->beta, a->beta, (size_t)a->out_c * sizeof(float));
    }
    memcpy(f.images, q.images, sizeof f.images);
    memcpy(f.labels, q.labels, sizeof f.labels);
    assert_true(fabs(loss_of(&q) - loss_of(&f)) < 0.02);
    assert_int_equal(flx_net_backward(q.net), FLX_OK);
    assert_int_equal(flx_net_backward(f.net), FLX_OK);
    for (int i = 0; i < 3; i++) {
        struct flx_node *a = &q.net->nodes[i], *b = &f.net->nodes[i];
        size_t per = b->n_weights / (size_t)b->out_c;
        for (size_t k = 0; k < b->n_weights; k++) /* d/db = alpha d/dw */
            b->dw[k] *= a->alpha[k / per];
        check_close(a->dw, b->dw, a->n_weights);
        check_close(a->dbeta, b->dbeta, (size_t)a->out_c);
        if (a->kind != FLX_NODE_LOGITS)
            check_close(a->dgamma, b->dgamma, (size_t)a->out_c);
    }
    flx_net_free(q.net);
    flx_net_free(f.net);
}

static void running_statistics_approach_those_of_the_batch(void **state)
{
    (void)state;
    struct fixture f;
    enum { N = BATCH * 5 };
    float train[N];
    setup(&f, FLX_NN_QUANT, 1);
    for (int i = 0; i < 400; i++) {
        loss_of(&f);
        memcpy(train, flx_net_logits(f.net), sizeof train);
    }
    assert_int_equal(flx_net_forward(f.net, f.images, 0), FLX_OK);
    for (int i = 0; i < N; i++)
        assert_true(fabsf(train[i] - flx_net_logits(f.net)[i]) < 0.05F);
    flx_net_free(f.net);
}

static void gradients_repeat_bit_for_bit(void **state)
{
    (void)state;
    struct fixture a, b;
    setup(&a, FLX_NN_QUANT, 2);
    setup(&b, FLX_NN_QUANT, 2);
    assert_true(loss_of(&a) == loss_of(&b));
    assert_int_equal(flx_net_backward(a.net), FLX_OK);
    assert_int_equal(flx_net_backward(b.net), FLX_OK);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(a.net->nodes[i].dw, b.net->nodes[i].dw,
                            a.net->nodes[i].n_weights * sizeof(float));
    flx_net_free(a.net);
    flx_net_free(b.net);
}

static void loss_of_equal_logits_is_log_of_classes(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, FLX_NN_FLOAT, 1);
    struct flx_node *last = &f.net->nodes[2];
    memset(last->w, 0, last->n_weights * sizeof(float));
    memset(last->beta, 0, 5 * sizeof(float));
    assert_true(fabs(loss_of(&f) - log(5)) < 1e-6);
    for (int i = 0; i < BATCH; i++) { /* each image's gradient sums to 0 */
        float sum = 0;
        for (int k = 0; k < 5; k++)
            sum += last->dout[i * 5 + k];
        assert_true(fabsf(sum) < 1e-6F);
    }
    flx_net_free(f.net);
}

/* Slope of the loss along each logit, by way of the biases of the last node: equal
 * logits for all images, so that a bias is a logit. */
static void distillation_pulls_towards_the_teacher(void **state)
{
    (void)state;
    struct fixture f;
    float teacher[BATCH * 5];
    double loss, up, down, kl = 0;
    int correct;
    setup(&f, FLX_NN_FLOAT, 1);
    struct flx_node *last = &f.net->nodes[2];
    memset(last->w, 0, last->n_weights * sizeof(float));
    for (int i = 0; i < BATCH * 5; i++)
        teacher[i] = 3 * normal(&f);
    const struct flx_loss kind = {
        .smoothing = 0.1F, .distill = 0.7F, .temperature = 4, .teacher = teacher};
    for (int k = 0; k < 5; k++) {
        float old = last->beta[k], h = 0.01F;
        last->beta[k] = old + h;
        assert_int_equal(flx_net_forward(f.net, f.images, 1), FLX_OK);
        flx_net_loss(f.net, f.labels, BATCH, &kind, &up, &correct);
        last->beta[k] = old - h;
        assert_int_equal(flx_net_forward(f.net, f.images, 1), FLX_OK);
        flx_net_loss(f.net, f.labels, BATCH, &kind, &down, &correct);
        last->beta[k] = old;
        assert_int_equal(flx_net_forward(f.net, f.images, 1), FLX_OK);
        flx_net_loss(f.net, f.labels, BATCH, &kind, &loss, &correct);
        assert_int_equal(flx_net_backward(f.net), FLX_OK);
        assert_true(fabs((up - down) / (2 * (double)h) - (double)last->dbeta[k]) < 1e-3);
    }
    const struct flx_loss own = {.distill = 1, .temperature = 2, .teacher = flx_net_logits(f.net)};
    flx_net_loss(f.net, f.labels, BATCH, &own, &kl, &correct);
    assert_true(fabs(kl) < 1e-6); /* a net that agrees with its teacher has nothing to learn */
    flx_net_free(f.net);
}

static void adam_follows_its_formula(void **state)
{
    (void)state;
    float w = 0.5F, g = 0, m = 0, v = 0;
    double ew = 0.5, em = 0, ev = 0;
    struct flx_param p = {.n = 1, .w = &w, .g = &g, .m = &m, .v = &v};
    for (int t = 1; t <= 20; t++) {
        double d = cos(t);
        g = (float)d;
        flx_adam_step(&p, 1, 0.01F, (uint64_t)t, 1);
        em = 0.9 * em + 0.1 * d;
        ev = 0.999 * ev + 0.001 * d * d;
        ew -= 0.01 * em / (1 - pow(0.9, t)) / (sqrt(ev / (1 - pow(0.999, t))) + 1e-8);
        assert_true(fabs((double)w - ew) < 1e-4);
    }
}

static void sgd_follows_its_formula(void **state)
{
    (void)state;
    float w = 1, g = 0.5F, m = 0, v = 0;
    struct flx_param p = {.n = 1, .w = &w, .g = &g, .m = &m, .v = &v, .decay = 0.1F};
    flx_sgd_step(&p, 1, 0.1F, 0.9F, 1); /* m = 0.6 */
    assert_true(fabsf(w - 0.94F) < 1e-6F);
    flx_sgd_step(&p, 1, 0.1F, 0.9F, 1); /* m = 0.54 + 0.5 + 0.094 */
    assert_true(fabsf(w - 0.8266F) < 1e-6F);
}

static void clipped_weights_stay_inside(void **state)
{
    (void)state;
    float w[2] = {0.1F, -0.1F}, g[2] = {-100, 100}, m[2] = {0}, v[2] = {0};
    struct flx_param p = {.n = 2, .w = w, .g = g, .m = m, .v = v, .clip = 0.2F};
    flx_sgd_step(&p, 1, 0.1F, 0, 1);
    assert_true(w[0] == 0.2F && w[1] == -0.2F);
}

static void impossible_geometry_is_refused(void **state)
{
    (void)state;
    struct flx_net *net = NULL;
    struct flx_net_spec lenet5;
    struct flx_net_config c = {.mode = FLX_NN_FLOAT, .batch = 2, .in_c = 1, .threads = 1};
    assert_int_equal(flx_net_spec_named("lenet5", 10, 0, 0, &lenet5), FLX_OK);
    c.in_h = c.in_w = 4;
    assert_int_equal(flx_net_create(&lenet5, &c, &net), FLX_ERR_ARG);
    c.in_h = c.in_w = 8;
    assert_int_equal(flx_net_create(&lenet5, &c, &net), FLX_ERR_ARG);
    assert_null(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_gradients_equal_finite_differences),
        cmocka_unit_test(logit_scale_gradient_equals_finite_differences),
        cmocka_unit_test(quantised_sums_are_exact),
        cmocka_unit_test(codes_are_quantised_then_pooled),
        cmocka_unit_test(quantised_gradients_follow_the_float_net),
        cmocka_unit_test(running_statistics_approach_those_of_the_batch),
        cmocka_unit_test(gradients_repeat_bit_for_bit),
        cmocka_unit_test(loss_of_equal_logits_is_log_of_classes),
        cmocka_unit_test(distillation_pulls_towards_the_teacher),
        cmocka_unit_test(adam_follows_its_formula),
        cmocka_unit_test(sgd_follows_its_formula),
        cmocka_unit_test(clipped_weights_stay_inside),
        cmocka_unit_test(impossible_geometry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
