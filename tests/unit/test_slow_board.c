/* SPDX-License-Identifier: Apache-2.0 */
/* A board without flow control that often needs longer than the host waits: it executes one
 * frame, holds the next, and its FIFO of two payloads loses what comes when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "soft_bench.h"

#define SLOW_ONE_IN 12  /* frames */
#define SLOW_MS     300 /* at most; the session waits 100 */

struct slow {
    struct soft_device *soft;
    struct flx_rng rng;
    int64_t now, busy_until; /* ms */
    uint8_t fifo[2 * 4096], next[4096 + FLX_FRAME_OVERHEAD], current[4096 + FLX_FRAME_OVERHEAD];
    size_t len, cap, next_len, current_len;
    uint64_t lost_requests, lost_recovery; /* bytes */
};

/* Bytes of `next` that make a frame; 0 while that is not known. */
static size_t frame_bytes(const struct slow *s)
{
    const uint8_t *h = s->next;
    size_t len = FLX_FRAME_OVERHEAD;
    if (s->next_len < FLX_HDR_BYTES)
        return 0;
    if (flx_crc8(h + 1, 4) == h[5])
        len += (size_t)(h[3] | h[4] << 8);
    return len <= sizeof s->next ? len : FLX_HDR_BYTES;
}

static void begin(struct slow *s)
{
    memcpy(s->current, s->next, s->next_len);
    s->current_len = s->next_len;
    s->next_len = 0;
    if (!flx_rng_below(&s->rng, SLOW_ONE_IN))
        s->busy_until = s->now + 1 + (int64_t)flx_rng_below(&s->rng, SLOW_MS);
}

/* The answer comes at the end. */
static void end(struct slow *s)
{
    for (size_t i = 0; i < s->current_len; i++)
        soft_receive(s->soft, s->current[i]);
    s->current_len = 0;
}

/* As far as the board gets without time. */
static void work(struct slow *s)
{
    size_t taken = 0;
    for (;;) {
        size_t whole = frame_bytes(s);
        int complete = whole && s->next_len >= whole;
        if (s->current_len && s->now >= s->busy_until)
            end(s);
        else if (complete && !s->current_len)
            begin(s);
        else if (complete || taken == s->len)
            break;
        else if (s->next_len || s->fifo[taken] == FLX_SOF)
            s->next[s->next_len++] = s->fifo[taken++];
        else
            taken++;
    }
    s->len -= taken;
    memmove(s->fifo, s->fifo + taken, s->len);
}

static ptrdiff_t slow_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct slow *s = self;
    (void)timeout_ms;
    int request = data[0] == FLX_SOF && data[1] != FLX_REQ_PING && data[1] != FLX_REQ_HELLO;
    for (size_t i = 0; i < len; i++) {
        work(s);
        if (s->len < s->cap)
            s->fifo[s->len++] = data[i];
        else if (request)
            s->lost_requests++;
        else
            s->lost_recovery++;
    }
    return (ptrdiff_t)len;
}

static ptrdiff_t slow_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct slow *s = self;
    work(s);
    ptrdiff_t n = soft_recv(s->soft, data, cap, 0);
    for (int64_t end = s->now + timeout_ms; !n && s->now < end;) {
        s->now++;
        work(s);
        n = soft_recv(s->soft, data, cap, 0);
    }
    return n;
}

static int slow_reset(void *self)
{
    struct slow *s = self;
    s->len = s->next_len = s->current_len = 0;
    s->busy_until = s->now;
    return soft_reset(s->soft);
}

static void slow_close(void *self)
{
    soft_close(((struct slow *)self)->soft);
}

static int no_flow_control(void *self, int rts_cts)
{
    (void)self;
    (void)rts_cts;
    return 0;
}

static const struct flx_transport_ops slow_transport = {slow_send, slow_recv, slow_reset,
                                                        slow_close, no_flow_control};

static void expect_right_and_no_request_lost(uint64_t seed, uint64_t *recoveries, uint64_t *lost)
{
    struct bench b;
    struct flx_accel *a;
    bench_begin(&b, seed, 9);
    struct slow s = {.soft = b.soft, .cap = 2 * (size_t)b.desc.max_payload};
    flx_rng_init(&s.rng, seed, 11);
    const struct flx_accel_options o = {.backend = "soft",
                                        .detail = "slow board",
                                        .stream = seed % 2,
                                        .session = {.timeout_ms = 100, .retries = 12}};
    assert_int_equal(flx_accel_open((struct flx_transport){&slow_transport, &s}, &o, &a), FLX_OK);
    int status = flx_accel_ops.load(a, b.m);
    if (!status)
        status = flx_accel_ops.infer(a, b.images, b.n, b.logits);
    if (status || !same_logits(&b) || s.lost_requests)
        fail_msg("seed %llu: status %d, %llu bytes of requests lost, %s", (unsigned long long)seed,
                 status, (unsigned long long)s.lost_requests,
                 status ? flx_last_error() : "logits compared");
    flx_session_stats(flx_accel_session(a), &b.stats);
    *recoveries += b.stats.recoveries;
    *lost += s.lost_recovery;
    flx_accel_ops.close(a);
    bench_end(&b);
}

/* Zeros and PINGs go into a FIFO that may be full: what is lost then is only theirs. */
static void recovery_never_costs_a_slow_board_a_request(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed(), recoveries = 0, lost = 0;
    for (uint64_t i = 0; i < 60; i++)
        expect_right_and_no_request_lost(seed + i, &recoveries, &lost);
    print_message("%llu recoveries, %llu bytes of zeros and PINGs lost\n",
                  (unsigned long long)recoveries, (unsigned long long)lost);
    assert_true(recoveries > 100);
    assert_true(lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovery_never_costs_a_slow_board_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
