/* SPDX-License-Identifier: Apache-2.0 */
/** Scenarios of the link's bench: what the host sends and what must come back. */
#ifndef LINK_SCENARIO_H
#define LINK_SCENARIO_H
#include "model.h"

/** Stimulus words of tb_link.v. */
enum stimulus_op { OP_BYTE = 0, OP_IDLE = 1, OP_WAIT = 2, OP_RESET = 3, OP_GOTO = 4, OP_DEAF = 5 };

struct bench {
    const struct config *cfg;
    uint32_t *words; /* stimulus */
    size_t n, cap;
    struct answers answers;
    struct model model; /* only the random scenarios use it */
    uint64_t random;
    uint8_t frame[FLX_HDR_BYTES + MODEL_MAX_PAYLOAD + FLX_CRC_BYTES]; /* the one being built */
    size_t len;
};

struct scenario {
    const char *name;
    void (*run)(struct bench *b);
};

/** Ends with a null name. */
extern const struct scenario scenarios[];

void op(struct bench *b, enum stimulus_op code, uint32_t arg);
void send_bytes(struct bench *b, const uint8_t *p, size_t n);
/** Builds a whole frame in b->frame without sending it. */
void build(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len);
void send_built(struct bench *b);
void send_frame(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len);
/** Random number below @p n. */
unsigned below(struct bench *b, unsigned n);

void random_frames(struct bench *b);

#endif
