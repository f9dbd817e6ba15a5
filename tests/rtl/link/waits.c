/* SPDX-License-Identifier: Apache-2.0 */
/** Waits that the watchdog ends. */
#include "scenario.h"

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

const struct scenario waits_scenarios[] = {
    SCENARIO(loader_that_stops_ends_with_a_timeout),
    SCENARIO(run_that_never_ends_is_waited_for_with_a_timeout),
    SCENARIO(unanswered_first_read_ends_with_a_timeout),
    SCENARIO(unanswered_later_read_spoils_the_crc),
    {NULL, NULL},
};
