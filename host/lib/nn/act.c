/* SPDX-License-Identifier: Apache-2.0 */
/* gcc vectorises a comparison of floats or a square root only when neither has
 * to raise a flag. */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include "act.h"

#include <math.h>
#include <string.h>

#include "../base/clones.h"
#include "bf16.h"

#define NO_GRADIENT 255

/* Sums of d = s - pivot and of d*d, per channel, over the rows of one image. */
FLX_CLONES static void sum_rows(const float *s, size_t rows, size_t c, const float *pivot,
                                float *restrict sum, float *restrict square)
{
    memset(sum, 0, c * sizeof *sum);
    memset(square, 0, c * sizeof *square);
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float *s0 = s + r * c, *s1 = s0 + c, *s2 = s1 + c, *s3 = s2 + c;
        for (size_t i = 0; i < c; i++) {
            float d0 = s0[i] - pivot[i], d1 = s1[i] - pivot[i];
            float d2 = s2[i] - pivot[i], d3 = s3[i] - pivot[i];
            sum[i] += (d0 + d1) + (d2 + d3);
            square[i] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
        }
    }
    for (; r < rows; r++)
        for (size_t i = 0; i < c; i++) {
            float d = s[r * c + i] - pivot[i];
            sum[i] += d;
            square[i] += d * d;
        }
}

FLX_CLONES static void add_to_double(double *restrict to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += (double)from[i];
}

/* Adds the partial sums of the threads, in order, into those of thread 0. */
static void reduce_threads(const struct flx_net *net, struct flx_node *nd)
{
    size_t n = 2 * (size_t)nd->out_c;
    for (int t = 1; t < net->threads; t++)
        for (size_t i = 0; i < n; i++)
            nd->stat[i] += nd->stat[(size_t)t * n + i];
}

/* Images first..last-1 of thread @p t. */
static void share(const struct flx_net *net, int t, int *first, int *last)
{
    *first = (int)((long)net->batch * t / net->threads);
    *last = (int)((long)net->batch * (t + 1) / net->threads);
}

void flx_act_statistics(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, rows = (size_t)(nd->conv_h * nd->conv_w);
    const float *pivot = nd->sums; /* any value near the mean will do */
    memset(nd->stat, 0, (size_t)net->threads * 2 * c * sizeof *nd->stat);
#pragma omp parallel for schedule(static, 1) num_threads(net->threads)
    for (int t = 0; t < net->threads; t++) {
        float part[2 * c];
        double *stat = nd->stat + (size_t)t * 2 * c;
        int first, last;
        share(net, t, &first, &last);
        for (int n = first; n < last; n++) {
            sum_rows(nd->sums + (size_t)n * rows * c, rows, c, pivot, part, part + c);
            add_to_double(stat, part, 2 * c);
        }
    }
    reduce_threads(net, nd);
    double count = (double)rows * net->batch;
    for (size_t i = 0; i < c; i++) {
        double mean = nd->stat[i] / count, var = nd->stat[c + i] / count - mean * mean;
        nd->batch_mean[i] = (float)(mean + (double)pivot[i]);
        nd->batch_istd[i] = (float)(var > 0 ? var : 0); /* the variance, until flx_act_affine */
    }
}

void flx_act_affine(const struct flx_net *net, struct flx_node *nd, int train)
{
    float keep = 1 - net->bn_momentum;
    for (int i = 0; i < nd->out_c; i++) {
        float k = nd->alpha[i] * nd->step_in;
        if (!nd->hidden) {
            nd->scale[i] = k;
            nd->offset[i] = nd->beta[i];
            continue;
        }
        if (train) {
            float mean = k * nd->batch_mean[i], var = k * k * nd->batch_istd[i];
            nd->mean[i] = keep * nd->mean[i] + net->bn_momentum * mean;
            nd->var[i] = keep * nd->var[i] + net->bn_momentum * var;
            nd->batch_istd[i] = 1 / sqrtf(var + FLX_NN_BN_EPS);
            nd->scale[i] = nd->gamma[i] * k * nd->batch_istd[i];
            nd->offset[i] = nd->beta[i] - nd->scale[i] * nd->batch_mean[i];
        } else {
            float g = nd->gamma[i] / sqrtf(nd->var[i] + FLX_NN_BN_EPS);
            nd->scale[i] = g * k;
            nd->offset[i] = nd->beta[i] - g * nd->mean[i];
        }
    }
}

/* One place of the pool windows of a whole output row: keeps the largest value,
 * its sum and its place. */
FLX_CLONES static void pool_row(const struct flx_node *nd, const float *s, int place,
                                float *restrict best, float *restrict peak, int32_t *restrict arg)
{
    size_t c = (size_t)nd->out_c, step = (size_t)nd->pool * c;
    const float *scale = nd->scale, *offset = nd->offset;
    for (size_t ox = 0; ox < (size_t)nd->out_w; ox++, s += step, best += c, peak += c, arg += c) {
        if (place == 0) {
            for (size_t i = 0; i < c; i++) {
                best[i] = s[i] * scale[i] + offset[i];
                peak[i] = s[i];
                arg[i] = 0;
            }
            continue;
        }
        for (size_t i = 0; i < c; i++) {
            float v = s[i] * scale[i] + offset[i];
            int more = v > best[i];
            best[i] = more ? v : best[i];
            peak[i] = more ? s[i] : peak[i];
            arg[i] = more ? place : arg[i];
        }
    }
}

/* Quantiser: codes, and in place the mask of its gradient. */
FLX_CLONES static void quantise(const float *best, size_t n, float inv, int32_t *restrict place,
                                int32_t *restrict code, float *restrict top)
{
    for (size_t i = 0; i < n; i++) {
        float x = best[i] * inv + 0.5F;
        top[i] = best[i] > top[i] ? best[i] : top[i];
        place[i] = best[i] > 0 ? place[i] : NO_GRADIENT;
        place[i] = x < 256 ? place[i] : NO_GRADIENT;
        x = x < 0 ? 0 : x;
        code[i] = (int32_t)(x > 255 ? 255 : x);
    }
}

FLX_CLONES static void store_bytes(const int32_t *from, size_t n, uint8_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)from[i];
}

FLX_CLONES static void widen_codes(const int32_t *code, size_t n, uint16_t *restrict half,
                                   float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16((float)code[i]);
    else
        for (size_t i = 0; i < n; i++)
            full[i] = (float)code[i];
}

FLX_CLONES static void relu(const float *best, size_t n, float *restrict out,
                            int32_t *restrict place)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = best[i] > 0 ? best[i] : 0;
        place[i] = best[i] > 0 ? place[i] : NO_GRADIENT;
    }
}

static void row_forward(const struct flx_net *net, struct flx_node *nd, int n, int oy, int train,
                        float *top)
{
    size_t c = (size_t)nd->out_c, len = (size_t)nd->out_w * c;
    size_t at = ((size_t)n * (size_t)nd->out_h + (size_t)oy) * len;
    float best[len];
    int32_t place[len], code[len];
    for (int p = 0; p < nd->pool * nd->pool; p++) {
        int y = n * nd->conv_h + oy * nd->pool + p / nd->pool, x = p % nd->pool;
        const float *s = nd->sums + ((size_t)y * (size_t)nd->conv_w + (size_t)x) * c;
        pool_row(nd, s, p, best, nd->peak + at, place);
    }
    if (net->mode == FLX_NN_FLOAT) {
        relu(best, len, (float *)nd->out + at, place);
    } else {
        quantise(best, len, 1 / nd->step_out, place, code, top);
        store_bytes(code, len, nd->codes + at);
        if (train)
            widen_codes(code, len, net->bf16 ? (uint16_t *)nd->out + at : NULL,
                        (float *)nd->out + (net->bf16 ? 0 : at));
    }
    if (train)
        store_bytes(place, len, nd->arg + at);
}

float flx_act_forward(const struct flx_net *net, struct flx_node *nd, int train)
{
    float largest = 0;
    size_t len = (size_t)nd->out_w * (size_t)nd->out_c;
#pragma omp parallel for schedule(static, 1) num_threads(net->threads) reduction(max : largest)
    for (int t = 0; t < net->threads; t++) {
        float top[len];
        int first, last;
        memset(top, 0, sizeof top);
        share(net, t, &first, &last);
        for (int n = first; n < last; n++)
            for (int oy = 0; oy < nd->out_h; oy++)
                row_forward(net, nd, n, oy, train, top);
        for (size_t i = 0; i < len; i++)
            largest = top[i] > largest ? top[i] : largest;
    }
    return largest;
}

/* Sums of the gradient, and of the gradient times (peak - mean). */
FLX_CLONES static void sum_gradient(const float *dout, const float *peak, const uint8_t *arg,
                                    const float *mean, size_t rows, size_t c, float *restrict sum,
                                    float *restrict dot)
{
    memset(sum, 0, c * sizeof *sum);
    memset(dot, 0, c * sizeof *dot);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++) {
            size_t at = r * c + i;
            float g = arg[at] == NO_GRADIENT ? 0 : dout[at];
            sum[i] += g;
            dot[i] += g * (peak[at] - mean[i]);
        }
}

/* Gradient of the sums at one position: a * g there, b * s + d everywhere. */
struct slope {
    const float *a, *b, *d;
};

/* One row of the map; dout and arg NULL: it lies outside all pool windows. */
FLX_CLONES static void scatter_row(const struct flx_node *nd, const float *s, const float *dout,
                                   const uint8_t *arg, int y, const struct slope *k,
                                   float *restrict full)
{
    size_t c = (size_t)nd->out_c;
    const float *a = k->a, *b = k->b, *d = k->d;
    for (int x = 0; x < nd->conv_w; x++, s += c, full += c) {
        int place = y % nd->pool * nd->pool + x % nd->pool;
        size_t at = (size_t)(x / nd->pool) * c;
        if (!dout || x / nd->pool >= nd->out_w)
            for (size_t i = 0; i < c; i++)
                full[i] = b[i] * s[i] + d[i];
        else
            for (size_t i = 0; i < c; i++)
                full[i] = b[i] * s[i] + d[i] + (arg[at + i] == place ? a[i] * dout[at + i] : 0);
    }
}

FLX_CLONES static void narrow(const float *from, size_t n, uint16_t *restrict to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = flx_bf16(from[i]);
}

static void image_backward(const struct flx_net *net, struct flx_node *nd, int n,
                           const struct slope *k)
{
    size_t c = (size_t)nd->out_c, len = (size_t)nd->conv_w * c;
    float row[len];
    for (int y = 0; y < nd->conv_h; y++) {
        size_t at = ((size_t)n * (size_t)nd->conv_h + (size_t)y) * len;
        size_t out_row = (size_t)n * (size_t)nd->out_h + (size_t)(y / nd->pool);
        size_t o = out_row * (size_t)nd->out_w * c;
        int in = y / nd->pool < nd->out_h;
        scatter_row(nd, nd->sums + at, in ? nd->dout + o : NULL, in ? nd->arg + o : NULL, y, k,
                    net->bf16 ? row : (float *)nd->dsums + at);
        if (net->bf16)
            narrow(row, len, (uint16_t *)nd->dsums + at);
    }
}

/* Coefficients of struct slope and the gradients of the parameters, from the
 * sums in nd->stat. A gradient of codes is one of real values / step_out. */
static void slopes(const struct flx_net *net, struct flx_node *nd, float *a, float *b, float *d)
{
    size_t c = (size_t)nd->out_c;
    double count = (double)net->batch * nd->conv_h * nd->conv_w, inv = 1 / (double)nd->step_out;
    for (size_t i = 0; i < c; i++) {
        double k = (double)nd->alpha[i] * (double)nd->step_in, istd = (double)nd->batch_istd[i];
        double dbeta = nd->stat[i] * inv, dgamma = nd->stat[c + i] * inv * k * istd;
        double slope = (double)nd->scale[i];
        a[i] = (float)(slope * inv);
        b[i] = (float)(-slope * dgamma / count * k * istd);
        d[i] = (float)(-slope * dbeta / count) - b[i] * nd->batch_mean[i];
        nd->dbeta[i] = (float)dbeta;
        nd->dgamma[i] = (float)dgamma;
        /* Batch norm divides alpha out again, but for its epsilon. */
        nd->dalpha[i] = (float)((double)nd->gamma[i] * dgamma * (double)FLX_NN_BN_EPS * istd *
                                istd / (double)nd->alpha[i]);
    }
}

void flx_act_backward(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, outs = (size_t)(nd->out_h * nd->out_w);
    float a[c], b[c], d[c];
    struct slope k = {a, b, d};
    memset(nd->stat, 0, (size_t)net->threads * 2 * c * sizeof *nd->stat);
#pragma omp parallel for schedule(static, 1) num_threads(net->threads)
    for (int t = 0; t < net->threads; t++) {
        float part[2 * c];
        int first, last;
        share(net, t, &first, &last);
        for (int n = first; n < last; n++) {
            size_t at = (size_t)n * outs * c;
            sum_gradient(nd->dout + at, nd->peak + at, nd->arg + at, nd->batch_mean, outs, c, part,
                         part + c);
            add_to_double(nd->stat + (size_t)t * 2 * c, part, 2 * c);
        }
    }
    reduce_threads(net, nd);
    slopes(net, nd, a, b, d);
#pragma omp parallel for schedule(static) num_threads(net->threads)
    for (int n = 0; n < net->batch; n++)
        image_backward(net, nd, n, &k);
}

void flx_logits_forward(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c, n = (size_t)net->batch * c;
    float *logits = nd->out;
    for (size_t i = 0; i < n; i++)
        logits[i] = nd->sums[i] * nd->scale[i % c] + nd->offset[i % c];
}

void flx_logits_backward(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c;
    memset(nd->dbeta, 0, c * sizeof(float));
    memset(nd->dalpha, 0, c * sizeof(float));
    for (size_t i = 0; i < (size_t)net->batch * c; i++) {
        size_t ch = i % c;
        float d = nd->dout[i] * nd->scale[ch];
        nd->dbeta[ch] += nd->dout[i];
        nd->dalpha[ch] += nd->dout[i] * nd->sums[i] * nd->step_in;
        if (net->bf16)
            ((uint16_t *)nd->dsums)[i] = flx_bf16(d);
        else
            ((float *)nd->dsums)[i] = d;
    }
}

FLX_CLONES static void widen_bytes(const uint8_t *from, size_t n, uint16_t *restrict half,
                                   float *restrict full)
{
    if (half)
        for (size_t i = 0; i < n; i++)
            half[i] = flx_bf16((float)from[i]);
    else
        for (size_t i = 0; i < n; i++)
            full[i] = (float)from[i];
}

void flx_act_widen(const struct flx_net *net, const uint8_t *from, void *to, size_t per_image)
{
#pragma omp parallel for schedule(static) num_threads(net->threads)
    for (int n = 0; n < net->batch; n++) {
        size_t at = (size_t)n * per_image;
        widen_bytes(from + at, per_image, net->bf16 ? (uint16_t *)to + at : NULL,
                    net->bf16 ? NULL : (float *)to + at);
    }
}
