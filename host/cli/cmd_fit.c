/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "flexor/fit.h"
#include "flexor/status.h"

#define MAX_SETTINGS 24

static const char help[] =
    "usage: flexor fit MODEL --board BOARD [options]\n"
    "Predicts a model on a board from the parameters of its build: does it fit and which knob\n"
    "would make it fit, cycles, images a second, what the build takes of the FPGA.\n"
    "  --board BOARD     a name of boards.json\n"
    "  --set NAME=VALUE  another value for a parameter of flx_top, or CORE_KHZ; repeatable\n"
    "  --stream          stream the weights for each batch even if they would fit\n"
    "  --boards FILE     instead of rtl/boards/boards.json\n"
    "  --json            print JSON\n"
    "Exit status 1 when something does not fit.";

enum { OPT_BOARD = 256, OPT_SET, OPT_STREAM, OPT_BOARDS, OPT_JSON };

static const struct option long_options[] = {
    {"board", required_argument, NULL, OPT_BOARD},
    {"set", required_argument, NULL, OPT_SET},
    {"stream", no_argument, NULL, OPT_STREAM},
    {"boards", required_argument, NULL, OPT_BOARDS},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct options {
    const char *board, *boards;
    const char *settings[MAX_SETTINGS];
    int n_settings, stream, json;
};

/* Slower than the accuracy of the prediction leaves open. */
static int too_slow(const struct flx_fit_clock *c)
{
    return c->predicted_khz &&
           (double)c->predicted_khz < (1 - FLX_FIT_ACCURACY) * (double)c->needed_khz;
}

static int fits(const struct flx_fit *f)
{
    int ok = !*f->refusal;
    for (int i = 0; i < f->n_resources; i++)
        ok &= f->resource[i].needed <= f->resource[i].available;
    for (int i = 0; i < f->n_clocks; i++)
        ok &= !too_slow(&f->clock[i]);
    return ok;
}

static void print_clocks(const struct flx_fit *f)
{
    printf("\n%-18s %9s %9s\n", "clock in MHz", "needed", "reached");
    for (int i = 0; i < f->n_clocks; i++) {
        const struct flx_fit_clock *c = &f->clock[i];
        if (!c->predicted_khz) {
            printf("%-18s %9.1f %9s  not predicted\n", c->name, (double)c->needed_khz / 1000, "-");
            continue;
        }
        printf("%-18s %9.1f %9.1f%s\n", c->name, (double)c->needed_khz / 1000,
               (double)c->predicted_khz / 1000,
               too_slow(c)                        ? "  too slow: CORE_KHZ, PIPE or PIXELS"
               : c->predicted_khz < c->needed_khz ? "  perhaps too slow"
                                                  : "");
    }
}

static void print_text(const struct flx_fit *f)
{
    printf("%s: %s, core at %.1f MHz, ", f->title, f->device, (double)f->core_khz / 1000);
    if (f->pixels > 1)
        printf("lanes at %.1f MHz, ", (double)f->core_khz * f->pixels / 1000);
    puts(f->link);
    for (int i = 0; i < f->n_parameters; i++)
        printf("%s%s=%d", i ? " " : "", f->parameter[i].name, f->parameter[i].value);
    printf("\n\n%-18s %9s %9s\n", "predicted", "needed", "there");
    for (int i = 0; i < f->n_resources; i++) {
        const struct flx_fit_resource *r = &f->resource[i];
        printf("%-18s %9" PRId64 " %9" PRId64 "%s%s\n", r->name, r->needed, r->available,
               r->needed > r->available ? "  too much: " : "",
               r->needed > r->available ? r->knob : "");
    }
    for (int i = 0; i < f->n_memories; i++)
        printf("  %-16s %9d\n", f->memory[i].name, f->memory[i].blocks);
    if (f->n_clocks)
        print_clocks(f);
    if (*f->refusal) {
        printf("\ndoes not run: %s\n", f->refusal);
        return;
    }
    printf("\n%-12s %11s %11s %7s %14s\n", "layer", "cycles", "lanes busy", "share",
           f->streamed ? "streamed bytes" : "");
    for (int i = 0; i < f->n_layers; i++) {
        const struct flx_fit_layer *l = &f->layer[i];
        printf("%-12s %11" PRIu64 " %11" PRIu64 " %5.1f %%", l->name, l->cycles, l->busy,
               100.0 * (double)l->busy / ((double)l->cycles * f->pixels));
        if (f->streamed)
            printf(" %14" PRIu64, l->bytes);
        puts("");
    }
    printf("\n%" PRIu64 " cycles for %d image%s, lanes busy %.1f %%, weights %s\n", f->cycles,
           f->images, f->images == 1 ? "" : "s", 100 * f->lanes_busy,
           f->streamed ? "streamed" : "resident");
    printf("images/s: %.0f of the array, %.0f of the link: %.0f%s\n", f->images_s_core,
           f->images_s_link, f->images_s,
           f->one_image ? ", in turn: AMEM_WORDS has no room for a second image" : "");
}

static json_t *memories_json(const struct flx_fit *f)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n_memories; i++)
        json_array_append_new(list, json_pack("{s:s, s:i}", "name", f->memory[i].name, "blocks",
                                              f->memory[i].blocks));
    return list;
}

static json_t *units_json(const struct flx_fit *f)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n_units; i++)
        json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "name", f->unit[i].name, "cells",
                                              f->unit[i].cells, "ffs", f->unit[i].ffs));
    return list;
}

static json_t *clocks_json(const struct flx_fit *f)
{
    json_t *list = json_array();
    for (int i = 0; i < f->n_clocks; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I}", "name", f->clock[i].name, "needed_khz",
                                        (json_int_t)f->clock[i].needed_khz, "predicted_khz",
                                        (json_int_t)f->clock[i].predicted_khz));
    return list;
}

static json_t *quantities_json(const struct flx_fit *f)
{
    json_t *object = json_object();
    for (int i = 0; i < f->n_quantities; i++)
        json_object_set_new(object, f->quantity[i].name, json_real(f->quantity[i].value));
    return object;
}

static json_t *to_json(const struct flx_fit *f)
{
    json_t *core = json_object(), *resources = json_array(), *layers = json_array();
    for (int i = 0; i < f->n_parameters; i++)
        json_object_set_new(core, f->parameter[i].name, json_integer(f->parameter[i].value));
    for (int i = 0; i < f->n_resources; i++) {
        const struct flx_fit_resource *r = &f->resource[i];
        json_array_append_new(resources, json_pack("{s:s, s:I, s:I, s:s}", "name", r->name,
                                                   "needed", (json_int_t)r->needed, "available",
                                                   (json_int_t)r->available, "knob", r->knob));
    }
    for (int i = 0; i < f->n_layers; i++) {
        const struct flx_fit_layer *l = &f->layer[i];
        json_array_append_new(layers, json_pack("{s:s, s:I, s:I, s:I}", "name", l->name, "cycles",
                                                (json_int_t)l->cycles, "busy", (json_int_t)l->busy,
                                                "weight_bytes", (json_int_t)l->bytes));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:i, s:f, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:b, "
                     "s:b, s:i, s:I, "
                     "s:f, s:f, s:f, s:f, s:o}",
                     "board", f->board, "device", f->device, "link", f->link, "core_khz",
                     (json_int_t)f->core_khz, "pixels", f->pixels, "link_bytes_per_second",
                     f->link_bytes_s, "core", core, "fits", fits(f), "refusal", f->refusal,
                     "resources", resources, "memories", memories_json(f), "units", units_json(f),
                     "clocks", clocks_json(f), "quantities", quantities_json(f), "streamed",
                     f->streamed, "one_image", f->one_image, "images_per_batch", f->images,
                     "cycles", (json_int_t)f->cycles, "lanes_busy", f->lanes_busy,
                     "images_per_second_core", f->images_s_core, "images_per_second_link",
                     f->images_s_link, "images_per_second", f->images_s, "layers", layers);
}

static int show(const char *path, const struct options *o, int *ok)
{
    static struct flx_fit fit;
    struct flx_model *m = NULL;
    int status = flx_model_load(path, &m);
    if (!status)
        status = flx_fit(m, o->boards, o->board, o->settings, o->n_settings, o->stream, &fit);
    if (!status && o->json)
        status = flx_cli_json(to_json(&fit));
    else if (!status)
        print_text(&fit);
    *ok = fits(&fit);
    flx_model_free(m);
    return status;
}

static int parse(int argc, char **argv, struct options *o)
{
    int c;
    while ((c = flx_cli_option(argc, argv, "h", long_options)) != -1)
        switch (c) {
        case 'h':
            return 1;
        case OPT_BOARD:
            o->board = optarg;
            break;
        case OPT_SET:
            if (o->n_settings == MAX_SETTINGS)
                return flx_fail(FLX_ERR_ARG, "more than %d times --set", MAX_SETTINGS);
            o->settings[o->n_settings++] = optarg;
            break;
        case OPT_STREAM:
            o->stream = 1;
            break;
        case OPT_BOARDS:
            o->boards = optarg;
            break;
        case OPT_JSON:
            o->json = 1;
            break;
        default:
            return FLX_ERR_ARG;
        }
    if (!o->board)
        return flx_fail(FLX_ERR_ARG, "--board is missing: a name of %s", o->boards);
    return flx_cli_operands(argc, argv, 1, "MODEL");
}

int flx_cmd_fit(int argc, char **argv)
{
    struct options o = {.boards = "rtl/boards/boards.json"};
    int ok = 0, status = parse(argc, argv, &o);
    if (status == 1) {
        puts(help);
        return 0;
    }
    if (!status)
        status = show(argv[optind], &o, &ok);
    return status ? flx_cli_fail(argv[0], status) : !ok;
}
