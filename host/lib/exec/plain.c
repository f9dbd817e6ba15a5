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

/* What a layer reads besides its weights. */
struct inputs {
    const uint8_t *in;
    const uint8_t *skip; /* codes of @p from, or NULL */
    const struct flx_layer *from;
};

static int skip_code(const struct flx_layer *l, const struct inputs *x, int row, int column, int o)
{
    if (o >= x->from->out_c)
        return 0;
    int at = row * l->skip_stride * x->from->out_w + column * l->skip_stride;
    return x->skip[at * x->from->out_c + o];
}

/* V of output position (row, column), channel o; the planes of w follow one another. */
static int64_t value(const struct flx_layer *l, const int8_t *w, const struct inputs *x, int row,
                     int column, int o)
{
    size_t weights = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int64_t v = l->beta[o], sum = 0;
    for (int p = 0; p < l->planes; p++) {
        int64_t s = plane_sum(l, w + (size_t)p * weights, x->in, row, column, o);
        if (l->plane_mode == FLX_PLANES_SCALED)
            v += l->m[p * l->out_c + o] * s;
        else
            sum += s * (1 << (l->planes - 1 - p));
    }
    if (l->plane_mode == FLX_PLANES_BINARY)
        v += l->m[o] * sum;
    return x->skip ? v + (int64_t)l->skip_m * skip_code(l, x, row, column, o) : v;
}

static int requantise(const struct flx_layer *l, int64_t v, int act_bits)
{
    int64_t half = l->shift > 0 ? (int64_t)1 << (l->shift - 1) : 0;
    int64_t code = (v + half) >> l->shift, max = (1 << act_bits) - 1;
    return (int)(code < 0 ? 0 : code > max ? max : code);
}

/* Requantised codes of all positions, before pooling. */
static void run_codes(const struct flx_layer *l, const int8_t *w, const struct inputs *x,
                      int act_bits, uint8_t *codes)
{
    for (int row = 0; row < l->conv_h; row++)
        for (int column = 0; column < l->conv_w; column++)
            for (int o = 0; o < l->out_c; o++)
                *codes++ = (uint8_t)requantise(l, value(l, w, x, row, column, o), act_bits);
}

/* One window of the pool: the positions that exist. */
static int pool_window(const struct flx_layer *l, const uint8_t *codes, int oy, int ox, int o,
                       int act_bits)
{
    int best = 0, sum = l->pool_shift > 0 ? 1 << (l->pool_shift - 1) : 0, max = (1 << act_bits) - 1;
    for (int py = 0; py < l->pool; py++)
        for (int px = 0; px < l->pool; px++) {
            int y = oy * l->pool_stride - l->pool_pad + py;
            int x = ox * l->pool_stride - l->pool_pad + px;
            if (y < 0 || y >= l->conv_h || x < 0 || x >= l->conv_w)
                continue;
            int code = codes[(y * l->conv_w + x) * l->out_c + o];
            best = code > best ? code : best;
            sum += code;
        }
    sum >>= l->pool_shift;
    return l->pool_kind == FLX_POOL_MAX ? best : sum > max ? max : sum;
}

static void run_pool(const struct flx_layer *l, const uint8_t *codes, int act_bits, uint8_t *out)
{
    for (int y = 0; y < l->out_h; y++)
        for (int x = 0; x < l->out_w; x++)
            for (int o = 0; o < l->out_c; o++)
                *out++ = (uint8_t)pool_window(l, codes, y, x, o, act_bits);
}

static int run_layer(const struct flx_model *m, const struct flx_layer *l, const struct inputs *x,
                     uint8_t *out, int32_t *logits)
{
    size_t weights = (size_t)l->out_c * (size_t)l->kh * (size_t)l->kw * (size_t)l->in_c;
    int8_t *w = malloc(weights * (size_t)l->planes);
    uint8_t *codes = malloc((size_t)l->conv_h * (size_t)l->conv_w * (size_t)l->out_c);
    int status = FLX_OK;
    if (!w || !codes) {
        status = flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
        goto out;
    }
    for (int p = 0; p < l->planes; p++)
        decode(m, l, p, w + (size_t)p * weights);
    if (l->logits) {
        for (int o = 0; o < l->out_c; o++)
            logits[o] = (int32_t)value(l, w, x, 0, 0, o);
        goto out;
    }
    run_codes(l, w, x, m->act_bits, codes);
    run_pool(l, codes, m->act_bits, out);
out:
    free(w);
    free(codes);
    return status;
}

int flx_plain_run(const struct flx_model *m, const uint8_t *image, int32_t *logits,
                  uint8_t *const *acts)
{
    uint8_t *out[FLX_MAX_LAYERS] = {NULL};
    int status = flx_model_check(m);
    if (!status)
        status = flx_exec_check_images(m, image, 1);
    for (int i = 0; i < m->n_layers && !status; i++) {
        const struct flx_layer *l = &m->layers[i];
        size_t codes = (size_t)l->out_h * (size_t)l->out_w * (size_t)l->out_c;
        struct inputs x = {.in = l->input == FLX_IMAGE ? image : out[l->input]};
        if (l->skip != FLX_NO_SKIP) {
            x.skip = out[l->skip];
            x.from = &m->layers[l->skip];
        }
        if (!(out[i] = malloc(codes)))
            status = flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its output", l->name);
        else
            status = run_layer(m, l, &x, out[i], logits);
        if (!status && acts && acts[i] && !l->logits)
            memcpy(acts[i], out[i], codes);
    }
    for (int i = 0; i < FLX_MAX_LAYERS; i++)
        free(out[i]);
    return status;
}
