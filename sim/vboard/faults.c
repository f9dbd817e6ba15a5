/* SPDX-License-Identifier: Apache-2.0 */
/* A bad cable, a bad hub and bad luck between bus and device, by a seeded plan. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vb.h"

struct bad {
    struct vb_device inner;
    struct vb_faults f;
    uint64_t random;
    uint32_t halted;             /* endpoints, as bits */
    uint8_t kept[VB_PACKET_MAX]; /* of an IN packet that was cut or is repeated */
    int kept_len, kept_endpoint;
};

/* Of all boards, however often they are plugged in. */
static uint64_t packets, faults;

/* xorshift64* */
static uint64_t below(struct bad *s, uint64_t n)
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return (s->random * 0x2545F4914F6CDD1DULL >> 16) % n;
}

static int hits(struct bad *s, uint64_t one_in)
{
    if (!one_in || below(s, one_in) || packets < s->f.first || (s->f.most && faults >= s->f.most))
        return 0;
    faults++;
    return 1;
}

static uint32_t bit(uint8_t endpoint)
{
    return 1U << ((endpoint & 0x0f) | (endpoint & 0x80) >> 3);
}

/* Faults that need no packet: 0, or what the device answers. */
static int trouble(struct bad *s, uint8_t endpoint)
{
    if (s->halted & bit(endpoint))
        return VB_STALL;
    if (hits(s, s->f.unplug))
        return VB_GONE;
    if (hits(s, s->f.reset))
        s->inner.ops->press_reset(s->inner.self);
    if (hits(s, s->f.stall)) {
        s->halted |= bit(endpoint);
        return VB_STALL;
    }
    return 0;
}

static void flip(struct bad *s, uint8_t *data, int len)
{
    if (len > 0)
        data[below(s, (uint64_t)len)] ^= (uint8_t)(1U << below(s, 8));
}

static int bad_out(void *self, uint8_t endpoint, const uint8_t *data, int len)
{
    struct bad *s = self;
    uint8_t copy[VB_PACKET_MAX];
    int r = trouble(s, endpoint);
    if (r)
        return r;
    memcpy(copy, data, (size_t)len);
    if (hits(s, s->f.corrupt))
        flip(s, copy, len);
    if (hits(s, s->f.lose)) {
        packets++;
        return len;
    }
    r = s->inner.ops->out(s->inner.self, endpoint, copy, len);
    if (r >= 0) {
        packets++;
        if (hits(s, s->f.repeat))
            s->inner.ops->out(s->inner.self, endpoint, copy, len);
    }
    return r;
}

static int is_ftdi(const struct bad *s)
{
    return s->inner.id->device[8] == 0x03 && s->inner.id->device[9] == 0x04;
}

/* Keeps the second part of a packet for later; a bridge puts its status in front. */
static int cut(struct bad *s, uint8_t endpoint, const uint8_t *data, int len)
{
    int front = is_ftdi(s) ? 2 : 0;
    if (len <= front + 1)
        return len;
    int first = front + 1 + (int)below(s, (uint64_t)(len - front - 1));
    memcpy(s->kept, data, (size_t)front);
    memcpy(s->kept + front, data + first, (size_t)(len - first));
    s->kept_len = front + len - first;
    s->kept_endpoint = endpoint;
    return first;
}

static int give_kept(struct bad *s, uint8_t *data)
{
    int len = s->kept_len;
    memcpy(data, s->kept, (size_t)len);
    s->kept_len = 0;
    return len;
}

static int bad_in(void *self, uint8_t endpoint, uint8_t *data)
{
    struct bad *s = self;
    if (s->kept_len && s->kept_endpoint == endpoint)
        return give_kept(s, data);
    if (s->halted & bit(endpoint))
        return VB_STALL;
    int len = s->inner.ops->in(s->inner.self, endpoint, data);
    if (len < 0)
        return len;
    packets++;
    int r = trouble(s, endpoint);
    if (r)
        return r; /* the packet is lost with it */
    if (hits(s, s->f.corrupt) || hits(s, s->f.corrupt_in))
        flip(s, data, len);
    if (hits(s, s->f.lose))
        return VB_NAK;
    if (hits(s, s->f.babble))
        return VB_BABBLE;
    if (hits(s, s->f.empty)) {
        memcpy(s->kept, data, (size_t)len);
        s->kept_len = len;
        s->kept_endpoint = endpoint;
        return 0;
    }
    if (hits(s, s->f.shorten))
        return cut(s, endpoint, data, len);
    if (hits(s, s->f.repeat)) {
        memcpy(s->kept, data, (size_t)len);
        s->kept_len = len;
        s->kept_endpoint = endpoint;
    }
    return len;
}

static int bad_control(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len)
{
    struct bad *s = self;
    return s->inner.ops->control(s->inner.self, setup, data, len);
}

static int bad_tick(void *self, int host_ms)
{
    struct bad *s = self;
    return s->inner.ops->tick(s->inner.self, host_ms);
}

static void bad_reset(void *self)
{
    struct bad *s = self;
    s->halted = 0;
    s->kept_len = 0;
    s->inner.ops->reset(s->inner.self);
}

static void bad_clear_halt(void *self, uint8_t endpoint)
{
    struct bad *s = self;
    s->halted &= ~bit(endpoint);
    s->inner.ops->clear_halt(s->inner.self, endpoint);
}

static void bad_press_reset(void *self)
{
    struct bad *s = self;
    s->inner.ops->press_reset(s->inner.self);
}

static void bad_close(void *self)
{
    struct bad *s = self;
    s->inner.ops->close(s->inner.self);
    free(s);
}

static const struct vb_device_ops ops = {
    bad_control, bad_out, bad_in, bad_tick, bad_reset, bad_clear_halt, bad_press_reset, bad_close,
};

int vb_faults_wrap(struct vb_device *d, const struct vb_faults *f)
{
    struct bad *s = calloc(1, sizeof *s);
    if (!s) {
        d->ops->close(d->self);
        return 0;
    }
    s->inner = *d;
    s->f = *f;
    s->random = (f->seed << 1 | 1) * 0x9E3779B97F4A7C15ULL;
    d->ops = &ops;
    d->self = s;
    return 1;
}

void vb_faults_report(void)
{
    fprintf(stderr, "flexor-vboard: %" PRIu64 " faults, %" PRIu64 " packets\n", faults, packets);
}

int vb_faults_parse(struct vb_faults *f, const char *text)
{
    const struct {
        const char *name;
        uint64_t *value;
    } known[] = {{"unplug", &f->unplug},         {"stall", &f->stall}, {"babble", &f->babble},
                 {"short", &f->shorten},         {"empty", &f->empty}, {"corrupt", &f->corrupt},
                 {"corrupt-in", &f->corrupt_in}, {"lose", &f->lose},   {"repeat", &f->repeat},
                 {"reset", &f->reset},           {"first", &f->first}, {"most", &f->most}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].name);
        char *end;
        if (strncmp(text, known[i].name, n) || text[n] != '=')
            continue;
        *known[i].value = strtoull(text + n + 1, &end, 10);
        return text[n + 1] && !*end;
    }
    return 0;
}
