/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm: statistics, and the affine map from sums to real values. */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include <math.h>
#include <string.h>

#include "../base/clones.h"
#include "act.h"
#include "stat.h"

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

FLX_CLONES void flx_add_to_double(double *restrict to, const float *from, size_t n)
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

/* Per channel the mean of a share, and the sum of squares about it. */
static void share_moments(double *stat, size_t c, double count, const float *pivot)
{
    for (size_t i = 0; i < c; i++) {
        stat[c + i] -= stat[i] * stat[i] / count;
        stat[i] = (double)pivot[i] + stat[i] / count;
    }
}

void flx_act_statistics(const struct flx_net *net, struct flx_node *nd, const struct flx_part *p)
{
    size_t c = (size_t)nd->out_c, rows = (size_t)(nd->conv_h * nd->conv_w);
    float part[2 * c];
    double *stat = nd->stat + (size_t)p->t * 2 * c;
    int first, last;
    flx_share(net, p->t, &first, &last);
    const float *pivot = nd->sums + (size_t)first * rows * c; /* any value near the mean will do */
    if (p->first == first)
        memset(stat, 0, 2 * c * sizeof *stat);
    for (int n = p->first; n < p->last; n++) {
        sum_rows(nd->sums + (size_t)n * rows * c, rows, c, pivot, part, part + c);
        flx_add_to_double(stat, part, 2 * c);
    }
    if (p->last == last)
        share_moments(stat, c, (double)rows * (last - first), pivot);
}

/* Mean of the sums of each channel, and for now their variance in batch_istd. */
static void batch_moments(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c;
    for (size_t i = 0; i < c; i++) {
        double mean = 0, var = 0;
        int first, last;
        for (int t = 0; t < net->threads; t++) {
            flx_share(net, t, &first, &last);
            mean += nd->stat[(size_t)t * 2 * c + i] * (last - first) / net->batch;
        }
        for (int t = 0; t < net->threads; t++) {
            const double *stat = nd->stat + (size_t)t * 2 * c;
            flx_share(net, t, &first, &last);
            double off = stat[i] - mean, count = (double)nd->conv_h * nd->conv_w;
            var += (stat[c + i] / count + off * off * (last - first)) / net->batch;
        }
        nd->batch_mean[i] = (float)mean;
        nd->batch_istd[i] = (float)(var > 0 ? var : 0);
    }
}

void flx_act_affine(const struct flx_net *net, struct flx_node *nd, int train)
{
    float keep = 1 - net->bn_momentum;
    if (train && nd->kind != FLX_NODE_LOGITS)
        batch_moments(net, nd);
    for (int i = 0; i < nd->out_c; i++) {
        float k = nd->alpha[i] * nd->step_in;
        if (nd->kind == FLX_NODE_LOGITS) {
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

void flx_slopes(const struct flx_net *net, struct flx_node *nd)
{
    size_t c = (size_t)nd->out_c;
    float *a = nd->slope, *b = a + c, *d = b + c;
    reduce_threads(net, nd);
    double count = (double)net->batch * nd->conv_h * nd->conv_w, inv = 1 / (double)nd->step_code;
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
