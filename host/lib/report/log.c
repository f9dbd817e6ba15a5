/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "report_internal.h"

#define MAX_EPOCH 10000000

static double number(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int add_epoch(struct flx_report_log *log, const json_t *line, json_int_t epoch)
{
    while (log->n && log->epochs[log->n - 1].epoch >= epoch)
        log->n--;
    struct flx_report_epoch *e = realloc(log->epochs, ((size_t)log->n + 1) * sizeof *e);
    if (!e)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for epoch %d", (int)epoch);
    log->epochs = e;
    e[log->n++] = (struct flx_report_epoch){.epoch = (int)epoch,
                                            .loss = number(line, "loss"),
                                            .train_accuracy = number(line, "train_accuracy"),
                                            .test_accuracy = number(line, "test_accuracy")};
    json_decref(log->final);
    log->final = NULL;
    return FLX_OK;
}

static int take_line(struct flx_report_log *log, const char *path, int at, const char *text,
                     size_t len)
{
    json_error_t error;
    json_t *line = json_loadb(text, len, 0, &error);
    int status = FLX_OK;
    if (!json_is_object(line)) {
        status = flx_fail(FLX_ERR_FORMAT,
                          "%s: line %d is no JSON object, so no log of flexor train", path, at);
    } else if (json_is_true(json_object_get(line, "final"))) {
        json_decref(log->final);
        log->final = json_incref(line);
    } else if (json_is_integer(json_object_get(line, "epoch"))) {
        json_int_t epoch = json_integer_value(json_object_get(line, "epoch"));
        status = epoch >= 1 && epoch <= MAX_EPOCH
                     ? add_epoch(log, line, epoch)
                     : flx_fail(FLX_ERR_FORMAT, "%s: impossible epoch in line %d", path, at);
    }
    json_decref(line);
    return status;
}

int flx_report_log_read(const char *path, struct flx_report_log *log)
{
    uint8_t *data = NULL;
    size_t len = 0;
    *log = (struct flx_report_log){0};
    int status = flx_file_read(path, &data, &len), at = 0;
    const char *p = (const char *)data, *end = p + len;
    while (status == FLX_OK && p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((newline ? newline : end) - p);
        at++;
        if (n)
            status = take_line(log, path, at, p, n);
        p += n + 1;
    }
    if (status == FLX_OK && !log->n && !log->final)
        status =
            flx_fail(FLX_ERR_FORMAT, "%s: no epoch in it, so no log of flexor train --json", path);
    free(data);
    if (status != FLX_OK)
        flx_report_log_free(log);
    return status;
}

void flx_report_log_free(struct flx_report_log *log)
{
    free(log->epochs);
    json_decref(log->final);
    *log = (struct flx_report_log){0};
}
