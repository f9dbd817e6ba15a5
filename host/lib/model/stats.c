/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flexor/status.h"
#include "model_internal.h"

/* Size of the file that flx_model_save would write. */
static int computed_bytes(const struct flx_model *m, uint64_t *bytes)
{
    struct flx_image image;
    char *header = NULL;
    size_t len = 0;
    int status = flx_image_build(m, &image);
    if (!status)
        status = flx_st_header(image.tensors, image.n, image.meta, 4, &header, &len);
    *bytes = len;
    for (int i = 0; i < image.n; i++)
        *bytes += image.tensors[i].bytes;
    free(header);
    flx_image_free(&image);
    return status;
}

int flx_model_stats(const struct flx_model *m, const char *path, struct flx_model_stats *out)
{
    struct stat st;
    double nominal = 0;
    int status = FLX_OK;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < m->n_layers; i++) {
        struct flx_layer_stats layer;
        flx_layer_stats(m, &m->layers[i], &layer);
        out->weights += layer.weights;
        out->macs += layer.macs;
        nominal += layer.nominal_bits;
    }
    if (!path)
        status = computed_bytes(m, &out->bytes);
    else if (stat(path, &st) != 0)
        status = flx_fail(FLX_ERR_NOT_FOUND, "%s: cannot be read", path);
    else
        out->bytes = (uint64_t)st.st_size;
    out->nominal_bits = (uint64_t)llround(nominal);
    out->stored_bits = out->bytes * 8;
    out->bits_per_weight = nominal / (double)out->weights;
    out->bits_per_weight_stored = (double)out->stored_bits / (double)out->weights;
    return status;
}

void flx_layer_stats(const struct flx_model *m, const struct flx_layer *l,
                     struct flx_layer_stats *out)
{
    out->weights = (uint64_t)l->out_c * (uint64_t)l->kh * (uint64_t)l->kw * (uint64_t)l->in_c;
    out->macs = out->weights * (uint64_t)l->conv_h * (uint64_t)l->conv_w * (uint64_t)l->planes;
    out->nominal_bits = 0;
    for (int p = 0; p < l->planes; p++)
        out->nominal_bits += (double)out->weights * l->n_in[p] / (double)m->nets[l->net[p]].n_out;
}
