/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/rng.h"

#include <math.h>

#define GOLDEN 0x9e3779b97f4a7c15u

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t flx_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint64_t key = mix(mix(seed + GOLDEN) + stream * GOLDEN + 1);
    return mix(key + (counter + 1) * GOLDEN);
}

void flx_rng_init(struct flx_rng *r, uint64_t seed, uint64_t stream)
{
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = flx_rng_u64(seed, stream, i);
    r->s[0] |= (r->s[0] | r->s[1] | r->s[2] | r->s[3]) == 0;
    r->spare = 0;
    r->has_spare = 0;
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t flx_rng_next(struct flx_rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t flx_rng_below(struct flx_rng *r, uint64_t n)
{
    uint64_t reject = (0 - n) % n; /* 2^64 mod n values would be favoured */
    uint64_t x;
    do
        x = flx_rng_next(r);
    while (x < reject);
    return x % n;
}

double flx_rng_uniform(struct flx_rng *r)
{
    return (double)(flx_rng_next(r) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method. */
double flx_rng_normal(struct flx_rng *r)
{
    if (r->has_spare) {
        r->has_spare = 0;
        return r->spare;
    }
    double u, v, q;
    do {
        u = 2 * flx_rng_uniform(r) - 1;
        v = 2 * flx_rng_uniform(r) - 1;
        q = u * u + v * v;
    } while (q >= 1 || q <= 0);
    double f = sqrt(-2 * log(q) / q);
    r->spare = v * f;
    r->has_spare = 1;
    return u * f;
}

void flx_rng_shuffle(struct flx_rng *r, uint32_t *v, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)flx_rng_below(r, i), t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}
