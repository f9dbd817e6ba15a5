/* SPDX-License-Identifier: Apache-2.0 */
/** Deterministic random numbers: the same on every machine, with any number of
 *  threads. Not for cryptography. */
#ifndef FLEXOR_RNG_H
#define FLEXOR_RNG_H
#include <stdint.h>

/** Number @p counter of stream @p stream of @p seed: a pure function, so that
 *  threads need not agree on an order. */
uint64_t flx_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter);

/** A stateful generator (xoshiro256**). Plain data: copying it copies the state,
 *  which is how a checkpoint keeps it. */
struct flx_rng {
    uint64_t s[4];
    double spare; /* second value of the last normal pair */
    int has_spare;
};

/** Starts stream @p stream of @p seed. Streams are independent. */
void flx_rng_init(struct flx_rng *r, uint64_t seed, uint64_t stream);

uint64_t flx_rng_next(struct flx_rng *r);

/** Uniform integer in 0..n-1 without bias; n >= 1. */
uint64_t flx_rng_below(struct flx_rng *r, uint64_t n);

/** Uniform in [0, 1), 53 bits. */
double flx_rng_uniform(struct flx_rng *r);

/** Normal, mean 0 and variance 1 (the last digits depend on libm's logarithm). */
double flx_rng_normal(struct flx_rng *r);

/** Shuffles the @p n values of @p v (Fisher-Yates). */
void flx_rng_shuffle(struct flx_rng *r, uint32_t *v, uint32_t n);

#endif
