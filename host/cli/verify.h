/* SPDX-License-Identifier: Apache-2.0 */
/** What `flexor verify` compares and how (verify.c); options, data and output are in
 *  cmd_verify.c. */
#ifndef FLEXOR_CLI_VERIFY_H
#define FLEXOR_CLI_VERIFY_H
#include <stdint.h>

#include "flexor/device.h"
#include "flexor/exec.h"
#include "flexor/model.h"
#include "flexor/progress.h"

/** One value that differs; layer -1: a logit (channel = class). */
struct verify_difference {
    int found;
    int image, layer, y, x, channel;
    int32_t expected, got;
};

struct verify {
    const struct flx_model *model;     /* runs on the device */
    const struct flx_model *reference; /* usually the same; of the same shape */
    const char *device;                /* spec string */
    const uint8_t *images;
    int n;           /* images whose logits are compared */
    int activations; /* the first so many have every activation compared */
    int jobs;        /* devices that share the work */
    int first;       /* number of images[0] in its set, for messages */
    FILE *progress;  /* NULL: silent */

    /* Results; logits (n x classes, of the device) are owned by the caller. */
    int32_t *logits;
    uint64_t logit_mismatches, activation_mismatches;
    struct verify_difference difference; /* the first one: logits last */
    struct flx_counters counters;        /* of the runs that gave the logits */
    struct flx_device_info info;
    double seconds; /* of those runs */
};

/** Fills the results. FLX_OK although values differ; anything else means that the
 *  comparison could not be finished. */
int verify_run(struct verify *v);

/** FLX_ERR_ARG unless both models take and give maps of the same shapes. */
int verify_same_shapes(const struct flx_model *a, const struct flx_model *b);

#endif
