/* SPDX-License-Identifier: Apache-2.0 */
/** What the commands of `flexor` share. A command returns the exit code of the
 *  program: 0 all is well, 1 failure, 2 bad usage or input, 130 interrupted. */
#ifndef FLEXOR_CLI_H
#define FLEXOR_CLI_H
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>

#include "flexor/device.h"

struct flx_cmd {
    const char *name;
    const char *help;                  /* one line */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

int flx_cmd_train(int argc, char **argv);
int flx_cmd_pack(int argc, char **argv);
int flx_cmd_info(int argc, char **argv);
int flx_cmd_eval(int argc, char **argv);
int flx_cmd_verify(int argc, char **argv);
int flx_cmd_xornet(int argc, char **argv);
int flx_cmd_devices(int argc, char **argv);
int flx_cmd_selftest(int argc, char **argv);
int flx_cmd_bench_link(int argc, char **argv);
int flx_cmd_fit(int argc, char **argv);
int flx_cmd_report(int argc, char **argv);
int flx_cmd_bench(int argc, char **argv);

/** The exit code for a status. */
int flx_cli_code(int status);

/** Prints "flexor <cmd>: <last error> [FLX_ERR_NAME]" to stderr, on one line, and
 *  returns the exit code for @p status (0 for FLX_OK, which prints nothing). */
int flx_cli_fail(const char *cmd, int status);

/** The next option of a command: its `val`, or -1 after the last, or '?' when the
 *  option is unknown or lacks its value (the sentence is recorded: answer with
 *  flx_cli_fail(cmd, FLX_ERR_ARG)). @p longopts ends with a zero entry. */
int flx_cli_option(int argc, char **argv, const char *shortopts, const struct option *longopts);

/** FLX_ERR_ARG with a sentence unless exactly @p n arguments follow the options.
 *  @p what names them, for example "MODEL". */
int flx_cli_operands(int argc, char **argv, int n, const char *what);

/** Checked numbers: the whole of @p text must be a number in [min, max], else
 *  FLX_ERR_ARG with a sentence that names @p option ("--seed"). */
int flx_cli_int(const char *option, const char *text, int min, int max, int *out);
int flx_cli_int64(const char *option, const char *text, int64_t min, int64_t max, int64_t *out);
int flx_cli_double(const char *option, const char *text, double min, double max, double *out);

/** Prints a JSON value (its reference is taken) and a newline to stdout.
 *  FLX_ERR_NOMEM when @p value is NULL. */
int flx_cli_json(json_t *value);

/** @p images, rounded up to whole batches of a device: an image for each of its engines. */
int flx_cli_whole_batches(const struct flx_device_info *info, int images);

/** From here on the first Ctrl-C (or SIGTERM) sets the returned flag; the second
 *  ends the program. */
const volatile sig_atomic_t *flx_cli_catch_interrupt(void);

#endif
