/* SPDX-License-Identifier: Apache-2.0 */
/* Residual networks against direct loops over their definition (docs/numerics.md). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/nn.h"
#include "flexor/rng.h"
#include "flexor/status.h"

#define SEED    11
#define BATCH   16
#define SIDE    16 /* of the wide net, the largest */
#define CLASSES 5
#define NODES   9

/* All that a residual network may hold: overlapping maximum, identity skip, skip at
 * stride 2 into more channels, signed projection, mean over the whole map. */
static const char narrow[] =
    "{\"name\": \"all\", \"nodes\": ["
    "{\"name\": \"stem\", \"out_c\": 8, \"kernel\": 3, \"pad\": 1,"
    " \"pool\": {\"size\": 3, \"stride\": 2, \"pad\": 1}},"
    "{\"name\": \"a\", \"out_c\": 8, \"kernel\": 3, \"pad\": 1},"
    "{\"name\": \"b\", \"out_c\": 8, \"kernel\": 3, \"pad\": 1, \"skip\": \"stem\"},"
    "{\"name\": \"c\", \"out_c\": 12, \"kernel\": 3, \"stride\": 2, \"pad\": 1},"
    "{\"name\": \"d\", \"out_c\": 12, \"kernel\": 3, \"pad\": 1, \"skip\": \"b\"},"
    "{\"name\": \"p\", \"kind\": \"linear\", \"out_c\": 16, \"kernel\": 1},"
    "{\"name\": \"e\", \"input\": \"d\", \"out_c\": 16, \"kernel\": 3, \"pad\": 1},"
    "{\"name\": \"f\", \"out_c\": 16, \"kernel\": 3, \"pad\": 1, \"skip\": \"p\","
    " \"pool\": {\"kind\": \"mean\", \"size\": 0}},"
    "{\"name\": \"fc\", \"kind\": \"logits\", \"out_c\": 5, \"kernel\": 0}]}";

/* The same without the stem's pool, in shapes that the vector loops take. */
static const char wide[] =
    "{\"name\": \"wide\", \"nodes\": ["
    "{\"name\": \"stem\", \"out_c\": 16, \"kernel\": 3, \"pad\": 1},"
    "{\"name\": \"a\", \"out_c\": 16, \"kernel\": 3, \"pad\": 1},"
    "{\"name\": \"b\", \"out_c\": 16, \"kernel\": 3, \"pad\": 1, \"skip\": \"stem\"},"
    "{\"name\": \"c\", \"out_c\": 32, \"kernel\": 3, \"stride\": 2, \"pad\": 1},"
    "{\"name\": \"d\", \"out_c\": 32, \"kernel\": 3, \"pad\": 1, \"skip\": \"b\"},"
    "{\"name\": \"p\", \"kind\": \"linear\", \"out_c\": 32, \"kernel\": 1},"
    "{\"name\": \"e\", \"input\": \"d\", \"out_c\": 32, \"kernel\": 3, \"pad\": 1},"
    "{\"name\": \"f\", \"out_c\": 32, \"kernel\": 3, \"pad\": 1, \"skip\": \"p\","
    " \"pool\": {\"kind\": \"mean\", \"size\": 0}},"
    "{\"name\": \"fc\", \"kind\": \"logits\", \"out_c\": 5, \"kernel\": 0}]}";

static const char *const nets[] = {narrow, wide};
static const int sides[] = {12, 16};

struct fixture {
    struct flx_net *net;
    struct flx_rng rng;
    uint8_t images[BATCH * SIDE * SIDE * 3], labels[BATCH];
};

static float normal(struct fixture *f)
{
    return (float)flx_rng_normal(&f->rng);
}

static void randomise(struct fixture *f, struct flx_node *nd)
{
    float he = sqrtf(2.0F / (float)(nd->kh * nd->kw * nd->in_c));
    for (size_t i = 0; i < nd->n_weights; i++) {
        if (nd->w)
            nd->w[i] = he * normal(f);
        for (int p = 0; p < nd->planes && nd->w8[p]; p++)
            nd->w8[p][i] = flx_rng_next(&f->rng) & 1 ? 1 : -1;
    }
    for (int o = 0; o < nd->out_c; o++) {
        for (int p = 1; p < nd->planes; p++)
            nd->ratio[p][o] = 0.5F + 0.1F * normal(f);
        nd->alpha[o] = nd->w8[0] ? he * (1 + 0.2F * normal(f)) : 1;
        nd->gamma[o] = 1 + 0.2F * normal(f);
        nd->beta[o] = 0.2F * normal(f);
    }
}

static void setup(struct fixture *f, int which, struct flx_net_config config)
{
    struct flx_net_spec spec;
    flx_rng_init(&f->rng, SEED, 0);
    assert_int_equal(flx_net_spec_parse("test", nets[which], &spec), FLX_OK);
    config.batch = BATCH;
    config.in_h = config.in_w = sides[which];
    config.in_c = 3;
    config.planes = config.planes ? config.planes : 1;
    config.threads = 2;
    assert_int_equal(flx_net_create(&spec, &config, &f->net), FLX_OK);
    assert_int_equal(f->net->n_nodes, NODES);
    for (size_t i = 0; i < sizeof f->images; i++)
        f->images[i] = (uint8_t)flx_rng_next(&f->rng);
    for (int i = 0; i < BATCH; i++)
        f->labels[i] = (uint8_t)flx_rng_below(&f->rng, CLASSES);
    for (int i = 0; i < NODES; i++)
        randomise(f, &f->net->nodes[i]);
}

static double loss_of(struct fixture *f)
{
    double loss;
    int correct;
    const struct flx_loss kind = {.smoothing = 0.1F};
    assert_int_equal(flx_net_forward(f->net, f->images, 1), FLX_OK);
    flx_net_loss(f->net, f->labels, BATCH, &kind, &loss, &correct);
    return loss;
}

static size_t at(int n, int y, int x, int c, int h, int w, int channels)
{
    return (((size_t)n * (size_t)h + (size_t)y) * (size_t)w + (size_t)x) * (size_t)channels +
           (size_t)c;
}

/* The direct implementation: what each node hands on, codes or values, as doubles. */
struct direct {
    double *out[NODES];
    double images[BATCH * SIDE * SIDE * 3];
    double logits[BATCH * CLASSES];
};

static double *numbers(size_t n)
{
    double *p = calloc(n, sizeof *p);
    assert_non_null(p);
    return p;
}

static double direct_sum(const struct flx_node *nd, const double *in, int n, int y, int x, int o)
{
    double sum = 0;
    for (int ky = 0; ky < nd->kh; ky++)
        for (int kx = 0; kx < nd->kw; kx++)
            for (int c = 0; c < nd->in_c; c++) {
                int iy = y * nd->stride + ky - nd->pad, ix = x * nd->stride + kx - nd->pad;
                if (iy < 0 || iy >= nd->in_h || ix < 0 || ix >= nd->in_w)
                    continue;
                size_t k = at(o, ky, kx, c, nd->kh, nd->kw, nd->in_c);
                double w = nd->w ? (double)nd->w[k] : nd->w8[0][k];
                for (int p = 1; p < nd->planes; p++)
                    w += (double)nd->ratio[p][o] * nd->w8[p][k];
                sum += w * in[at(n, iy, ix, c, nd->in_h, nd->in_w, nd->in_c)];
            }
    return sum;
}

/* Real values of the map before the ReLU, from the sums and the batch's statistics. */
static double *direct_values(const struct flx_net *net, const struct direct *d, int i,
                             const double *in)
{
    const struct flx_node *nd = &net->nodes[i];
    size_t places = (size_t)(BATCH * nd->conv_h * nd->conv_w), c = (size_t)nd->out_c;
    double *v = numbers(places * c);
    for (int n = 0; n < BATCH; n++)
        for (int y = 0; y < nd->conv_h; y++)
            for (int x = 0; x < nd->conv_w; x++)
                for (int o = 0; o < nd->out_c; o++)
                    v[at(n, y, x, o, nd->conv_h, nd->conv_w, nd->out_c)] =
                        direct_sum(nd, in, n, y, x, o) * (double)(nd->alpha[o] * nd->step_in);
    if (nd->kind == FLX_NODE_LOGITS) {
        for (size_t k = 0; k < places * c; k++)
            v[k] += (double)nd->beta[k % c];
        return v;
    }
    for (size_t o = 0; o < c; o++) {
        double mean = 0, var = 0;
        for (size_t k = o; k < places * c; k += c)
            mean += v[k] / (double)places;
        for (size_t k = o; k < places * c; k += c)
            var += (v[k] - mean) * (v[k] - mean) / (double)places;
        for (size_t k = o; k < places * c; k += c)
            v[k] = (v[k] - mean) / sqrt(var + (double)FLX_NN_BN_EPS) * (double)nd->gamma[o] +
                   (double)nd->beta[o];
    }
    if (nd->skip < 0)
        return v;
    const struct flx_node *from = &net->nodes[nd->skip];
    for (int n = 0; n < BATCH; n++)
        for (int y = 0; y < nd->conv_h; y++)
            for (int x = 0; x < nd->conv_w; x++)
                for (int o = 0; o < from->out_c; o++)
                    v[at(n, y, x, o, nd->conv_h, nd->conv_w, nd->out_c)] +=
                        (double)from->step_out *
                        (d->out[nd->skip][at(n, y * nd->skip_stride, x * nd->skip_stride, o,
                                             from->out_h, from->out_w, from->out_c)] -
                         from->zero_out);
    return v;
}

static void direct_encode(const struct flx_net *net, const struct flx_node *nd, double *v)
{
    double top = (1 << net->act_bits) - 1;
    for (size_t k = 0; k < (size_t)(BATCH * nd->conv_h * nd->conv_w * nd->out_c); k++) {
        if (net->mode == FLX_NN_FLOAT) {
            v[k] = v[k] < 0 && nd->kind == FLX_NODE_RELU ? 0 : v[k];
            continue;
        }
        v[k] = floor(v[k] / (double)nd->step_code + nd->zero_out + 0.5);
        v[k] = v[k] < 0 ? 0 : v[k] > top ? top : v[k];
    }
}

static double direct_window(const struct flx_net *net, const struct flx_node *nd, const double *v,
                            int n, int oy, int ox, int o)
{
    double best = -1e30, sum = 0, top = (1 << net->act_bits) - 1;
    for (int y = oy * nd->pool_stride - nd->pool_pad, ky = 0; ky < nd->pool; ky++)
        for (int x = ox * nd->pool_stride - nd->pool_pad, kx = 0; kx < nd->pool; kx++) {
            if (y + ky < 0 || y + ky >= nd->conv_h || x + kx < 0 || x + kx >= nd->conv_w)
                continue;
            double e = v[at(n, y + ky, x + kx, o, nd->conv_h, nd->conv_w, nd->out_c)];
            best = e > best ? e : best;
            sum += e;
        }
    if (nd->pool_kind == FLX_NN_POOL_MAX)
        return best;
    if (net->mode == FLX_NN_FLOAT)
        return sum / (nd->pool * nd->pool);
    double code = floor(ldexp(sum, -nd->pool_shift) + 0.5);
    return code > top ? top : code;
}

static void direct_forward(const struct fixture *f, struct direct *d)
{
    const struct flx_net *net = f->net;
    for (size_t i = 0; i < sizeof f->images; i++)
        d->images[i] = f->images[i] >> (8 - net->act_bits);
    for (int i = 0; i < NODES; i++) {
        const struct flx_node *nd = &net->nodes[i];
        double *v = direct_values(net, d, i, nd->input < 0 ? d->images : d->out[nd->input]);
        if (nd->kind == FLX_NODE_LOGITS) {
            memcpy(d->logits, v, sizeof d->logits);
            d->out[i] = v;
            continue;
        }
        direct_encode(net, nd, v);
        d->out[i] = numbers((size_t)(BATCH * nd->out_h * nd->out_w * nd->out_c));
        for (int n = 0; n < BATCH; n++)
            for (int y = 0; y < nd->out_h; y++)
                for (int x = 0; x < nd->out_w; x++)
                    for (int o = 0; o < nd->out_c; o++)
                        d->out[i][at(n, y, x, o, nd->out_h, nd->out_w, nd->out_c)] =
                            direct_window(net, nd, v, n, y, x, o);
        free(v);
    }
}

static void direct_free(struct direct *d)
{
    for (int i = 0; i < NODES; i++)
        free(d->out[i]);
}

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
