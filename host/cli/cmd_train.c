/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flexor/progress.h"
#include "flexor/status.h"
#include "flexor/train.h"

#define MAX_OPTIONS 96
#define FIRST       256 /* getopt value of training option 0 */

enum { OPT_FLOAT = 1000, OPT_BINARY, OPT_CHECKPOINT, OPT_RESUME, OPT_JSON };

static const struct option own_options[] = {
    {"float", no_argument, NULL, OPT_FLOAT},
    {"binary", no_argument, NULL, OPT_BINARY},
    {"output", required_argument, NULL, 'o'},
    {"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"json", required_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
};
#define N_OWN ((int)(sizeof own_options / sizeof own_options[0]))

struct train {
    struct flx_train_job job;
    const char *given[MAX_OPTIONS + 1], *text[MAX_OPTIONS]; /* in the order of the line */
    int n_given;
    const char *json_path;
    FILE *json;
    int help;
    const volatile sig_atomic_t *stop;
    struct flx_progress bar;
    char checkpoint[4096];
    struct flx_group *group; /* of mpirun, or NULL */
};

static void print_help(void)
{
    struct flx_train_options o;
    char text[512];
    flx_train_defaults(&o);
    puts("usage: flexor train [OPTION...] [-o MODEL]\n"
         "Trains a network and packs it into an integer model. Ctrl-C leaves a checkpoint.\n"
         "`mpirun -n 2 flexor train ...` shares each batch between 2 processes: the model is\n"
         "that of one process with --shards 2 and the same --threads (docs/training.md).");
    puts("  -o, --output MODEL  pack into this model file at the end\n"
         "  --checkpoint FILE   written after every epoch (default: MODEL.ckpt, or\n"
         "                      flexor-train.ckpt)\n"
         "  --resume FILE       continue a checkpoint, with its options\n"
         "  --json LOG          append one JSON object an epoch and one at the end\n"
         "  --float, --binary   short for --mode float, --mode binary");
    for (int i = 0; i < flx_train_option_count(); i++) {
        flx_train_option_text(&o, i, text, sizeof text);
        printf("  --%-13s %s [%s]\n", flx_train_option_name(i), flx_train_option_help(i), text);
    }
}

static int note(struct train *t, const char *name, const char *text)
{
    if (t->n_given == MAX_OPTIONS)
        return flx_fail(FLX_ERR_ARG, "more than %d options", MAX_OPTIONS);
    t->text[t->n_given] = text;
    t->given[t->n_given++] = name;
    return FLX_OK;
}

static int set(struct train *t, const char *name, const char *text)
{
    const struct flx_train_options *o = &t->job.options;
    int status = flx_train_option_set(&t->job.options, name, text);
    /* In a checkpoint 0 stands for "not given"; a user who says it means it. */
    if (!status &&
        ((!strcmp(name, "bits") && o->bits <= 0) || (!strcmp(name, "nin") && !o->n_in.n)))
        return flx_fail(FLX_ERR_ARG, "--%s: '%s' stores no bit a weight, give more than 0", name,
                        text);
    return status;
}

/* The recipe first, wherever it stands: the other options change it. */
static int set_all(struct train *t)
{
    int status = FLX_OK;
    if (t->group) {
        t->job.options.shards = t->group->size;
        t->job.options.threads = t->group->threads;
    }
    for (int i = 0; i < t->n_given && status == FLX_OK; i++)
        if (!strcmp(t->given[i], "recipe"))
            status = set(t, "recipe", t->text[i]);
    if (status == FLX_OK)
        status = flx_train_recipe(&t->job.options, t->job.options.recipe);
    for (int i = 0; i < t->n_given && status == FLX_OK; i++)
        status = set(t, t->given[i], t->text[i]);
    return status;
}

static int take_option(struct train *t, int c)
{
    switch (c) {
    case OPT_FLOAT:
        return note(t, "mode", "float");
    case OPT_BINARY:
        return note(t, "mode", "binary");
    case 'o':
        t->job.output = optarg;
        return FLX_OK;
    case OPT_CHECKPOINT:
        t->job.checkpoint = optarg;
        return FLX_OK;
    case OPT_RESUME:
        t->job.resume = optarg;
        return FLX_OK;
    case OPT_JSON:
        t->json_path = optarg;
        return FLX_OK;
    case 'h':
        t->help = 1;
        return FLX_OK;
    case '?':
        return FLX_ERR_ARG;
    default:
        return note(t, flx_train_option_name(c - FIRST), optarg);
    }
}

static int parse(struct train *t, int argc, char **argv)
{
    struct option all[MAX_OPTIONS + N_OWN + 1] = {0};
    int n = flx_train_option_count(), c, status = FLX_OK;
    if (n > MAX_OPTIONS)
        return flx_fail(FLX_ERR_INTERNAL, "too many training options");
    for (int i = 0; i < n; i++)
        all[i] = (struct option){flx_train_option_name(i), required_argument, NULL, FIRST + i};
    memcpy(all + n, own_options, sizeof own_options);
    flx_train_defaults(&t->job.options);
    t->job.given = t->given;
    while (status == FLX_OK && (c = flx_cli_option(argc, argv, "o:h", all)) != -1)
        status = take_option(t, c);
    if (status == FLX_OK)
        status = set_all(t);
    if (status == FLX_OK && !t->help)
        status = flx_cli_operands(argc, argv, 0, "");
    if (t->job.checkpoint || status != FLX_OK)
        return status;
    if (t->job.resume)
        snprintf(t->checkpoint, sizeof t->checkpoint, "%s", t->job.resume);
    else if (t->job.output)
        snprintf(t->checkpoint, sizeof t->checkpoint, "%s.ckpt", t->job.output);
    else
        snprintf(t->checkpoint, sizeof t->checkpoint, "flexor-train.ckpt");
    t->job.checkpoint = t->checkpoint;
    return FLX_OK;
}

static void log_json(struct train *t, json_t *line)
{
    if (t->json && line) {
        json_dumpf(line, t->json, JSON_COMPACT | JSON_REAL_PRECISION(9));
        fputc('\n', t->json);
        fflush(t->json);
    }
    json_decref(line);
}

static void report_epoch(struct train *t, const struct flx_train_progress *p)
{
    unsigned eta = (unsigned)(p->eta + 0.5);
    flx_progress_end(&t->bar);
    printf("epoch %3d/%d  loss %.4f  train %.2f %%  ", p->epoch, p->epochs, p->loss,
           100 * p->train_accuracy);
    if (p->test_accuracy >= 0)
        printf("test %.2f %%  ", 100 * p->test_accuracy);
    printf("%.0f images/s  ETA %u:%02u\n", p->images_per_second, eta / 60, eta % 60);
    fflush(stdout);
    json_t *j = json_pack("{s:i, s:I, s:f, s:f, s:f}", "epoch", p->epoch, "step",
                          (json_int_t)p->step, "loss", p->loss, "train_accuracy", p->train_accuracy,
                          "images_per_second", p->images_per_second);
    if (j && p->test_accuracy >= 0)
        json_object_set_new(j, "test_accuracy", json_real(p->test_accuracy));
    log_json(t, j);
}

static int on_progress(void *user, const struct flx_train_progress *p)
{
    struct train *t = user;
    char note[96];
    if (!flx_group_leads(t->group)) {
        return *t->stop != 0;
    } else if (p->epoch_done) {
        report_epoch(t, p);
    } else {
        if (!t->bar.total)
            flx_progress_begin(&t->bar, stderr, "training", p->steps);
        snprintf(note, sizeof note, "epoch %d  loss %.3f  acc %.1f %%  %.0f images/s", p->epoch,
                 p->loss, 100 * p->train_accuracy, p->images_per_second);
        if (t->bar.tty)
            flx_progress_update(&t->bar, p->step, note);
    }
    return *t->stop != 0;
}

/* A number when all layers have the same. */
static json_t *nin_json(const struct flx_int_list *l)
{
    if (l->n == 1)
        return json_integer(l->v[0]);
    json_t *list = json_array();
    for (int i = 0; i < l->n; i++)
        json_array_append_new(list, json_integer(l->v[i]));
    return list;
}

static void report_result(struct train *t, const struct flx_train_result *r)
{
    static const char *const modes[] = {"flexor", "binary", "float"};
    const struct flx_train_options *o = &r->options;
    printf("float evaluation: %.2f %% of %d test images\n", 100 * r->test_accuracy, r->test_images);
    if (r->integer_accuracy >= 0)
        printf("integer model:    %.2f %%, written to %s\n", 100 * r->integer_accuracy,
               t->job.output);
    json_t *j = json_pack("{s:b, s:s, s:s, s:s, s:f, s:i, s:I, s:i, s:i, s:f, s:f, s:i, s:f, s:f}",
                          "final", 1, "data", o->data, "model", o->model, "mode", modes[o->mode],
                          "bits", r->bits_per_weight, "nout", o->n_out, "seed", (json_int_t)o->seed,
                          "threads", o->threads, "epochs", o->epochs, "loss", r->loss,
                          "test_accuracy", r->test_accuracy, "test_images", r->test_images,
                          "seconds", r->seconds, "images_per_second", r->images_per_second);
    if (j && o->n_in.n)
        json_object_set_new(j, "nin", nin_json(&o->n_in));
    if (j && r->integer_accuracy >= 0)
        json_object_set_new(j, "integer_accuracy", json_real(r->integer_accuracy));
    log_json(t, j);
}

static int open_log(struct train *t)
{
    if (t->json_path && flx_group_leads(t->group) && !(t->json = fopen(t->json_path, "a")))
        return flx_fail(FLX_ERR_IO, "%s: %s", t->json_path, strerror(errno));
    return FLX_OK;
}

static int run(struct train *t)
{
    struct flx_train_result result;
    int status = flx_group_agree(t->group, open_log(t));
    if (status != FLX_OK)
        return status;
    t->stop = flx_cli_catch_interrupt();
    t->job.progress = on_progress;
    t->job.user = t;
    t->job.group = t->group;
    status = flx_train_run(&t->job, &result);
    flx_progress_end(&t->bar);
    if (!flx_group_leads(t->group))
        return status;
    if (status == FLX_OK)
        report_result(t, &result);
    else if (status == FLX_ERR_INTERRUPTED)
        fprintf(stderr, "checkpoint: %s (continue with --resume)\n", t->job.checkpoint);
    if (t->json)
        fclose(t->json);
    return status;
}

static int train(struct train *t, int argc, char **argv)
{
    int status = flx_group_agree(t->group, parse(t, argc, argv));
    if (status != FLX_OK)
        return status;
    if (!t->help)
        return run(t);
    if (flx_group_leads(t->group))
        print_help();
    return FLX_OK;
}

/* What all ranks agree on is said by one. */
static int leave_group(struct flx_group *g, int status)
{
    int speaks = flx_group_leads(g) || g->lost;
    int code = speaks ? flx_cli_fail("train", status) : flx_cli_code(status);
    fflush(stdout); /* the group may end by force */
    flx_group_close(g, code);
    return code;
}

int flx_cmd_train(int argc, char **argv)
{
    struct train *t = calloc(1, sizeof *t);
    if (!t)
        return flx_cli_fail("train", flx_fail(FLX_ERR_NOMEM, "out of memory"));
    int status = flx_group_open(&t->group);
    struct flx_group *group = t->group;
    if (status == FLX_OK)
        status = train(t, argc, argv);
    free(t);
    if (!group && status != FLX_OK && !flx_group_first_here())
        return 0; /* the error of the other counts */
    return leave_group(group, status);
}
