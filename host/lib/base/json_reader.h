/* SPDX-License-Identifier: Apache-2.0 */
/** Reading of descriptions in JSON: getters that say what is wrong and where.
 *
 *  After the first error the getters do nothing but return something within their bounds,
 *  so that a reader can go on to its end and look at the status once. Lists of words end
 *  with NULL. */
#ifndef FLX_JSON_READER_H
#define FLX_JSON_READER_H
#include <jansson.h>
#include <stddef.h>

struct flx_json {
    const char *what; /* the text's name, such as its file; not owned */
    char where[48];   /* the part that is being read: "network", "layer 3" */
    int status;       /* of the first error, else FLX_OK */
};

/** FLX_ERR_FORMAT with the line and column if @p text is no JSON; *root is the caller's. */
int flx_json_parse(const struct flx_json *r, const char *text, json_t **root);

/** Keeps the first error: "WHAT: WHERE: message". */
__attribute__((format(printf, 3, 4))) void flx_json_fail(struct flx_json *r, int status,
                                                         const char *fmt, ...);

/** Place of @p word in @p words, or -1. */
int flx_json_find(const char *const *words, const char *word);

/** Refuses what is no object, and keys that are not @p known (FLX_ERR_UNSUPPORTED). */
void flx_json_only_keys(struct flx_json *r, json_t *object, const char *const *known);

/** The integer @p value, called @p key in messages; @p lo after an error. */
json_int_t flx_json_number(struct flx_json *r, const json_t *value, const char *key, json_int_t lo,
                           json_int_t hi);

/** The integer at @p key, @p lo to @p hi. */
int flx_json_int(struct flx_json *r, const json_t *object, const char *key, int lo, int hi);

/** The text at @p key, of @p min to @p size - 1 bytes; @p out stays as it is on error. */
void flx_json_text(struct flx_json *r, const json_t *object, const char *key, size_t min, char *out,
                   size_t size);

/** Place of the text at @p key among @p words; 0 after an error. */
int flx_json_word(struct flx_json *r, const json_t *object, const char *key,
                  const char *const *words);

#endif
