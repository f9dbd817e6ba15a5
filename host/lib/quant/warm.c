/* SPDX-License-Identifier: Apache-2.0 */
/* Warm start: encrypted weights whose decoded signs agree best with a float network's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant.h"

#define MAX_SEARCH 16 /* coupled inputs up to which all assignments are tried */
#define RESTARTS   4  /* of the search beyond that */
#define LEAST      1e-12F

/* One slice. v[r] = y[r] * target[r], so that their sum is to be large. */
struct slice {
    int n_in, n_out;
    const uint32_t *rows;
    uint32_t of[FLX_XOR_MAX]; /* rows that input j is a tap of */
    uint32_t coupled;         /* inputs that are taps of a row with several */
    uint32_t bits;
    float v[FLX_XOR_MAX];
};

static void list_inputs(struct slice *s, const struct flx_xor_layer *l)
{
    memset(s, 0, sizeof *s);
    s->n_in = l->n_in;
    s->n_out = l->n_out;
    s->rows = l->rows;
    for (int r = 0; r < l->n_out; r++)
        for (int j = 0; j < l->n_in; j++)
            if (l->rows[r] >> j & 1) {
                s->of[j] |= UINT32_C(1) << r;
                if (l->rows[r] & (l->rows[r] - 1))
                    s->coupled |= UINT32_C(1) << j;
            }
}

static void set_bits(struct slice *s, uint32_t bits, const float *target)
{
    s->bits = bits;
    for (int r = 0; r < s->n_out; r++)
        s->v[r] = __builtin_popcount(s->rows[r] & bits) % 2 ? target[r] : -target[r];
}

/* Half of what the sum gains when input @p j flips. */
static float gain(const struct slice *s, int j)
{
    float sum = 0;
    for (uint32_t rows = s->of[j]; rows; rows &= rows - 1)
        sum -= s->v[__builtin_ctz(rows)];
    return sum;
}

static void flip(struct slice *s, int j)
{
    s->bits ^= UINT32_C(1) << j;
    for (uint32_t rows = s->of[j]; rows; rows &= rows - 1)
        s->v[__builtin_ctz(rows)] *= -1;
}

static float total(const struct slice *s)
{
    float sum = 0;
    for (int r = 0; r < s->n_out; r++)
        sum += s->v[r];
    return sum;
}

/* Every assignment of the coupled inputs, one flip apart (Gray code). */
static void search_all(struct slice *s, const float *target)
{
    int inputs[MAX_SEARCH], n = 0;
    for (uint32_t c = s->coupled; c; c &= c - 1)
        inputs[n++] = __builtin_ctz(c);
    float now = 0, best = 0;
    uint32_t best_bits = s->bits;
    for (uint32_t k = 1; k < UINT32_C(1) << n; k++) {
        int j = inputs[__builtin_ctz(k)];
        now += gain(s, j);
        flip(s, j);
        if (now > best) {
            best = now;
            best_bits = s->bits;
        }
    }
    set_bits(s, best_bits, target);
}

/* Flips single inputs and pairs of them for as long as that helps. */
static void climb(struct slice *s)
{
    for (int better = 1; better;) {
        better = 0;
        for (int a = 0; a < s->n_in; a++)
            for (int b = a; b < s->n_in; b++) {
                float gained = gain(s, a);
                flip(s, a);
                if (b > a) {
                    gained += gain(s, b);
                    flip(s, b);
                }
                if (gained > 1e-6F) {
                    better = 1;
                    continue;
                }
                flip(s, a);
                if (b > a)
                    flip(s, b);
            }
    }
}

static void search_some(struct slice *s, const float *target, struct flx_rng *rng)
{
    uint32_t best_bits = 0, all = s->n_in < 32 ? (UINT32_C(1) << s->n_in) - 1 : UINT32_MAX;
    float best = -INFINITY;
    for (int k = 0; k < RESTARTS; k++) {
        set_bits(s, (uint32_t)flx_rng_next(rng) & all, target);
        climb(s);
        if (total(s) > best) {
            best = total(s);
            best_bits = s->bits;
        }
    }
    set_bits(s, best_bits, target);
}

/* Inputs that stand alone in all their rows follow the targets at once. */
static void solve(struct slice *s, const float *target, struct flx_rng *rng)
{
    set_bits(s, 0, target);
    for (int j = 0; j < s->n_in; j++)
        if (!(s->coupled >> j & 1) && gain(s, j) > 0)
            flip(s, j);
    if (__builtin_popcount(s->coupled) <= MAX_SEARCH)
        search_all(s, target);
    else
        search_some(s, target, rng);
}

void flx_xor_encrypt(struct flx_xor_layer *l, const float *target, float size, uint64_t seed)
{
    struct slice s;
    struct flx_rng rng;
    float aim[FLX_XOR_MAX];
    list_inputs(&s, l);
    flx_rng_init(&rng, seed, 0);
    for (size_t at = 0; at < l->slicing.n_slices; at++) {
        for (int r = 0; r < l->n_out; r++) {
            size_t i = (size_t)l->index[(size_t)r * l->stride + at];
            aim[r] = i < l->n_weights ? target[i] : 0;
        }
        solve(&s, aim, &rng);
        for (int j = 0; j < l->n_in; j++) {
            float sure = size * fabsf(gain(&s, j)) + LEAST;
            l->x[(size_t)j * l->stride + at] = s.bits >> j & 1 ? sure : -sure;
        }
    }
}

/* rest / its mean magnitude, filter by filter. */
static void normalise(const float *rest, int filters, size_t per, float *target)
{
    for (int o = 0; o < filters; o++) {
        const float *w = rest + (size_t)o * per;
        float sum = 0;
        for (size_t k = 0; k < per; k++)
            sum += fabsf(w[k]);
        float scale = sum > 0 ? (float)per / sum : 0;
        for (size_t k = 0; k < per; k++)
            target[(size_t)o * per + k] = w[k] * scale;
    }
}

/* The best scale of filter @p o (least squares); takes its share off the rest. */
static float take_off(float *rest, const int8_t *y, size_t per, int o)
{
    float sum = 0, least = 0;
    rest += (size_t)o * per;
    y += (size_t)o * per;
    for (size_t k = 0; k < per; k++) {
        sum += rest[k] * (float)y[k];
        least += 1e-3F * fabsf(rest[k]);
    }
    float alpha = (sum > least ? sum : least + LEAST) / (float)per;
    for (size_t k = 0; k < per; k++)
        rest[k] -= alpha * (float)y[k];
    return alpha;
}

static int encrypt_node(struct flx_trainer *t, int i, const float *w)
{
    struct flx_node *nd = &t->net->nodes[i];
    struct flx_coded *c = &t->coded[i];
    size_t n = nd->n_weights, per = n / (size_t)nd->out_c;
    float *rest = malloc(2 * n * sizeof *rest), *target = rest + n;
    float first = (float)flx_schedule_s(&t->o, 0, 1); /* saturation is a matter of S x */
    if (!rest)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the weights of %s", nd->name);
    memcpy(rest, w, n * sizeof *rest);
    for (int p = 0; p < c->planes; p++) {
        normalise(rest, nd->out_c, per, target);
        flx_xor_encrypt(&c->plane[p], target, 0.5F / first, (uint64_t)t->o.seed);
        flx_xor_forward(&c->plane[p], nd->w8[p], t->o.threads);
        for (int o = 0; o < nd->out_c; o++) {
            float alpha = take_off(rest, nd->w8[p], per, o);
            if (p == 0)
                nd->alpha[o] = alpha;
            else
                nd->ratio[p][o] = alpha / nd->alpha[o];
        }
    }
    free(rest);
    return FLX_OK;
}

static int copy_node(struct flx_trainer *t, int i, const struct flx_node *from)
{
    struct flx_node *nd = &t->net->nodes[i];
    size_t bytes = (size_t)nd->out_c * sizeof(float);
    memcpy(nd->gamma, from->gamma, bytes);
    memcpy(nd->beta, from->beta, bytes);
    memcpy(nd->mean, from->mean, bytes);
    memcpy(nd->var, from->var, bytes);
    if (!t->coded || t->coded[i].integer.bits) {
        memcpy(t->coded ? t->coded[i].integer.w : nd->w, from->w, nd->n_weights * sizeof(float));
        return FLX_OK;
    }
    return encrypt_node(t, i, from->w);
}

static int check_same(const struct flx_trainer *t, const struct flx_trainer *from, const char *path)
{
    if (from->coded)
        return flx_fail(FLX_ERR_ARG, "%s: a warm start wants a checkpoint of --mode float", path);
    int same = from->net->n_nodes == t->net->n_nodes;
    for (int i = 0; same && i < t->net->n_nodes; i++) {
        const struct flx_node *a = &t->net->nodes[i], *b = &from->net->nodes[i];
        same = a->kind == b->kind && a->out_c == b->out_c && a->kh == b->kh && a->kw == b->kw &&
               a->in_c == b->in_c;
    }
    if (!same)
        return flx_fail(FLX_ERR_ARG, "%s: its network is another one than %s", path, t->o.model);
    return FLX_OK;
}

int flx_trainer_warm_start(struct flx_trainer *t, const char *path)
{
    struct flx_trainer *from = NULL;
    int status = flx_checkpoint_read(path, 1, t->o.threads, &from);
    if (status == FLX_OK)
        status = check_same(t, from, path);
    for (int i = 0; status == FLX_OK && i < t->net->n_nodes; i++)
        status = copy_node(t, i, &from->net->nodes[i]);
    flx_trainer_free(from);
    return status;
}
