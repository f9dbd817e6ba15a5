/* SPDX-License-Identifier: Apache-2.0 */
/** Any bytes into the frame decoder, in pieces whose lengths come from the input
 *  too. Every frame that comes out must encode to bytes that are in the input.
 *  Usable with libFuzzer (-fsanitize=fuzzer); test_link.c runs it on random input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "device/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(const struct flx_frame *f, const uint8_t *data, size_t size)
{
    uint8_t *again = malloc(f->len + FLX_FRAME_OVERHEAD);
    if (!again)
        return;
    size_t n = flx_frame_encode(again, f->type, f->seq, f->payload, f->len);
    int found = 0;
    for (size_t i = 0; i + n <= size && !found; i++)
        found = memcmp(data + i, again, n) == 0;
    free(again);
    if (!found)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flx_frame_decoder d;
    struct flx_frame f;
    size_t at = 0;
    if (size < 2 || flx_decoder_init(&d, 1 + (size_t)data[0]))
        return 0;
    while (at < size) {
        size_t room, n = (size_t)(1 + data[at] % (1 + data[1]));
        uint8_t *space = flx_decoder_space(&d, &room);
        if (room == 0)
            abort();
        n = n < room ? n : room;
        n = n < size - at ? n : size - at;
        memcpy(space, data + at, n);
        flx_decoder_added(&d, n);
        at += n;
        enum flx_frame_event e;
        while ((e = flx_decoder_next(&d, &f)) != FLX_FRAME_NONE)
            if (e == FLX_FRAME_OK)
                check_frame(&f, data, size);
        if (data[at - 1] == 0)
            flx_decoder_resync(&d);
    }
    flx_decoder_free(&d);
    return 0;
}
