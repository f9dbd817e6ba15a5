/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "model_internal.h"

/* Puts the file before the sentence of a check; impossible values in a file
 * make it malformed. */
static int in_file(const char *what, int status)
{
    char sentence[512];
    if (status == FLX_OK)
        return FLX_OK;
    snprintf(sentence, sizeof sentence, "%s", flx_last_error());
    return flx_fail(status == FLX_ERR_ARG ? FLX_ERR_FORMAT : status, "%s: %s", what, sentence);
}

static int check_meta(const char *what, const struct flx_st *st)
{
    const char *format = flx_st_meta(st, "format"), *version = flx_st_meta(st, "version");
    char known[16];
    if (!format || strcmp(format, "flexor") != 0)
        return flx_fail(FLX_ERR_FORMAT, "%s: not a flexor model (its format is %s)%s", what,
                        format ? format : "not given",
                        format && strcmp(format, "flexor-checkpoint") == 0
                            ? ": make one of it with flexor pack"
                            : "");
    snprintf(known, sizeof known, "%d", FLX_MODEL_VERSION);
    if (!version || strcmp(version, known) != 0)
        return flx_fail(FLX_ERR_VERSION, "%s: model version %s, this program knows version %s",
                        what, version ? version : "not given", known);
    if (!flx_st_meta(st, "network") || !flx_st_meta(st, "crc32"))
        return flx_fail(FLX_ERR_FORMAT, "%s: the metadata lack network or crc32", what);
    return FLX_OK;
}

static int check_crc(const char *what, const struct flx_st *st)
{
    const char *network = flx_st_meta(st, "network"), *stored = flx_st_meta(st, "crc32");
    uint32_t crc = flx_crc32(0, network, strlen(network));
    for (int i = 0; i < flx_st_count(st); i++)
        crc = flx_crc32(crc, flx_st_at(st, i)->data, flx_st_at(st, i)->bytes);
    char computed[9];
    snprintf(computed, sizeof computed, "%08x", crc);
    if (strcmp(stored, computed) != 0)
        return flx_fail(FLX_ERR_CRC, "%s: damaged (CRC-32 %s, stored is %.16s)", what, computed,
                        stored);
    return FLX_OK;
}

/* Walks the tensors in the order of docs/model-format.md. */
struct cursor {
    const char *what;
    const struct flx_st *st;
    int next;
};

/* The next tensor must have this name, type and shape. */
static int take(struct cursor *c, const char *name, const struct flx_st_tensor *want,
                const struct flx_st_tensor **out)
{
    const struct flx_st_tensor *t = flx_st_at(c->st, c->next);
    if (!t || strcmp(t->name, name) != 0)
        return flx_fail(FLX_ERR_FORMAT, "%s: tensor %s is missing or not in its place", c->what,
                        name);
    int same = t->dtype == want->dtype && t->rank == want->rank;
    for (int i = 0; i < want->rank && same; i++)
        same = t->shape[i] == want->shape[i];
    if (!same)
        return flx_fail(FLX_ERR_FORMAT,
                        "%s: tensor %s has not the type and shape that the "
                        "network needs",
                        c->what, name);
    c->next++;
    *out = t;
    return FLX_OK;
}

static int read_nets(struct cursor *c, struct flx_model *m)
{
    char name[32];
    for (int i = 0; i < m->n_nets; i++) {
        const struct flx_st_tensor want = flx_rows_tensor(&m->nets[i]), *t;
        snprintf(name, sizeof name, "xor%d.rows", i);
        int status = take(c, name, &want, &t);
        if (status)
            return status;
        memcpy(m->nets[i].rows, t->data, t->bytes);
    }
    return in_file(c->what, flx_model_check_nets(m));
}

static int read_bits(struct cursor *c, struct flx_layer *l, int plane,
                     const struct flx_st_tensor *t)
{
    size_t row = (size_t)t->shape[1];
    const uint8_t *bytes = t->data;
    unsigned used = (unsigned)(l->slicing.n_slices % 8);
    for (int j = 0; j < l->n_in[plane]; j++, bytes += row) {
        if (used && bytes[row - 1] >> used)
            return flx_fail(FLX_ERR_FORMAT, "%s: tensor %s: unused bits are set", c->what, t->name);
        memcpy(l->bits[plane] + (size_t)j * l->n_words, bytes, row);
    }
    return FLX_OK;
}

/* Finds all tensors of a layer before memory is taken for them. */
static int read_layer(struct cursor *c, struct flx_model *m, int i)
{
    struct flx_layer *l = &m->layers[i];
    const struct flx_st_tensor *bits[FLX_MAX_PLANES], *mul, *beta;
    struct flx_st_tensor want;
    char name[32];
    int status = in_file(c->what, flx_layer_derive(m, l));
    for (int p = 0; p < l->planes && !status; p++) {
        want = flx_bits_tensor(l, p);
        flx_tensor_name(name, i, "bits", p);
        status = take(c, name, &want, &bits[p]);
    }
    if (status)
        return status;
    want = flx_m_tensor(l);
    flx_tensor_name(name, i, "m", -1);
    if ((status = take(c, name, &want, &mul)))
        return status;
    want = flx_beta_tensor(l);
    flx_tensor_name(name, i, "beta", -1);
    if ((status = take(c, name, &want, &beta)) || (status = flx_layer_alloc(m, l)))
        return status;
    memcpy(l->m, mul->data, mul->bytes);
    memcpy(l->beta, beta->data, beta->bytes);
    for (int p = 0; p < l->planes && !status; p++)
        status = read_bits(c, l, p, bits[p]);
    return status;
}

static int read_model(const char *what, const struct flx_st *st, struct flx_model *m)
{
    struct cursor c = {.what = what, .st = st};
    int status = check_meta(what, st);
    if (!status)
        status = check_crc(what, st);
    if (!status)
        status = flx_network_parse(what, flx_st_meta(st, "network"), m);
    if (!status)
        status = read_nets(&c, m);
    for (int i = 0; i < m->n_layers && !status; i++)
        status = read_layer(&c, m, i);
    if (!status && c.next != flx_st_count(st))
        status = flx_fail(FLX_ERR_FORMAT, "%s: tensor %s does not belong to the network", what,
                          flx_st_at(st, c.next)->name);
    return status ? status : in_file(what, flx_model_check(m));
}

static int model_of(const char *what, struct flx_st *st, struct flx_model **out)
{
    struct flx_model *m = flx_model_new();
    int status = m ? read_model(what, st, m) : flx_fail(FLX_ERR_NOMEM, "%s: out of memory", what);
    flx_st_free(st);
    if (status)
        flx_model_free(m);
    else
        *out = m;
    return status;
}

int flx_model_parse(const char *what, const void *data, size_t len, struct flx_model **out)
{
    struct flx_st *st;
    int status = flx_st_parse(what, data, len, &st);
    return status ? status : model_of(what, st, out);
}

int flx_model_load(const char *path, struct flx_model **out)
{
    struct flx_st *st;
    int status = flx_st_open(path, &st);
    return status ? status : model_of(path, st, out);
}
