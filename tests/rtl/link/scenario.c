/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

/** Directed scenarios: each shows one behaviour of docs/link.md. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#define RESPONSE(request)       ((request) | FLX_RESP_BIT)
#define BYTES(...)              ((const uint8_t[]){__VA_ARGS__})
#define COUNT(...)              (sizeof(BYTES(__VA_ARGS__)))
#define SEND(b, type, seq, ...) send_frame(b, type, seq, BYTES(__VA_ARGS__), COUNT(__VA_ARGS__))
#define PAST_FRAME_TIMEOUT      400

void op(struct bench *b, enum stimulus_op code, uint32_t arg)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 4096;
        b->words = realloc(b->words, b->cap * sizeof *b->words);
        if (!b->words)
            abort();
    }
    b->words[b->n++] = (uint32_t)code << 24 | arg;
}

void send_bytes(struct bench *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        op(b, OP_BYTE, p[i]);
}

void build(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len)
{
    b->len = build_frame(b->frame, type, seq, payload, len);
}

void send_built(struct bench *b)
{
    send_bytes(b, b->frame, b->len);
}

void send_frame(struct bench *b, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len)
{
    build(b, type, seq, payload, len);
    send_built(b);
}

void greet(struct bench *b)
{
    uint16_t any[2 + FLX_DESC_BYTES];
    for (size_t i = 0; i < 2 + FLX_DESC_BYTES; i++)
        any[i] = ANY_BYTE;
    send_frame(b, FLX_REQ_HELLO, 255, NULL, 0);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_HELLO), 255, any, 2 + FLX_DESC_BYTES, 0);
}

unsigned below(struct bench *b, unsigned n)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((b->random >> 33) % n);
}

void expect_status(struct bench *b, uint8_t request, uint8_t seq, uint8_t status, uint8_t next)
{
    uint16_t payload[2] = {status, next};
    answer_frame(&b->answers, RESPONSE(request), seq, payload, 2, 0);
}

void expect_nak(struct bench *b, uint8_t seq, uint8_t status, uint8_t next)
{
    uint16_t payload[2] = {status, next};
    answer_frame(&b->answers, FLX_RESP_NAK, seq, payload, 2, 0);
}

void expect_ping(struct bench *b, uint8_t seq, uint8_t next, uint16_t busy, uint8_t runs,
                 uint8_t failures)
{
    uint16_t payload[5] = {FLX_ST_OK, next, busy, runs, failures};
    answer_frame(&b->answers, RESPONSE(FLX_REQ_PING), seq, payload, 5, 0);
}

void expect_words(struct bench *b, uint8_t seq, uint8_t next, const uint32_t *words, size_t n)
{
    uint16_t payload[MODEL_MAX_PAYLOAD] = {FLX_ST_OK, next};
    for (size_t i = 0; i < 4 * n; i++)
        payload[2 + i] = (uint16_t)(words[i / 4] >> (8 * (i % 4)) & 255u);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_READ), seq, payload, 2 + 4 * n, 0);
}

void ping(struct bench *b, uint8_t seq)
{
    send_frame(b, FLX_REQ_PING, seq, NULL, 0);
}

/** READ of the digest of everything that reached the core. */
void read_digest(struct bench *b, uint8_t seq, uint32_t expected)
{
    SEND(b, FLX_REQ_READ, seq, FLX_RD_RESULTS, 0, 0, 0, 0, 0, 1, 0);
    expect_words(b, seq, (uint8_t)(seq + 1), &expected, 1);
}

uint32_t fold(uint32_t h, uint32_t v)
{
    return h * 33u + v;
}

uint32_t fold_load(uint32_t h, uint32_t target, uint32_t arg, uint32_t addr, const uint8_t *data,
                   size_t n)
{
    h = fold(fold(fold(h, target), arg), addr);
    for (size_t i = 0; i < n; i++)
        h = fold(h, data[i]);
    return h;
}

void le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}
