/* SPDX-License-Identifier: Apache-2.0 */
/* --run: the program's libusb finds a made-up /sys and /dev, and its usbfs ioctls come
 * here, in umockdev's thread. libusb waits for its node to become writable, so the node
 * is a pipe that is full while no transfer has ended. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umockdev_node.h"

/* --- unplug and plug, in the main thread --- */

static gboolean plug(gpointer user);

static gboolean forget(gpointer user)
{
    struct node *n = user;
    struct testbed *bed = n->bed;
    char node[512];
    gchar *root = umockdev_testbed_get_root_dir(bed->umock);
    snprintf(node, sizeof node, "%s%s", root, n->path);
    g_free(root);
    unlink(node);
    umockdev_testbed_remove_device(bed->umock, n->sys);
    if (bed->o->verbose)
        fprintf(stderr, "flexor-vboard: board %d unplugged\n", n->board);
    if (bed->o->replug_ms >= 0) {
        struct node *next = calloc(1, sizeof *next);
        if (next) {
            next->bed = bed;
            next->board = n->board;
            next->nth = n->nth + 1;
            g_timeout_add((guint)bed->o->replug_ms, plug, next);
        }
    }
    return G_SOURCE_REMOVE;
}

/* In umockdev's thread. The old node lives on, since the program may hold it open. */
void vb_node_went_away(struct node *n)
{
    n->bus.device.ops->close(n->bus.device.self);
    n->bus.device.self = NULL;
    g_idle_add(forget, n);
}

/* --- setting up --- */

static char *describe(const struct node *n)
{
    const struct vb_identity *id = n->bus.device.id;
    GString *s = g_string_new(NULL);
    const uint8_t *d = id->device;
    g_string_append_printf(
        s,
        "P: /devices/pci0000:00/0000:00:14.0/usb1/1-%d\nN: bus/usb/001/%03d=00\n"
        "E: DEVNAME=%s\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nE: BUSNUM=001\n"
        "E: DEVNUM=%03d\n"
        "A: busnum=1\\n\nA: devnum=%d\\n\nA: speed=%d\\n\nA: idVendor=%02x%02x\\n\n"
        "A: idProduct=%02x%02x\\n\nA: bConfigurationValue=1\\n\nA: bNumConfigurations=1\\n\n"
        "A: manufacturer=%s\\n\nA: product=%s\\n\nA: serial=%s\\n\nH: descriptors=",
        n->board + 1, n->address, n->path, n->address, n->address, id->speed, d[9], d[8], d[11],
        d[10], id->manufacturer, id->product, id->serial);
    for (int i = 0; i < 18; i++)
        g_string_append_printf(s, "%02X", d[i]);
    for (int i = 0; i < id->config_len; i++)
        g_string_append_printf(s, "%02X", id->config[i]);
    g_string_append(s, "\n");
    return g_string_free(s, FALSE);
}

static int make_pipe(struct node *n)
{
    char node[512];
    gchar *root = umockdev_testbed_get_root_dir(n->bed->umock);
    snprintf(node, sizeof node, "%s%s", root, n->path);
    g_free(root);
    unlink(node);
    if (mkfifo(node, 0600) || (n->pipe = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        return 0;
    fcntl(n->pipe, F_SETPIPE_SZ, PIPE_BYTES);
    n->writable = 1;
    vb_node_set_writable(n, 0);
    return !n->bed->o->no_permission || chmod(node, 0) == 0;
}

static gboolean plug(gpointer user)
{
    struct node *n = user;
    struct testbed *bed = n->bed;
    GError *error = NULL;
    if (!vb_plug(bed->o, n->board, n->nth, &n->bus.device))
        return G_SOURCE_REMOVE;
    n->address = bed->next_address++;
    n->done_tail = &n->done;
    snprintf(n->path, sizeof n->path, "/dev/bus/usb/001/%03d", n->address);
    snprintf(n->sys, sizeof n->sys, "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-%d", n->board + 1);
    vb_node_serve(n);
    char *text = describe(n);
    if (!umockdev_testbed_add_from_string(bed->umock, text, &error) || !make_pipe(n) ||
        !umockdev_testbed_attach_ioctl(bed->umock, n->path, n->handler, &error))
        fprintf(stderr, "flexor-vboard: %s\n", error ? error->message : strerror(errno));
    else if (bed->o->verbose)
        fprintf(stderr, "flexor-vboard: board %d plugged in as %s\n", n->board, n->path);
    g_free(text);
    g_clear_error(&error);
    return G_SOURCE_REMOVE;
}

static void program_ended(GPid pid, gint status, gpointer user)
{
    struct testbed *bed = user;
    bed->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    g_spawn_close_pid(pid);
    g_main_loop_quit(bed->loop);
}

static int start(struct testbed *bed, char **argv)
{
    GPid pid;
    GError *error = NULL;
    const char *before = g_getenv("LD_PRELOAD");
    char *preload = g_strconcat("libumockdev-preload.so.0", before ? ":" : "", before, NULL);
    char **env = g_environ_setenv(g_get_environ(), "LD_PRELOAD", preload, TRUE);
    g_free(preload);
    int ok = g_spawn_async(NULL, argv, env,
                           G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH |
                               G_SPAWN_CHILD_INHERITS_STDIN,
                           NULL, NULL, &pid, &error);
    g_strfreev(env);
    if (!ok) {
        fprintf(stderr, "flexor-vboard: %s\n", error->message);
        g_clear_error(&error);
        return 0;
    }
    g_child_watch_add(pid, program_ended, bed);
    return 1;
}

int vb_run_umockdev(const struct vb_options *o, char **argv)
{
    struct testbed bed = {.o = o, .next_address = 2, .exit_code = 1};
    bed.umock = umockdev_testbed_new();
    bed.loop = g_main_loop_new(NULL, FALSE);
    for (int i = 0; i < o->boards; i++) {
        struct node *n = calloc(1, sizeof *n);
        if (!n)
            return 1;
        n->bed = &bed;
        n->board = i;
        plug(n);
    }
    if (start(&bed, argv))
        g_main_loop_run(bed.loop);
    g_main_loop_unref(bed.loop);
    g_object_unref(bed.umock);
    if (o->verbose)
        vb_faults_report();
    return bed.exit_code;
}
