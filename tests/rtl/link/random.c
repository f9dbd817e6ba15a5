/* SPDX-License-Identifier: Apache-2.0 */
/** Random frames with random damage; the model says what must come back. */
#include <string.h>

#include "scenario.h"

enum { FRAMES = 600, PAST_FRAME_TIMEOUT = 400 };

/** Sends bytes to the bench and to the model. */
static void both(struct bench *b, const uint8_t *p, size_t n)
{
    send_bytes(b, p, n);
    for (size_t i = 0; i < n; i++)
        model_byte(&b->model, p[i]);
}

static void idle(struct bench *b)
{
    op(b, OP_IDLE, PAST_FRAME_TIMEOUT);
    model_idle(&b->model);
}

static void put(uint8_t *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/** An address that is mostly inside [0, limit), sometimes anything. */
static uint32_t random_addr(struct bench *b, uint32_t limit)
{
    switch (below(b, 12)) {
    case 0:
        return limit;
    case 1:
        return limit - 1 - below(b, limit < 8 ? limit : 8);
    case 2:
        return 1u << below(b, 32);
    default:
        return below(b, limit);
    }
}

static size_t random_write(struct bench *b, uint8_t *p)
{
    const struct config *c = b->cfg;
    static const unsigned units[5] = {4, 6, 0, 1, 0};
    const uint32_t limits[5] = {FLX_PROG_HDR_WORDS + c->layers * FLX_PROG_LAYER_WORDS, c->pmem,
                                c->wmem, 1, 1};
    unsigned target = below(b, 5), n_in = 13 + below(b, 20);
    size_t unit = units[target] ? units[target] : weight_bytes(c, n_in);
    size_t most = (c->max_payload - FLX_WR_HDR_BYTES) / unit;
    size_t n = unit * below(b, 1 + (unsigned)(most > 12 && below(b, 5) ? 12 : most));
    if (below(b, 10) == 0)
        n = below(b, c->max_payload - FLX_WR_HDR_BYTES + 1);
    p[0] = (uint8_t)(below(b, 40) ? target : below(b, 256));
    p[1] = (uint8_t)(target == FLX_WR_IMAGE ? below(b, c->p) | (below(b, 4) ? 0u : 128u)
                     : units[target]        ? 0
                                            : n_in);
    if (below(b, 30) == 0)
        p[1] = (uint8_t)below(b, 256);
    put(p + 2, target < FLX_WR_IMAGE || below(b, 30) == 0 ? random_addr(b, limits[target]) : 0, 4);
    for (size_t i = 0; i < n; i++)
        p[FLX_WR_HDR_BYTES + i] = (uint8_t)(below(b, 4) ? below(b, 256) : FLX_SOF);
    if (target == FLX_WR_IMAGE && n && below(b, 20) == 0)
        p[FLX_WR_HDR_BYTES] = 0xDD;
    return FLX_WR_HDR_BYTES + n;
}

static size_t random_read(struct bench *b, uint8_t *p)
{
    const struct config *c = b->cfg;
    const uint32_t limits[3] = {c->res, c->amem, c->layers * FLX_COUNTER_WORDS};
    unsigned target = below(b, 3);
    p[0] = (uint8_t)(below(b, 40) ? target : below(b, 256));
    p[1] = (uint8_t)(target == FLX_RD_COUNTERS ? 0 : below(b, c->p));
    if (target == FLX_RD_RESULTS && below(b, 3) == 0)
        p[1] |= FLX_RESULTS_PREVIOUS;
    if (below(b, 30) == 0)
        p[1] = (uint8_t)below(b, 256);
    put(p + 2, target == FLX_RD_RESULTS && below(b, 2) ? 0 : random_addr(b, limits[target]), 4);
    put(p + 6, below(b, 8) ? below(b, 4) : below(b, 10) ? below(b, 80) : below(b, 65536), 2);
    return FLX_RD_HDR_BYTES;
}

/** Builds a request that is mostly right for the device's state. */
static void random_request(struct bench *b)
{
    static uint8_t p[MODEL_MAX_PAYLOAD];
    unsigned kind = below(b, 20);
    uint8_t type = FLX_REQ_PING, seq = b->model.expect;
    size_t len = 0;
    if (kind < 8) {
        type = FLX_REQ_WRITE;
        len = random_write(b, p);
    } else if (kind < 14) {
        type = FLX_REQ_READ;
        len = random_read(b, p);
    } else if (kind < 17) {
        type = FLX_REQ_RUN;
        len = FLX_RUN_BYTES;
        p[0] = (uint8_t)below(b, below(b, 10) ? 4 : 256);
        p[1] = (uint8_t)(below(b, 30) ? below(b, 254) : 0xFE);
    } else if (kind == 17) {
        type = below(b, 2) ? FLX_REQ_HELLO : FLX_REQ_RESET;
    } else if (kind == 18 && below(b, 5) == 0) {
        type = (uint8_t)below(b, 256);
    }
    if (below(b, 40) == 0)
        len = below(b, 12);
    if (below(b, 15) == 0)
        seq = (uint8_t)(below(b, 2) ? below(b, 256) : seq - 1u);
    if (b->model.busy_forever && below(b, 4) == 0) {
        type = FLX_REQ_RESET;
        len = 0;
    }
    build(b, type, seq, p, len);
}

/** Damages the built frame or the line around it. @return bytes of the frame to send */
static size_t damage(struct bench *b)
{
    uint8_t garbage[64];
    switch (below(b, 6)) {
    case 0: /* a wrong bit */
        b->frame[below(b, (unsigned)b->len)] ^= (uint8_t)(1u << below(b, 8));
        return b->len;
    case 1: /* a wrong byte */
        b->frame[below(b, (unsigned)b->len)] = (uint8_t)below(b, 256);
        return b->len;
    case 2: { /* garbage in front */
        size_t n = 1 + below(b, sizeof garbage);
        for (size_t i = 0; i < n; i++)
            garbage[i] = (uint8_t)(below(b, 8) ? below(b, 256) : FLX_SOF);
        both(b, garbage, n);
        return b->len;
    }
    case 3: { /* a lost byte */
        size_t at = below(b, (unsigned)b->len);
        memmove(b->frame + at, b->frame + at + 1, b->len - at - 1);
        return b->len - 1;
    }
    case 4: /* a header with a random length */
        put(b->frame + 3, below(b, 65536), 2);
        b->frame[5] = crc8(b->frame + 1, 4);
        return b->len;
    default: /* cut short */
        return below(b, (unsigned)b->len);
    }
}

static void random_frames(struct bench *b)
{
    static const uint8_t zero[FLX_HDR_BYTES + MODEL_MAX_PAYLOAD + FLX_CRC_BYTES];
    for (int i = 0; i < FRAMES; i++) {
        random_request(b);
        size_t n = below(b, 6) ? b->len : damage(b);
        both(b, b->frame, n);
        if (below(b, 20) == 0)
            both(b, zero, below(b, sizeof zero));
        if (below(b, 12) == 0)
            idle(b);
    }
    idle(b);
    build(b, FLX_REQ_HELLO, 1, NULL, 0);
    both(b, b->frame, b->len);
}

const struct scenario random_scenarios[] = {
    SCENARIO(random_frames),
    {NULL, NULL},
};
