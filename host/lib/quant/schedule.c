/* SPDX-License-Identifier: Apache-2.0 */
/* Learning rate and S as functions of the step alone. */
#include <math.h>

#include "quant.h"

#define PI 3.14159265358979323846

/* Part of the warm-up that is over after this step; 1: all of it. */
static double risen(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch,
                    double *rise)
{
    double steps = (double)steps_per_epoch * o->epochs;
    *rise = o->warmup_epochs ? (double)steps_per_epoch * o->warmup_epochs : o->warmup * steps;
    double at = (double)step + 1;
    return at < *rise ? at / *rise : 1;
}

/* How many of decay_epochs are over. */
static int decays(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch)
{
    int n = 0;
    for (int i = 0; i < o->decay_epochs.n; i++)
        n += step >= (uint64_t)o->decay_epochs.v[i] * steps_per_epoch;
    return n;
}

double flx_schedule_lr(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch)
{
    double rise, up = risen(o, step, steps_per_epoch, &rise);
    double steps = (double)steps_per_epoch * o->epochs;
    if (up < 1)
        return o->lr * up;
    if (o->schedule == FLX_SCHEDULE_STEP)
        return o->lr * pow(o->lr_drop, decays(o, step, steps_per_epoch));
    double rest = rise < steps ? ((double)step + 1 - rise) / (steps - rise) : 0;
    return o->lr * (o->schedule == FLX_SCHEDULE_LINEAR ? 1 - rest : 0.5 * (1 + cos(PI * rest)));
}

double flx_schedule_s(const struct flx_train_options *o, uint64_t step, uint64_t steps_per_epoch)
{
    double rise, up = risen(o, step, steps_per_epoch, &rise);
    if (up < 1 && o->s_start > 0)
        return o->s_start + (o->s_tanh - o->s_start) * up;
    return o->s_double ? ldexp(o->s_tanh, decays(o, step, steps_per_epoch)) : o->s_tanh;
}
