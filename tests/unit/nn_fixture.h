/* SPDX-License-Identifier: Apache-2.0 */
/** Residual networks with random parameters, and their definition (docs/numerics.md) as
 *  direct loops in doubles. */
#ifndef FLEXOR_NN_FIXTURE_H
#define FLEXOR_NN_FIXTURE_H
#include "nn_random.h"

#define SEED  11
#define BATCH 16
#define SIDE  16 /* of the wide net, the largest */
#define NODES 9

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

static void setup(struct fixture *f, int which, struct flx_net_config config)
{
    struct flx_net_spec spec;
    assert_int_equal(flx_net_spec_parse("test", nets[which], &spec), FLX_OK);
    config.batch = BATCH;
    config.in_h = config.in_w = sides[which];
    config.in_c = 3;
    config.planes = config.planes ? config.planes : 1;
    config.threads = 2;
    fixture_create(f, &spec, &config, SEED, sizeof f->images);
    assert_int_equal(f->net->n_nodes, NODES);
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

#endif
