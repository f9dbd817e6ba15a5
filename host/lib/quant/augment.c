/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flexor/rng.h"
#include "quant.h"

#define MAX_SHIFT 2

struct view {
    int flip, dy, dx;
};

static struct view draw_view(const struct flx_train_options *o, int epoch, uint32_t image)
{
    uint64_t r = flx_rng_u64((uint64_t)o->seed, FLX_STREAM_AUGMENT + 16 * (uint64_t)epoch, image);
    struct view v = {0};
    int span = 2 * MAX_SHIFT + 1;
    if (o->augment == FLX_AUGMENT_FLIP || o->augment == FLX_AUGMENT_FLIP_SHIFT)
        v.flip = (int)(r & 1);
    if (o->augment == FLX_AUGMENT_SHIFT || o->augment == FLX_AUGMENT_FLIP_SHIFT) {
        v.dy = (int)((r >> 8) & 0xffff) % span - MAX_SHIFT;
        v.dx = (int)((r >> 24) & 0xffff) % span - MAX_SHIFT;
    }
    return v;
}

/* What moves in from outside is 0. */
static void copy_view(const struct flx_dataset *d, const uint8_t *from, struct view v, uint8_t *to)
{
    int h = d->height, w = d->width, c = d->channels;
    if (!v.flip && !v.dy && !v.dx) {
        memcpy(to, from, (size_t)(h * w * c));
        return;
    }
    memset(to, 0, (size_t)(h * w * c));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int sy = y - v.dy, sx = (v.flip ? w - 1 - x : x) - v.dx;
            if (sy >= 0 && sy < h && sx >= 0 && sx < w)
                memcpy(to + (y * w + x) * c, from + (sy * w + sx) * c, (size_t)c);
        }
}

void flx_batch_fill(const struct flx_train_options *o, const struct flx_dataset *d,
                    const uint32_t *order, int epoch, uint8_t *images, uint8_t *labels)
{
    size_t size = (size_t)(d->height * d->width * d->channels);
#pragma omp parallel for schedule(static) num_threads(o->threads)
    for (int i = 0; i < o->batch; i++) {
        copy_view(d, d->images + order[i] * size, draw_view(o, epoch, order[i]),
                  images + (size_t)i * size);
        labels[i] = d->labels[order[i]];
    }
}
