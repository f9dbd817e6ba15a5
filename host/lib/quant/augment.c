/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flexor/rng.h"
#include "quant.h"

#define MAX_SHIFT 2
#define CROP_PAD  4

struct view {
    int flip, dy, dx;
};

static int flips(enum flx_augment a)
{
    return a == FLX_AUGMENT_FLIP || a == FLX_AUGMENT_FLIP_SHIFT || a == FLX_AUGMENT_FLIP_CROP;
}

static int largest_shift(enum flx_augment a)
{
    if (a == FLX_AUGMENT_CROP || a == FLX_AUGMENT_FLIP_CROP)
        return CROP_PAD;
    return a == FLX_AUGMENT_SHIFT || a == FLX_AUGMENT_FLIP_SHIFT ? MAX_SHIFT : 0;
}

static struct view draw_view(const struct flx_train_options *o, int epoch, uint32_t image)
{
    uint64_t r = flx_rng_u64((uint64_t)o->seed, FLX_STREAM_AUGMENT + 16 * (uint64_t)epoch, image);
    struct view v = {0};
    int most = largest_shift(o->augment), span = 2 * most + 1;
    if (flips(o->augment))
        v.flip = (int)(r & 1);
    v.dy = (int)((r >> 8) & 0xffff) % span - most;
    v.dx = (int)((r >> 24) & 0xffff) % span - most;
    return v;
}

/* Columns first..last-1 of a row come from the image. */
static void copy_row(const uint8_t *from, struct view v, int w, size_t c, uint8_t *to)
{
    int first = v.dx > 0 ? v.dx : 0, last = v.dx < 0 ? w + v.dx : w;
    if (!v.flip) {
        memcpy(to + (size_t)first * c, from + (size_t)(first - v.dx) * c,
               (size_t)(last - first) * c);
        return;
    }
    for (int x = first; x < last; x++) {
        const uint8_t *pixel = from + (size_t)(w - 1 - (x - v.dx)) * c;
        for (size_t i = 0; i < c; i++)
            to[(size_t)x * c + i] = pixel[i];
    }
}

/* What moves in from outside is 0. */
static void copy_view(const struct flx_dataset *d, const uint8_t *from, struct view v, uint8_t *to)
{
    size_t c = (size_t)d->channels, row = (size_t)d->width * c;
    int h = d->height, w = d->width;
    if (v.dx > w || -v.dx > w)
        v.dx = v.dx > 0 ? w : -w;
    memset(to, 0, (size_t)h * row);
    for (int y = 0; y < h; y++) {
        int sy = y - v.dy;
        if (sy >= 0 && sy < h)
            copy_row(from + (size_t)sy * row, v, w, c, to + (size_t)y * row);
    }
}

void flx_batch_fill(const struct flx_train_options *o, const struct flx_dataset *d,
                    const uint32_t *order, int n, int epoch, uint8_t *images, uint8_t *labels)
{
    size_t size = (size_t)(d->height * d->width * d->channels);
#pragma omp parallel for schedule(static) num_threads(o->threads)
    for (int i = 0; i < n; i++) {
        copy_view(d, d->images + order[i] * size, draw_view(o, epoch, order[i]),
                  images + (size_t)i * size);
        labels[i] = d->labels[order[i]];
    }
}
