/* SPDX-License-Identifier: Apache-2.0 */
#include "compile.h"

#include <inttypes.h>
#include <stdlib.h>

#include "compile_internal.h"
#include "flexor/status.h"

#define PARAM_BYTES 6

/* Offset of a channel that does not exist: its codes are 0 whatever is added. */
#define NOWHERE UINT32_C(0xC0000000) /* -2^30 */

static void put_entry(uint8_t *entry, int m, uint32_t beta)
{
    entry[0] = (uint8_t)m;
    entry[1] = (uint8_t)((unsigned)m >> 8);
    for (int i = 0; i < 4; i++)
        entry[2 + i] = (uint8_t)(beta >> 8 * i);
}

/* A channel's entries, one a set and @p t apart: beta' = beta + half + sum of m N
 * (docs/numerics.md) belongs to the first. Modulo 2^32, as the device adds: V is exact. */
static void fold(const struct flx_layer *l, int o, int sets, size_t t, const int64_t *lacking,
                 uint8_t *entry)
{
    int64_t half = !l->logits && l->shift > 0 ? INT64_C(1) << (l->shift - 1) : 0;
    int64_t beta = l->beta[o] + half;
    for (int j = 0; j < sets; j++)
        beta += l->m[j * l->out_c + o] * lacking[(size_t)j * t];
    for (int j = 0; j < sets; j++)
        put_entry(entry + PARAM_BYTES * (size_t)j * t, l->m[j * l->out_c + o],
                  j ? 0 : (uint32_t)beta);
}

static void fold_layer(const struct flx_desc *d, struct flx_compiled *c, int i,
                       const int64_t *lacking)
{
    const struct flx_layer *l = &c->model->layers[i];
    const struct flx_compiled_layer *cl = &c->layer[i];
    size_t t = (size_t)d->t, channels = cl->words / cl->block_words * t;
    for (size_t o = 0; o < channels; o++) {
        size_t at = (o / t * (size_t)cl->sets) * t + o % t;
        uint8_t *entry = c->params + PARAM_BYTES * (cl->param_base + at);
        if (o < (size_t)l->out_c)
            fold(l, (int)o, cl->sets, t, lacking + at, entry);
        else
            put_entry(entry, 0, NOWHERE);
    }
}

/* The array's sum is S - N: both ends must fit the accumulator. */
static int check_accumulator(const struct flx_desc *d, const struct flx_model *m,
                             const struct flx_layer *l, const struct flx_compiled_layer *cl)
{
    int64_t code = (INT64_C(1) << m->act_bits) - 1;
    int64_t weight = cl->sets > 1 ? 1 : (INT64_C(1) << l->planes) - 1;
    int64_t inputs = (int64_t)l->kh * l->kw * l->in_c;
    int64_t lanes = (int64_t)cl->block_words / l->planes * d->k;
    int64_t half = INT64_C(1) << (m->act_bits - 1);
    int64_t most = d->lanes ? half * lanes + lanes / 2 : code * inputs + lanes;
    if (most * weight >= INT64_C(1) << (d->acc_bits - 1))
        return flx_fail(FLX_ERR_OVERFLOW,
                        "layer %s: %" PRId64 " inputs can overflow the device's %d-bit "
                        "accumulators: build it with a larger ACC_W",
                        l->name, inputs, d->acc_bits);
    return FLX_OK;
}

static int compile_layer(const struct flx_desc *d, struct flx_compiled *c, int i)
{
    const struct flx_layer *l = &c->model->layers[i];
    struct flx_compiled_layer *cl = &c->layer[i];
    size_t channels = (size_t)(cl->words / cl->block_words) * (size_t)d->t;
    int64_t *lacking = calloc(channels * (size_t)cl->sets, sizeof *lacking);
    if (!lacking)
        return flx_fail(FLX_ERR_NOMEM, "layer %s: no memory for its channels", l->name);
    int status = check_accumulator(d, c->model, l, cl);
    if (!status)
        status = flx_compile_weights(d, l, &c->model->nets[l->net[0]], cl, lacking);
    if (!status)
        fold_layer(d, c, i, lacking);
    free(lacking);
    return status;
}

int flx_compile(const struct flx_model *m, const struct flx_desc *d, int stream,
                struct flx_compiled *out)
{
    *out = (struct flx_compiled){.model = m, .n_layers = m->n_layers};
    int status = flx_compile_check(m, d);
    if (!status)
        status = flx_compile_layout(d, stream, out);
    if (status)
        return status;
    out->params = calloc(out->n_params, PARAM_BYTES);
    if (!out->params)
        return flx_fail(FLX_ERR_NOMEM, "no memory for the channel parameters");
    for (int i = 0; i < m->n_layers && !status; i++)
        status = compile_layer(d, out, i);
    return status ? status : flx_compile_program(d, out);
}

void flx_compiled_free(struct flx_compiled *c)
{
    for (int i = 0; i < c->n_layers; i++)
        free(c->layer[i].weights);
    free(c->params);
    free(c->program);
    *c = (struct flx_compiled){0};
}
