/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm, scales and steps of a node as integers (docs/numerics.md). */
#include <math.h>

#include "flexor/status.h"
#include "fold.h"

#define MAX_M     32767
#define MAX_VALUE 2147483647.0

/* What a layer's integers are rounded from, in units of its codes. */
struct fold {
    const struct flx_node *nd, *skip; /* skip: the node that is added, or NULL */
    double top;                       /* largest code */
    double zero;                      /* own code of real zero */
    int planes, weight;               /* multipliers a channel; largest weight */
};

static double norm(const struct flx_node *nd, int o)
{
    if (nd->kind == FLX_NODE_LOGITS)
        return 1;
    return (double)nd->gamma[o] / sqrt((double)nd->var[o] + (double)FLX_NN_BN_EPS);
}

/* code = sum of slope S_p + offset. The zero code of the input needs no term: the running
 * mean, which is that of the sums of codes, contains it. */
static double slope(const struct flx_node *nd, int p, int o)
{
    double ratio = p ? (double)nd->ratio[p][o] : 1;
    return norm(nd, o) * (double)nd->alpha[o] * ratio * (double)nd->step_in / (double)nd->step_code;
}

static double offset(const struct fold *f, int o)
{
    const struct flx_node *nd = f->nd;
    double mean = nd->kind == FLX_NODE_LOGITS ? 0 : (double)nd->mean[o];
    return ((double)nd->beta[o] - norm(nd, o) * mean) / (double)nd->step_code + f->zero;
}

/* Whether the bound of docs/numerics.md holds; @p m: sum of the multipliers' sizes. */
static int fits(const struct flx_layer *l, const struct fold *f, double m, double beta, int shift)
{
    double inputs = (double)l->kh * l->kw * l->in_c, lanes = 2 * inputs + 4096;
    double half = !l->logits && shift > 0 ? ldexp(1, shift - 1) : 0;
    double sums = m * f->weight * (f->top * inputs + lanes);
    return sums + fabs((double)l->skip_m) * f->top + fabs(beta) + half <= MAX_VALUE;
}

/* m and beta of one channel for @p shift; 0 when a bound breaks. */
static int try_channel(struct flx_layer *l, const struct fold *f, int o, int shift)
{
    double sum = 0, beta = nearbyint(ldexp(offset(f, o), shift));
    for (int p = 0; p < f->planes; p++) {
        double m = nearbyint(ldexp(slope(f->nd, p, o), shift));
        if (!(fabs(m) <= MAX_M))
            return 0;
        l->m[p * l->out_c + o] = (int16_t)m;
        sum += fabs(m);
    }
    if (f->skip && o < f->skip->out_c)
        beta -= (double)l->skip_m * f->skip->zero_out;
    if (!fits(l, f, sum, beta, shift))
        return 0;
    l->beta[o] = (int32_t)beta;
    return 1;
}

static int try_shift(struct flx_layer *l, const struct fold *f, int shift)
{
    if (f->skip) {
        double m = nearbyint(ldexp((double)f->skip->step_out / (double)f->nd->step_code, shift));
        if (!(m <= MAX_M))
            return 0;
        l->skip_m = (int)m;
    }
    for (int o = 0; o < l->out_c; o++)
        if (!try_channel(l, f, o, shift))
            return 0;
    return 1;
}

int flx_fold_layer(const struct flx_net *net, int i, struct flx_layer *l)
{
    const struct flx_node *nd = &net->nodes[i];
    int binary = l->plane_mode == FLX_PLANES_BINARY, linear = nd->kind == FLX_NODE_LINEAR;
    struct fold f = {.nd = nd,
                     .skip = nd->skip >= 0 ? &net->nodes[nd->skip] : NULL,
                     .top = (1 << net->act_bits) - 1,
                     .zero = linear ? 1 << (net->act_bits - 1) : 0,
                     .planes = binary ? 1 : l->planes,
                     .weight = binary ? (1 << l->planes) - 1 : 1};
    for (int shift = 31; shift >= 0; shift--)
        if (try_shift(l, &f, shift)) {
            l->shift = l->logits ? 0 : shift;
            return FLX_OK;
        }
    return flx_fail(FLX_ERR_OVERFLOW,
                    "layer %s: no shift keeps its integers in 32 bits; train longer or with a "
                    "smaller learning rate",
                    l->name);
}
