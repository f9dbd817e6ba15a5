/* SPDX-License-Identifier: Apache-2.0 */
/** The device's end of docs/link.md in front of soft_array.h, behind a transport in
 *  memory that loses, damages, doubles and delays bytes by a seeded plan. */
#ifndef SOFT_DEVICE_H
#define SOFT_DEVICE_H
#include "device/link.h"
#include "device/transport.h"
#include "flexor/status.h"
#include "soft_array.h"

#define SOFT_QUEUE    (1 << 20)
#define SOFT_IDLE_MS  50 /* after which a half-received frame is dropped */
#define SOFT_DESC_LEN (FLX_DESC_BYTES + 2)

/** Faults: one byte in so many, in each direction; 0 = never. */
struct soft_faults {
    uint64_t drop, corrupt, duplicate, delay;
    uint64_t drop_frame; /* one whole answer in so many */
    uint64_t stop_after; /* the device dies after so many frames */
    int partial;         /* sends and receives take random parts */
    int fail_io;         /* the transport itself fails */
    int fail_status;     /* every WRITE is answered with this status */
    int garbage;         /* the device talks nonsense for ever */
};

struct soft_device {
    struct soft_array *array;
    struct soft_faults faults;
    struct flx_rng rng;
    uint8_t desc[FLX_DESC_BYTES];
    uint8_t rx[70000]; /* a frame that is coming in */
    size_t rx_len;
    uint8_t *tx; /* queue towards the host */
    size_t tx_begin, tx_end;
    int delay_ms; /* the answers wait for so long */
    uint8_t expected, run_number, failures;
    uint64_t frames, executed, resets;
    int closed;
};

static inline void soft_put16(uint8_t *p, int v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void soft_put32(uint8_t *p, uint32_t v)
{
    soft_put16(p, (int)(v & 0xffff));
    soft_put16(p + 2, (int)(v >> 16));
}

static inline uint32_t soft_get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void soft_describe(const struct flx_desc *d, uint8_t *p)
{
    memset(p, 0, FLX_DESC_BYTES);
    soft_put16(p, d->version);
    soft_put16(p + 2, d->k);
    soft_put16(p + 4, d->t);
    p[6] = (uint8_t)d->p;
    p[7] = (uint8_t)d->n_out;
    p[8] = (uint8_t)d->nin_max;
    p[9] = (uint8_t)d->act_bits;
    p[10] = (uint8_t)d->acc_bits;
    p[11] = (uint8_t)(d->rq_lanes | d->lanes << 4);
    soft_put32(p + 12, d->xor_hash);
    soft_put32(p + 16, d->act_words);
    soft_put32(p + 20, d->weight_words);
    soft_put32(p + 24, d->param_entries);
    soft_put16(p + 28, d->layers);
    soft_put16(p + 30, d->results);
    soft_put16(p + 32, d->max_payload);
    soft_put16(p + 34, d->window_max);
    soft_put32(p + 36, d->clk_khz);
    p[40] = (uint8_t)d->xor_n_min;
    p[41] = (uint8_t)d->xor_n_max;
    p[42] = (uint8_t)d->xor_kind;
    p[43] = (uint8_t)(d->skip | d->windows << 1 | d->scaled << 2 | d->pool_bits << 4);
    soft_put32(p + 44, d->build_id);
    p[48] = (uint8_t)d->pixels;
}

static inline int soft_chance(struct soft_device *s, uint64_t one_in)
{
    return one_in && flx_rng_below(&s->rng, one_in) == 0;
}

/* Bytes through the faulty wire. Returns how many came out (room: 2 n). */
static inline size_t soft_wire(struct soft_device *s, const uint8_t *in, size_t n, uint8_t *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (soft_chance(s, s->faults.drop))
            continue;
        uint8_t byte = in[i];
        if (soft_chance(s, s->faults.corrupt))
            byte ^= (uint8_t)(1u << flx_rng_below(&s->rng, 8));
        out[len++] = byte;
        if (soft_chance(s, s->faults.duplicate))
            out[len++] = byte;
    }
    return len;
}

static inline void soft_answer(struct soft_device *s, uint8_t type, uint8_t seq, int status,
                               const uint8_t *data, size_t len)
{
    uint8_t payload[65536], frame[65536 + FLX_FRAME_OVERHEAD];
    payload[0] = (uint8_t)status;
    payload[1] = s->expected;
    if (len)
        memcpy(payload + 2, data, len);
    size_t n = flx_frame_encode(frame, type, seq, payload, len + 2);
    if (soft_chance(s, s->faults.drop_frame) || s->tx_end + 2 * n > SOFT_QUEUE)
        return;
    s->tx_end += soft_wire(s, frame, n, s->tx + s->tx_end);
    if (soft_chance(s, s->faults.delay))
        s->delay_ms = (int)flx_rng_below(&s->rng, 200);
}

/* WRITE: status. Ranges are those that the compiler has to keep. */
static inline int soft_write(struct soft_device *s, const uint8_t *p, size_t len)
{
    struct soft_array *a = s->array;
    uint32_t addr = soft_get32(p + 2);
    const uint8_t *data = p + FLX_WR_HDR_BYTES;
    size_t n = len - FLX_WR_HDR_BYTES, unit = 1;
    uint8_t engine = p[1] & 0x7f;
    if (s->faults.fail_status)
        return s->faults.fail_status;
    if (p[0] == FLX_WR_WEIGHTS || p[0] == FLX_WR_STREAM)
        unit = flx_word_bytes(flx_desc_slices(&a->d), p[1]);
    switch (p[0]) {
    case FLX_WR_PROGRAM:
        for (size_t i = 0; i + 4 <= n && addr + i / 4 < SOFT_PROGRAM; i += 4)
            a->program[addr + i / 4] = soft_get32(data + i);
        return n % 4 ? FLX_ST_LENGTH : FLX_ST_OK;
    case FLX_WR_PARAMS:
        if (n % 6 || addr + n / 6 > a->d.param_entries)
            return n % 6 ? FLX_ST_LENGTH : FLX_ST_RANGE;
        for (size_t i = 0; i < n / 6; i++) {
            a->m[addr + i] = (int16_t)(data[6 * i] | data[6 * i + 1] << 8);
            a->beta[addr + i] = (int32_t)soft_get32(data + 6 * i + 2);
        }
        return FLX_ST_OK;
    case FLX_WR_WEIGHTS:
        if (n % unit || addr + n / unit > a->d.weight_words)
            return n % unit ? FLX_ST_LENGTH : FLX_ST_RANGE;
        for (size_t i = 0; i < n / unit; i++)
            memcpy(a->weights + (addr + i) * SOFT_WORD, data + i * unit, unit);
        return FLX_ST_OK;
    case FLX_WR_IMAGE:
        if (engine >= a->d.p)
            return FLX_ST_RANGE;
        if (!(p[1] & FLX_IMAGE_CONTINUE))
            a->image_len[engine] = 0;
        memcpy(a->image[engine] + a->image_len[engine], data, n);
        a->image_len[engine] += n;
        return FLX_ST_OK;
    case FLX_WR_STREAM:
        if (n % unit || a->stream_len + n > SOFT_RING)
            return n % unit ? FLX_ST_LENGTH : FLX_ST_TIMEOUT;
        memcpy(a->stream + a->stream_len, data, n);
        a->stream_len += n;
        return FLX_ST_OK;
    default:
        return FLX_ST_TARGET;
    }
}

static inline size_t soft_read(struct soft_device *s, const uint8_t *p, uint8_t *data, int *status)
{
    struct soft_array *a = s->array;
    uint32_t addr = soft_get32(p + 2), count = p[6] | (uint32_t)p[7] << 8;
    int engine = p[1] & 0x7f;
    *status = engine < a->d.p ? FLX_ST_OK : FLX_ST_RANGE;
    if (p[0] == FLX_RD_RESULTS && addr + count <= (uint32_t)a->d.results) {
        int set = a->latest ^ (p[1] & FLX_RESULTS_PREVIOUS ? 1 : 0);
        for (uint32_t i = 0; i < count && !*status; i++)
            soft_put32(data + 4 * i, (uint32_t)a->results[set][engine][addr + i]);
        return 4 * count;
    }
    if (p[0] == FLX_RD_ACT && addr + count <= a->d.act_words) {
        size_t k = (size_t)a->d.k;
        memcpy(data, a->act[engine] + addr * k, count * k);
        return count * k;
    }
    if (p[0] == FLX_RD_COUNTERS && addr + count <= 64 * FLX_COUNTER_WORDS) {
        for (uint32_t i = 0; i < count; i++)
            soft_put32(data + 4 * i, (addr + i) % FLX_COUNTER_WORDS < 2
                                         ? (uint32_t)a->busy[(addr + i) / FLX_COUNTER_WORDS]
                                         : 0);
        return 4 * count;
    }
    *status = p[0] > FLX_RD_COUNTERS ? FLX_ST_TARGET : FLX_ST_RANGE;
    return 0;
}

/* The data of a READ; *status when it fails. */
static inline size_t soft_read_settled(struct soft_device *s, const uint8_t *p, uint8_t *data,
                                       int *status)
{
    int previous = p[0] == FLX_RD_RESULTS && p[1] & FLX_RESULTS_PREVIOUS;
    if (!previous && !soft_run_finish(s->array)) {
        *status = FLX_ST_TIMEOUT;
        return 0;
    }
    return soft_read(s, p, data, status);
}

/* A request whose number is the expected one: status, and *len bytes of answer. */
static inline int soft_execute(struct soft_device *s, const struct flx_frame *f, uint8_t *data,
                               size_t *len)
{
    int status = FLX_ST_OK;
    const uint8_t *p = f->payload;
    s->executed++;
    switch (f->type) {
    case FLX_REQ_HELLO:
        memcpy(data, s->desc, sizeof s->desc);
        *len = sizeof s->desc;
        return FLX_ST_OK;
    case FLX_REQ_WRITE:
        return f->len < FLX_WR_HDR_BYTES ? FLX_ST_LENGTH : soft_write(s, p, f->len);
    case FLX_REQ_RUN:
        if (f->len != FLX_RUN_BYTES)
            return FLX_ST_LENGTH;
        if (p[0] & FLX_RUN_CLEAR)
            memset(s->array->busy, 0, sizeof s->array->busy);
        soft_run_begin(s->array, p[0] & FLX_RUN_STREAM, p[1]);
        s->run_number++;
        return FLX_ST_OK;
    case FLX_REQ_READ:
        if (f->len != FLX_RD_HDR_BYTES)
            return FLX_ST_LENGTH;
        *len = soft_read_settled(s, p, data, &status);
        return status;
    case FLX_REQ_RESET:
        s->array->run.due = s->array->buffer = 0;
        return FLX_ST_OK;
    default:
        data[0] = (uint8_t)s->array->run.due;
        data[1] = s->run_number;
        data[2] = s->failures;
        *len = 3;
        return FLX_ST_OK;
    }
}

static inline void soft_take_frame(struct soft_device *s, const struct flx_frame *f)
{
    uint8_t data[65536];
    size_t len = 0;
    int any = f->type == FLX_REQ_HELLO || f->type == FLX_REQ_RESET || f->type == FLX_REQ_PING;
    if (s->faults.stop_after && s->frames >= s->faults.stop_after)
        return;
    s->frames++;
    if (!any && f->seq != s->expected) {
        soft_answer(s, FLX_RESP_NAK, f->seq, FLX_ST_SEQ, NULL, 0);
        return;
    }
    if (f->type != FLX_REQ_PING)
        s->expected = (uint8_t)(f->seq + 1);
    if (f->type == FLX_REQ_HELLO || f->type == FLX_REQ_RESET)
        s->failures = 0;
    int status = soft_execute(s, f, data, &len);
    if (status)
        s->failures++;
    soft_answer(s, f->type | FLX_RESP_BIT, f->seq, status, data, status ? 0 : len);
}

/* One byte into the receiver of docs/link.md. */
static inline void soft_receive(struct soft_device *s, uint8_t byte)
{
    if (s->rx_len == 0 && byte != FLX_SOF)
        return;
    s->rx[s->rx_len++] = byte;
    if (s->rx_len < FLX_HDR_BYTES)
        return;
    size_t len = (size_t)(s->rx[3] | s->rx[4] << 8);
    if (s->rx_len == FLX_HDR_BYTES &&
        (flx_crc8(s->rx + 1, 4) != s->rx[5] || len > (size_t)s->array->d.max_payload))
        s->rx_len = 0;
    if (s->rx_len < len + FLX_FRAME_OVERHEAD)
        return;
    const uint8_t *payload = s->rx + FLX_HDR_BYTES;
    struct flx_frame f = {.type = s->rx[1], .seq = s->rx[2], .len = len, .payload = payload};
    uint8_t good[65536 + FLX_FRAME_OVERHEAD];
    flx_frame_encode(good, f.type, f.seq, payload, len);
    s->rx_len = 0;
    if (memcmp(good + FLX_HDR_BYTES + len, payload + len, FLX_CRC_BYTES))
        soft_answer(s, FLX_RESP_NAK, f.seq, FLX_ST_CRC, NULL, 0);
    else
        soft_take_frame(s, &f);
}

static inline ptrdiff_t soft_send(void *self, const uint8_t *data, size_t len, int timeout_ms)
{
    struct soft_device *s = self;
    uint8_t wire[512];
    (void)timeout_ms;
    if (s->faults.fail_io)
        return flx_fail(FLX_ERR_IO, "the cable was pulled");
    if (len > sizeof wire / 2)
        len = sizeof wire / 2;
    if (s->faults.partial)
        len = flx_rng_below(&s->rng, 20) ? 1 + flx_rng_below(&s->rng, len) : 0;
    size_t n = soft_wire(s, data, len, wire);
    for (size_t i = 0; i < n; i++)
        soft_receive(s, wire[i]);
    return (ptrdiff_t)len;
}

static inline ptrdiff_t soft_recv(void *self, uint8_t *data, size_t cap, int timeout_ms)
{
    struct soft_device *s = self;
    if (s->faults.garbage && timeout_ms) {
        for (size_t i = 0; i < cap; i++)
            data[i] = (uint8_t)flx_rng_next(&s->rng);
        return (ptrdiff_t)cap;
    }
    s->delay_ms -= timeout_ms;
    size_t n = s->delay_ms > 0 ? 0 : s->tx_end - s->tx_begin;
    if (n == 0 && timeout_ms >= SOFT_IDLE_MS)
        s->rx_len = 0;
    if (n > cap)
        n = cap;
    if (s->faults.partial && n > 1)
        n = 1 + flx_rng_below(&s->rng, n);
    memcpy(data, s->tx + s->tx_begin, n);
    s->tx_begin += n;
    if (s->tx_begin == s->tx_end)
        s->tx_begin = s->tx_end = 0;
    return (ptrdiff_t)n;
}

static inline int soft_reset(void *self)
{
    struct soft_device *s = self;
    s->rx_len = s->tx_begin = s->tx_end = 0;
    s->array->run.due = s->array->buffer = 0;
    s->resets++;
    return FLX_OK;
}

static inline void soft_close(void *self)
{
    ((struct soft_device *)self)->closed = 1;
}

static const struct flx_transport_ops soft_transport = {soft_send, soft_recv, soft_reset,
                                                        soft_close, NULL};

static inline struct soft_device *soft_device_new(const struct flx_desc *d,
                                                  const struct flx_xornet *net, uint64_t seed)
{
    struct soft_device *s = calloc(1, sizeof *s);
    s->array = soft_array_new(d, net, seed);
    s->tx = malloc(SOFT_QUEUE);
    flx_rng_init(&s->rng, seed, 10);
    soft_describe(d, s->desc);
    return s;
}

static inline void soft_device_free(struct soft_device *s)
{
    soft_array_free(s->array);
    free(s->tx);
    free(s);
}

#endif
