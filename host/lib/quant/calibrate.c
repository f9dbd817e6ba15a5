/* SPDX-License-Identifier: Apache-2.0 */
/* Batch norm statistics of the final weights: the running ones lag behind weights that
 * change their signs, and binary weights change by leaps. The images are augmented as in
 * training: the network has learnt with the statistics of cropped images, and those of
 * plain ones cost it 3 points on CIFAR-10. */
#include <stdlib.h>

#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant.h"

/* Means over all batches, activation ranges as they are. */
static int average(struct flx_trainer *t, const struct flx_dataset *d, const uint32_t *order,
                   int batches, uint8_t *images, uint8_t *labels)
{
    struct flx_net *net = t->net;
    float bn = net->bn_momentum, range = net->range_momentum;
    int status = FLX_OK;
    net->range_momentum = 0;
    flx_trainer_weights(t);
    for (int k = 0; k < batches && status == FLX_OK; k++) {
        flx_batch_fill(&t->o, d, order + (size_t)k * (size_t)net->batch, net->batch, t->o.epochs,
                       images, labels);
        net->bn_momentum = 1 / (float)(k + 1);
        status = flx_net_forward(net, images, 1);
    }
    net->bn_momentum = bn;
    net->range_momentum = range;
    return status;
}

int flx_trainer_calibrate(struct flx_trainer *t, const struct flx_dataset *d)
{
    int batch = t->net->batch, most = t->o.bn_images < d->n ? t->o.bn_images : d->n;
    int batches = most / batch, status = FLX_OK;
    size_t size = (size_t)(t->in_h * t->in_w * t->in_c);
    uint32_t *order = malloc((size_t)d->n * sizeof *order);
    uint8_t *images = malloc((size_t)batch * size), *labels = malloc((size_t)batch);
    struct flx_rng rng;
    if (!order || !images || !labels) {
        status = flx_fail(FLX_ERR_NOMEM, "out of memory");
    } else {
        for (int i = 0; i < d->n; i++)
            order[i] = (uint32_t)i;
        flx_rng_init(&rng, (uint64_t)t->o.seed, FLX_STREAM_ORDER + 16 * (uint64_t)t->o.epochs);
        flx_rng_shuffle(&rng, order, (uint32_t)d->n);
        status = average(t, d, order, batches, images, labels);
    }
    free(order);
    free(images);
    free(labels);
    return status;
}
