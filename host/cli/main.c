/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "flexor/log.h"
#include "flexor/status.h"

#define VERSION "0.1.0"

static const struct flx_cmd commands[] = {
    {"train", "train a network with XOR-coded weights", flx_cmd_train},
    {"pack", "turn a checkpoint into a model file", flx_cmd_pack},
    {"info", "show a model's layers, bits per weight and size", flx_cmd_info},
    {"eval", "measure a model's accuracy on a data set", flx_cmd_eval},
    {"verify", "compare a device with the integer reference, bit for bit", flx_cmd_verify},
    {"xornet", "show an XOR network or write it for Verilog", flx_cmd_xornet},
    {"fit", "predict a model on a board: what fits, images/s", flx_cmd_fit},
    {"devices", "list the devices that can be used", flx_cmd_devices},
    {"selftest", "check a board and print a report to paste", flx_cmd_selftest},
    {"report", "write an HTML page about training runs", flx_cmd_report},
    {"bench", "measure training, reference, decoder and simulation", flx_cmd_bench},
    {"bench-link", "how much of a link streamed weights use", flx_cmd_bench_link},
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static void usage(void)
{
    puts("usage: flexor [-v] COMMAND [OPTION...]\n"
         "Runs neural networks with XOR-coded weights below one bit.\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    puts("\n  -v         more messages (twice: still more)\n"
         "  --help     this text; `flexor COMMAND --help` explains a command\n"
         "  --version  the program's version");
}

static void log_to_stderr(void *user, enum flx_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)user;
    fprintf(stderr, "flexor: %s: %s\n", names[level], message);
}

/* Output that could not be written is a failure of the command. */
static int finish(const char *cmd, int code)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code)
        return code;
    return flx_cli_fail(cmd, flx_fail(FLX_ERR_IO, "cannot write the output: %s", strerror(errno)));
}

static int bad_usage(const char *what, const char *arg)
{
    fprintf(stderr, "flexor: %s '%s', see flexor --help [FLX_ERR_ARG]\n", what, arg);
    return 2;
}

static int run(int argc, char **argv)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(argv[0], commands[i].name))
            return finish(argv[0], commands[i].run(argc, argv));
    return bad_usage("unknown command", argv[0]);
}

/* Threads of libgomp that spin while they wait make training ten times slower when
 * another program wants the cores. It reads its settings before main begins, so the
 * program starts itself again with a short spin, unless the user has chosen. */
static void limit_spinning(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0)
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    limit_spinning(argv);
    int level = FLX_LOG_WARN, i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "-v") && level < FLX_LOG_DEBUG) {
            level++;
        } else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            usage();
            return finish("--help", 0);
        } else if (!strcmp(argv[i], "--version")) {
            puts("flexor " VERSION);
            return finish("--version", 0);
        } else {
            return bad_usage("unknown option", argv[i]);
        }
    }
    if (i == argc) {
        fputs("flexor: no command given, see flexor --help [FLX_ERR_ARG]\n", stderr);
        return 2;
    }
    flx_log_set_level((enum flx_log_level)level);
    flx_log_set_callback(log_to_stderr, NULL);
    return run(argc - i, argv + i);
}
