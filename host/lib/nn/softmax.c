/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "flexor/nn.h"

/* Loss and gradient of one image; @p rate is 1 / images. */
static double one_image(const float *logits, int c, int label, float smoothing, float rate,
                        float *grad, int *correct)
{
    float top = logits[0], sum = 0;
    int best = 0;
    for (int i = 1; i < c; i++)
        if (logits[i] > top) {
            top = logits[i];
            best = i;
        }
    for (int i = 0; i < c; i++)
        sum += expf(logits[i] - top);
    float log_sum = logf(sum) + top;
    double loss = 0;
    for (int i = 0; i < c; i++) {
        float want = smoothing / (float)c + (i == label ? 1 - smoothing : 0);
        loss -= (double)(want * (logits[i] - log_sum));
        grad[i] = (expf(logits[i] - log_sum) - want) * rate;
    }
    *correct += best == label;
    return loss;
}

void flx_net_loss(struct flx_net *net, const uint8_t *labels, int n, float smoothing, double *loss,
                  int *correct)
{
    struct flx_node *last = &net->nodes[net->n_nodes - 1];
    int c = net->classes;
    double sum = 0;
    *correct = 0;
    memset(last->dout, 0, (size_t)net->batch * (size_t)c * sizeof(float));
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)i * (size_t)c;
        sum += one_image((const float *)last->out + at, c, labels[i], smoothing, 1 / (float)n,
                         last->dout + at, correct);
    }
    *loss = n ? sum / n : 0;
}
