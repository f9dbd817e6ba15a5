/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "flexor/file.h"
#include "flexor/model.h"
#include "flexor/status.h"
#include "flexor/xornet.h"

static const char help[] =
    "usage: flexor xornet [--nout 32] [--nmin 13] [--seed 1]      the nested network\n"
    "       flexor xornet --nin N [--taps 2] [--nout 32] [--seed 1] the paper's random rows\n"
    "       flexor xornet --model FILE                            the networks of a model\n"
    "Shows the rows, the rank for every number of stored bits and the hash.\n"
    "  --nout N        weights a slice, 1 to 32\n"
    "  --nmin N        nested: the smallest number of stored bits a slice\n"
    "  --nin N         random: stored bits a slice\n"
    "  --taps N        random: taps of each row, 0 = random fill\n"
    "  --seed N        what the network is drawn from\n"
    "  --model FILE    take the networks of a model file instead\n"
    "  --verilog FILE  write the network as a Verilog include file\n"
    "  --json          print JSON";

struct options {
    int n_out, n_min, n_in, taps, drawn; /* drawn: an option of a drawn network was given */
    int64_t seed;
    const char *model, *verilog;
    int json, help;
};

enum { OPT_NOUT = 256, OPT_NMIN, OPT_NIN, OPT_TAPS, OPT_SEED, OPT_MODEL, OPT_VERILOG, OPT_JSON };

static const struct option long_options[] = {
    {"nout", required_argument, NULL, OPT_NOUT},
    {"nmin", required_argument, NULL, OPT_NMIN},
    {"nin", required_argument, NULL, OPT_NIN},
    {"taps", required_argument, NULL, OPT_TAPS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"model", required_argument, NULL, OPT_MODEL},
    {"verilog", required_argument, NULL, OPT_VERILOG},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_option(struct options *o, int c)
{
    o->drawn |= c >= OPT_NOUT && c <= OPT_SEED;
    switch (c) {
    case OPT_NOUT:
        return flx_cli_int("--nout", optarg, 1, FLX_XOR_MAX, &o->n_out);
    case OPT_NMIN:
        return flx_cli_int("--nmin", optarg, 1, FLX_XOR_MAX, &o->n_min);
    case OPT_NIN:
        return flx_cli_int("--nin", optarg, 1, FLX_XOR_MAX, &o->n_in);
    case OPT_TAPS:
        return flx_cli_int("--taps", optarg, 0, FLX_XOR_MAX, &o->taps);
    case OPT_SEED:
        return flx_cli_int64("--seed", optarg, 0, INT64_MAX, &o->seed);
    case OPT_MODEL:
        o->model = optarg;
        return FLX_OK;
    case OPT_VERILOG:
        o->verilog = optarg;
        return FLX_OK;
    case OPT_JSON:
        o->json = 1;
        return FLX_OK;
    case 'h':
        o->help = 1;
        return FLX_OK;
    default:
        return FLX_ERR_ARG;
    }
}

static int parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.n_out = 32, .taps = -1, .seed = 1};
    int c, status = FLX_OK;
    while (!status && (c = flx_cli_option(argc, argv, "h", long_options)) != -1)
        status = take_option(o, c);
    if (status || o->help)
        return status;
    status = flx_cli_operands(argc, argv, 0, "");
    if (!status && o->model && o->drawn)
        status = flx_fail(FLX_ERR_ARG, "--model brings its own networks: leave out --nout, "
                                       "--nmin, --nin, --taps and --seed");
    if (!status && o->n_in && o->n_min)
        status = flx_fail(FLX_ERR_ARG, "--nmin (nested) and --nin (random) exclude each other");
    if (!status && o->taps >= 0 && !o->n_in)
        status = flx_fail(FLX_ERR_ARG, "--taps needs --nin");
    return status;
}

static int draw(const struct options *o, struct flx_xornet *net)
{
    uint64_t seed = (uint64_t)o->seed;
    if (o->n_in)
        return flx_xornet_random(net, o->n_in, o->n_out, o->taps < 0 ? 2 : o->taps, seed);
    return flx_xornet_nested(net, o->n_out, o->n_min ? o->n_min : 13, seed);
}

static const char *kind_name(const struct flx_xornet *net)
{
    return net->kind == FLX_XORNET_NESTED ? "nested" : "fixed";
}

static void print_text(const struct flx_xornet *net)
{
    printf("XOR network: %s, n_out %d, n_in %d to %d, seed %" PRIu64 ", hash %08" PRIx32 "\n",
           kind_name(net), net->n_out, net->n_min, net->n_max, net->seed, flx_xornet_hash(net));
    printf("rows (taps at n_in = %d):\n", net->n_min);
    for (int i = 0; i < net->n_out; i++) {
        printf("  %2d ", i);
        const char *sign = " ";
        for (uint32_t row = flx_xornet_row(net, net->n_min, i); row; row &= row - 1) {
            printf("%s%d", sign, __builtin_ctz(row));
            sign = " ^ ";
        }
        putchar('\n');
    }
    printf("rank by n_in:");
    for (int n = net->n_min; n <= net->n_max; n++)
        printf(" %d:%d", n, flx_xornet_rank(net, n));
    putchar('\n');
}

static json_t *to_json(const struct flx_xornet *net)
{
    char hash[16];
    snprintf(hash, sizeof hash, "%08" PRIx32, flx_xornet_hash(net));
    json_t *rows = json_array(), *ranks = json_object();
    for (int i = 0; i < net->n_out; i++)
        json_array_append_new(rows, json_integer(net->rows[i]));
    for (int n = net->n_min; n <= net->n_max; n++) {
        char key[16];
        snprintf(key, sizeof key, "%d", n);
        json_object_set_new(ranks, key, json_integer(flx_xornet_rank(net, n)));
    }
    return json_pack("{s:s, s:i, s:i, s:i, s:I, s:s, s:o, s:o}", "kind", kind_name(net), "n_out",
                     net->n_out, "n_min", net->n_min, "n_max", net->n_max, "seed",
                     (json_int_t)net->seed, "hash", hash, "rows", rows, "ranks", ranks);
}

static int show(const struct options *o, const struct flx_xornet *nets, int n)
{
    if (!o->json) {
        for (int i = 0; i < n; i++)
            print_text(&nets[i]);
        return FLX_OK;
    }
    if (!o->model)
        return flx_cli_json(to_json(nets));
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, to_json(&nets[i]));
    return flx_cli_json(list);
}

static int write_verilog(const struct flx_xornet *net, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
    fprintf(f,
            "// SPDX-License-Identifier: Apache-2.0\n"
            "// XOR network, written by `flexor xornet --verilog`; do not edit.\n"
            "// FLX_XOR_KIND: 0 nested (row i is input i while i < n_in), 1 fixed rows.\n"
            "// FLX_XOR_ROWS: {row 31, ..., row 0}, bit j of a row: input j is a tap.\n"
            "`ifndef FLX_XORNET_VH\n`define FLX_XORNET_VH\n"
            "`define FLX_XOR_KIND %d\n`define FLX_XOR_NOUT %d\n`define FLX_XOR_NMIN %d\n"
            "`define FLX_XOR_NMAX %d\n`define FLX_XOR_HASH 32'h%08" PRIx32 "\n"
            "`define FLX_XOR_ROWS 1024'h",
            (int)net->kind, net->n_out, net->n_min, net->n_max, flx_xornet_hash(net));
    for (int i = FLX_XOR_MAX - 1; i >= 0; i--)
        fprintf(f, "%08" PRIx32 "%s", net->rows[i], i ? "_" : "\n`endif\n");
    int bad = ferror(f);
    if (fclose(f) != 0 || bad) {
        free(text);
        return flx_fail(FLX_ERR_NOMEM, "%s: out of memory", path);
    }
    const void *part = text;
    int status = flx_file_write_atomic(path, &part, &len, 1);
    free(text);
    return status;
}

int flx_cmd_xornet(int argc, char **argv)
{
    struct options o;
    struct flx_xornet drawn;
    struct flx_model *model = NULL;
    const struct flx_xornet *nets = &drawn;
    int n = 1, status = parse(&o, argc, argv);
    if (!status && o.help) {
        puts(help);
        return 0;
    }
    if (!status)
        status = o.model ? flx_model_load(o.model, &model) : draw(&o, &drawn);
    if (!status && model) {
        nets = model->nets;
        n = model->n_nets;
    }
    if (!status && o.verilog && n != 1)
        status = flx_fail(FLX_ERR_UNSUPPORTED, "%s has %d XOR networks, --verilog writes one",
                          o.model, n);
    if (!status && o.verilog)
        status = write_verilog(nets, o.verilog);
    if (!status)
        status = show(&o, nets, n);
    flx_model_free(model);
    return flx_cli_fail(argv[0], status);
}
