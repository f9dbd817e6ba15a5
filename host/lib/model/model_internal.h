/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the model module share. */
#ifndef FLEXOR_MODEL_INTERNAL_H
#define FLEXOR_MODEL_INTERNAL_H
#include "flexor/model.h"
#include "flexor/safetensors.h"

#define FLX_MAX_POOL_SHIFT 21 /* sums of a pool are below 2^21 */

/** Refuses impossible geometry and parameters of a layer; else fills conv_h, conv_w,
 *  out_h, out_w, slicing and n_words. Allocates nothing. FLX_ERR_ARG. */
int flx_layer_derive(const struct flx_model *m, struct flx_layer *l);

/** Structure of the XOR networks, for messages and files. FLX_ERR_ARG. */
int flx_model_check_nets(const struct flx_model *m);

/** Who reads what: every layer gets what it takes, every output is used, only
 *  the last layer gives logits. The layers are checked already. FLX_ERR_ARG. */
int flx_model_check_graph(const struct flx_model *m);

/** The JSON text `network` of docs/model-format.md; the caller frees it. */
int flx_network_dump(const struct flx_model *m, char **text);

/** Reads that text into an empty model: descriptions only, no arrays, derived
 *  fields unset. @p what names the file in messages. */
int flx_network_parse(const char *what, const char *text, struct flx_model *m);

/** Reads and checks a model in memory (see flx_model_load). */
int flx_model_parse(const char *what, const void *data, size_t len, struct flx_model **out);

/** Tensors and metadata of a model file. Owns the copies in @p buffers. */
struct flx_image {
    struct flx_st_tensor *tensors;
    void **buffers; /* a tensor's data, or NULL when the model owns it */
    char (*names)[32];
    int n;
    struct flx_st_meta meta[4];
    char *network;
    char crc[9];
};

/** Builds the content of a model's file; the model must stay while it is used.
 *  Free it in any case. */
int flx_image_build(const struct flx_model *m, struct flx_image *image);
void flx_image_free(struct flx_image *image);

/** Name of a tensor of layer @p i ("layer2.bits0"); plane is for "bits" only. */
void flx_tensor_name(char name[32], int i, const char *field, int plane);

/** Shape of tensors of a layer, as in docs/model-format.md. */
struct flx_st_tensor flx_bits_tensor(const struct flx_layer *l, int plane);
struct flx_st_tensor flx_m_tensor(const struct flx_layer *l);
struct flx_st_tensor flx_beta_tensor(const struct flx_layer *l);
struct flx_st_tensor flx_rows_tensor(const struct flx_xornet *net);

#endif
