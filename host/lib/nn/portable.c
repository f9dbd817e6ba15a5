/* SPDX-License-Identifier: Apache-2.0 */
/* In place of direct.c and act_fast.c where there is no AVX-512 to compile for, or with
 * -DFLX_PORTABLE: they take over nothing, so oneDNN and act.c do everything and the
 * functions without a result are never called. */
#if !defined(__x86_64__) || defined(FLX_PORTABLE)
#include "act_fast.h"
#include "direct.h"
#include "flexor/status.h"

#define UNUSED __attribute__((unused))

int flx_direct_create(UNUSED const struct flx_conv_shape *shape, struct flx_direct **out)
{
    *out = NULL;
    return FLX_OK;
}

void flx_direct_free(UNUSED struct flx_direct *d)
{
}

int flx_direct_has(UNUSED const struct flx_direct *d, UNUSED enum flx_direct_pass pass)
{
    return 0;
}

void flx_direct_set_weights(UNUSED struct flx_direct *d, UNUSED const void *ohwi)
{
}

void flx_direct_set_back(UNUSED struct flx_direct *d, UNUSED const int8_t *w8,
                         UNUSED const float *w)
{
}

void flx_direct_forward(UNUSED struct flx_direct *d, UNUSED int n, UNUSED const void *src,
                        UNUSED float *sums)
{
}

void flx_direct_backward_data(UNUSED struct flx_direct *d, UNUSED int n,
                              UNUSED const uint16_t *dsums, UNUSED float *dsrc)
{
}

void flx_direct_weights_begin(UNUSED struct flx_direct *d)
{
}

void flx_direct_weights_add(UNUSED struct flx_direct *d, UNUSED int n, UNUSED const uint16_t *src,
                            UNUSED const uint16_t *dsums)
{
}

void flx_direct_weights_end(UNUSED struct flx_direct *d, UNUSED float *dw)
{
}

int flx_fast_fits(UNUSED const struct flx_net *net, UNUSED const struct flx_node *nd)
{
    return 0;
}

void flx_fast_forward(UNUSED const struct flx_net *net, UNUSED const struct flx_node *nd,
                      UNUSED int n, UNUSED uint8_t *codes, UNUSED uint16_t *half, UNUSED float *top)
{
}

void flx_fast_values(UNUSED const struct flx_net *net, UNUSED const struct flx_node *nd,
                     UNUSED int n, UNUSED float *values, UNUSED uint16_t *half)
{
}

void flx_fast_reduce(UNUSED const struct flx_net *net, UNUSED struct flx_node *nd, UNUSED int n,
                     UNUSED const float *more, UNUSED float k, UNUSED float *part)
{
}

void flx_fast_spread(UNUSED const struct flx_node *nd, UNUSED int n, UNUSED uint16_t *dsums)
{
}
#else
typedef int flx_portable_is_empty; /* ISO C wants a declaration. */
#endif
