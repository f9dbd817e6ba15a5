/* SPDX-License-Identifier: Apache-2.0 */
/** A random model on a software device: opened, loaded, run and compared. Include
 *  cmocka.h first. */
#ifndef SOFT_BENCH_H
#define SOFT_BENCH_H
#include "device/accel.h"
#include "device_fixture.h"
#include "flexor/exec.h"
#include "flexor/status.h"
#include "soft_device.h"

/* A random model, the device for it, and what the device should answer. */
struct bench {
    struct flx_xornet net;
    struct flx_model *m;
    struct flx_desc desc;
    struct soft_device *soft;
    uint8_t *images;
    int n;
    int32_t *expected, *logits;
    uint64_t seed;
    struct flx_session_stats stats; /* of the session that expect_right closed */
};

static inline void bench_begin(struct bench *b, uint64_t seed, int n)
{
    struct flx_rng r;
    flx_rng_init(&r, seed, 5);
    *b = (struct bench){.n = n, .seed = seed};
    assert_int_equal(flx_xornet_nested(&b->net, 32, 13, 1), FLX_OK);
    b->m = fixture_device_model(seed, &b->net, 8);
    assert_non_null(b->m);
    b->desc = fixture_desc(8 << flx_rng_below(&r, 2), 8, fixture_pick(&r, 1, 3), &b->net, 8);
    b->desc.max_payload = 64 << flx_rng_below(&r, 5);
    if (b->desc.max_payload < 128)
        b->desc.max_payload = 128;
    b->soft = soft_device_new(&b->desc, &b->net, seed);
    b->images = fixture_images(b->m, n, seed);
    size_t bytes = (size_t)b->m->in_h * (size_t)b->m->in_w * (size_t)b->m->in_c;
    size_t classes = (size_t)b->m->classes;
    b->expected = calloc((size_t)n * classes, 4);
    b->logits = calloc((size_t)n * classes, 4);
    for (int i = 0; i < n; i++)
        assert_int_equal(flx_plain_run(b->m, b->images + (size_t)i * bytes,
                                       b->expected + (size_t)i * classes, NULL),
                         FLX_OK);
}

static inline void bench_end(struct bench *b)
{
    soft_device_free(b->soft);
    flx_model_free(b->m);
    free(b->images);
    free(b->expected);
    free(b->logits);
}

static inline int bench_open(struct bench *b, int stream, struct flx_accel **a)
{
    const struct flx_accel_options o = {.backend = "soft",
                                        .detail = "software device",
                                        .stream = stream,
                                        .session = {.timeout_ms = 100, .retries = 12}};
    return flx_accel_open((struct flx_transport){&soft_transport, b->soft}, &o, a);
}

static inline int same_logits(const struct bench *b)
{
    return !memcmp(b->logits, b->expected, (size_t)b->n * (size_t)b->m->classes * 4);
}

/* Open, load, infer: the first failure. The device is left open. */
static inline int bench_infer(struct bench *b, int stream, struct flx_accel **a)
{
    int status = bench_open(b, stream, a);
    if (status)
        return status;
    status = flx_accel_ops.load(*a, b->m);
    return status ? status : flx_accel_ops.infer(*a, b->images, b->n, b->logits);
}

static inline void expect_right(struct bench *b, int stream)
{
    struct flx_accel *a;
    int status = bench_infer(b, stream, &a);
    if (status)
        fail_msg("seed %llu: %s", (unsigned long long)b->seed, flx_last_error());
    if (!same_logits(b))
        fail_msg("seed %llu: wrong logits", (unsigned long long)b->seed);
    flx_session_stats(flx_accel_session(a), &b->stats);
    flx_accel_ops.close(a);
    assert_true(b->soft->closed);
}

#endif
