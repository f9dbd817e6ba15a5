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

void flx_reduce_threads(const struct flx_net *net, struct flx_node *nd)
{
    size_t n = 2 * (size_t)nd->out_c;
    for (int t = 1; t < net->threads; t++)
        for (size_t i = 0; i < n; i++)
            nd->stat[i] += nd->stat[(size_t)t * n + i];
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
        flx_share(net, t, &first, &last);
        for (int n = first; n < last; n++) {
            sum_rows(nd->sums + (size_t)n * rows * c, rows, c, pivot, part, part + c);
            flx_add_to_double(stat, part, 2 * c);
        }
    }
    flx_reduce_threads(net, nd);
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

void flx_slopes(const struct flx_net *net, struct flx_node *nd, float *a, float *b, float *d)
{
    size_t c = (size_t)nd->out_c;
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
