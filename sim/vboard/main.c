/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vb.h"

static const char help[] =
    "usage: flexor-vboard [OPTION...] --run PROGRAM [ARG...]\n"
    "       flexor-vboard [OPTION...] --listen ADDRESS\n"
    "A board that is not there: the Verilated accelerator behind a USB device.\n"
    "  --run             starts PROGRAM, which sees the board through umockdev: needs no\n"
    "                    root and no kernel module; ends with PROGRAM's exit status\n"
    "  --listen ADDRESS  USB/IP server on PORT of 127.0.0.1, or on a unix socket /PATH;\n"
    "                    then: modprobe vhci-hcd; usbip attach -r 127.0.0.1 -b 1-1\n"
    "  --sim SHAPE       simulation build/sim/SHAPE.so (default: k8t8p2)\n"
    "  --kind KIND       ft2232h (default), ft231x, cdc (a CMSIS-DAP controller's UART), or\n"
    "                    native: the FPGA is the device\n"
    "  --boards N        so many boards, with serial numbers SERIAL-1 ... (default: 1)\n"
    "  --serial TEXT     serial number (default: VB0001)\n"
    "  --product TEXT    product string, which names the board\n"
    "  --baud N          what the FPGA's UART speaks (default: any rate)\n"
    "  --fifo N          the UART has no RTS/CTS and a FIFO of N bytes, which loses more\n"
    "  --pins            simulation build/sim/pins/SHAPE-uart.so or SHAPE-usb.so (make\n"
    "                    pins): the board's own UART or USB core, from its line on\n"
    "  --no-permission   opening the board is refused (umockdev)\n"
    "  --busy            the interface is in use by another program (umockdev)\n"
    "  --fault KIND=N    one packet in N: unplug, reset (the FPGA's reset button), stall,\n"
    "                    babble, short, empty, corrupt, corrupt-in (IN only), lose, repeat;\n"
    "                    not before packet first=N, at most most=N of them\n"
    "  --replug MS       a board that was unplugged comes back (default: 100; -1: never)\n"
    "  --seed N          of the faults and of the memories at the start (default: 1)\n"
    "  --verbose         says what happens on stderr";

enum {
    OPT_RUN = 256,
    OPT_LISTEN,
    OPT_SIM,
    OPT_KIND,
    OPT_BOARDS,
    OPT_SERIAL,
    OPT_PRODUCT,
    OPT_BAUD,
    OPT_FIFO,
    OPT_PINS,
    OPT_NO_PERMISSION,
    OPT_BUSY,
    OPT_FAULT,
    OPT_REPLUG,
    OPT_SEED,
    OPT_VERBOSE
};

static const struct option long_options[] = {
    {"run", no_argument, NULL, OPT_RUN},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"sim", required_argument, NULL, OPT_SIM},
    {"kind", required_argument, NULL, OPT_KIND},
    {"boards", required_argument, NULL, OPT_BOARDS},
    {"serial", required_argument, NULL, OPT_SERIAL},
    {"product", required_argument, NULL, OPT_PRODUCT},
    {"baud", required_argument, NULL, OPT_BAUD},
    {"fifo", required_argument, NULL, OPT_FIFO},
    {"pins", no_argument, NULL, OPT_PINS},
    {"no-permission", no_argument, NULL, OPT_NO_PERMISSION},
    {"busy", no_argument, NULL, OPT_BUSY},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"replug", required_argument, NULL, OPT_REPLUG},
    {"seed", required_argument, NULL, OPT_SEED},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int number(const char *text, long min, long max, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (*text && !*end && !errno && *out >= min && *out <= max)
        return 1;
    fprintf(stderr, "flexor-vboard: '%s' is not a number from %ld to %ld\n", text, min, max);
    return 0;
}

static int is_native(const struct vb_options *o)
{
    return !strcmp(o->kind, "native");
}

static int open_kind(const struct vb_options *o, uint32_t seed, const struct vb_names *names,
                     struct vb_device *d)
{
    if (is_native(o) && o->pins)
        return vb_native_pins_open(o->sim, seed, d);
    struct vb_fpga *f = vb_fpga_open(o->sim, seed);
    if (!f)
        return 0;
    if (is_native(o))
        return vb_native_open(f, names, d);
    if (!strcmp(o->kind, "cdc"))
        return vb_cdc_open(f, names, d);
    return vb_ftdi_open(f, names, !strcmp(o->kind, "ft231x"), d);
}

int vb_plug(const struct vb_options *o, int board, int nth, struct vb_device *d)
{
    char serial[64];
    struct vb_faults faults = o->faults;
    struct vb_names names = {
        .product = o->product, .serial = serial, .baud = o->baud, .fifo = o->fifo};
    uint32_t seed = o->seed + (uint32_t)(31 * nth + board);
    if (o->boards == 1)
        snprintf(serial, sizeof serial, "%s", o->serial);
    else
        snprintf(serial, sizeof serial, "%s-%d", o->serial, board + 1);
    faults.seed = (uint64_t)o->seed * 1000003 + (uint64_t)(nth * VB_BOARDS_MAX + board);
    return open_kind(o, seed, &names, d) && vb_faults_wrap(d, &faults);
}

/* SHAPE: SHAPE.so in the folder sim next to this program, or in $FLX_SIM_DIR. */
static int sim_path(const char *folder, const char *shape, const char *suffix, char *path,
                    size_t size)
{
    char exe[1024];
    const char *dir = getenv("FLX_SIM_DIR");
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return 0;
    exe[n] = 0;
    *strrchr(exe, '/') = 0;
    if (dir && *dir)
        snprintf(path, size, "%s/%s%s%s.so", dir, folder, shape, suffix);
    else
        snprintf(path, size, "%s/sim/%s%s%s.so", exe, folder, shape, suffix);
    if (access(path, R_OK) == 0)
        return 1;
    fprintf(stderr, "flexor-vboard: %s is missing: make build/sim/%s%s.so\n", path, shape, suffix);
    return 0;
}

struct command {
    struct vb_options o;
    const char *shape, *listen;
    int run;
};

static int take_number(struct command *c, int option, const char *text)
{
    long v;
    if (!number(text, option == OPT_REPLUG ? -1 : 0,
                option == OPT_BOARDS ? VB_BOARDS_MAX : INT32_MAX, &v))
        return 0;
    switch (option) {
    case OPT_BOARDS:
        c->o.boards = v ? (int)v : 1;
        break;
    case OPT_BAUD:
        c->o.baud = (int)v;
        break;
    case OPT_FIFO:
        c->o.fifo = (int)v;
        break;
    case OPT_REPLUG:
        c->o.replug_ms = (int)v;
        break;
    default:
        c->o.seed = (uint32_t)v;
    }
    return 1;
}

static int take_kind(struct command *c, const char *kind)
{
    static const char *const kinds[] = {"ft2232h", "ft231x", "cdc", "native"};
    c->o.kind = kind;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i]))
            return 1;
    fprintf(stderr, "flexor-vboard: unknown kind '%s'\n", kind);
    return 0;
}

static int take_option(struct command *c, int option)
{
    switch (option) {
    case OPT_RUN:
        c->run = 1;
        return 1;
    case OPT_LISTEN:
        c->listen = optarg;
        return 1;
    case OPT_SIM:
        c->shape = optarg;
        return 1;
    case OPT_KIND:
        return take_kind(c, optarg);
    case OPT_SERIAL:
        c->o.serial = optarg;
        return 1;
    case OPT_PRODUCT:
        c->o.product = optarg;
        return 1;
    case OPT_PINS:
        c->o.pins = 1;
        return 1;
    case OPT_NO_PERMISSION:
        c->o.no_permission = 1;
        return 1;
    case OPT_BUSY:
        c->o.busy = 1;
        return 1;
    case OPT_VERBOSE:
        c->o.verbose = 1;
        return 1;
    case OPT_FAULT:
        if (vb_faults_parse(&c->o.faults, optarg))
            return 1;
        fprintf(stderr, "flexor-vboard: unknown fault '%s'\n", optarg);
        return 0;
    default:
        return option != '?' && take_number(c, option, optarg);
    }
}

int main(int argc, char **argv)
{
    char path[1200];
    struct command c = {
        .shape = "k8t8p2",
        .o = {.kind = "ft2232h", .serial = "VB0001", .boards = 1, .replug_ms = 100, .seed = 1}};
    int option;
    while (!c.run && (option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
        if (option == 'h') {
            puts(help);
            return 0;
        }
        if (!take_option(&c, option))
            return 2;
    }
    if (c.run == (c.listen != NULL) || (c.run && optind == argc)) {
        fprintf(stderr, "flexor-vboard: --run PROGRAM or --listen ADDRESS is expected\n");
        return 2;
    }
    if (c.o.pins && (c.o.fifo || c.o.baud)) {
        fprintf(stderr, "flexor-vboard: --fifo and --baud are the pins' own\n");
        return 2;
    }
    const char *folder = c.o.pins ? "pins/" : "";
    const char *suffix = !c.o.pins ? "" : is_native(&c.o) ? "-usb" : "-uart";
    if (!sim_path(folder, c.shape, suffix, path, sizeof path))
        return 1;
    c.o.sim = path;
    return c.run ? vb_run_umockdev(&c.o, argv + optind) : vb_run_usbip(&c.o, c.listen);
}
