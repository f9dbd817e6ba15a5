/* SPDX-License-Identifier: Apache-2.0 */
/* In the guest: attaches the board behind a virtio-serial port to vhci_hcd, again and
 * again after every unplug. guest_attach PORT BUSID VHCI-PORT: imports over the port,
 * gives the kernel one end of a socket pair and copies between the other and the port. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OP_REPLY 320 /* 8 bytes and a device */

static void nap(void)
{
    const struct timespec t = {.tv_nsec = 50000000};
    nanosleep(&t, NULL);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return 0;
        p += k;
        n -= (size_t)k;
    }
    return 1;
}

/* A port whose other side is not there reads nothing. */
static int read_all(int fd, uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = read(fd, p, n);
        if (k <= 0)
            return 0;
        p += k;
        n -= (size_t)k;
    }
    return 1;
}

/* The speed (vhci's number) and id of the device, or 0. */
static int import(int fd, const char *busid, unsigned *devid, unsigned *speed)
{
    uint8_t request[40] = {0x01, 0x11, 0x80, 0x03}, reply[OP_REPLY];
    snprintf((char *)request + 8, 32, "%s", busid);
    if (!write_all(fd, request, sizeof request) || !read_all(fd, reply, 8) || reply[7])
        return 0;
    if (!read_all(fd, reply + 8, sizeof reply - 8))
        return 0;
    const uint8_t *d = reply + 8;
    *devid = (unsigned)d[291] << 16 | d[295];
    *speed = d[299];
    return 1;
}

static int attach(int fd, const char *port, unsigned devid, unsigned speed)
{
    char text[64];
    int file = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY);
    int n = snprintf(text, sizeof text, "%s %d %u %u", port, fd, devid, speed);
    int ok = file >= 0 && write(file, text, (size_t)n) == n;
    if (!ok)
        perror("guest_attach: vhci");
    close(file);
    return ok;
}

/* Until one side ends. */
static void copy(int a, int b)
{
    static uint8_t bytes[65536];
    struct pollfd p[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    for (;;) {
        poll(p, 2, -1);
        for (int i = 0; i < 2; i++) {
            if (!p[i].revents)
                continue;
            ssize_t n = read(p[i].fd, bytes, sizeof bytes);
            if (n <= 0 || !write_all(p[!i].fd, bytes, (size_t)n))
                return;
        }
    }
}

static void serve(const char *path, const char *busid, const char *port)
{
    unsigned devid, speed;
    int pair[2], fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    if (import(fd, busid, &devid, &speed) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
        if (attach(pair[0], port, devid, speed)) {
            close(pair[0]);
            copy(fd, pair[1]);
        }
        close(pair[1]);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    for (;;) {
        serve(argv[1], argv[2], argv[3]);
        nap();
    }
}
