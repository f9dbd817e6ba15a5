/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"
#include "flexor/device.h"
#include "flexor/status.h"

static const char help[] = "usage: flexor devices [--json]\n"
                           "Lists what --device accepts: the reference, the simulations that are "
                           "built and the\nboards on USB; of a board that cannot be used it says "
                           "why.\n"
                           "  --json  print JSON";

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static void print_text(void *user, const char *spec, const char *detail, const char *why)
{
    (void)user;
    printf("%-20s %s\n", spec, detail);
    if (why)
        printf("%-20s cannot be used: %s\n", "", why);
}

static void append_json(void *user, const char *spec, const char *detail, const char *why)
{
    json_array_append_new(user, json_pack("{s:s, s:s, s:b, s:s*}", "device", spec, "detail", detail,
                                          "usable", !why, "why", why));
}

int flx_cmd_devices(int argc, char **argv)
{
    int c, json = 0, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1) {
        if (c == 'h') {
            puts(help);
            return 0;
        }
        json |= c == 'j';
        status = c == '?' ? FLX_ERR_ARG : FLX_OK;
    }
    if (!status)
        status = flx_cli_operands(argc, argv, 0, "");
    json_t *list = json_array();
    if (!status)
        status = flx_device_list(json ? append_json : print_text, list);
    if (!status && json)
        status = flx_cli_json(json_incref(list));
    json_decref(list);
    return flx_cli_fail(argv[0], status);
}
