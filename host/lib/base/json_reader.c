/* SPDX-License-Identifier: Apache-2.0 */
#include "json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flexor/status.h"

int flx_json_parse(const struct flx_json *r, const char *text, json_t **root)
{
    json_error_t error;
    *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!*root)
        return flx_fail(FLX_ERR_FORMAT, "%s: %s: is not JSON: line %d, column %d: %s", r->what,
                        r->where, error.line, error.column, error.text);
    return FLX_OK;
}

void flx_json_fail(struct flx_json *r, int status, const char *fmt, ...)
{
    char text[320];
    va_list args;
    if (r->status)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    r->status = flx_fail(status, "%s: %s: %s", r->what, r->where, text);
}

int flx_json_find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}

/* "a, b, c" */
static void list(const char *const *words, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; words[i]; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
    }
}

void flx_json_only_keys(struct flx_json *r, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    char all[200];
    if (!json_is_object(object)) {
        flx_json_fail(r, FLX_ERR_FORMAT, "is not a JSON object");
        return;
    }
    list(known, all, sizeof all);
    json_object_foreach(object, key, value)
    {
        if (flx_json_find(known, key) < 0)
            flx_json_fail(r, FLX_ERR_UNSUPPORTED, "unknown key '%.40s', supported are %s", key,
                          all);
    }
}

json_int_t flx_json_number(struct flx_json *r, const json_t *value, const char *key, json_int_t lo,
                           json_int_t hi)
{
    if (!json_is_integer(value))
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing or not an integer", key);
    else if (json_integer_value(value) < lo || json_integer_value(value) > hi)
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is %lld, not %lld to %lld", key,
                      (long long)json_integer_value(value), (long long)lo, (long long)hi);
    else
        return json_integer_value(value);
    return lo;
}

int flx_json_int(struct flx_json *r, const json_t *object, const char *key, int lo, int hi)
{
    return (int)flx_json_number(r, json_object_get(object, key), key, lo, hi);
}

void flx_json_text(struct flx_json *r, const json_t *object, const char *key, size_t min, char *out,
                   size_t size)
{
    const json_t *value = json_object_get(object, key);
    size_t n = json_string_length(value);
    if (!json_is_string(value) || n < min || n >= size)
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing or not a text of %zu to %zu bytes", key,
                      min, size - 1);
    else
        memcpy(out, json_string_value(value), n + 1);
}

int flx_json_word(struct flx_json *r, const json_t *object, const char *key,
                  const char *const *words)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char all[64];
    int at = text ? flx_json_find(words, text) : -1;
    if (at >= 0)
        return at;
    list(words, all, sizeof all);
    if (value)
        flx_json_fail(r, FLX_ERR_UNSUPPORTED, "%s '%.40s' is not supported, supported are %s", key,
                      text ? text : "(not a text)", all);
    else
        flx_json_fail(r, FLX_ERR_FORMAT, "'%s' is missing, supported are %s", key, all);
    return 0;
}
