/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint holds all options with the description of the network, the parameters with
 * their moments, the running statistics and the place in the run: everything that the next
 * step depends on. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/safetensors.h"
#include "flexor/status.h"
#include "quant.h"

#define FORMAT      "flexor-checkpoint"
#define VERSION     "2"
#define MAX_TENSORS (3 * FLX_TRAIN_MAX_PARAMS + 4 * FLX_NN_MAX_NODES)
#define MAX_IMAGE   (1 << 24)
#define MAX_CLASSES 65536

/* Names and places of all tensors. */
struct table {
    int n;
    struct flx_st_tensor tensor[MAX_TENSORS];
    float *place[MAX_TENSORS];
    char name[MAX_TENSORS][64];
};

static void add(struct table *b, const char *owner, const char *what, float *data, size_t n)
{
    struct flx_st_tensor *t = &b->tensor[b->n];
    snprintf(b->name[b->n], sizeof b->name[0], "%s%s", owner, what);
    *t = (struct flx_st_tensor){
        .name = b->name[b->n], .dtype = FLX_ST_F32, .rank = 1, .shape = {n}, .data = data};
    b->place[b->n++] = data;
}

static struct table *list_tensors(const struct flx_trainer *t)
{
    struct table *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    for (int i = 0; i < t->n_params; i++) {
        const struct flx_param *p = &t->params[i];
        add(b, p->name, "", p->w, p->n);
        add(b, p->name, ".m", p->m, p->n);
        add(b, p->name, ".v", p->v, p->n);
    }
    for (int i = 0; i < t->net->n_nodes; i++) {
        struct flx_node *nd = &t->net->nodes[i];
        if (t->coded && t->coded[i].planes && nd->kind != FLX_NODE_LOGITS)
            add(b, nd->name, ".alpha", nd->alpha, (size_t)nd->out_c);
        add(b, nd->name, ".mean", nd->mean, (size_t)nd->out_c);
        add(b, nd->name, ".var", nd->var, (size_t)nd->out_c);
        add(b, nd->name, ".range", &nd->range, 1);
    }
    return b;
}

static char *options_json(const struct flx_train_options *o)
{
    json_t *j = json_object();
    char text[512];
    for (int i = 0; i < flx_train_option_count(); i++) {
        flx_train_option_text(o, i, text, sizeof text);
        json_object_set_new(j, flx_train_option_name(i), json_string(text));
    }
    char *out = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    return out;
}

static char *state_json(const struct flx_trainer *t)
{
    json_t *j =
        json_pack("{s:[i,i,i], s:i, s:s, s:i, s:I, s:f, s:I}", "input", t->in_h, t->in_w, t->in_c,
                  "classes", t->classes, "dataset", t->dataset, "epoch", t->epoch, "step",
                  (json_int_t)t->step, "loss_sum", t->loss_sum, "correct", (json_int_t)t->correct);
    char *out = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(j);
    return out;
}

int flx_checkpoint_save(const struct flx_trainer *t, const char *path)
{
    char *options = options_json(&t->o), *state = state_json(t);
    struct table *b = list_tensors(t);
    int status;
    if (options && state && b) {
        const struct flx_st_meta meta[] = {{"format", FORMAT},
                                           {"version", VERSION},
                                           {"options", options},
                                           {"state", state},
                                           {"network", t->o.network}};
        status = flx_st_save(path, b->tensor, b->n, meta, 5);
    } else {
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for the checkpoint %s", path);
    }
    free(options);
    free(state);
    free(b);
    return status;
}

static int bad(const char *path, const char *what)
{
    return flx_fail(FLX_ERR_FORMAT, "%s: %s", path, what);
}

static int read_options(const char *path, const char *text, const char *network,
                        struct flx_train_options *o)
{
    json_t *j = json_loads(text ? text : "", 0, NULL);
    int status = FLX_OK;
    flx_train_defaults(o);
    if (!json_is_object(j) || !network || strlen(network) >= sizeof o->network)
        status = bad(path, "a checkpoint without its options or its network");
    else
        strcpy(o->network, network);
    for (int i = 0; i < flx_train_option_count() && status == FLX_OK; i++) {
        const char *value = json_string_value(json_object_get(j, flx_train_option_name(i)));
        if (!value)
            status = flx_fail(FLX_ERR_FORMAT, "%s: the option '%s' is missing", path,
                              flx_train_option_name(i));
        else if (flx_train_option_set(o, flx_train_option_name(i), value) != FLX_OK)
            status = flx_fail(FLX_ERR_FORMAT, "%s: impossible value of the option '%s'", path,
                              flx_train_option_name(i));
    }
    json_decref(j);
    if (status == FLX_OK && flx_train_options_check(o) != FLX_OK)
        status = bad(path, "its options contradict each other");
    return status;
}

struct state {
    int h, w, c, classes, epoch;
    json_int_t step, correct;
    double loss_sum;
    char dataset[64];
};

static int read_state(const char *path, const char *text, struct state *s)
{
    json_t *j = json_loads(text ? text : "", 0, NULL);
    const char *dataset = NULL;
    int failed =
        !j || json_unpack(j, "{s:[i,i,i!], s:i, s:s, s:i, s:I, s:F, s:I!}", "input", &s->h, &s->w,
                          &s->c, "classes", &s->classes, "dataset", &dataset, "epoch", &s->epoch,
                          "step", &s->step, "loss_sum", &s->loss_sum, "correct", &s->correct);
    if (!failed)
        snprintf(s->dataset, sizeof s->dataset, "%s", dataset);
    json_decref(j);
    if (failed)
        return bad(path, "a checkpoint without the place in its run");
    if (s->h < 1 || s->w < 1 || s->c < 1 || (double)s->h * s->w * s->c > MAX_IMAGE ||
        s->classes < 1 || s->classes > MAX_CLASSES || s->epoch < 0 || s->step < 0 ||
        s->correct < 0 || !isfinite(s->loss_sum))
        return bad(path, "impossible numbers in the place of its run");
    return FLX_OK;
}

static int read_tensors(const char *path, const struct flx_st *st, struct flx_trainer *t)
{
    struct table *b = list_tensors(t);
    int status = b ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (b && flx_st_count(st) != b->n)
        status = bad(path, "tensors are missing or too many");
    for (int i = 0; status == FLX_OK && i < b->n; i++) {
        const struct flx_st_tensor *from = flx_st_find(st, b->name[i]);
        size_t n = (size_t)b->tensor[i].shape[0];
        if (!from || from->dtype != FLX_ST_F32 || from->bytes != n * sizeof(float)) {
            status = flx_fail(FLX_ERR_FORMAT, "%s: tensor %s is missing or has another size", path,
                              b->name[i]);
            break;
        }
        memcpy(b->place[i], from->data, from->bytes);
        for (size_t k = 0; k < n && status == FLX_OK; k++)
            if (!isfinite(b->place[i][k]))
                status = flx_fail(FLX_ERR_FORMAT, "%s: tensor %s holds no number at %zu", path,
                                  b->name[i], k);
    }
    free(b);
    return status;
}

/* An option that was given must be what the checkpoint says. */
static int check_given(const char *path, const struct flx_train_options *have,
                       const struct flx_train_options *asked, const char *const *given)
{
    char a[512], b[512];
    for (; given && *given; given++)
        for (int i = 0; i < flx_train_option_count(); i++) {
            if (strcmp(*given, flx_train_option_name(i)))
                continue;
            flx_train_option_text(have, i, a, sizeof a);
            flx_train_option_text(asked, i, b, sizeof b);
            if (strcmp(a, b))
                return flx_fail(FLX_ERR_ARG,
                                "--%s %s contradicts %s, which has %s: leave it out to resume",
                                *given, b, path, a);
        }
    return FLX_OK;
}

static int check_format(const char *path, const struct flx_st *st)
{
    const char *format = flx_st_meta(st, "format"), *version = flx_st_meta(st, "version");
    if (!format || strcmp(format, FORMAT))
        return bad(path, "not a checkpoint of flexor train");
    if (!version || strcmp(version, VERSION))
        return flx_fail(FLX_ERR_VERSION,
                        "%s: checkpoint version %.20s, this program knows " VERSION, path,
                        version ? version : "?");
    return FLX_OK;
}

/* How a checkpoint is read: to resume it, or as another network's teacher. */
struct purpose {
    const struct flx_train_options *asked;
    const char *const *given;
    int batch, threads; /* in place of its own; 0: to resume */
};

/* @p o: room for the options, which are large. */
static int load(const char *path, const struct flx_st *st, const struct purpose *why,
                struct flx_train_options *o, struct flx_trainer **t)
{
    struct state s = {0};
    int status = check_format(path, st);
    if (status == FLX_OK)
        status = read_options(path, flx_st_meta(st, "options"), flx_st_meta(st, "network"), o);
    if (status == FLX_OK)
        status = read_state(path, flx_st_meta(st, "state"), &s);
    if (status == FLX_OK)
        status = check_given(path, o, why->asked, why->given);
    if (status == FLX_OK && why->batch) {
        o->batch = why->batch;
        o->bf16_forward = 1; /* a teacher: quick rather than exact */
        o->shards = 1;
        o->threads = why->threads;
    }
    if (status == FLX_OK)
        status = flx_trainer_create(o, s.h, s.w, s.c, s.classes, s.dataset, t);
    if (status == FLX_OK)
        status = read_tensors(path, st, *t);
    if (status != FLX_OK)
        return status;
    (*t)->epoch = s.epoch;
    (*t)->step = (uint64_t)s.step;
    (*t)->correct = (uint64_t)s.correct;
    (*t)->loss_sum = s.loss_sum;
    return FLX_OK;
}

static int open_checkpoint(const char *path, const struct purpose *why, struct flx_trainer **out)
{
    struct flx_st *st = NULL;
    struct flx_trainer *t = NULL;
    struct flx_train_options *o = calloc(1, sizeof *o);
    int status = o ? flx_st_open(path, &st) : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status == FLX_OK)
        status = load(path, st, why, o, &t);
    flx_st_free(st);
    free(o);
    if (status != FLX_OK) {
        flx_trainer_free(t);
        return status;
    }
    *out = t;
    return FLX_OK;
}

int flx_checkpoint_load(const char *path, const struct flx_train_options *asked,
                        const char *const *given, struct flx_trainer **out)
{
    return open_checkpoint(path, &(struct purpose){asked, given, 0, 0}, out);
}

int flx_checkpoint_read(const char *path, int batch, int threads, struct flx_trainer **out)
{
    return open_checkpoint(path, &(struct purpose){NULL, NULL, batch, threads}, out);
}
