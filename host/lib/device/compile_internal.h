/* SPDX-License-Identifier: Apache-2.0 */
/** Steps of the device compiler. Each reads what the ones before it filled in. */
#ifndef FLEXOR_COMPILE_INTERNAL_H
#define FLEXOR_COMPILE_INTERNAL_H
#include "compile.h"

#define FLX_K0 4 /* inputs of a slice, lanes of a granule */

static inline uint32_t flx_ceil_div(uint32_t a, uint32_t b)
{
    return (a + b - 1) / b;
}

/** Refuses what this device cannot run (compile_check.c). */
int flx_compile_check(const struct flx_model *m, const struct flx_desc *d);

/** Sizes and addresses: feature maps, weights, parameters (compile_layout.c). */
int flx_compile_layout(const struct flx_desc *d, int stream, struct flx_compiled *c);

/** Weight words of a layer, and what the array's sums lack for each channel: N of
 *  docs/numerics.md, doubled plane by plane in binary mode (compile_weights.c).
 *  @p lacking: an entry for every channel of a set, laid out as the parameters:
 *  [words / block_words][sets][T]. */
int flx_compile_weights(const struct flx_desc *d, const struct flx_layer *l,
                        const struct flx_xornet *net, struct flx_compiled_layer *out,
                        int64_t *lacking);

/** Channels of a map in the memory: whole channel groups. */
uint32_t flx_stored_channels(const struct flx_desc *d, int channels);

/** Channels of an input pixel of layer @p l in the memory, words that it takes, and
 *  words that a kernel row takes. */
uint32_t flx_pixel_channels(const struct flx_layer *l, const struct flx_desc *d);
uint32_t flx_pixel_words(const struct flx_layer *l, const struct flx_desc *d);
uint32_t flx_run_words(const struct flx_layer *l, const struct flx_desc *d);

/** The layer has one pool window a row, whose sum the device adds up from `pixels` columns at a
 * time (flx_pixels: joined), instead of working on `pixels` windows. */
int flx_joined(const struct flx_layer *l, const struct flx_desc *d);

/** The map that layer @p i reads. */
static inline const struct flx_map *flx_input_map(const struct flx_compiled *c, int i)
{
    return i ? &c->layer[c->model->layers[i].input].out : &c->image;
}

/** Addresses of maps, with weights above them when they fit there. */
int flx_store_place(const struct flx_desc *d, int stream, struct flx_compiled *c);

/** Addresses of all maps and image buffers (compile_place.c): FLX_ERR_CAPACITY. */
int flx_compile_place(const struct flx_desc *d, struct flx_compiled *c);

/** Program words (compile_program.c). */
int flx_compile_program(const struct flx_desc *d, struct flx_compiled *c);

#endif
