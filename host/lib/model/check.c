/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs before anything runs: geometry, ranges and the bounds of
 * docs/numerics.md. */
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "model_internal.h"

#define SUM_LIMIT   ((int64_t)1 << 21) /* accumulator: 22 bits, signed */
#define VALUE_LIMIT ((int64_t)1 << 31) /* V: 32 bits, signed */

/* Text is terminated and free of control characters. */
static int check_text(const char *what, const char *text, size_t size, int may_be_empty)
{
    size_t n = strnlen(text, size);
    if (n == size || (n == 0 && !may_be_empty))
        return flx_fail(FLX_ERR_ARG, "%s: empty or too long", what);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return flx_fail(FLX_ERR_ARG, "%s: contains control characters", what);
    return FLX_OK;
}

int flx_model_check_nets(const struct flx_model *m)
{
    if (m->n_nets < 1 || m->n_nets > FLX_MAX_XORNETS)
        return flx_fail(FLX_ERR_ARG, "a model has 1 to %d XOR networks, not %d", FLX_MAX_XORNETS,
                        m->n_nets);
    for (int i = 0; i < m->n_nets; i++) {
        int status = flx_xornet_check(&m->nets[i]);
        if (status)
            return status;
        if (m->nets[i].seed > INT64_MAX)
            return flx_fail(FLX_ERR_ARG, "XOR network %d: its seed is above 2^63 - 1", i);
    }
    return FLX_OK;
}

static int check_header(const struct flx_model *m)
{
    int status = check_text("model name", m->name, sizeof m->name, 0);
    if (!status)
        status = check_text("data set name", m->dataset, sizeof m->dataset, 1);
    if (status)
        return status;
    if (m->act_bits != 4 && m->act_bits != 8)
        return flx_fail(FLX_ERR_ARG, "activations have 4 or 8 bits, not %d", m->act_bits);
    if (m->n_layers < 1 || m->n_layers > FLX_MAX_LAYERS)
        return flx_fail(FLX_ERR_ARG, "a model has 1 to %d layers, not %d", FLX_MAX_LAYERS,
                        m->n_layers);
    return flx_model_check_nets(m);
}

static int same_slicing(const struct flx_slicing *a, const struct flx_slicing *b)
{
    return a->order == b->order && a->n_out == b->n_out && a->k0 == b->k0 && a->t0 == b->t0 &&
           a->out_c == b->out_c && a->kh == b->kh && a->kw == b->kw && a->in_c == b->in_c &&
           a->row_packed == b->row_packed && a->groups == b->groups &&
           a->run_chunks == b->run_chunks && a->n_slices == b->n_slices;
}

/* Derived fields are what flx_layer_alloc made of the others. */
static int check_derived(const struct flx_model *m, const struct flx_layer *l)
{
    struct flx_layer again = *l;
    int status = flx_layer_derive(m, &again);
    if (status)
        return status;
    int missing = !l->m || !l->beta;
    for (int p = 0; p < l->planes; p++)
        missing |= !l->bits[p];
    if (missing || again.conv_h != l->conv_h || again.conv_w != l->conv_w ||
        again.out_h != l->out_h || again.out_w != l->out_w || again.n_words != l->n_words ||
        !same_slicing(&again.slicing, &l->slicing))
        return flx_fail(FLX_ERR_ARG, "layer %s: changed after flx_layer_alloc", l->name);
    return FLX_OK;
}

static int check_ranges(const struct flx_model *m, const struct flx_layer *l)
{
    if (l->in_zero < 0 || l->in_zero >= 1 << m->act_bits)
        return flx_fail(FLX_ERR_ARG, "layer %s: in_zero %d is not a code of %d bits", l->name,
                        l->in_zero, m->act_bits);
    if (l->shift < 0 || l->shift > 31)
        return flx_fail(FLX_ERR_ARG, "layer %s: impossible shift %d", l->name, l->shift);
    if ((l->row_packed | 1) != 1 || (l->logits | 1) != 1)
        return flx_fail(FLX_ERR_ARG, "layer %s: row_packed and logits are 0 or 1", l->name);
    if (l->plane_mode != FLX_PLANES_SCALED && l->plane_mode != FLX_PLANES_BINARY)
        return flx_fail(FLX_ERR_ARG, "layer %s: impossible plane mode", l->name);
    if (l->skip != FLX_NO_SKIP && (l->skip_m < -32768 || l->skip_m > 32767))
        return flx_fail(FLX_ERR_ARG, "layer %s: the multiplier of its skip, %d, has not 16 bits",
                        l->name, l->skip_m);
    return FLX_OK;
}

/* Bits past the last slice are 0. */
static int check_bits(const struct flx_layer *l)
{
    unsigned used = (unsigned)(l->slicing.n_slices % 64);
    if (used == 0)
        return FLX_OK;
    for (int p = 0; p < l->planes; p++)
        for (int j = 0; j < l->n_in[p]; j++)
            if (l->bits[p][((size_t)j + 1) * l->n_words - 1] >> used)
                return flx_fail(FLX_ERR_ARG, "layer %s: bits after its last slice are set",
                                l->name);
    return FLX_OK;
}

/* The inequalities of docs/numerics.md for one output channel. */
static int check_channel(const struct flx_model *m, const struct flx_layer *l, int o)
{
    int64_t inputs = (int64_t)l->kh * l->kw * l->in_c, lanes = 2 * inputs + 4096;
    int64_t code = ((int64_t)1 << m->act_bits) - 1;
    int binary = l->plane_mode == FLX_PLANES_BINARY;
    int64_t weight = binary ? ((int64_t)1 << l->planes) - 1 : 1;
    int64_t sum = code * inputs * weight;
    if (sum >= SUM_LIMIT)
        return flx_fail(FLX_ERR_OVERFLOW,
                        "layer %s: sums of %lld inputs can overflow the 22-bit "
                        "accumulator: split the layer",
                        l->name, (long long)inputs);
    int64_t half = !l->logits && l->shift > 0 ? (int64_t)1 << (l->shift - 1) : 0;
    int64_t value = llabs(l->beta[o]) + half;
    if (l->skip != FLX_NO_SKIP)
        value += llabs(l->skip_m) * code;
    for (int p = 0; p < (binary ? 1 : l->planes); p++)
        value += llabs(l->m[p * l->out_c + o]) * (sum + weight * lanes);
    if (value >= VALUE_LIMIT)
        return flx_fail(FLX_ERR_OVERFLOW,
                        "layer %s: output channel %d can overflow 32 bits: "
                        "choose a smaller shift",
                        l->name, o);
    return FLX_OK;
}

/* The sums of a pool fit the accumulator too. */
static int check_pool(const struct flx_model *m, const struct flx_layer *l)
{
    int64_t half = l->pool_shift > 0 ? (int64_t)1 << (l->pool_shift - 1) : 0;
    int64_t sum = (int64_t)l->pool * l->pool * (((int64_t)1 << m->act_bits) - 1) + half;
    if (l->pool_kind == FLX_POOL_SUM && sum >= SUM_LIMIT)
        return flx_fail(FLX_ERR_OVERFLOW, "layer %s: sums of %dx%d codes can overflow 22 bits",
                        l->name, l->pool, l->pool);
    return FLX_OK;
}

static int check_layer(const struct flx_model *m, int i)
{
    const struct flx_layer *l = &m->layers[i];
    int status = check_text("layer name", l->name, sizeof l->name, 0);
    if (!status)
        status = check_ranges(m, l);
    if (!status)
        status = check_derived(m, l);
    if (!status)
        status = check_bits(l);
    if (!status)
        status = check_pool(m, l);
    for (int o = 0; o < l->out_c && !status; o++)
        status = check_channel(m, l, o);
    return status;
}

int flx_model_check(const struct flx_model *m)
{
    int status = check_header(m);
    for (int i = 0; i < m->n_layers && !status; i++)
        status = check_layer(m, i);
    return status ? status : flx_model_check_graph(m);
}
