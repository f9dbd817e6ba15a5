/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flexor/file.h"
#include "flexor/log.h"
#include "flexor/safetensors.h"
#include "flexor/status.h"
#include "flexor/train.h"
#include "report_internal.h"

enum kind { MODEL, CHECKPOINT, LOG, N_KINDS };

static const char *const kind_names[] = {"models", "checkpoints", "logs"};

static int container_kind(const char *path, const void *data, size_t len, enum kind *kind)
{
    struct flx_st *st = NULL;
    int status = flx_st_parse(path, data, len, &st);
    if (status != FLX_OK)
        return status;
    const char *format = flx_st_meta(st, "format");
    if (format && !strcmp(format, "flexor"))
        *kind = MODEL;
    else if (format && !strcmp(format, "flexor-checkpoint"))
        *kind = CHECKPOINT;
    else
        status = flx_fail(FLX_ERR_FORMAT, "%s: neither a model nor a checkpoint of flexor", path);
    flx_st_free(st);
    return status;
}

/* What a file is, by its content: a log begins with a brace, a container with its length. */
static int find_kind(const char *path, enum kind *kind)
{
    uint8_t *data = NULL;
    size_t len = 0;
    int status = flx_file_read(path, &data, &len);
    if (status == FLX_OK && !len)
        status = flx_fail(FLX_ERR_TRUNCATED, "%s: is empty", path);
    else if (status == FLX_OK && data[0] == '{')
        *kind = LOG;
    else if (status == FLX_OK && len > 8 && data[8] == '{')
        status = container_kind(path, data, len, kind);
    else if (status == FLX_OK)
        status =
            flx_fail(FLX_ERR_FORMAT, "%s: neither a model, a checkpoint nor a log of flexor", path);
    free(data);
    return status;
}

static char **slot(struct flx_report_run *run, enum kind kind)
{
    return kind == MODEL        ? &run->model_path
           : kind == CHECKPOINT ? &run->checkpoint_path
                                : &run->log_path;
}

static int take_file(struct flx_report_run *run, const char *path)
{
    enum kind kind = MODEL;
    int status = find_kind(path, &kind);
    if (status != FLX_OK)
        return status;
    char **place = slot(run, kind);
    if (*place)
        return flx_fail(FLX_ERR_ARG, "%s and %s are both %s: a run has one of each", *place, path,
                        kind_names[kind]);
    *place = strdup(path);
    return *place ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
}

static void cut_suffix(char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    if (n > m && !strcmp(path + n - m, suffix))
        path[n - m] = 0;
}

static void cut_suffixes(char *path)
{
    cut_suffix(path, ".ckpt");
    cut_suffix(path, ".jsonl");
    cut_suffix(path, ".json");
    cut_suffix(path, ".safetensors");
}

static int is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The other files of the run, beside the one that was named. A file that only looks like
 * one of them is passed over. */
static int find_others(struct flx_report_run *run, const char *stem)
{
    static const char *const middles[] = {".safetensors", ""};
    static const char *const ends[] = {"", ".ckpt", ".json", ".jsonl"};
    size_t size = strlen(stem) + 32;
    char *path = malloc(size);
    if (!path)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    for (int i = 0; i < 8; i++) {
        enum kind kind = MODEL;
        snprintf(path, size, "%s%s%s", stem, middles[i / 4], ends[i % 4]);
        if (!is_file(path))
            continue;
        if (find_kind(path, &kind) != FLX_OK)
            flx_log(FLX_LOG_WARN, "passed over: %s", flx_last_error());
        else if (!*slot(run, kind))
            *slot(run, kind) = strdup(path);
    }
    free(path);
    return FLX_OK;
}

static void set_name(struct flx_report_run *run, const char *name, size_t len)
{
    snprintf(run->name, sizeof run->name, "%.*s", (int)len, name);
}

/* Splits the text and finds the files. */
static int find_files(const char *text, struct flx_report_run *run)
{
    const char *equals = is_file(text) ? NULL : strchr(text, '=');
    const char *files = equals ? equals + 1 : text;
    char *list = strdup(files), *save = NULL;
    if (!list)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    int status = FLX_OK, alone = is_file(files) || !strchr(files, ',');
    if (alone) {
        status = take_file(run, files);
    } else {
        for (char *p = strtok_r(list, ",", &save); p && !status; p = strtok_r(NULL, ",", &save))
            status = take_file(run, p);
        strcpy(list, files);
        list[strcspn(list, ",")] = 0;
    }
    if (status == FLX_OK) {
        cut_suffixes(list);
        const char *slash = strrchr(list, '/'), *base = slash ? slash + 1 : list;
        set_name(run, equals ? text : base, equals ? (size_t)(equals - text) : strlen(base));
        if (alone)
            status = find_others(run, list);
    }
    if (status == FLX_OK && !run->model_path && !run->checkpoint_path && !run->log_path)
        status = flx_fail(FLX_ERR_ARG, "'%s' names no file", text);
    free(list);
    return status;
}

/* A checkpoint alone gives its model too, unless its weights are float or cannot be packed. */
static int pack(struct flx_report_run *run)
{
    int status = flx_pack_checkpoint(run->checkpoint_path, &run->model);
    if (status == FLX_ERR_OVERFLOW || status == FLX_ERR_UNSUPPORTED) {
        flx_log(FLX_LOG_WARN, "no integer model of %s: %s", run->checkpoint_path, flx_last_error());
        return FLX_OK;
    }
    return status;
}

static double logged(const struct flx_report_log *log, const char *key)
{
    const json_t *value = json_object_get(log->final, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Numbers that the summary shows, from wherever they are known. */
static void summarise(struct flx_report_run *run)
{
    const struct flx_report_log *log = &run->log;
    const char *mode = json_string_value(json_object_get(log->final, "mode"));
    if (mode && !strcmp(mode, "float"))
        run->float_weights = 1;
    run->float_accuracy = logged(log, "test_accuracy");
    if (isnan(run->float_accuracy) && log->n)
        run->float_accuracy = log->epochs[log->n - 1].test_accuracy;
    run->integer_accuracy = logged(log, "integer_accuracy");
    run->bits = run->model           ? run->stats.bits_per_weight
                : run->float_weights ? 32
                                     : logged(log, "bits");
}

int flx_report_run_open(const char *text, struct flx_report_run *run)
{
    *run = (struct flx_report_run){.bits = NAN};
    int status = find_files(text, run);
    if (status == FLX_OK && run->log_path)
        status = flx_report_log_read(run->log_path, &run->log);
    if (status == FLX_OK && run->checkpoint_path)
        status = flx_report_checkpoint_read(run->checkpoint_path, run);
    if (status == FLX_OK && run->model_path)
        status = flx_model_load(run->model_path, &run->model);
    else if (status == FLX_OK && run->checkpoint_path && !run->float_weights)
        status = pack(run);
    if (status == FLX_OK && run->model)
        status = flx_model_stats(run->model, run->model_path, &run->stats);
    if (status != FLX_OK)
        flx_report_run_free(run);
    else
        summarise(run);
    return status;
}

void flx_report_run_free(struct flx_report_run *run)
{
    free(run->model_path);
    free(run->checkpoint_path);
    free(run->log_path);
    flx_model_free(run->model);
    flx_report_log_free(&run->log);
    json_decref(run->options);
    free(run->histograms);
    free(run->confusion);
    *run = (struct flx_report_run){0};
}
