/* SPDX-License-Identifier: Apache-2.0 */
/** Cycles of a compiled model (docs/fit.md). */
#ifndef FLEXOR_FIT_CYCLES_H
#define FLEXOR_FIT_CYCLES_H
#include <stdint.h>

#include "compile.h"

/** Layer @p i of a batch, with its weights at hand. */
void flx_fit_cycles(const struct flx_desc *d, const struct flx_compiled *c, int i, uint64_t *busy,
                    uint64_t *cycles);

#endif
