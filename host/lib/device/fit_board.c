/* SPDX-License-Identifier: Apache-2.0 */
#include "fit_board.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json_reader.h"
#include "flexor/file.h"
#include "flexor/status.h"

static const struct {
    const char *name;
    int value, lo, hi; /* default of flx_top, and what a description can say */
} parameters[FLX_CORE_PARAMETERS] = {
    [FLX_CORE_K] = {"K", 16, 4, 128},
    [FLX_CORE_T] = {"T", 16, 4, 256},
    [FLX_CORE_P] = {"P", 1, 1, 64},
    [FLX_CORE_PIXELS] = {"PIXELS", 1, 1, 255},
    [FLX_CORE_NIN_MAX] = {"NIN_MAX", 32, 1, 64},
    [FLX_CORE_ACT_W] = {"ACT_W", 8, 4, 8},
    [FLX_CORE_ACC_W] = {"ACC_W", 22, 16, 32},
    [FLX_CORE_LANES] = {"LANES", 0, 0, 2},
    [FLX_CORE_FAN] = {"FAN", 0, 0, 256},
    [FLX_CORE_RQ] = {"RQ", 1, 1, 4},
    [FLX_CORE_AMEM_WORDS] = {"AMEM_WORDS", 1024, 1, 65536},
    [FLX_CORE_WMEM_WORDS] = {"WMEM_WORDS", 1024, 1, 1 << 20},
    [FLX_CORE_PMEM_CH] = {"PMEM_CH", 1024, 1, 65536},
    [FLX_CORE_PROG_LAYERS] = {"PROG_LAYERS", 8, 1, 256},
    [FLX_CORE_RES_WORDS] = {"RES_WORDS", 16, 1, 65535},
    [FLX_CORE_WIN_MAX] = {"WIN_MAX", 32, 1, 65535},
    [FLX_CORE_SKIP] = {"SKIP", 1, 0, 2},
    [FLX_CORE_WINDOWS] = {"WINDOWS", 1, 0, 1},
    [FLX_CORE_SCALED] = {"SCALED", 0, 0, 2},
    [FLX_CORE_POOL_BITS] = {"POOL_BITS", 6, 0, 15},
    [FLX_CORE_AMEM_KIND] = {"AMEM_KIND", 0, 0, 1},
    [FLX_CORE_LOADER] = {"LOADER", 0, 0, 1},
    [FLX_CORE_PIPE] = {"PIPE", 0, 0, 1},
    [FLX_CORE_COUNTERS] = {"COUNTERS", 1, 0, 1},
    [FLX_CORE_MAX_PAYLOAD] = {"MAX_PAYLOAD", 1024, 64, 32768},
};

const char *flx_core_parameter_name(enum flx_core_parameter p)
{
    return parameters[p].name;
}

static void read_link(struct flx_json *r, const json_t *link, struct flx_board *b)
{
    static const char *const kinds[] = {[FLX_LINK_UART] = "uart", [FLX_LINK_USB] = "usb", NULL};
    b->link = (enum flx_link_kind)flx_json_word(r, link, "kind", kinds);
    if (b->link == FLX_LINK_UART) {
        b->baud = flx_json_int(r, link, "baud", 1200, 100000000);
        b->rx_log2 = flx_json_int(r, link, "rx_log2", 4, 16);
    }
}

static void read_board(struct flx_json *r, const json_t *object, struct flx_board *b)
{
    const json_t *core = json_object_get(object, "core");
    char synth[128] = "";
    flx_json_text(r, object, "name", 1, b->name, sizeof b->name);
    flx_json_text(r, object, "family", 1, b->family, sizeof b->family);
    flx_json_text(r, object, "device", 1, b->device, sizeof b->device);
    b->core_khz = flx_json_int(r, object, "core_khz", 1, 1000000);
    b->speed = json_object_get(object, "speed") ? flx_json_int(r, object, "speed", 6, 8) : 0;
    flx_json_text(r, object, "synth", 0, synth, sizeof synth);
    b->dsp = strcmp(b->family, "ice40") != 0 || strstr(synth, "-dsp") != NULL;
    read_link(r, json_object_get(object, "link"), b);
    for (int p = 0; p < FLX_CORE_PARAMETERS; p++) {
        const char *name = parameters[p].name;
        b->core[p] = json_object_get(core, name)
                         ? flx_json_int(r, core, name, parameters[p].lo, parameters[p].hi)
                         : parameters[p].value;
    }
}

static int unknown_board(const char *file, const char *id, json_t *root)
{
    char known[200] = "";
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", key);
    }
    return flx_fail(FLX_ERR_NOT_FOUND, "%s: no board '%.40s', there are %s", file, id, known);
}

static int parse(const char *file, const char *text, const char *id, struct flx_board *out)
{
    struct flx_json r = {.what = file, .where = "boards"};
    json_t *root;
    int status = flx_json_parse(&r, text, &root);
    if (status)
        return status;
    const json_t *object = json_object_get(root, id);
    snprintf(r.where, sizeof r.where, "board %.32s", id);
    if (object)
        read_board(&r, object, out);
    else
        r.status = unknown_board(file, id, root);
    json_decref(root);
    return r.status;
}

int flx_board_read(const char *file, const char *id, struct flx_board *out)
{
    uint8_t *data;
    size_t len;
    *out = (struct flx_board){.baud = 0};
    int status = flx_file_read(file, &data, &len);
    if (status)
        return status;
    char *text = malloc(len + 1);
    if (!text) {
        status = flx_fail(FLX_ERR_NOMEM, "%s: out of memory", file);
        goto end;
    }
    memcpy(text, data, len);
    text[len] = '\0';
    status = parse(file, text, id, out);
end:
    free(text);
    free(data);
    return status;
}

static int set(const char *setting, const char *value, int lo, int hi, int *out)
{
    char *end;
    long v = strtol(value, &end, 10);
    if (end == value || *end || v < lo || v > hi)
        return flx_fail(FLX_ERR_ARG, "'%s' is not a number from %d to %d", setting, lo, hi);
    *out = (int)v;
    return FLX_OK;
}

int flx_board_set(struct flx_board *b, const char *setting)
{
    const char *equals = strchr(setting, '=');
    size_t n = equals ? (size_t)(equals - setting) : 0;
    for (int p = 0; n && p < FLX_CORE_PARAMETERS; p++)
        if (strlen(parameters[p].name) == n && !strncmp(setting, parameters[p].name, n))
            return set(setting, equals + 1, parameters[p].lo, parameters[p].hi, &b->core[p]);
    if (n == 8 && !strncmp(setting, "CORE_KHZ", n))
        return set(setting, equals + 1, 1, 1000000, &b->core_khz);
    return flx_fail(FLX_ERR_ARG,
                    "'%s' sets nothing: use NAME=VALUE with a parameter of flx_top such as K, T, P "
                    "or AMEM_WORDS, or CORE_KHZ",
                    setting);
}
