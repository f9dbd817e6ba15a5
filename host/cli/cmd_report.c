/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>

#include "cli.h"
#include "flexor/report.h"
#include "flexor/status.h"

static const char help[] =
    "usage: flexor report -o PAGE [--data NAME] [--images N] [--threads N] RUN...\n"
    "Writes one HTML page about training runs: curves, accuracy against bits per weight,\n"
    "options, layers, encrypted weights, confusion matrices. It needs no network and no\n"
    "other file. gnuplot draws the plots.\n"
    "  RUN            a model, a checkpoint or a log of flexor train --json. What lies\n"
    "                 beside it is found by itself: MODEL, MODEL.ckpt, MODEL.json (or\n"
    "                 .jsonl), with or without .safetensors. FILE,FILE,... names the files\n"
    "                 of one run, NAME=FILE gives the run a name.\n"
    "  -o, --output PAGE  the page\n"
    "  --data NAME    confusion matrices of the integer networks on this data set's test\n"
    "                 images, for example fashion-mnist or cifar10:DIR\n"
    "  --images N     only the first N of them\n"
    "  --threads N    threads of the integer reference (default: all cores)";

enum { OPT_DATA = 256, OPT_IMAGES, OPT_THREADS };

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"data", required_argument, NULL, OPT_DATA},
    {"images", required_argument, NULL, OPT_IMAGES},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_option(struct flx_report_job *job, int c)
{
    switch (c) {
    case 'o':
        job->output = optarg;
        return FLX_OK;
    case OPT_DATA:
        job->data = optarg;
        return FLX_OK;
    case OPT_IMAGES:
        return flx_cli_int("--images", optarg, 1, INT32_MAX, &job->images);
    case OPT_THREADS:
        return flx_cli_int("--threads", optarg, 1, 1024, &job->threads);
    default:
        return FLX_ERR_ARG;
    }
}

static int check(const struct flx_report_job *job)
{
    if (job->n_runs < 1)
        return flx_fail(FLX_ERR_ARG, "RUN is missing (see --help)");
    if (!job->output)
        return flx_fail(FLX_ERR_ARG, "-o PAGE is missing (see --help)");
    if (!job->data && (job->images || job->threads))
        return flx_fail(FLX_ERR_ARG, "--images and --threads are for --data");
    return FLX_OK;
}

int flx_cmd_report(int argc, char **argv)
{
    struct flx_report_job job = {0};
    int c, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "o:h", long_options)) != -1) {
        if (c == 'h') {
            puts(help);
            return 0;
        }
        status = take_option(&job, c);
    }
    job.runs = (const char *const *)argv + optind;
    job.n_runs = argc - optind;
    if (!status)
        status = check(&job);
    if (!status)
        status = flx_report_write(&job);
    return flx_cli_fail("report", status);
}
