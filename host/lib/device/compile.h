/* SPDX-License-Identifier: Apache-2.0 */
/** Device compiler: a model and a device description -> program words, parameters,
 *  weight words and the layout of the activation memory (docs/architecture.md). */
#ifndef FLEXOR_COMPILE_H
#define FLEXOR_COMPILE_H
#include <stddef.h>
#include <stdint.h>

#include "desc.h"
#include "flexor/model.h"

/** A feature map in the activation memory, in activation words. */
struct flx_map {
    uint32_t base, words;
    uint32_t row_words, pixel_words;
    int rows, columns, channels;
};

struct flx_compiled_layer {
    int n_in;
    size_t word_bytes;    /* bytes of a weight word on the link */
    uint32_t words;       /* weight words: groups x block_words */
    uint32_t block_words; /* of one channel group */
    uint32_t base;        /* first weight word when resident */
    uint8_t *weights;     /* words x word_bytes, owned; resident and stream order */
    int sets;             /* parameters of a channel: scaled planes, else 1 */
    uint32_t param_base;  /* channel entry */
    struct flx_map out;   /* all 0 for the logits */
};

struct flx_compiled {
    const struct flx_model *model; /* not owned */
    int n_layers;
    int streamed; /* weights do not stay in the device */
    uint32_t *program;
    size_t program_words;
    uint8_t *params; /* 6 bytes an entry: m i16, beta' i32 */
    size_t n_params;
    uint32_t weight_words; /* of all layers */
    size_t store_bytes;    /* that resident weights take in a store, heads included */
    struct flx_map image;  /* buffer 0, row-packed */
    uint32_t image_base1;  /* buffer 1 */
    int one_image;         /* buffers 0 and 1 are one: images are sent when no run is under way */
    size_t image_bytes;    /* raw image on the link */
    struct flx_compiled_layer layer[FLX_MAX_LAYERS];
};

/** Compiles for a device. @p stream forces streamed weights, else they are
 *  resident when they fit. Free the result in any case.
 *  FLX_ERR_XORNET when model and device use different networks,
 *  FLX_ERR_UNSUPPORTED, FLX_ERR_CAPACITY (what does not fit, and the parameter
 *  of the build), FLX_ERR_OVERFLOW, FLX_ERR_NOMEM. */
int flx_compile(const struct flx_model *m, const struct flx_desc *d, int stream,
                struct flx_compiled *out);

/** Bytes of a unit in which weights are written to a store: words of the largest n_in. */
size_t flx_store_unit(const struct flx_desc *d);

/** The bytes of all layers as a store keeps them: c->store_bytes, owned by the caller;
 *  NULL without memory. */
uint8_t *flx_store_image(const struct flx_compiled *c);

void flx_compiled_free(struct flx_compiled *c);

#endif
