/* SPDX-License-Identifier: Apache-2.0 */
/** Integer reference: runs a model bit-exactly on the CPU (docs/numerics.md). */
#ifndef FLEXOR_EXEC_H
#define FLEXOR_EXEC_H
#include <stdint.h>

#include "flexor/model.h"

struct flx_exec; /* fast reference; not thread-safe, uses threads inside */

/** Checks the model and decodes its weights once. @p m must outlive the result.
 *  threads 0 = all cores. FLX_ERR_NOMEM, and all of flx_model_check. */
int flx_exec_create(const struct flx_model *m, int threads, struct flx_exec **out);
void flx_exec_free(struct flx_exec *e);

/** images: n x in_h x in_w x in_c bytes; logits: n x classes. FLX_ERR_ARG when a
 *  byte is above 2^act_bits - 1 (4-bit models take 4-bit images). */
int flx_exec_run(struct flx_exec *e, const uint8_t *images, int n, int32_t *logits);

/** Activations of @p layer (u8 codes, n x out_h x out_w x out_c; for the last
 *  layer use flx_exec_run). */
int flx_exec_activations(struct flx_exec *e, const uint8_t *images, int n, int layer,
                         uint8_t *codes);

/** The plain version: one image, nested loops straight from docs/numerics.md.
 *  acts[i] (may be NULL) receives layer i's codes. For tests; slow. */
int flx_plain_run(const struct flx_model *m, const uint8_t *image, int32_t *logits,
                  uint8_t *const *acts);

#endif
