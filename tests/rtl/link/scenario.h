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

#define SCENARIO(f)                                                                                \
    {                                                                                              \
#f, f                                                                                      \
    }

/** Each ends with a null name. */
extern const struct scenario requests_scenarios[], line_scenarios[], refusals_scenarios[],
    waits_scenarios[], random_scenarios[];

#define RESPONSE(request)       ((request) | FLX_RESP_BIT)
#define BYTES(...)              ((const uint8_t[]){__VA_ARGS__})
#define COUNT(...)              (sizeof(BYTES(__VA_ARGS__)))
#define SEND(b, type, seq, ...) send_frame(b, type, seq, BYTES(__VA_ARGS__), COUNT(__VA_ARGS__))

void op(struct bench *b, enum stimulus_op code, uint32_t arg);
void send_bytes(struct bench *b, const uint8_t *p, size_t n);
/** Builds a whole frame in b->frame without sending it. */
void build(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len);
void send_built(struct bench *b);
void send_frame(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len);
/** Random number below @p n. */
unsigned below(struct bench *b, unsigned n);
void ping(struct bench *b, uint8_t seq);
/** READ of the digest of everything that reached the core, and what it must be. */
void read_digest(struct bench *b, uint8_t seq, uint32_t expected);
/** Little-endian word. */
void le32(uint8_t *p, uint32_t v);

/** What must come back next; @p next is the seq that the device expects then. */
void expect_status(struct bench *b, uint8_t request, uint8_t seq, uint8_t status, uint8_t next);
void expect_nak(struct bench *b, uint8_t seq, uint8_t status, uint8_t next);
/** HELLO with a number after which 0 is expected; any description will do. */
void greet(struct bench *b);
void expect_ping(struct bench *b, uint8_t seq, uint8_t next, uint16_t busy, uint8_t runs,
                 uint8_t failures);
void expect_words(struct bench *b, uint8_t seq, uint8_t next, const uint32_t *words, size_t n);

/** The digest after one value, and after a whole load. It begins with 1. */
uint32_t fold(uint32_t h, uint32_t v);
uint32_t fold_load(uint32_t h, uint32_t target, uint32_t arg, uint32_t addr, const uint8_t *data,
                   size_t n);

#endif
