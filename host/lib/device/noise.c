/* SPDX-License-Identifier: Apache-2.0 */
#include "noise.h"

#include <stdlib.h>
#include <string.h>

#include "flexor/rng.h"
#include "flexor/status.h"

#define CHUNK 256

struct queue {
    uint8_t bytes[2 * CHUNK]; /* what the cable made of them */
    size_t begin, end;
};

struct noise {
    struct flx_transport inner;
    uint64_t one_in;
    struct flx_rng rng;
    struct queue out, in;
};

/* At most CHUNK bytes through the cable. */
static void distort(struct noise *s, struct queue *q, const uint8_t *data, size_t n)
{
    q->begin = q->end = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t kind = flx_rng_below(&s->rng, s->one_in) ? 0 : 1 + flx_rng_below(&s->rng, 3);
        if (kind == 1)
            continue;
        uint8_t flip = 0;
        if (kind == 2)
            flip = (uint8_t)(1u << flx_rng_below(&s->rng, 8));
        q->bytes[q->end++] = data[i] ^ flip;
        if (kind == 3)
            q->bytes[q->end++] = data[i];
    }
}

/* Hands on what is left in the cable: 1 when it is empty. */
static int flush(struct noise *s, int timeout_ms)
{
    while (s->out.begin < s->out.end) {
        ptrdiff_t n = s->inner.ops->send(s->inner.self, s->out.bytes + s->out.begin,
                                         s->out.end - s->out.begin, timeout_ms);
        if (n <= 0)
            return (int)n;
        s->out.begin += (size_t)n;
    }
    return 1;
}

static ptrdiff_t noise_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct noise *s = self;
    int status = flush(s, timeout_ms);
    if (status <= 0)
        return status;
    if (len > CHUNK)
        len = CHUNK;
    distort(s, &s->out, data, len);
    status = flush(s, timeout_ms);
    return status < 0 ? status : (ptrdiff_t)len;
}

static ptrdiff_t noise_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct noise *s = self;
    int status = flush(s, timeout_ms);
    if (status < 0)
        return status;
    if (s->in.begin == s->in.end) {
        uint8_t raw[CHUNK];
        ptrdiff_t n = s->inner.ops->recv(s->inner.self, raw, sizeof raw, timeout_ms);
        if (n <= 0)
            return n;
        distort(s, &s->in, raw, (size_t)n);
    }
    size_t n = s->in.end - s->in.begin;
    if (n > cap)
        n = cap;
    memcpy(data, s->in.bytes + s->in.begin, n);
    s->in.begin += n;
    return (ptrdiff_t)n;
}

static int noise_reset(void *self)
{
    struct noise *s = self;
    s->out.begin = s->out.end = s->in.begin = s->in.end = 0;
    return s->inner.ops->reset ? s->inner.ops->reset(s->inner.self) : FLX_OK;
}

static void noise_close(void *self)
{
    struct noise *s = self;
    s->inner.ops->close(s->inner.self);
    free(s);
}

static int noise_set_flow(void *self, int rts_cts)
{
    struct noise *s = self;
    return s->inner.ops->set_flow ? s->inner.ops->set_flow(s->inner.self, rts_cts) : 1;
}

static const struct flx_transport_ops noise_ops = {noise_send, noise_recv, noise_reset, noise_close,
                                                   noise_set_flow};

int flx_noise_wrap(struct flx_transport *t, uint64_t one_in, uint64_t seed)
{
    struct noise *s = calloc(1, sizeof *s);
    if (!s) {
        t->ops->close(t->self);
        return flx_fail(FLX_ERR_NOMEM, "no memory for a noisy cable");
    }
    s->inner = *t;
    s->one_in = one_in;
    flx_rng_init(&s->rng, seed, 0);
    *t = (struct flx_transport){&noise_ops, s};
    return FLX_OK;
}
