/* SPDX-License-Identifier: Apache-2.0 */
/** Requests that the device refuses. */
#include "scenario.h"

#include <string.h>

static void unknown_types_are_refused(struct bench *b)
{
    for (unsigned type = 0; type < 256; type++) {
        if (type >= FLX_REQ_HELLO && type <= FLX_REQ_PING)
            continue;
        send_frame(b, (uint8_t)type, 0, NULL, 0);
        expect_nak(b, 0, FLX_ST_TYPE, 0);
    }
}

static void wrong_lengths_are_refused(struct bench *b)
{
    const uint8_t zero[10] = {0};
    uint8_t seq = 0;
    for (uint8_t type = FLX_REQ_HELLO; type <= FLX_REQ_PING; type++) {
        for (size_t len = 0; len < 10; len++) {
            if ((type == FLX_REQ_WRITE && len >= FLX_WR_HDR_BYTES) ||
                (type == FLX_REQ_RUN && len == FLX_RUN_BYTES) ||
                (type == FLX_REQ_READ && len == FLX_RD_HDR_BYTES) ||
                ((type == FLX_REQ_HELLO || type > FLX_REQ_READ) && len == 0))
                continue;
            send_frame(b, type, seq, zero, len);
            seq = (uint8_t)(seq + (type != FLX_REQ_PING));
            expect_status(b, type, (uint8_t)(seq - (type != FLX_REQ_PING)), FLX_ST_LENGTH, seq);
        }
    }
    ping(b, 0);
    expect_ping(b, 0, seq, 0, 0, (uint8_t)(seq + 9));
}

static void unknown_targets_are_refused(struct bench *b)
{
    uint8_t seq = 0;
    for (unsigned target = 0; target < 256; target++) {
        if (target > FLX_WR_STREAM) {
            SEND(b, FLX_REQ_WRITE, seq, (uint8_t)target, 0, 0, 0, 0, 0, 1, 2);
            expect_status(b, FLX_REQ_WRITE, seq, FLX_ST_TARGET, (uint8_t)(seq + 1));
            seq++;
        }
        if (target > FLX_RD_COUNTERS) {
            SEND(b, FLX_REQ_READ, seq, (uint8_t)target, 0, 0, 0, 0, 0, 1, 0);
            expect_status(b, FLX_REQ_READ, seq, FLX_ST_TARGET, (uint8_t)(seq + 1));
            seq++;
        }
    }
}

/** WRITE of one unit at @p addr and what status it gets. */
static uint32_t write_unit(struct bench *b, uint8_t *seq, uint8_t target, uint8_t arg,
                           uint32_t addr, size_t bytes, uint8_t status, uint32_t h)
{
    uint8_t payload[MODEL_MAX_PAYLOAD] = {target, arg};
    le32(payload + 2, addr);
    send_frame(b, FLX_REQ_WRITE, *seq, payload, FLX_WR_HDR_BYTES + bytes);
    expect_status(b, FLX_REQ_WRITE, *seq, status, (uint8_t)(*seq + 1));
    ++*seq;
    if (status != FLX_ST_OK)
        return h;
    return fold_load(h, target, arg, addr, payload + FLX_WR_HDR_BYTES, bytes);
}

static void writes_end_at_the_last_address(struct bench *b)
{
    const struct config *c = b->cfg;
    const uint32_t program = FLX_PROG_HDR_WORDS + c->layers * FLX_PROG_LAYER_WORDS;
    const struct {
        uint8_t target, arg;
        uint32_t limit;
        size_t unit;
    } t[] = {{FLX_WR_PROGRAM, 0, program, 4},
             {FLX_WR_PARAMS, 0, c->pmem, 6},
             {FLX_WR_WEIGHTS, 13, c->wmem, weight_bytes(c, 13)}};
    uint8_t seq = 0;
    uint32_t h = 1;
    for (int i = 0; i < 3; i++) {
        h = write_unit(b, &seq, t[i].target, t[i].arg, t[i].limit - 1, t[i].unit, FLX_ST_OK, h);
        h = write_unit(b, &seq, t[i].target, t[i].arg, t[i].limit + 1, 0, FLX_ST_RANGE, h);
        for (uint32_t bit = 2; bit < 32; bit++)
            if (1u << bit > t[i].limit)
                h = write_unit(b, &seq, t[i].target, t[i].arg, 1u << bit, t[i].unit, FLX_ST_RANGE,
                               h);
    }
    read_digest(b, seq, h);
}

static void write_past_the_end_stores_the_words_that_fit(struct bench *b)
{
    const uint8_t payload[] = {FLX_WR_PARAMS, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    uint8_t p[sizeof payload];
    memcpy(p, payload, sizeof p);
    le32(p + 2, b->cfg->pmem - 1);
    send_frame(b, FLX_REQ_WRITE, 0, p, sizeof p);
    expect_status(b, FLX_REQ_WRITE, 0, FLX_ST_RANGE, 1);
    read_digest(b, 1, fold_load(1, FLX_WR_PARAMS, 0, b->cfg->pmem - 1, payload + 6, 6));
}

static void write_args_outside_their_range_are_refused(struct bench *b)
{
    uint8_t p = (uint8_t)b->cfg->p;
    const uint8_t bad[][3] = {
        {FLX_WR_PROGRAM, 1, 0},  {FLX_WR_PARAMS, 128, 0}, {FLX_WR_WEIGHTS, 12, 0},
        {FLX_WR_WEIGHTS, 33, 0}, {FLX_WR_STREAM, 0, 0},   {FLX_WR_STREAM, 64, 0},
        {FLX_WR_STREAM, 13, 1},  {FLX_WR_IMAGE, p, 0},    {FLX_WR_IMAGE, (uint8_t)(128 | p), 0},
        {FLX_WR_IMAGE, 0, 1}};
    uint8_t seq = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        write_unit(b, &seq, bad[i][0], bad[i][1], bad[i][2], 8, FLX_ST_RANGE, 0);
    read_digest(b, seq, 1);
}

static void refuse_read(struct bench *b, uint8_t *seq, uint8_t target, uint8_t arg, uint32_t addr,
                        uint32_t count)
{
    uint8_t payload[FLX_RD_HDR_BYTES] = {target, arg};
    le32(payload + 2, addr);
    payload[6] = (uint8_t)count;
    payload[7] = (uint8_t)(count >> 8);
    send_frame(b, FLX_REQ_READ, *seq, payload, sizeof payload);
    expect_status(b, FLX_REQ_READ, *seq, FLX_ST_RANGE, (uint8_t)(*seq + 1));
    ++*seq;
}

static void reads_outside_their_range_are_refused(struct bench *b)
{
    const struct config *c = b->cfg;
    uint8_t seq = 0;
    refuse_read(b, &seq, FLX_RD_RESULTS, (uint8_t)c->p, 0, 1);
    refuse_read(b, &seq, FLX_RD_ACT, FLX_RESULTS_PREVIOUS, 0, 1);
    refuse_read(b, &seq, FLX_RD_COUNTERS, 1, 0, 1);
    refuse_read(b, &seq, FLX_RD_RESULTS, 0, c->res, 1);
    refuse_read(b, &seq, FLX_RD_RESULTS, 0, 1, c->res);
    refuse_read(b, &seq, FLX_RD_RESULTS, 0, 0, 0xFFFF);
    refuse_read(b, &seq, FLX_RD_RESULTS, 0, 0xFFFFFFFF, 1);
    refuse_read(b, &seq, FLX_RD_ACT, 0, c->amem - 1, 2);
    refuse_read(b, &seq, FLX_RD_ACT, 0, 0, (c->max_payload - 2) / c->k + 1);
    refuse_read(b, &seq, FLX_RD_ACT, 0, 0x80000000, 1);
    refuse_read(b, &seq, FLX_RD_COUNTERS, 0, c->layers * FLX_COUNTER_WORDS, 1);
    ping(b, 0);
    expect_ping(b, 0, seq, 0, 0, seq);
}

const struct scenario refusals_scenarios[] = {
    SCENARIO(unknown_types_are_refused),
    SCENARIO(wrong_lengths_are_refused),
    SCENARIO(unknown_targets_are_refused),
    SCENARIO(writes_end_at_the_last_address),
    SCENARIO(write_past_the_end_stores_the_words_that_fit),
    SCENARIO(write_args_outside_their_range_are_refused),
    SCENARIO(reads_outside_their_range_are_refused),
    {NULL, NULL},
};
