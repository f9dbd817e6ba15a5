/* SPDX-License-Identifier: Apache-2.0 */
/* --listen: a USB/IP server. One connection attaches one board; its end unplugs it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "usbip_client.h"

#define VERSION      0x0111
#define OP_DEVLIST   0x8005
#define OP_IMPORT    0x8003
#define IDLE_MS      4
#define DEVICE_BYTES 312
#define CLIENTS_MAX  (2 * VB_BOARDS_MAX)

struct server {
    const struct vb_options *o;
    int fd;
    struct client client[CLIENTS_MAX];
    int used[VB_BOARDS_MAX], nth[VB_BOARDS_MAX];
    int busy;                       /* some board's time goes on */
    int64_t back_at[VB_BOARDS_MAX]; /* ms; an unplugged board is away until then */
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* --- list and import --- */

static void describe(const struct server *s, int board, const struct vb_identity *id, uint8_t *p)
{
    (void)s;
    memset(p, 0, DEVICE_BYTES);
    snprintf((char *)p, 256, "/sys/devices/platform/vboard/usb1/1-%d", board + 1);
    snprintf((char *)p + 256, 32, "1-%d", board + 1);
    vb_put32(p + 288, 1);
    vb_put32(p + 292, (uint32_t)board + 2);
    vb_put32(p + 296, id->speed == 480 ? 3 : 2);
    put16(p + 300, (unsigned)(id->device[8] | id->device[9] << 8));
    put16(p + 302, (unsigned)(id->device[10] | id->device[11] << 8));
    put16(p + 304, (unsigned)(id->device[12] | id->device[13] << 8));
    p[309] = 1;             /* configuration */
    p[310] = 1;             /* configurations */
    p[311] = id->config[4]; /* interfaces */
}

static int present(const struct server *s, int board)
{
    return board >= 0 && board < s->o->boards && !s->used[board] && now_ms() >= s->back_at[board];
}

static void answer_head(struct client *c, unsigned op, uint32_t status)
{
    uint8_t head[8];
    put16(head, VERSION);
    put16(head + 2, op & 0x7fff);
    vb_put32(head + 4, status);
    vb_append(&c->out, head, sizeof head);
}

static void devlist(struct server *s, struct client *c)
{
    uint8_t count[4] = {0}, bytes[DEVICE_BYTES];
    uint32_t n = 0;
    answer_head(c, OP_DEVLIST, 0);
    size_t at = c->out.len;
    vb_append(&c->out, count, sizeof count);
    for (int i = 0; i < s->o->boards; i++) {
        struct vb_device d;
        if (!present(s, i) || !vb_plug(s->o, i, s->nth[i], &d))
            continue;
        describe(s, i, d.id, bytes);
        vb_append(&c->out, bytes, sizeof bytes);
        for (int k = 0; k < d.id->config[4]; k++)
            vb_append(&c->out, "\xff\xff\xff", 4);
        d.ops->close(d.self);
        n++;
    }
    vb_put32(c->out.bytes + at, n);
    c->close_when_sent = 1;
}

static void import(struct server *s, struct client *c, const char *busid)
{
    uint8_t bytes[DEVICE_BYTES];
    int board = strncmp(busid, "1-", 2) ? -1 : atoi(busid + 2) - 1;
    if (!present(s, board) || !vb_plug(s->o, board, s->nth[board]++, &c->bus.device)) {
        answer_head(c, OP_IMPORT, 1);
        c->close_when_sent = 1;
        return;
    }
    c->board = board;
    c->bus.gone = 0;
    s->used[board] = 1;
    answer_head(c, OP_IMPORT, 0);
    describe(s, board, c->bus.device.id, bytes);
    vb_append(&c->out, bytes, sizeof bytes);
    if (s->o->verbose)
        fprintf(stderr, "flexor-vboard: board %d attached\n", board);
}

static size_t take_request(struct server *s, struct client *c)
{
    char busid[33] = "";
    if (c->in.len < 8)
        return 0;
    unsigned op = (unsigned)(c->in.bytes[2] << 8 | c->in.bytes[3]);
    if (op == OP_DEVLIST) {
        devlist(s, c);
        return 8;
    }
    if (op != OP_IMPORT)
        return SIZE_MAX;
    if (c->in.len < 40)
        return 0;
    memcpy(busid, c->in.bytes + 8, 32);
    import(s, c, busid);
    return 40;
}

/* --- connections --- */

static void end_client(struct server *s, struct client *c)
{
    if (c->board >= 0) {
        int away = c->bus.gone;
        vb_bus_unplug(&c->bus, vb_transfer_drop, NULL);
        c->bus.device.ops->close(c->bus.device.self);
        s->used[c->board] = 0;
        if (away)
            s->back_at[c->board] = s->o->replug_ms < 0 ? INT64_MAX : now_ms() + s->o->replug_ms;
        if (s->o->verbose)
            fprintf(stderr, "flexor-vboard: board %d %s\n", c->board,
                    away ? "unplugged" : "detached");
    }
    close(c->fd);
    free(c->in.bytes);
    free(c->out.bytes);
    memset(c, 0, sizeof *c);
    c->fd = c->board = -1;
}

/* 0 when the connection is over. */
static int receive(struct server *s, struct client *c)
{
    uint8_t bytes[65536];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return 0;
    vb_append(&c->in, bytes, n > 0 ? (size_t)n : 0);
    size_t used = 1;
    while (used) {
        used = c->board < 0 ? take_request(s, c) : vb_take_command(c);
        if (used == SIZE_MAX)
            return 0;
        vb_drop_front(&c->in, used);
    }
    return 1;
}

static int transmit(struct client *c)
{
    while (c->out.len) {
        ssize_t n = send(c->fd, c->out.bytes, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        vb_drop_front(&c->out, (size_t)n);
    }
    return !c->close_when_sent;
}

static void accept_client(struct server *s)
{
    int one = 1, fd = accept(s->fd, NULL, NULL);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (s->client[i].fd < 0) {
            s->client[i].fd = fd;
            return;
        }
    close(fd);
}

static int open_socket(const char *address)
{
    int one = 1, fd;
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(address)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (*address == '/') {
        if (strlen(address) >= sizeof local.sun_path)
            return -1;
        strcpy(local.sun_path, address);
        unlink(address);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && !bind(fd, (struct sockaddr *)&local, sizeof local) && !listen(fd, 8))
            return fd;
    } else {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd >= 0 && !bind(fd, (struct sockaddr *)&in, sizeof in) && !listen(fd, 8))
            return fd;
    }
    perror("flexor-vboard: cannot listen");
    return -1;
}

/* Commands that wait in c are served; 0 when the connection is over. */
static int serve_client(struct server *s, struct client *c, int readable, int idle)
{
    if (readable && !receive(s, c))
        return 0;
    if (c->board >= 0 && vb_bus_pending(&c->bus))
        s->busy |= vb_bus_work(&c->bus, idle ? IDLE_MS : 0, vb_transfer_done, c);
    return transmit(c) && !c->bus.gone;
}

static void serve(struct server *s)
{
    struct pollfd p[CLIENTS_MAX + 1] = {{s->fd, POLLIN, 0}};
    int waiting = 0;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &s->client[i];
        p[i + 1] = (struct pollfd){c->fd, (short)(POLLIN | (c->out.len ? POLLOUT : 0)), 0};
        waiting |= c->board >= 0 && vb_bus_pending(&c->bus);
    }
    int n = poll(p, CLIENTS_MAX + 1, s->busy ? 0 : waiting ? IDLE_MS : -1);
    int idle = n == 0 && !s->busy;
    s->busy = 0;
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (s->client[i].fd >= 0 && !serve_client(s, &s->client[i], p[i + 1].revents, idle))
            end_client(s, &s->client[i]);
    if (p[0].revents)
        accept_client(s);
}

int vb_run_usbip(const struct vb_options *o, const char *address)
{
    static struct server s;
    struct sigaction quit = {.sa_handler = on_signal};
    s.o = o;
    for (int i = 0; i < CLIENTS_MAX; i++)
        s.client[i].fd = s.client[i].board = -1;
    s.fd = open_socket(address);
    if (s.fd < 0)
        return 1;
    sigaction(SIGTERM, &quit, NULL);
    sigaction(SIGINT, &quit, NULL);
    while (!stop)
        serve(&s);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (s.client[i].fd >= 0)
            end_client(&s, &s.client[i]);
    close(s.fd);
    return 0;
}
