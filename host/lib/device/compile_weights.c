/* SPDX-License-Identifier: Apache-2.0 */
/* A weight word is gathered as bit planes over its slices, decoded as the device
 * does it to count what the lanes' sums lack, and packed for the link. */
#include <stdlib.h>
#include <string.h>

#include "compile_internal.h"
#include "flexor/status.h"

/* docs/lanes.md: a -1 in lane k lacks c[k mod 4], and each weight half of a code's range. */
static const int8_t lane_constants[][FLX_K0] = {{1, 1, 1, 1}, {0, 1, 0, 1}, {1, 1, -1, 0}};

#define MAX_SLICES 4096 /* of a word: K 128 x T 1024 / n_out 32 */
#define MAX_WORDS  (MAX_SLICES / 64)

struct gather {
    const struct flx_desc *d;
    const struct flx_layer *l;
    const struct flx_xornet *net;
    int n_in, slices, kcs; /* kcs: slices side by side along K */
    size_t stride;         /* 64-bit words of a plane */
    int chunks;            /* slices of one pixel along the channels */
    uint32_t pixel_words;
    uint64_t in[FLX_XOR_MAX * MAX_WORDS], out[FLX_XOR_MAX * MAX_WORDS];
};

/* Index of slice s of word w of a kernel row, or -1 when there is none. */
static ptrdiff_t slice_index(const struct gather *g, uint32_t group, int ky, uint32_t w, int s)
{
    const struct flx_slicing *sl = &g->l->slicing;
    int tcs = g->slices / g->kcs;
    int64_t chunk = (int64_t)(w % g->pixel_words) * g->kcs + s % g->kcs;
    int64_t row = (int64_t)group * tcs + s / g->kcs;
    if (chunk >= g->chunks || row >= sl->groups)
        return -1;
    chunk += (int64_t)(w / g->pixel_words) * g->chunks;
    return (ptrdiff_t)((row * sl->kh + ky) * sl->run_chunks + chunk);
}

static void gather_word(struct gather *g, uint32_t group, int plane, int ky, uint32_t w)
{
    const struct flx_layer *l = g->l;
    memset(g->in, 0, (size_t)g->n_in * g->stride * sizeof g->in[0]);
    for (int s = 0; s < g->slices; s++) {
        ptrdiff_t at = slice_index(g, group, ky, w, s);
        for (int j = 0; at >= 0 && j < g->n_in; j++) {
            const uint64_t *bits = l->bits[plane] + (size_t)j * l->n_words;
            g->in[(size_t)j * g->stride + (size_t)s / 64] |= (bits[at / 64] >> at % 64 & 1)
                                                             << s % 64;
        }
    }
}

/* Adds what the sums of this word lack, times weight, to the T entries of its group. */
static void count_word(struct gather *g, int64_t weight, int64_t *lacking)
{
    int t0 = g->net->n_out / FLX_K0;
    int64_t half = g->d->lanes ? INT64_C(1) << (g->d->act_bits - 1) : 0;
    const int8_t *constant = lane_constants[g->d->lanes];
    flx_xornet_decode(g->net, g->n_in, g->in, g->out, g->stride, g->stride);
    for (int r = 0; r < g->net->n_out; r++)
        for (int s = 0; s < g->slices; s++) {
            int plus = (int)(g->out[(size_t)r * g->stride + (size_t)s / 64] >> s % 64 & 1);
            lacking[s / g->kcs * t0 + r % t0] += weight * (plus ? half : constant[r / t0] - half);
        }
}

/* docs/link.md: few slices share a byte, else every plane begins a new byte. */
static void pack_word(const struct gather *g, uint8_t *out)
{
    int shared = g->slices == 1 || g->slices == 2 || g->slices == 4;
    size_t plane_bits = shared ? (size_t)g->slices : ((size_t)g->slices + 7) / 8 * 8;
    memset(out, 0, flx_word_bytes(g->slices, g->n_in));
    for (size_t j = 0; j < (size_t)g->n_in; j++)
        for (size_t s = 0; s < (size_t)g->slices; s++) {
            size_t bit = j * plane_bits + s;
            uint64_t value = g->in[j * g->stride + s / 64] >> s % 64 & 1;
            out[bit / 8] |= (uint8_t)(value << bit % 8);
        }
}

static void gather_layer(struct gather *g, struct flx_compiled_layer *out, int64_t *lacking)
{
    const struct flx_layer *l = g->l;
    uint32_t run = flx_run_words(l, g->d), groups = out->words / out->block_words;
    uint8_t *at = out->weights;
    for (uint32_t group = 0; group < groups; group++)
        for (int p = 0; p < l->planes; p++) {
            int scaled = out->sets > 1;
            size_t set = group * (size_t)out->sets + (size_t)(scaled ? p : 0);
            int64_t weight = scaled ? 1 : INT64_C(1) << (l->planes - 1 - p);
            for (int ky = 0; ky < l->kh; ky++)
                for (uint32_t w = 0; w < run; w++, at += out->word_bytes) {
                    gather_word(g, group, p, ky, w);
                    count_word(g, weight, lacking + set * (size_t)g->d->t);
                    pack_word(g, at);
                }
        }
}

int flx_compile_weights(const struct flx_desc *d, const struct flx_layer *l,
                        const struct flx_xornet *net, struct flx_compiled_layer *out,
                        int64_t *lacking)
{
    int slices = flx_desc_slices(d);
    if (slices > MAX_SLICES)
        return flx_fail(FLX_ERR_CAPACITY, "a device with %d slices a word is beyond this program",
                        slices);
    struct gather *g = malloc(sizeof *g);
    out->weights = malloc((size_t)out->words * out->word_bytes);
    if (!g || !out->weights) {
        free(g);
        return flx_fail(FLX_ERR_NOMEM, "layer %s: no memory for its weight words", l->name);
    }
    g->d = d;
    g->l = l;
    g->net = net;
    g->n_in = out->n_in;
    g->slices = slices;
    g->kcs = d->k / FLX_K0;
    g->stride = ((size_t)slices + 63) / 64;
    g->pixel_words = flx_pixel_words(l, d);
    g->chunks = l->row_packed ? l->slicing.run_chunks : l->slicing.run_chunks / l->kw;
    gather_layer(g, out, lacking);
    free(g);
    return FLX_OK;
}
