/* SPDX-License-Identifier: Apache-2.0 */
/* gen_session NAME=VALUE...: writes the bytes that a host sends to flx_top (FILE.tx) and
 * the bytes that it must answer (FILE.rx): description, a damaged frame, a random model
 * loaded, two runs on random images, their logits by the plain reference.
 * Names: seed, stream, out (the FILE) and the parameters of flx_top. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/compile.h"
#include "device/link.h"
#include "device_fixture.h"
#include "flexor/exec.h"
#include "flexor/status.h"

#define RUNS 2

struct session {
    FILE *tx, *rx;
    uint8_t seq;
    struct flx_desc d;
};

static const char *arg(char **argv, const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (int i = 1; argv[i]; i++)
        if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
            return argv[i] + len + 1;
    return otherwise;
}

static int number(char **argv, const char *name, int otherwise)
{
    const char *text = arg(argv, name, NULL);
    return text ? atoi(text) : otherwise;
}

static void describe(struct flx_desc *d, char **argv)
{
    struct flx_xornet net;
    flx_xornet_default(&net);
    *d = (struct flx_desc){.version = FLX_PROTO_VERSION,
                           .k = number(argv, "K", 16),
                           .t = number(argv, "T", 16),
                           .p = number(argv, "P", 1),
                           .pixels = number(argv, "PIXELS", 1),
                           .n_out = net.n_out,
                           .nin_max = number(argv, "NIN_MAX", net.n_max),
                           .act_bits = 8,
                           .acc_bits = 22,
                           .rq_lanes = number(argv, "RQ", 1),
                           .xor_hash = flx_xornet_hash(&net),
                           .act_words = (uint32_t)number(argv, "AMEM_WORDS", 1024),
                           .weight_words = (uint32_t)number(argv, "WMEM_WORDS", 1024),
                           .param_entries = (uint32_t)number(argv, "PMEM_CH", 1024),
                           .layers = number(argv, "PROG_LAYERS", 8),
                           .results = number(argv, "RES_WORDS", 16),
                           .max_payload = number(argv, "MAX_PAYLOAD", 1024),
                           .window_max = number(argv, "WIN_MAX", 32),
                           .clk_khz = (uint32_t)number(argv, "CLK_KHZ", 12000),
                           .xor_n_min = net.n_min,
                           .xor_n_max = net.n_max,
                           .xor_kind = net.kind,
                           .skip = number(argv, "SKIP", 1),
                           .windows = number(argv, "WINDOWS", 1),
                           .scaled = number(argv, "SCALED", 0),
                           .pool_bits = number(argv, "POOL_BITS", 6)};
}

static void put(uint8_t *p, int bytes, uint32_t value)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

/* The layout of docs/link.md, written down a second time. */
static void description_bytes(const struct flx_desc *d, uint8_t *b)
{
    memset(b, 0, FLX_DESC_BYTES);
    put(b, 2, (uint32_t)d->version);
    put(b + 2, 2, (uint32_t)d->k);
    put(b + 4, 2, (uint32_t)d->t);
    int bytes[6] = {d->p, d->n_out, d->nin_max, d->act_bits, d->acc_bits, d->rq_lanes};
    for (int i = 0; i < 6; i++)
        b[6 + i] = (uint8_t)bytes[i];
    put(b + 12, 4, d->xor_hash);
    put(b + 16, 4, d->act_words);
    put(b + 20, 4, d->weight_words);
    put(b + 24, 4, d->param_entries);
    put(b + 28, 2, (uint32_t)d->layers);
    put(b + 30, 2, (uint32_t)d->results);
    put(b + 32, 2, (uint32_t)d->max_payload);
    put(b + 34, 2, (uint32_t)d->window_max);
    put(b + 36, 4, d->clk_khz);
    b[40] = (uint8_t)d->xor_n_min;
    b[41] = (uint8_t)d->xor_n_max;
    b[42] = (uint8_t)d->xor_kind;
    b[43] = (uint8_t)(d->skip | d->windows << 1 | d->scaled << 2 | d->pool_bits << 4);
    b[48] = (uint8_t)d->pixels;
}

static void frame(FILE *f, uint8_t type, uint8_t seq, const uint8_t *payload, size_t len)
{
    uint8_t *bytes = malloc(len + FLX_FRAME_OVERHEAD);
    fwrite(bytes, 1, flx_frame_encode(bytes, type, seq, payload, len), f);
    free(bytes);
}

/* A request, and its successful answer with @p n bytes of data. */
static void request(struct session *s, uint8_t type, const uint8_t *payload, size_t len,
                    const uint8_t *data, size_t n)
{
    uint8_t *answer = malloc(n + 2);
    frame(s->tx, type, s->seq, payload, len);
    answer[0] = FLX_ST_OK;
    answer[1] = (uint8_t)(s->seq + 1);
    if (n)
        memcpy(answer + 2, data, n);
    frame(s->rx, (uint8_t)(type | FLX_RESP_BIT), s->seq, answer, n + 2);
    s->seq++;
    free(answer);
}

/* A frame whose last byte is wrong is refused and can be sent again. */
static void damaged(struct session *s)
{
    uint8_t bytes[FLX_FRAME_OVERHEAD];
    size_t len = flx_frame_encode(bytes, FLX_REQ_PING, s->seq, NULL, 0);
    bytes[len - 1] ^= 0x10;
    fwrite("noise", 1, 5, s->tx);
    fwrite(bytes, 1, len, s->tx);
    uint8_t answer[2] = {FLX_ST_CRC, s->seq};
    frame(s->rx, FLX_RESP_NAK, s->seq, answer, sizeof answer);
}

static void send_units(struct session *s, uint8_t target, uint8_t a, uint32_t addr,
                       const uint8_t *data, size_t units, size_t unit)
{
    size_t most = ((size_t)s->d.max_payload - FLX_WR_HDR_BYTES) / unit;
    uint8_t *payload = malloc((size_t)s->d.max_payload);
    while (units) {
        size_t n = units < most ? units : most;
        payload[0] = target;
        payload[1] = a;
        put(payload + 2, 4, addr);
        memcpy(payload + FLX_WR_HDR_BYTES, data, n * unit);
        request(s, FLX_REQ_WRITE, payload, FLX_WR_HDR_BYTES + n * unit, NULL, 0);
        if (target == FLX_WR_IMAGE)
            a |= FLX_IMAGE_CONTINUE;
        else if (target != FLX_WR_STREAM)
            addr += (uint32_t)n;
        data += n * unit;
        units -= n;
    }
    free(payload);
}

static void load(struct session *s, const struct flx_compiled *c)
{
    uint8_t *words = malloc(4 * c->program_words);
    for (size_t i = 0; i < c->program_words; i++)
        put(words + 4 * i, 4, c->program[i]);
    send_units(s, FLX_WR_PROGRAM, 0, 0, words, c->program_words, 4);
    free(words);
    send_units(s, FLX_WR_PARAMS, 0, 0, c->params, c->n_params, 6);
}

static void weights(struct session *s, const struct flx_compiled *c)
{
    for (int i = 0; i < c->n_layers; i++) {
        const struct flx_compiled_layer *l = &c->layer[i];
        uint8_t target = c->streamed ? FLX_WR_STREAM : FLX_WR_WEIGHTS;
        send_units(s, target, (uint8_t)l->n_in, c->streamed ? 0 : l->base, l->weights, l->words,
                   l->word_bytes);
    }
}

/* One image an engine, a run, and the logits that must come back. */
static void run(struct session *s, const struct flx_compiled *c, uint64_t seed)
{
    const struct flx_model *m = c->model;
    uint8_t *images = fixture_images(m, s->d.p, seed);
    for (int e = 0; e < s->d.p; e++)
        send_units(s, FLX_WR_IMAGE, (uint8_t)e, 0, images + (size_t)e * c->image_bytes,
                   c->image_bytes, 1);
    uint8_t flags[FLX_RUN_BYTES] = {c->streamed ? FLX_RUN_STREAM : 0, FLX_RUN_ALL_LAYERS};
    request(s, FLX_REQ_RUN, flags, sizeof flags, NULL, 0);
    if (c->streamed)
        weights(s, c);
    int32_t *logits = malloc(sizeof *logits * (size_t)m->classes);
    uint8_t *data = malloc(4 * (size_t)m->classes);
    for (int e = 0; e < s->d.p; e++) {
        flx_plain_run(m, images + (size_t)e * c->image_bytes, logits, NULL);
        for (int i = 0; i < m->classes; i++)
            put(data + 4 * i, 4, (uint32_t)logits[i]);
        uint8_t read[FLX_RD_HDR_BYTES] = {FLX_RD_RESULTS, (uint8_t)e};
        put(read + 6, 2, (uint32_t)m->classes);
        request(s, FLX_REQ_READ, read, sizeof read, data, 4 * (size_t)m->classes);
    }
    free(data);
    free(logits);
    free(images);
}

/* The first random model from @p seed on that fits the device. */
static struct flx_model *fitting_model(struct session *s, uint64_t seed, int stream,
                                       struct flx_compiled *c)
{
    struct flx_xornet net;
    flx_xornet_default(&net);
    for (uint64_t i = seed; i < seed + 200; i++) {
        struct flx_model *m = fixture_device_model(i, &net, 8);
        if (m && m->n_layers > 1 && flx_compile(m, &s->d, stream, c) == 0)
            return m;
        flx_compiled_free(c);
        flx_model_free(m);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct session s = {.seq = 7};
    char path[512];
    uint64_t seed = strtoull(arg(argv, "seed", "1"), NULL, 0);
    (void)argc;
    describe(&s.d, argv);
    snprintf(path, sizeof path, "%s.tx", arg(argv, "out", "session"));
    s.tx = fopen(path, "wb");
    snprintf(path, sizeof path, "%s.rx", arg(argv, "out", "session"));
    s.rx = fopen(path, "wb");
    struct flx_compiled c = {0};
    struct flx_model *m = fitting_model(&s, seed, number(argv, "stream", 0), &c);
    if (!s.tx || !s.rx || !m) {
        fprintf(stderr, "gen_session: no file or no model: %s\n", flx_last_error());
        return 1;
    }
    uint8_t description[FLX_DESC_BYTES];
    description_bytes(&s.d, description);
    request(&s, FLX_REQ_HELLO, NULL, 0, description, sizeof description);
    damaged(&s);
    load(&s, &c);
    if (!c.streamed)
        weights(&s, &c);
    for (int i = 0; i < RUNS; i++)
        run(&s, &c, seed + (uint64_t)i);
    flx_compiled_free(&c);
    flx_model_free(m);
    return fclose(s.tx) | fclose(s.rx);
}
