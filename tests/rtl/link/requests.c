/* SPDX-License-Identifier: Apache-2.0 */
/** Requests that succeed. */
#include "scenario.h"

#include <string.h>

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

const struct scenario requests_scenarios[] = {
    SCENARIO(hello_returns_the_description),
    SCENARIO(ping_takes_any_seq_and_changes_nothing),
    SCENARIO(write_reaches_the_core),
    SCENARIO(write_takes_whole_weight_words_of_every_n_in),
    SCENARIO(run_and_read_results),
    SCENARIO(read_returns_consecutive_words),
    SCENARIO(read_of_activations_gives_a_byte_a_code),
    SCENARIO(reset_clears_the_core_and_sets_the_seq),
    SCENARIO(longest_payload_is_taken),
    SCENARIO(several_requests_may_be_under_way),
    SCENARIO(images_and_stream_are_taken_while_a_run_is_under_way),
    SCENARIO(hello_clears_the_failure_count),
    {NULL, NULL},
};
