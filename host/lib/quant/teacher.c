/* SPDX-License-Identifier: Apache-2.0 */
/* Distillation: a trained network whose logits are part of the loss. */
#include "flexor/status.h"
#include "quant.h"

int flx_trainer_teach(struct flx_trainer *t, const char *path)
{
    struct flx_trainer *teacher = NULL;
    int status = flx_checkpoint_read(path, t->net->batch, t->o.threads, &teacher);
    if (status != FLX_OK)
        return status;
    if (teacher->in_h != t->in_h || teacher->in_w != t->in_w || teacher->in_c != t->in_c ||
        teacher->net->classes != t->net->classes) {
        flx_trainer_free(teacher);
        return flx_fail(FLX_ERR_ARG, "%s: takes other images or knows other classes than %s", path,
                        t->o.model);
    }
    flx_trainer_weights(teacher);
    flx_trainer_free(t->teacher);
    t->teacher = teacher;
    return FLX_OK;
}

int flx_trainer_loss(struct flx_trainer *t, const uint8_t *images, struct flx_loss *kind)
{
    *kind = (struct flx_loss){.smoothing = (float)t->o.smoothing,
                              .distill = (float)t->o.distill,
                              .temperature = (float)t->o.temperature};
    if (!t->teacher)
        return FLX_OK;
    int status = flx_net_forward(t->teacher->net, images, 0);
    kind->teacher = flx_net_logits(t->teacher->net);
    return status;
}
