/* SPDX-License-Identifier: Apache-2.0 */
/* docs/numerics.md as nested loops. Nothing here is shared with the fast
 * reference, not even the decoder, so that the two can be compared. */
#include <stdlib.h>
#include <string.h>

#include "exec_internal.h"
#include "flexor/status.h"

/* Weights of one plane, OHWI: y = M x for each slice, one row at a time. */
static void decode(const struct flx_model *m, const struct flx_layer *l, int plane, int8_t *w)
{
    const struct flx_xornet *net = &m->nets[l->net[plane]];
    int n_in = l->n_in[plane];
    for (size_t s = 0; s < l->slicing.n_slices; s++) {
        uint32_t x = 0;
        for (int j = 0; j < n_in; j++)
            x |= (uint32_t)(l->bits[plane][(size_t)j * l->n_words + s / 64] >> (s % 64) & 1) << j;
        for (int r = 0; r < net->n_out; r++) {
            ptrdiff_t at = flx_slicing_index(&l->slicing, s, r);
            int y = __builtin_parity(x & flx_xornet_row(net, n_in, r));
            if (at >= 0)
                w[at] = y ? 1 : -1;
        }
    }
}

static int input_code(const struct flx_layer *l, const uint8_t *in, int y, int x, int c)
{
    if (y < 0 || y >= l->in_h || x < 0 || x >= l->in_w)
        return l->in_zero;
    return in[(y * l->in_w + x) * l->in_c + c];
}

/* S_p of output position (y, x), channel o. */
static int64_t plane_sum(const struct flx_layer *l, const int8_t *w, const uint8_t *in, int y,
                         int x, int o)
{
    int64_t sum = 0;
    for (int ky = 0; ky < l->kh; ky++)
        for (int kx = 0; kx < l->kw; kx++)
            for (int c = 0; c < l->in_c; c++) {
                int b = w[((o * l->kh + ky) * l->kw + kx) * l->in_c + c];
                int a =
                    input_code(l, in, y * l->stride + ky - l->pad, x * l->stride + kx - l->pad, c);
                sum += b * a;
            }
    return sum;
}

/* V of output position (y, x), channel o; the planes of w follow one another. */
static int64_t value(const struct flx_layer *l, const int8_t *w, const uint8_t *in, int y, int x,
                     int o)
{
    size_t weights = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int64_t v = l->beta[o], sum = 0;
    for (int p = 0; p < l->planes; p++) {
        int64_t s = plane_sum(l, w + (size_t)p * weights, in, y, x, o);
        if (l->plane_mode == FLX_PLANES_SCALED)
            v += l->m[p * l->out_c + o] * s;
        else
            sum += s * (1 << (l->planes - 1 - p));
    }
    return l->plane_mode == FLX_PLANES_SCALED ? v : v + l->m[o] * sum;
}

static int requantise(const struct flx_layer *l, int64_t v, int act_bits)
{
    int64_t half = l->shift > 0 ? (int64_t)1 << (l->shift - 1) : 0;
    int64_t code = (v + half) >> l->shift, max = (1 << act_bits) - 1;
    return (int)(code < 0 ? 0 : code > max ? max : code);
}

/* Requantised codes of one layer, maximum over each pooling window. */
static void run_codes(const struct flx_layer *l, const int8_t *w, const uint8_t *in, int act_bits,
                      uint8_t *out)
{
    for (int y = 0; y < l->out_h; y++)
        for (int x = 0; x < l->out_w; x++)
            for (int o = 0; o < l->out_c; o++) {
                int best = 0;
                for (int py = 0; py < l->pool; py++)
                    for (int px = 0; px < l->pool; px++) {
                        int64_t v = value(l, w, in, y * l->pool + py, x * l->pool + px, o);
                        int code = requantise(l, v, act_bits);
                        best = code > best ? code : best;
                    }
                out[(y * l->out_w + x) * l->out_c + o] = (uint8_t)best;
            }
}

static int run_layer(const struct flx_model *m, const struct flx_layer *l, const uint8_t *in,
                     uint8_t *out, int32_t *logits)
{
    size_t weights = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int8_t *w = malloc(weights * (size_t)l->planes);
    if (!w)
        return flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
    for (int p = 0; p < l->planes; p++)
        decode(m, l, p, w + (size_t)p * weights);
    if (l->logits)
        for (int o = 0; o < l->out_c; o++)
            logits[o] = (int32_t)value(l, w, in, 0, 0, o);
    else
        run_codes(l, w, in, m->act_bits, out);
    free(w);
    return FLX_OK;
}

int flx_plain_run(const struct flx_model *m, const uint8_t *image, int32_t *logits,
                  uint8_t *const *acts)
{
    int status = flx_model_check(m);
    uint8_t *in = NULL, *out = NULL;
    if (!status)
        status = flx_exec_check_images(m, image, 1);
    for (int i = 0; i < m->n_layers && !status; i++) {
        const struct flx_layer *l = &m->layers[i];
        size_t codes = (size_t)l->out_h * (size_t)l->out_w * (size_t)l->out_c;
        if (!(out = malloc(codes))) {
            status = flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its output", l->name);
            break;
        }
        status = run_layer(m, l, in ? in : image, out, logits);
        if (!status && acts && acts[i] && !l->logits)
            memcpy(acts[i], out, codes);
        free(in);
        in = out;
        out = NULL;
    }
    free(in);
    return status;
}
