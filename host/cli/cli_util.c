/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flexor/status.h"

int flx_cli_code(int status)
{
    switch (status) {
    case FLX_OK:
        return 0;
    case FLX_ERR_INTERRUPTED:
        return 130;
    case FLX_ERR_NOMEM:
    case FLX_ERR_IO:
    case FLX_ERR_TIMEOUT:
    case FLX_ERR_LINK:
    case FLX_ERR_DEVICE:
    case FLX_ERR_MISMATCH:
    case FLX_ERR_INTERNAL:
        return 1;
    default:
        return 2;
    }
}

int flx_cli_fail(const char *cmd, int status)
{
    if (status == FLX_OK)
        return 0;
    const char *text = flx_last_error();
    char line[512];
    snprintf(line, sizeof line, "%s", *text ? text : flx_strerror(status));
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    fflush(stdout);
    fprintf(stderr, "flexor %s: %s [%s]\n", cmd, line, flx_status_name(status));
    return flx_cli_code(status);
}

int flx_cli_option(int argc, char **argv, const char *shortopts, const struct option *longopts)
{
    char spec[64];
    snprintf(spec, sizeof spec, ":%s", shortopts); /* ':' tells a missing value apart */
    opterr = 0;
    int c = getopt_long(argc, argv, spec, longopts, NULL);
    if (c == ':') {
        flx_fail(FLX_ERR_ARG, "option %s needs a value", argv[optind - 1]);
        return '?';
    }
    if (c == '?' && optopt && !strchr(argv[optind - 1], '='))
        flx_fail(FLX_ERR_ARG, "unknown option -%c (--help lists the options)", optopt);
    else if (c == '?')
        flx_fail(FLX_ERR_ARG, "unknown option or unwanted value: %s (--help lists the options)",
                 argv[optind - 1]);
    return c;
}

int flx_cli_operands(int argc, char **argv, int n, const char *what)
{
    if (argc - optind > n)
        return flx_fail(FLX_ERR_ARG, "unexpected argument '%s'", argv[optind + n]);
    if (argc - optind < n)
        return flx_fail(FLX_ERR_ARG, "%s is missing (see --help)", what);
    return FLX_OK;
}

int flx_cli_int64(const char *option, const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < min || v > max)
        return flx_fail(FLX_ERR_ARG, "%s: '%s' is not an integer from %" PRId64 " to %" PRId64,
                        option, text, min, max);
    *out = v;
    return FLX_OK;
}

int flx_cli_int(const char *option, const char *text, int min, int max, int *out)
{
    int64_t v = 0;
    int status = flx_cli_int64(option, text, min, max, &v);
    if (!status)
        *out = (int)v;
    return status;
}

int flx_cli_double(const char *option, const char *text, double min, double max, double *out)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= min && v <= max))
        return flx_fail(FLX_ERR_ARG, "%s: '%s' is not a number from %g to %g", option, text, min,
                        max);
    *out = v;
    return FLX_OK;
}

int flx_cli_json(json_t *value)
{
    if (!value)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the JSON output");
    int bad = json_dumpf(value, stdout, JSON_REAL_PRECISION(12));
    json_decref(value);
    putchar('\n');
    return bad ? flx_fail(FLX_ERR_IO, "cannot write the JSON output") : FLX_OK;
}

int flx_cli_whole_batches(const struct flx_device_info *info, int images)
{
    int engines = info->p > 0 ? info->p : 1; /* the reference has none */
    return (images + engines - 1) / engines * engines;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

const volatile sig_atomic_t *flx_cli_catch_interrupt(void)
{
    struct sigaction sa = {.sa_handler = on_interrupt,
                           .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    return &interrupted;
}
