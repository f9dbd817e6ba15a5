/* SPDX-License-Identifier: Apache-2.0 */
/** A bad cable for any transport, to test recovery: bytes are lost, damaged or
 *  doubled by a seeded plan. */
#ifndef FLEXOR_NOISE_H
#define FLEXOR_NOISE_H
#include "transport.h"

/** Wraps @p t: one byte in @p one_in suffers, in each direction. On failure
 *  (FLX_ERR_NOMEM) @p t is closed. */
int flx_noise_wrap(struct flx_transport *t, uint64_t one_in, uint64_t seed);

#endif
