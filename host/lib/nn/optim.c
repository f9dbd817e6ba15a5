/* SPDX-License-Identifier: Apache-2.0 */
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include <math.h>

#include "../base/clones.h"
#include "flexor/nn.h"

#define BETA1 0.9F
#define BETA2 0.999F
#define EPS   1e-8F
#define BLOCK 4096

struct rates {
    float lr, root2; /* lr / (1 - beta1^t), sqrt(1 - beta2^t) */
    float decay, clip, momentum;
};

FLX_CLONES static void adam_block(float *restrict w, const float *g, float *restrict m,
                                  float *restrict v, size_t n, const struct rates *r)
{
    float lr = r->lr, inv = 1 / r->root2, decay = r->decay;
    float clip = r->clip > 0 ? r->clip : INFINITY;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] + decay * w[i];
        m[i] = BETA1 * m[i] + (1 - BETA1) * d;
        v[i] = BETA2 * v[i] + (1 - BETA2) * d * d;
        float x = w[i] - lr * m[i] / (sqrtf(v[i]) * inv + EPS);
        x = x > clip ? clip : x;
        w[i] = x < -clip ? -clip : x;
    }
}

FLX_CLONES static void sgd_block(float *restrict w, const float *g, float *restrict m, size_t n,
                                 const struct rates *r)
{
    float lr = r->lr, momentum = r->momentum, decay = r->decay;
    float clip = r->clip > 0 ? r->clip : INFINITY;
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] + g[i] + decay * w[i];
        float x = w[i] - lr * m[i];
        x = x > clip ? clip : x;
        w[i] = x < -clip ? -clip : x;
    }
}

static void step(struct flx_param *p, const struct rates *r, int adam, int threads)
{
    long blocks = (long)((p->n + BLOCK - 1) / BLOCK);
#pragma omp parallel for schedule(static) num_threads(threads) if (blocks > 1)
    for (long b = 0; b < blocks; b++) {
        size_t at = (size_t)b * BLOCK, n = p->n - at < BLOCK ? p->n - at : BLOCK;
        if (adam)
            adam_block(p->w + at, p->g + at, p->m + at, p->v + at, n, r);
        else
            sgd_block(p->w + at, p->g + at, p->m + at, n, r);
    }
}

void flx_adam_step(struct flx_param *p, int n_params, float lr, uint64_t t, int threads)
{
    double c1 = 1 - pow((double)BETA1, (double)t), c2 = 1 - pow((double)BETA2, (double)t);
    for (int i = 0; i < n_params; i++) {
        struct rates r = {(float)((double)lr / c1), (float)sqrt(c2), p[i].decay, p[i].clip, 0};
        step(&p[i], &r, 1, threads);
    }
}

void flx_sgd_step(struct flx_param *p, int n_params, float lr, float momentum, int threads)
{
    for (int i = 0; i < n_params; i++) {
        struct rates r = {lr, 1, p[i].decay, p[i].clip, momentum};
        step(&p[i], &r, 0, threads);
    }
}
