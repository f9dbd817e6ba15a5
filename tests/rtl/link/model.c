/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { NIN_MIN = 13, NIN_MAX = 32, N_OUT = 32 };

static void put(uint8_t *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

uint8_t crc8(const uint8_t *p, size_t n)
{
    unsigned crc = 0;
    for (size_t i = 0; i < 8 * n; i++) {
        unsigned bit = (unsigned)p[i / 8] >> (7 - i % 8) & 1u;
        crc = crc << 1 ^ ((crc >> 7 ^ bit) & 1u ? 0x107u : 0u);
        crc &= 0xFFu;
    }
    return (uint8_t)crc;
}

static uint32_t frame_crc(const uint8_t *frame, size_t len)
{
    uint32_t crc = (uint32_t)crc32(0, frame + 1, 4);
    return len ? (uint32_t)crc32(crc, frame + FLX_HDR_BYTES, (uInt)len) : crc;
}

size_t build_frame(uint8_t *frame, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len)
{
    frame[0] = FLX_SOF;
    frame[1] = type;
    frame[2] = seq;
    put(frame + 3, (uint32_t)len, 2);
    frame[5] = crc8(frame + 1, 4);
    if (len)
        memcpy(frame + FLX_HDR_BYTES, payload, len);
    put(frame + FLX_HDR_BYTES + len, frame_crc(frame, len), FLX_CRC_BYTES);
    return FLX_HDR_BYTES + len + FLX_CRC_BYTES;
}

static void append(struct answers *a, unsigned byte)
{
    if (a->n == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 4096;
        a->bytes = realloc(a->bytes, a->cap * sizeof *a->bytes);
        if (!a->bytes)
            abort();
    }
    a->bytes[a->n++] = (uint16_t)byte;
}

void answer_frame(struct answers *a, uint8_t type, uint8_t seq, const uint16_t *payload, size_t len,
                  int poison)
{
    static uint8_t bytes[MODEL_MAX_PAYLOAD], frame[MODEL_MAX_PAYLOAD + 16];
    int any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= payload[i] == ANY_BYTE;
        bytes[i] = (uint8_t)payload[i];
    }
    size_t n = build_frame(frame, type, seq, bytes, len);
    for (size_t i = 0; i < n; i++) {
        int in_payload = i >= FLX_HDR_BYTES && i < FLX_HDR_BYTES + len;
        int in_crc = i >= FLX_HDR_BYTES + len;
        if (in_payload)
            append(a, payload[i - FLX_HDR_BYTES]);
        else if (in_crc && any)
            append(a, ANY_BYTE);
        else
            append(a, in_crc && poison ? frame[i] ^ 0xFFu : frame[i]);
    }
}

unsigned weight_bytes(const struct config *c, unsigned n_in)
{
    unsigned slices = c->k * c->t / N_OUT;
    if (slices == 1 || slices == 2 || slices == 4)
        return (n_in * slices + 7) / 8;
    return n_in * ((slices + 7) / 8);
}

void description(const struct config *c, uint8_t d[FLX_DESC_BYTES])
{
    memset(d, 0, FLX_DESC_BYTES);
    put(d + 0, FLX_PROTO_VERSION, 2);
    put(d + 2, c->k, 2);
    put(d + 4, c->t, 2);
    put(d + 6, c->p, 1);
    put(d + 7, N_OUT, 1);
    put(d + 8, NIN_MAX, 1);
    put(d + 9, c->act_w, 1);
    put(d + 10, 22, 1);
    put(d + 11, 1, 1);
    put(d + 12, 0xC0FFEE42u, 4);
    put(d + 16, c->amem, 4);
    put(d + 20, c->wmem, 4);
    put(d + 24, c->pmem, 4);
    put(d + 28, c->layers, 2);
    put(d + 30, c->res, 2);
    put(d + 32, c->max_payload, 2);
    put(d + 34, 32, 2);
    put(d + 36, 48000, 4);
    put(d + 40, NIN_MIN, 1);
    put(d + 41, NIN_MAX, 1);
    put(d + 43, 0x63, 1); /* SKIP, WINDOWS, 6 POOL_BITS: the defaults of flx_top */
    put(d + 44, 0x12345678u, 4);
    put(d + 48, c->pixels, 1);
}

uint32_t stand_in_word(unsigned target, unsigned arg, uint32_t addr)
{
    return (addr + (target << 24 | arg) + 1u) * 0x9E3779B1u;
}

static uint32_t fold(uint32_t h, uint32_t v)
{
    return h * 33u + v;
}

void model_reset(struct model *m)
{
    m->state = 0;
    m->expect = m->run_number = m->failures = 0;
    m->strange = 1;
    m->digest = 1;
    m->runs = 0;
    m->busy_forever = m->loader_stuck = 0;
}

void model_init(struct model *m, const struct config *cfg, struct answers *out)
{
    memset(m, 0, sizeof *m);
    m->cfg = cfg;
    m->out = out;
    model_reset(m);
}

/** Answers with a status only. */
static void answer_status(struct model *m, uint8_t status)
{
    uint16_t payload[2] = {status, m->expect};
    if (status != FLX_ST_OK)
        m->failures++;
    answer_frame(m->out, m->frame[1] | FLX_RESP_BIT, m->frame[2], payload, 2, 0);
}

static void nak(struct model *m, uint8_t status)
{
    uint16_t payload[2] = {status, m->expect};
    answer_frame(m->out, FLX_RESP_NAK, m->frame[2], payload, 2, 0);
}

/** Target, arg and address of a WRITE: status, bytes of a unit and units that fit. */
static uint8_t check_write(const struct model *m, const uint8_t *p, unsigned *unit, uint32_t *room)
{
    const struct config *c = m->cfg;
    unsigned arg = p[1];
    uint32_t addr = get(p + 2, 4), limit = 0;
    int arg_ok = arg == 0;
    *unit = 1;
    switch (p[0]) {
    case FLX_WR_PROGRAM:
        limit = FLX_PROG_HDR_WORDS + c->layers * FLX_PROG_LAYER_WORDS;
        *unit = 4;
        break;
    case FLX_WR_PARAMS:
        limit = c->pmem;
        *unit = 6;
        break;
    case FLX_WR_WEIGHTS:
        limit = c->wmem;
        break;
    case FLX_WR_IMAGE:
        arg_ok = (arg & 127u) < c->p;
        break;
    case FLX_WR_STREAM:
        break;
    default:
        return FLX_ST_TARGET;
    }
    if (p[0] == FLX_WR_WEIGHTS || p[0] == FLX_WR_STREAM) {
        arg_ok = arg >= NIN_MIN && arg <= NIN_MAX;
        *unit = weight_bytes(c, arg);
    }
    *room = p[0] <= FLX_WR_WEIGHTS ? limit - addr : UINT32_MAX;
    return arg_ok && addr <= limit ? FLX_ST_OK : FLX_ST_RANGE;
}

static uint8_t execute_write(struct model *m, const uint8_t *p, size_t len)
{
    unsigned unit;
    uint32_t room;
    uint8_t status = check_write(m, p, &unit, &room);
    if (status != FLX_ST_OK)
        return status;
    if (m->busy_forever && p[0] <= FLX_WR_WEIGHTS)
        return FLX_ST_TIMEOUT;
    m->loader_stuck = 0;
    m->digest = fold(fold(fold(m->digest, p[0]), p[1]), get(p + 2, 4));
    size_t data = len - FLX_WR_HDR_BYTES;
    if (data / unit > room || (data / unit == room && data % unit))
        status = FLX_ST_RANGE;
    else if (data % unit)
        status = FLX_ST_LENGTH;
    if (status == FLX_ST_RANGE)
        data = (size_t)room * unit;
    for (size_t i = 0; i < data; i++) {
        if (m->loader_stuck)
            return FLX_ST_TIMEOUT;
        m->digest = fold(m->digest, p[FLX_WR_HDR_BYTES + i]);
        m->loader_stuck = p[0] == FLX_WR_IMAGE && p[FLX_WR_HDR_BYTES + i] == 0xDD && i == 0;
    }
    return status;
}

static uint8_t execute_run(struct model *m, const uint8_t *p)
{
    if (p[0] > (FLX_RUN_STREAM | FLX_RUN_CLEAR))
        return FLX_ST_RANGE;
    if (m->busy_forever || m->loader_stuck)
        return FLX_ST_TIMEOUT;
    m->digest = fold(fold(m->digest, p[0]), p[1]);
    m->runs++;
    m->run_number++;
    m->busy_forever = p[1] == 0xFE;
    return FLX_ST_OK;
}

static uint8_t check_read(const struct model *m, const uint8_t *p)
{
    const struct config *c = m->cfg;
    unsigned arg = p[1], bytes = 4;
    uint32_t addr = get(p + 2, 4), count = get(p + 6, 2), limit;
    int arg_ok = arg == 0, waits = m->busy_forever;
    switch (p[0]) {
    case FLX_RD_RESULTS:
        limit = c->res;
        arg_ok = (arg & 127u) < c->p;
        waits = waits && !(arg & FLX_RESULTS_PREVIOUS);
        break;
    case FLX_RD_ACT:
        limit = c->amem;
        arg_ok = arg < c->p;
        bytes = c->k;
        waits = waits || m->loader_stuck;
        break;
    case FLX_RD_COUNTERS:
        limit = c->layers * FLX_COUNTER_WORDS;
        break;
    default:
        return FLX_ST_TARGET;
    }
    if (!arg_ok || addr > limit || count > limit - addr || 2 + count * bytes > c->max_payload)
        return FLX_ST_RANGE;
    return waits ? FLX_ST_TIMEOUT : FLX_ST_OK;
}

static void read_word(const struct model *m, const uint8_t *p, uint32_t addr, uint16_t bytes[4])
{
    uint32_t word = stand_in_word(p[0], p[1], addr);
    unsigned mask = p[0] == FLX_RD_ACT ? (1u << m->cfg->act_w) - 1u : 255u;
    if (p[0] == FLX_RD_RESULTS && addr == 0)
        word = m->digest;
    if (p[0] == FLX_RD_RESULTS && addr == 1)
        word = m->runs;
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint16_t)(word >> (8 * i) & mask);
}

static void execute_read(struct model *m, const uint8_t *p)
{
    uint16_t payload[MODEL_MAX_PAYLOAD] = {FLX_ST_OK, m->expect};
    uint8_t status = check_read(m, p);
    unsigned granules = p[0] == FLX_RD_ACT ? m->cfg->k / 4 : 1;
    uint32_t addr = get(p + 2, 4) * granules, count = get(p + 6, 2) * granules;
    int poison = 0;
    if (status == FLX_ST_OK && p[0] == FLX_RD_RESULTS && addr == 7 && count)
        status = FLX_ST_TIMEOUT;
    if (status != FLX_ST_OK) {
        answer_status(m, status);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        poison |= p[0] == FLX_RD_RESULTS && addr + i == 7;
        if (!poison)
            read_word(m, p, addr + i, payload + 2 + 4 * i);
    }
    answer_frame(m->out, FLX_REQ_READ | FLX_RESP_BIT, m->frame[2], payload, 2 + 4 * (size_t)count,
                 poison);
}

static void answer_hello(struct model *m)
{
    uint16_t payload[2 + FLX_DESC_BYTES] = {FLX_ST_OK, m->expect};
    uint8_t d[FLX_DESC_BYTES];
    description(m->cfg, d);
    for (int i = 0; i < FLX_DESC_BYTES; i++)
        payload[2 + i] = d[i];
    m->failures = 0;
    m->strange = 0;
    answer_frame(m->out, FLX_REQ_HELLO | FLX_RESP_BIT, m->frame[2], payload, 2 + FLX_DESC_BYTES, 0);
}

static void answer_ping(struct model *m)
{
    uint16_t busy = m->strange ? FLX_PING_STRANGE : m->busy_forever ? 1 : m->runs ? ANY_BYTE : 0;
    uint16_t payload[5] = {FLX_ST_OK, m->expect, busy, m->run_number, m->failures};
    answer_frame(m->out, FLX_REQ_PING | FLX_RESP_BIT, m->frame[2], payload, 5, 0);
}

static void execute_reset(struct model *m)
{
    uint8_t expect = m->expect;
    int strange = m->strange;
    model_reset(m);
    m->expect = expect;
    m->strange = strange;
    answer_status(m, FLX_ST_OK);
}

static int length_ok(uint8_t type, size_t len)
{
    switch (type) {
    case FLX_REQ_WRITE:
        return len >= FLX_WR_HDR_BYTES;
    case FLX_REQ_RUN:
        return len == FLX_RUN_BYTES;
    case FLX_REQ_READ:
        return len == FLX_RD_HDR_BYTES;
    default:
        return len == 0;
    }
}

static void execute(struct model *m, size_t len)
{
    uint8_t type = m->frame[1], seq = m->frame[2];
    const uint8_t *p = m->frame + FLX_HDR_BYTES;
    int any_seq = type == FLX_REQ_HELLO || type == FLX_REQ_RESET || type == FLX_REQ_PING;
    if (frame_crc(m->frame, len) != get(p + len, 4)) {
        nak(m, FLX_ST_CRC);
        return;
    }
    if (!any_seq && (seq != m->expect || m->strange)) {
        nak(m, FLX_ST_SEQ);
        return;
    }
    if (type < FLX_REQ_HELLO || type > FLX_REQ_PING) {
        nak(m, FLX_ST_TYPE);
        return;
    }
    if (type != FLX_REQ_PING)
        m->expect = (uint8_t)(seq + 1);
    if (!length_ok(type, len))
        answer_status(m, FLX_ST_LENGTH);
    else if (type == FLX_REQ_HELLO)
        answer_hello(m);
    else if (type == FLX_REQ_WRITE)
        answer_status(m, execute_write(m, p, len));
    else if (type == FLX_REQ_RUN)
        answer_status(m, execute_run(m, p));
    else if (type == FLX_REQ_READ)
        execute_read(m, p);
    else if (type == FLX_REQ_RESET)
        execute_reset(m);
    else
        answer_ping(m);
}

void model_byte(struct model *m, uint8_t byte)
{
    if (m->state == 0 && byte != FLX_SOF)
        return;
    m->frame[m->state++] = byte;
    if (m->state < FLX_HDR_BYTES)
        return;
    size_t len = get(m->frame + 3, 2);
    if (crc8(m->frame + 1, 4) != m->frame[5] || len > m->cfg->max_payload) {
        m->state = 0;
    } else if (m->state == FLX_HDR_BYTES + len + FLX_CRC_BYTES) {
        m->state = 0;
        execute(m, len);
    }
}

void model_idle(struct model *m)
{
    m->state = 0;
}
