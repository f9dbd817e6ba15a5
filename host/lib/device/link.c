/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"

uint8_t flx_crc8(const uint8_t *data, size_t len)
{
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 0x80 ? (crc << 1 ^ 0x07) & 0xff : crc << 1;
    }
    return (uint8_t)crc;
}

/* Over bytes 1..4 of the header and the payload. */
static uint32_t frame_crc(const uint8_t *frame, size_t len)
{
    uint32_t crc = flx_crc32(0, frame + 1, FLX_HDR_BYTES - 2);
    return flx_crc32(crc, frame + FLX_HDR_BYTES, len);
}

size_t flx_frame_encode(uint8_t *out, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len)
{
    out[0] = FLX_SOF;
    out[1] = type;
    out[2] = seq;
    out[3] = (uint8_t)len;
    out[4] = (uint8_t)(len >> 8);
    out[5] = flx_crc8(out + 1, FLX_HDR_BYTES - 2);
    if (len && payload != out + FLX_HDR_BYTES)
        memcpy(out + FLX_HDR_BYTES, payload, len);
    uint32_t crc = frame_crc(out, len);
    for (size_t i = 0; i < FLX_CRC_BYTES; i++)
        out[FLX_HDR_BYTES + len + i] = (uint8_t)(crc >> 8 * i);
    return len + FLX_FRAME_OVERHEAD;
}

int flx_decoder_init(struct flx_frame_decoder *d, size_t max_payload)
{
    size_t cap = 2 * (max_payload + FLX_FRAME_OVERHEAD);
    uint8_t *buf = malloc(cap);
    if (!buf)
        return flx_fail(FLX_ERR_NOMEM, "no memory for a receive buffer of %zu bytes", cap);
    *d = (struct flx_frame_decoder){.buf = buf, .cap = cap, .max_payload = max_payload};
    return FLX_OK;
}

void flx_decoder_free(struct flx_frame_decoder *d)
{
    free(d->buf);
    *d = (struct flx_frame_decoder){0};
}

uint8_t *flx_decoder_space(struct flx_frame_decoder *d, size_t *room)
{
    if (d->begin) {
        memmove(d->buf, d->buf + d->begin, d->end - d->begin);
        d->end -= d->begin;
        d->begin = 0;
    }
    *room = d->cap - d->end;
    return d->buf + d->end;
}

void flx_decoder_added(struct flx_frame_decoder *d, size_t n)
{
    d->end += n;
}

void flx_decoder_resync(struct flx_frame_decoder *d)
{
    if (d->begin < d->end)
        d->begin++;
}

/* Skips to a SOF whose header is whole and right; 0 when more bytes are needed. */
static int find_header(struct flx_frame_decoder *d, size_t *len)
{
    for (; d->begin < d->end; d->begin++) {
        const uint8_t *h = d->buf + d->begin;
        if (h[0] != FLX_SOF)
            continue;
        if (d->end - d->begin < FLX_HDR_BYTES)
            return 0;
        *len = (size_t)(h[3] | h[4] << 8);
        if (flx_crc8(h + 1, FLX_HDR_BYTES - 2) == h[5] && *len <= d->max_payload)
            return 1;
    }
    return 0;
}

enum flx_frame_event flx_decoder_next(struct flx_frame_decoder *d, struct flx_frame *f)
{
    size_t len;
    if (!find_header(d, &len) || d->end - d->begin < len + FLX_FRAME_OVERHEAD)
        return FLX_FRAME_NONE;
    const uint8_t *h = d->buf + d->begin, *tail = h + FLX_HDR_BYTES + len;
    uint32_t crc = 0;
    for (size_t i = 0; i < FLX_CRC_BYTES; i++)
        crc |= (uint32_t)tail[i] << 8 * i;
    if (crc != frame_crc(h, len)) {
        d->begin++;
        return FLX_FRAME_BAD_CRC;
    }
    *f = (struct flx_frame){.type = h[1], .seq = h[2], .len = len, .payload = h + FLX_HDR_BYTES};
    d->begin += len + FLX_FRAME_OVERHEAD;
    return FLX_FRAME_OK;
}
