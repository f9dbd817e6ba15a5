/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "flexor/nn.h"

static float largest(const float *logits, int c)
{
    float top = logits[0];
    for (int i = 1; i < c; i++)
        top = logits[i] > top ? logits[i] : top;
    return top;
}

/* log of the sum of exp(logit / t). */
static float log_sum(const float *logits, int c, float t)
{
    float top = largest(logits, c) / t, sum = 0;
    for (int i = 0; i < c; i++)
        sum += expf(logits[i] / t - top);
    return logf(sum) + top;
}

/* Cross-entropy of one image; grad += rate * its gradient. */
static double hard_loss(const float *logits, int c, int label, float smoothing, float rate,
                        float *grad)
{
    float sum = log_sum(logits, c, 1);
    double loss = 0;
    for (int i = 0; i < c; i++) {
        float want = smoothing / (float)c + (i == label ? 1 - smoothing : 0);
        loss -= (double)(want * (logits[i] - sum));
        grad[i] += (expf(logits[i] - sum) - want) * rate;
    }
    return loss;
}

/* T^2 KL(teacher/T, net/T) of one image; grad += rate * its gradient. */
static double soft_loss(const float *logits, const float *teacher, int c, float t, float rate,
                        float *grad)
{
    float sum = log_sum(logits, c, t), teacher_sum = log_sum(teacher, c, t);
    double loss = 0;
    for (int i = 0; i < c; i++) {
        float mine = logits[i] / t - sum, want = teacher[i] / t - teacher_sum;
        loss += (double)(expf(want) * (want - mine));
        grad[i] += t * (expf(mine) - expf(want)) * rate;
    }
    return (double)(t * t) * loss;
}

void flx_net_loss(struct flx_net *net, const uint8_t *labels, int n, const struct flx_loss *kind,
                  double *loss, int *correct)
{
    struct flx_node *last = &net->nodes[net->n_nodes - 1];
    int c = net->classes;
    float soft = kind->teacher ? kind->distill : 0, rate = 1 / (float)n;
    double sum = 0;
    *correct = 0;
    memset(last->dout, 0, (size_t)net->batch * (size_t)c * sizeof(float));
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)i * (size_t)c;
        const float *logits = last->values + at;
        float *grad = last->dout + at;
        int best = 0;
        for (int k = 1; k < c; k++)
            best = logits[k] > logits[best] ? k : best;
        *correct += best == labels[i];
        sum += (double)(1 - soft) *
               hard_loss(logits, c, labels[i], kind->smoothing, (1 - soft) * rate, grad);
        if (soft > 0)
            sum += (double)soft *
                   soft_loss(logits, kind->teacher + at, c, kind->temperature, soft * rate, grad);
    }
    *loss = n ? sum / n : 0;
}
