/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "flexor/model.h"
#include "flexor/status.h"

int flx_layer_weights(const struct flx_model *m, const struct flx_layer *l, int plane, int8_t *out)
{
    if (plane < 0 || plane >= l->planes)
        return flx_fail(FLX_ERR_ARG, "layer %s: has no plane %d", l->name, plane);
    const struct flx_xornet *net = &m->nets[l->net[plane]];
    size_t n_out = (size_t)net->n_out;
    uint64_t *decoded = malloc(n_out * l->n_words * sizeof *decoded);
    if (!decoded)
        return flx_fail(FLX_ERR_NOMEM, "layer %s: out of memory for its weights", l->name);
    flx_xornet_decode(net, l->n_in[plane], l->bits[plane], decoded, l->n_words, l->n_words);
    for (size_t s = 0; s < l->slicing.n_slices; s++)
        for (size_t r = 0; r < n_out; r++) {
            ptrdiff_t at = flx_slicing_index(&l->slicing, s, (int)r);
            if (at >= 0)
                out[at] = decoded[r * l->n_words + s / 64] >> (s % 64) & 1 ? 1 : -1;
        }
    free(decoded);
    return FLX_OK;
}
