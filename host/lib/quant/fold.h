/* SPDX-License-Identifier: Apache-2.0 */
/** From float nodes to integer layers. Private to quant. */
#ifndef FLEXOR_QUANT_FOLD_H
#define FLEXOR_QUANT_FOLD_H
#include "flexor/model.h"
#include "flexor/nn.h"

/** m, beta, skip_m and the shift of a layer whose other fields are set, from node @p i.
 *  The steps of the net are those of its last forward pass. FLX_ERR_OVERFLOW. */
int flx_fold_layer(const struct flx_net *net, int i, struct flx_layer *l);

#endif
