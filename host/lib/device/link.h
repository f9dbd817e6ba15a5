/* SPDX-License-Identifier: Apache-2.0 */
/** Frames of the link (docs/link.md): encoding, and decoding with resynchronisation. */
#ifndef FLEXOR_LINK_H
#define FLEXOR_LINK_H
#include <stddef.h>
#include <stdint.h>

#include "flx_proto.h"

#define FLX_FRAME_OVERHEAD (FLX_HDR_BYTES + FLX_CRC_BYTES)

struct flx_frame {
    uint8_t type, seq;
    size_t len;             /* bytes of payload */
    const uint8_t *payload; /* inside the decoder, until the next call */
};

/** CRC-8, polynomial 0x07, initial value 0. */
uint8_t flx_crc8(const uint8_t *data, size_t len);

/** Writes a frame of len + FLX_FRAME_OVERHEAD bytes and returns its length. The
 *  payload (at most 65535 bytes) may already lie at out + FLX_HDR_BYTES. */
size_t flx_frame_encode(uint8_t *out, uint8_t type, uint8_t seq, const uint8_t *payload,
                        size_t len);

enum flx_frame_event {
    FLX_FRAME_NONE, /* more bytes are needed */
    FLX_FRAME_OK,
    FLX_FRAME_BAD_CRC /* a frame with a good header and a bad CRC-32 was dropped */
};

struct flx_frame_decoder {
    uint8_t *buf; /* owned */
    size_t cap, begin, end;
    size_t max_payload;
};

/** FLX_ERR_NOMEM. */
int flx_decoder_init(struct flx_frame_decoder *d, size_t max_payload);
void flx_decoder_free(struct flx_frame_decoder *d);

/** Where the next bytes go: *room of them fit (at least 1 after flx_decoder_next
 *  returned FLX_FRAME_NONE). Then say with flx_decoder_added how many came. */
uint8_t *flx_decoder_space(struct flx_frame_decoder *d, size_t *room);
void flx_decoder_added(struct flx_frame_decoder *d, size_t n);

/** Takes the next frame out. Bytes that cannot begin a frame are skipped; after a
 *  bad header or CRC the search goes on at the byte after its SOF. */
enum flx_frame_event flx_decoder_next(struct flx_frame_decoder *d, struct flx_frame *f);

/** Gives up waiting for the rest of the frame that has begun: the search goes on
 *  inside it. For the moment when the line falls silent. */
void flx_decoder_resync(struct flx_frame_decoder *d);

#endif
