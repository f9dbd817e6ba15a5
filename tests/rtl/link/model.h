/* SPDX-License-Identifier: Apache-2.0 */
/** Model of the device for the tests of the link: byte-wise receiver and command
 *  processor over the stand-in core (flx_core.v of this folder). */
#ifndef LINK_MODEL_H
#define LINK_MODEL_H
#include <stddef.h>
#include <stdint.h>

#include "flx_proto.h"

#define MODEL_MAX_PAYLOAD 1024
#define ANY_BYTE          256u

/** Parameters of a build, in the order of gen_link's table. */
struct config {
    const char *name;
    unsigned k, t, p, pixels, act_w, amem, wmem, pmem, layers, res, max_payload;
};

/** Where expected answer bytes go: values 0...255 or ANY_BYTE. */
struct answers {
    uint16_t *bytes;
    size_t n, cap;
};

struct model {
    const struct config *cfg;
    struct answers *out;
    /* receiver */
    unsigned state;
    uint8_t frame[FLX_HDR_BYTES + MODEL_MAX_PAYLOAD + FLX_CRC_BYTES];
    /* command processor */
    uint8_t expect, run_number, failures;
    int strange; /* no HELLO since the reset */
    /* stand-in core */
    uint32_t digest, runs;
    int busy_forever, loader_stuck;
};

void model_init(struct model *m, const struct config *cfg, struct answers *out);
/** rst or i_link_reset of the top. */
void model_reset(struct model *m);
/** One byte from the host. */
void model_byte(struct model *m, uint8_t byte);
/** The line was idle for longer than FRAME_TIMEOUT. */
void model_idle(struct model *m);

/** Appends a frame; a payload byte of ANY_BYTE makes the CRC any four bytes too. */
void answer_frame(struct answers *a, uint8_t type, uint8_t seq, const uint16_t *payload, size_t len,
                  int poison);
/** Bytes of a weight word of @p n_in. */
unsigned weight_bytes(const struct config *c, unsigned n_in);
/** The 48 bytes of the description. */
void description(const struct config *c, uint8_t d[FLX_DESC_BYTES]);
/** Value of a word or granule of the stand-in (not digest and run count). */
uint32_t stand_in_word(unsigned target, unsigned arg, uint32_t addr);
uint8_t crc8(const uint8_t *p, size_t n);
/** Fills SOF, hcs and crc around a payload of @p len bytes. @return bytes of the frame */
size_t build_frame(uint8_t *frame, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len);

#endif
