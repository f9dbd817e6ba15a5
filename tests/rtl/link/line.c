/* SPDX-License-Identifier: Apache-2.0 */
/** Damage on the line and order of frames. */
#include "scenario.h"

#include <string.h>

#define PAST_FRAME_TIMEOUT 400

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
    expect_ping(b, 3, 0, FLX_PING_STRANGE, 0, 0);
    SEND(b, FLX_REQ_RUN, 0, 0, 0xFE);
    expect_nak(b, 0, FLX_ST_SEQ, 0);
    greet(b);
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

const struct scenario line_scenarios[] = {
    SCENARIO(bad_crc_is_refused_and_a_repetition_is_executed),
    SCENARIO(bad_header_is_ignored),
    SCENARIO(too_long_length_is_ignored),
    SCENARIO(garbage_between_frames_is_skipped),
    SCENARIO(truncated_frame_ends_with_an_idle_line),
    SCENARIO(short_gap_inside_a_frame_is_no_fault),
    SCENARIO(truncated_frame_ends_with_zero_bytes),
    SCENARIO(duplicate_and_early_frames_are_refused),
    SCENARIO(seq_wraps_around),
    SCENARIO(host_that_takes_no_answer_only_stops_the_stream),
    SCENARIO(link_reset_drops_everything),
    SCENARIO(reset_drops_everything),
    {NULL, NULL},
};
