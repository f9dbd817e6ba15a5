/* SPDX-License-Identifier: Apache-2.0 */
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

unsigned below(struct bench *b, unsigned n)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((b->random >> 33) % n);
}

static void expect_status(struct bench *b, uint8_t request, uint8_t seq, uint8_t status,
                          uint8_t next)
{
    uint16_t payload[2] = {status, next};
    answer_frame(&b->answers, RESPONSE(request), seq, payload, 2, 0);
}

static void expect_nak(struct bench *b, uint8_t seq, uint8_t status, uint8_t next)
{
    uint16_t payload[2] = {status, next};
    answer_frame(&b->answers, FLX_RESP_NAK, seq, payload, 2, 0);
}

static void expect_ping(struct bench *b, uint8_t seq, uint8_t next, uint16_t busy, uint8_t runs,
                        uint8_t failures)
{
    uint16_t payload[5] = {FLX_ST_OK, next, busy, runs, failures};
    answer_frame(&b->answers, RESPONSE(FLX_REQ_PING), seq, payload, 5, 0);
}

static void expect_words(struct bench *b, uint8_t seq, uint8_t next, const uint32_t *words,
                         size_t n)
{
    uint16_t payload[MODEL_MAX_PAYLOAD] = {FLX_ST_OK, next};
    for (size_t i = 0; i < 4 * n; i++)
        payload[2 + i] = (uint16_t)(words[i / 4] >> (8 * (i % 4)) & 255u);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_READ), seq, payload, 2 + 4 * n, 0);
}

static void ping(struct bench *b, uint8_t seq)
{
    send_frame(b, FLX_REQ_PING, seq, NULL, 0);
}

/** READ of the digest of everything that reached the core. */
static void read_digest(struct bench *b, uint8_t seq, uint32_t expected)
{
    SEND(b, FLX_REQ_READ, seq, FLX_RD_RESULTS, 0, 0, 0, 0, 0, 1, 0);
    expect_words(b, seq, (uint8_t)(seq + 1), &expected, 1);
}

static uint32_t fold(uint32_t h, uint32_t v)
{
    return h * 33u + v;
}

static uint32_t fold_load(uint32_t h, uint32_t target, uint32_t arg, uint32_t addr,
                          const uint8_t *data, size_t n)
{
    h = fold(fold(fold(h, target), arg), addr);
    for (size_t i = 0; i < n; i++)
        h = fold(h, data[i]);
    return h;
}

static void hello_returns_the_description(struct bench *b)
{
    uint16_t payload[2 + FLX_DESC_BYTES] = {FLX_ST_OK, 8};
    uint8_t d[FLX_DESC_BYTES];
    description(b->cfg, d);
    for (int i = 0; i < FLX_DESC_BYTES; i++)
        payload[2 + i] = d[i];
    send_frame(b, FLX_REQ_HELLO, 7, NULL, 0);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_HELLO), 7, payload, 2 + FLX_DESC_BYTES, 0);
}

static void ping_takes_any_seq_and_changes_nothing(struct bench *b)
{
    ping(b, 200);
    expect_ping(b, 200, 0, 0, 0, 0);
    ping(b, 0);
    expect_ping(b, 0, 0, 0, 0, 0);
}

static void write_reaches_the_core(struct bench *b)
{
    const uint8_t program[] = {1, 2, 3, 4, 0xA5, 6, 7, 8};
    SEND(b, FLX_REQ_WRITE, 0, FLX_WR_PROGRAM, 0, 3, 0, 0, 0, 1, 2, 3, 4, 0xA5, 6, 7, 8);
    expect_status(b, FLX_REQ_WRITE, 0, FLX_ST_OK, 1);
    uint32_t h = fold_load(1, FLX_WR_PROGRAM, 0, 3, program, 8);
    SEND(b, FLX_REQ_WRITE, 1, FLX_WR_PARAMS, 0, 9, 0, 0, 0, 1, 2, 3, 4, 0xA5, 6);
    expect_status(b, FLX_REQ_WRITE, 1, FLX_ST_OK, 2);
    h = fold_load(h, FLX_WR_PARAMS, 0, 9, program, 6);
    SEND(b, FLX_REQ_WRITE, 2, FLX_WR_IMAGE, FLX_IMAGE_CONTINUE, 0, 0, 0, 0, 1, 2, 3);
    expect_status(b, FLX_REQ_WRITE, 2, FLX_ST_OK, 3);
    h = fold_load(h, FLX_WR_IMAGE, FLX_IMAGE_CONTINUE, 0, program, 3);
    read_digest(b, 3, h);
}

static void write_takes_whole_weight_words_of_every_n_in(struct bench *b)
{
    uint8_t payload[MODEL_MAX_PAYLOAD];
    uint8_t seq = 0;
    uint32_t h = 1;
    for (uint8_t n_in = 13; n_in <= 32; n_in++) {
        size_t n = weight_bytes(b->cfg, n_in);
        if (FLX_WR_HDR_BYTES + n > b->cfg->max_payload)
            continue;
        for (uint8_t target = FLX_WR_WEIGHTS; target <= FLX_WR_STREAM; target += 2) {
            uint8_t *data = payload + FLX_WR_HDR_BYTES;
            memcpy(payload, BYTES(target, n_in, 0, 0, 0, 0), FLX_WR_HDR_BYTES);
            for (size_t i = 0; i < n; i++)
                data[i] = (uint8_t)below(b, 256);
            send_frame(b, FLX_REQ_WRITE, seq, payload, FLX_WR_HDR_BYTES + n);
            expect_status(b, FLX_REQ_WRITE, seq, FLX_ST_OK, (uint8_t)(seq + 1));
            h = fold_load(h, target, n_in, 0, data, n);
            seq++;
            send_frame(b, FLX_REQ_WRITE, seq, payload, FLX_WR_HDR_BYTES + n - 1);
            expect_status(b, FLX_REQ_WRITE, seq, FLX_ST_LENGTH, (uint8_t)(seq + 1));
            h = fold_load(h, target, n_in, 0, data, n - 1);
            seq++;
        }
    }
    read_digest(b, seq, h);
}

static void run_and_read_results(struct bench *b)
{
    SEND(b, FLX_REQ_RUN, 0, FLX_RUN_CLEAR, FLX_RUN_ALL_LAYERS);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    uint32_t h = fold(fold(1, FLX_RUN_CLEAR), FLX_RUN_ALL_LAYERS);
    read_digest(b, 1, h);
    ping(b, 9);
    expect_ping(b, 9, 2, 0, 1, 0);
    SEND(b, FLX_REQ_RUN, 2, FLX_RUN_STREAM, 0);
    expect_status(b, FLX_REQ_RUN, 2, FLX_ST_OK, 3);
    SEND(b, FLX_REQ_RUN, 3, 4, 0);
    expect_status(b, FLX_REQ_RUN, 3, FLX_ST_RANGE, 4);
    read_digest(b, 4, fold(fold(h, FLX_RUN_STREAM), 0));
}

static void read_returns_consecutive_words(struct bench *b)
{
    uint32_t words[4];
    unsigned engine = b->cfg->p - 1;
    for (unsigned i = 0; i < 4; i++)
        words[i] = stand_in_word(FLX_RD_RESULTS, FLX_RESULTS_PREVIOUS | engine, 2 + i);
    SEND(b, FLX_REQ_READ, 0, FLX_RD_RESULTS, (uint8_t)(FLX_RESULTS_PREVIOUS | engine), 2, 0, 0, 0,
         4, 0);
    expect_words(b, 0, 1, words, 4);
    words[0] = stand_in_word(FLX_RD_COUNTERS, 0, 3);
    SEND(b, FLX_REQ_READ, 1, FLX_RD_COUNTERS, 0, 3, 0, 0, 0, 1, 0);
    expect_words(b, 1, 2, words, 1);
    SEND(b, FLX_REQ_READ, 2, FLX_RD_COUNTERS, 0, 3, 0, 0, 0, 0, 0);
    expect_words(b, 2, 3, words, 0);
}

static void read_of_activations_gives_a_byte_a_code(struct bench *b)
{
    uint16_t payload[MODEL_MAX_PAYLOAD] = {FLX_ST_OK, 1};
    unsigned k = b->cfg->k;
    for (unsigned i = 0; i < 2 * k; i++) {
        uint32_t granule = stand_in_word(FLX_RD_ACT, 0, 5 * k / 4 + i / 4);
        payload[2 + i] = (uint16_t)(granule >> (8 * (i % 4)) & ((1u << b->cfg->act_w) - 1u));
    }
    SEND(b, FLX_REQ_READ, 0, FLX_RD_ACT, 0, 5, 0, 0, 0, 2, 0);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_READ), 0, payload, 2 + 2 * k, 0);
}

static void reset_clears_the_core_and_sets_the_seq(struct bench *b)
{
    SEND(b, FLX_REQ_RUN, 0, 0, 0xFE);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    ping(b, 0);
    expect_ping(b, 0, 1, 1, 1, 0);
    send_frame(b, FLX_REQ_RESET, 99, NULL, 0);
    expect_status(b, FLX_REQ_RESET, 99, FLX_ST_OK, 100);
    ping(b, 0);
    expect_ping(b, 0, 100, 0, 0, 0);
    read_digest(b, 100, 1);
}

static void bad_crc_is_refused_and_a_repetition_is_executed(struct bench *b)
{
    build(b, FLX_REQ_RUN, 0, BYTES(0, 1), 2);
    for (unsigned bit = 0; bit < 8 * 6; bit++) {
        b->frame[FLX_HDR_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
        send_built(b);
        expect_nak(b, 0, FLX_ST_CRC, 0);
        b->frame[FLX_HDR_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    send_built(b);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
}

static void bad_header_is_ignored(struct bench *b)
{
    for (unsigned bit = 0; bit < 8 * 5; bit++) {
        build(b, FLX_REQ_PING, 0, NULL, 0);
        b->frame[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(b->frame + FLX_HDR_BYTES, 0, FLX_CRC_BYTES);
        send_built(b);
    }
    ping(b, 1);
    expect_ping(b, 1, 0, 0, 0, 0);
}

static void too_long_length_is_ignored(struct bench *b)
{
    for (uint32_t len = b->cfg->max_payload + 1; len < 65536; len *= 2) {
        uint8_t header[FLX_HDR_BYTES] = {FLX_SOF, FLX_REQ_PING, 0, (uint8_t)len,
                                         (uint8_t)(len >> 8)};
        header[5] = crc8(header + 1, 4);
        send_bytes(b, header, sizeof header);
    }
    ping(b, 1);
    expect_ping(b, 1, 0, 0, 0, 0);
}

static void longest_payload_is_taken(struct bench *b)
{
    uint8_t payload[MODEL_MAX_PAYLOAD] = {FLX_WR_IMAGE};
    size_t n = b->cfg->max_payload - FLX_WR_HDR_BYTES;
    for (size_t i = 0; i < n; i++)
        payload[FLX_WR_HDR_BYTES + i] = (uint8_t)(i * 7 + 1);
    send_frame(b, FLX_REQ_WRITE, 0, payload, b->cfg->max_payload);
    expect_status(b, FLX_REQ_WRITE, 0, FLX_ST_OK, 1);
    read_digest(b, 1, fold_load(1, FLX_WR_IMAGE, 0, 0, payload + FLX_WR_HDR_BYTES, n));
}

static void garbage_between_frames_is_skipped(struct bench *b)
{
    for (uint8_t i = 0; i < 30; i++) {
        for (unsigned n = below(b, 20); n > 0; n--) {
            uint8_t byte = (uint8_t)below(b, 256);
            op(b, OP_BYTE, byte == FLX_SOF ? 0 : byte);
        }
        ping(b, i);
        expect_ping(b, i, 0, 0, 0, 0);
    }
}

static void truncated_frame_ends_with_an_idle_line(struct bench *b)
{
    build(b, FLX_REQ_WRITE, 0, BYTES(FLX_WR_IMAGE, 0, 0, 0, 0, 0, 1, 2), 8);
    for (size_t n = 1; n < b->len; n++) {
        send_bytes(b, b->frame, n);
        op(b, OP_IDLE, PAST_FRAME_TIMEOUT);
        ping(b, (uint8_t)n);
        expect_ping(b, (uint8_t)n, 0, 0, 0, 0);
    }
}

static void short_gap_inside_a_frame_is_no_fault(struct bench *b)
{
    build(b, FLX_REQ_PING, 5, NULL, 0);
    for (size_t i = 0; i < b->len; i++) {
        send_bytes(b, b->frame + i, 1);
        op(b, OP_IDLE, PAST_FRAME_TIMEOUT / 2);
    }
    expect_ping(b, 5, 0, 0, 0, 0);
}

static void truncated_frame_ends_with_zero_bytes(struct bench *b)
{
    build(b, FLX_REQ_WRITE, 3, BYTES(FLX_WR_IMAGE, 0, 0, 0, 0, 0, 1, 2), 8);
    send_bytes(b, b->frame, 9);
    for (unsigned i = 0; i < b->cfg->max_payload + FLX_CRC_BYTES; i++)
        op(b, OP_BYTE, 0);
    expect_nak(b, 3, FLX_ST_CRC, 0);
    ping(b, 1);
    expect_ping(b, 1, 0, 0, 0, 0);
}

static void duplicate_and_early_frames_are_refused(struct bench *b)
{
    SEND(b, FLX_REQ_RUN, 0, 0, 1);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    SEND(b, FLX_REQ_RUN, 0, 0, 1);
    expect_nak(b, 0, FLX_ST_SEQ, 1);
    SEND(b, FLX_REQ_RUN, 2, 0, 2);
    expect_nak(b, 2, FLX_ST_SEQ, 1);
    read_digest(b, 1, fold(fold(1, 0), 1));
}

static void seq_wraps_around(struct bench *b)
{
    send_frame(b, FLX_REQ_RESET, 254, NULL, 0);
    expect_status(b, FLX_REQ_RESET, 254, FLX_ST_OK, 255);
    SEND(b, FLX_REQ_RUN, 255, 0, 1);
    expect_status(b, FLX_REQ_RUN, 255, FLX_ST_OK, 0);
    read_digest(b, 0, fold(fold(1, 0), 1));
}

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

static void le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
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

static void hello_clears_the_failure_count(struct bench *b)
{
    SEND(b, FLX_REQ_RUN, 0, 4, 0);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_RANGE, 1);
    ping(b, 0);
    expect_ping(b, 0, 1, 0, 0, 1);
    hello_returns_the_description(b);
    ping(b, 0);
    expect_ping(b, 0, 8, 0, 0, 0);
}

static void loader_that_stops_ends_with_a_timeout(struct bench *b)
{
    const uint8_t data[] = {0xDD, 1, 2};
    SEND(b, FLX_REQ_WRITE, 0, FLX_WR_IMAGE, 0, 0, 0, 0, 0, 0xDD, 1, 2);
    expect_status(b, FLX_REQ_WRITE, 0, FLX_ST_TIMEOUT, 1);
    SEND(b, FLX_REQ_RUN, 1, 0, 0);
    expect_status(b, FLX_REQ_RUN, 1, FLX_ST_TIMEOUT, 2);
    SEND(b, FLX_REQ_READ, 2, FLX_RD_ACT, 0, 0, 0, 0, 0, 1, 0);
    expect_status(b, FLX_REQ_READ, 2, FLX_ST_TIMEOUT, 3);
    SEND(b, FLX_REQ_WRITE, 3, FLX_WR_IMAGE, 0, 0, 0, 0, 0, 1, 2);
    expect_status(b, FLX_REQ_WRITE, 3, FLX_ST_OK, 4);
    uint32_t h = fold_load(1, FLX_WR_IMAGE, 0, 0, data, 1);
    read_digest(b, 4, fold_load(h, FLX_WR_IMAGE, 0, 0, data + 1, 2));
}

static void run_that_never_ends_is_waited_for_with_a_timeout(struct bench *b)
{
    SEND(b, FLX_REQ_RUN, 0, 0, 0xFE);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    SEND(b, FLX_REQ_RUN, 1, 0, 0);
    expect_status(b, FLX_REQ_RUN, 1, FLX_ST_TIMEOUT, 2);
    SEND(b, FLX_REQ_READ, 2, FLX_RD_RESULTS, 0, 0, 0, 0, 0, 1, 0);
    expect_status(b, FLX_REQ_READ, 2, FLX_ST_TIMEOUT, 3);
    SEND(b, FLX_REQ_READ, 3, FLX_RD_COUNTERS, 0, 0, 0, 0, 0, 1, 0);
    expect_status(b, FLX_REQ_READ, 3, FLX_ST_TIMEOUT, 4);
    SEND(b, FLX_REQ_WRITE, 4, FLX_WR_PROGRAM, 0, 0, 0, 0, 0, 1, 2, 3, 4);
    expect_status(b, FLX_REQ_WRITE, 4, FLX_ST_TIMEOUT, 5);
    ping(b, 0);
    expect_ping(b, 0, 5, 1, 1, 4);
    send_frame(b, FLX_REQ_RESET, 5, NULL, 0);
    expect_status(b, FLX_REQ_RESET, 5, FLX_ST_OK, 6);
    read_digest(b, 6, 1);
}

static void images_and_stream_are_taken_while_a_run_is_under_way(struct bench *b)
{
    const uint8_t data[64] = {9};
    uint8_t payload[6 + 64] = {FLX_WR_STREAM, 32};
    size_t n = weight_bytes(b->cfg, 32);
    memcpy(payload + 6, data, 64);
    SEND(b, FLX_REQ_RUN, 0, 0, 0xFE);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    SEND(b, FLX_REQ_WRITE, 1, FLX_WR_IMAGE, 0, 0, 0, 0, 0, 9);
    expect_status(b, FLX_REQ_WRITE, 1, FLX_ST_OK, 2);
    send_frame(b, FLX_REQ_WRITE, 2, payload, 6 + n);
    expect_status(b, FLX_REQ_WRITE, 2, FLX_ST_OK, 3);
    uint32_t h = fold_load(fold(fold(1, 0), 0xFE), FLX_WR_IMAGE, 0, 0, data, 1);
    h = fold_load(h, FLX_WR_STREAM, 32, 0, data, n);
    SEND(b, FLX_REQ_READ, 3, FLX_RD_RESULTS, FLX_RESULTS_PREVIOUS, 0, 0, 0, 0, 1, 0);
    expect_words(b, 3, 4, &h, 1);
}

static void unanswered_first_read_ends_with_a_timeout(struct bench *b)
{
    SEND(b, FLX_REQ_READ, 0, FLX_RD_RESULTS, 0, 7, 0, 0, 0, 2, 0);
    expect_status(b, FLX_REQ_READ, 0, FLX_ST_TIMEOUT, 1);
    read_digest(b, 1, 1);
}

static void unanswered_later_read_spoils_the_crc(struct bench *b)
{
    uint16_t payload[2 + 4 * 3] = {FLX_ST_OK, 1};
    uint32_t word = stand_in_word(FLX_RD_RESULTS, 0, 6);
    for (int i = 0; i < 4; i++)
        payload[2 + i] = (uint16_t)(word >> (8 * i) & 255u);
    SEND(b, FLX_REQ_READ, 0, FLX_RD_RESULTS, 0, 6, 0, 0, 0, 3, 0);
    answer_frame(&b->answers, RESPONSE(FLX_REQ_READ), 0, payload, 2 + 4 * 3, 1);
    read_digest(b, 1, 1);
}

static void several_requests_may_be_under_way(struct bench *b)
{
    uint32_t h = 1;
    op(b, OP_DEAF, 300);
    for (uint8_t i = 0; i < 50; i++) {
        uint8_t data[3] = {i, FLX_SOF, (uint8_t)~i};
        SEND(b, FLX_REQ_WRITE, i, FLX_WR_IMAGE, 0, 0, 0, 0, 0, data[0], data[1], data[2]);
        expect_status(b, FLX_REQ_WRITE, i, FLX_ST_OK, (uint8_t)(i + 1));
        h = fold_load(h, FLX_WR_IMAGE, 0, 0, data, 3);
    }
    read_digest(b, 50, h);
}

static void host_that_takes_no_answer_only_stops_the_stream(struct bench *b)
{
    op(b, OP_DEAF, 3000);
    for (uint8_t i = 0; i < 8; i++) {
        ping(b, i);
        expect_ping(b, i, 0, 0, 0, 0);
    }
}

/** A reset while an answer is half sent, then work as from power-up. */
static void reset_pin(struct bench *b, uint32_t pin)
{
    SEND(b, FLX_REQ_RUN, 0, 0, 0xFE);
    expect_status(b, FLX_REQ_RUN, 0, FLX_ST_OK, 1);
    size_t start = b->answers.n;
    send_frame(b, FLX_REQ_HELLO, 1, NULL, 0);
    uint16_t any[2 + FLX_DESC_BYTES];
    for (size_t i = 0; i < 2 + FLX_DESC_BYTES; i++)
        any[i] = ANY_BYTE;
    answer_frame(&b->answers, RESPONSE(FLX_REQ_HELLO), 1, any, 2 + FLX_DESC_BYTES, 0);
    build(b, FLX_REQ_RUN, 2, BYTES(0, 0), 2);
    send_bytes(b, b->frame, 7);
    op(b, OP_WAIT, (uint32_t)start + 12);
    op(b, OP_RESET, pin);
    op(b, OP_GOTO, (uint32_t)b->answers.n);
    ping(b, 3);
    expect_ping(b, 3, 0, 0, 0, 0);
    read_digest(b, 0, 1);
}

static void link_reset_drops_everything(struct bench *b)
{
    reset_pin(b, 1);
}

static void reset_drops_everything(struct bench *b)
{
    reset_pin(b, 0);
}

#define SCENARIO(f)                                                                                \
    {                                                                                              \
#f, f                                                                                      \
    }
const struct scenario scenarios[] = {
    SCENARIO(hello_returns_the_description),
    SCENARIO(ping_takes_any_seq_and_changes_nothing),
    SCENARIO(write_reaches_the_core),
    SCENARIO(write_takes_whole_weight_words_of_every_n_in),
    SCENARIO(run_and_read_results),
    SCENARIO(read_returns_consecutive_words),
    SCENARIO(read_of_activations_gives_a_byte_a_code),
    SCENARIO(reset_clears_the_core_and_sets_the_seq),
    SCENARIO(bad_crc_is_refused_and_a_repetition_is_executed),
    SCENARIO(bad_header_is_ignored),
    SCENARIO(too_long_length_is_ignored),
    SCENARIO(longest_payload_is_taken),
    SCENARIO(garbage_between_frames_is_skipped),
    SCENARIO(truncated_frame_ends_with_an_idle_line),
    SCENARIO(short_gap_inside_a_frame_is_no_fault),
    SCENARIO(truncated_frame_ends_with_zero_bytes),
    SCENARIO(duplicate_and_early_frames_are_refused),
    SCENARIO(seq_wraps_around),
    SCENARIO(unknown_types_are_refused),
    SCENARIO(wrong_lengths_are_refused),
    SCENARIO(unknown_targets_are_refused),
    SCENARIO(writes_end_at_the_last_address),
    SCENARIO(write_past_the_end_stores_the_words_that_fit),
    SCENARIO(write_args_outside_their_range_are_refused),
    SCENARIO(reads_outside_their_range_are_refused),
    SCENARIO(hello_clears_the_failure_count),
    SCENARIO(loader_that_stops_ends_with_a_timeout),
    SCENARIO(run_that_never_ends_is_waited_for_with_a_timeout),
    SCENARIO(images_and_stream_are_taken_while_a_run_is_under_way),
    SCENARIO(unanswered_first_read_ends_with_a_timeout),
    SCENARIO(unanswered_later_read_spoils_the_crc),
    SCENARIO(several_requests_may_be_under_way),
    SCENARIO(host_that_takes_no_answer_only_stops_the_stream),
    SCENARIO(link_reset_drops_everything),
    SCENARIO(reset_drops_everything),
    SCENARIO(random_frames),
    {NULL, NULL},
};
