/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"
#include "flexor/status.h"
#include "flexor/train.h"

static const char help[] = "usage: flexor pack CHECKPOINT -o MODEL\n"
                           "Turns a checkpoint of flexor train into a model file.\n"
                           "  -o, --output MODEL  the model file";

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int pack(const char *checkpoint, const char *output)
{
    struct flx_model *m = NULL;
    int status = flx_pack_checkpoint(checkpoint, &m);
    if (status == FLX_OK)
        status = flx_model_save(m, output);
    flx_model_free(m);
    return status;
}

int flx_cmd_pack(int argc, char **argv)
{
    const char *output = NULL;
    int c, status = FLX_OK;
    while ((c = flx_cli_option(argc, argv, "o:h", long_options)) != -1) {
        if (c == 'h') {
            puts(help);
            return 0;
        }
        if (c != 'o')
            return flx_cli_fail("pack", FLX_ERR_ARG);
        output = optarg;
    }
    status = flx_cli_operands(argc, argv, 1, "CHECKPOINT");
    if (status == FLX_OK && !output)
        status = flx_fail(FLX_ERR_ARG, "-o MODEL is missing (see --help)");
    if (status == FLX_OK)
        status = pack(argv[optind], output);
    return flx_cli_fail("pack", status);
}
