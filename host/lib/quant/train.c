/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "flexor/exec.h"
#include "flexor/progress.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant.h"

#define LEAST_CLASSES 10 /* of a named network */

/* One call of flx_train_run. */
struct run {
    const struct flx_train_job *job;
    struct flx_trainer *t;
    struct flx_dataset train, test;
    uint32_t *order;
    uint8_t *images, *labels;
    uint64_t steps;   /* of an epoch */
    uint64_t trained; /* steps of this call */
    double seconds;   /* of training alone */
};

static int check_sizes(const struct run *r)
{
    const struct flx_dataset *a = &r->train, *b = &r->test;
    const struct flx_trainer *t = r->t;
    if (a->height != t->in_h || a->width != t->in_w || a->channels != t->in_c ||
        b->height != t->in_h || b->width != t->in_w || b->channels != t->in_c)
        return flx_fail(FLX_ERR_ARG, "%s: training and test images differ in size", t->o.data);
    if (a->classes > t->net->classes || b->classes > t->net->classes)
        return flx_fail(FLX_ERR_ARG, "%s has %d classes, %s knows %d", t->o.data, a->classes,
                        t->o.model, t->net->classes);
    if (r->steps < 1)
        return flx_fail(FLX_ERR_ARG, "%s: %d images are less than one batch of %d", t->o.data, a->n,
                        t->o.batch);
    if (t->step >= r->steps || t->epoch > t->o.epochs)
        return flx_fail(FLX_ERR_FORMAT, "%s: step %llu of epoch %d does not exist", r->job->resume,
                        (unsigned long long)t->step, t->epoch + 1);
    return FLX_OK;
}

static int load_data(struct run *r, const struct flx_train_options *o)
{
    int status = flx_dataset_load(o->data, FLX_TRAIN, o->train_images, &r->train);
    if (status == FLX_OK)
        status = flx_dataset_load(o->data, FLX_TEST, 0, &r->test);
    return status;
}

static int create_trainer(struct run *r, const struct flx_train_options *o)
{
    int classes = r->train.classes > LEAST_CLASSES ? r->train.classes : LEAST_CLASSES;
    int status = flx_trainer_create(o, r->train.height, r->train.width, r->train.channels, classes,
                                    r->train.name, &r->t);
    if (status == FLX_OK && o->warm_start[0])
        status = flx_trainer_warm_start(r->t, o->warm_start);
    return status;
}

/* @p o: the options asked for, then as resolved. */
static int open_with(struct run *r, struct flx_train_options *o)
{
    int status = flx_train_options_check(o);
    if (status == FLX_OK && r->job->resume) {
        status = flx_checkpoint_load(r->job->resume, o, r->job->given, &r->t);
        if (status == FLX_OK)
            *o = r->t->o;
    }
    if (status == FLX_OK && r->job->output && o->mode == FLX_TRAIN_FLOAT)
        status = flx_fail(FLX_ERR_UNSUPPORTED, "float weights have no integer model: leave out "
                                               "the output, or train with --mode flexor or binary");
    if (status == FLX_OK)
        status = load_data(r, o);
    if (status == FLX_OK && !r->t)
        status = create_trainer(r, o);
    if (status == FLX_OK && o->teacher[0])
        status = flx_trainer_teach(r->t, o->teacher);
    return status;
}
static int open_trainer(struct run *r)
{
    struct flx_train_options *o = malloc(sizeof *o); /* large */
    if (!o)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    *o = r->job->options;
    int status = open_with(r, o);
    if (status == FLX_OK)
        status = flx_ranks_check(r->job->group, &r->t->o);
    if (status == FLX_OK)
        r->t->group = r->job->group;
    free(o);
    return status;
}

static int prepare(struct run *r)
{
    int status = open_trainer(r);
    if (status != FLX_OK)
        return status;
    size_t batch = (size_t)r->t->o.batch;
    size_t size = (size_t)(r->train.height * r->train.width * r->train.channels);
    r->steps = (uint64_t)r->train.n / batch;
    status = check_sizes(r);
    if (status != FLX_OK)
        return status;
    r->order = malloc((size_t)r->train.n * sizeof *r->order);
    r->images = malloc(batch * size);
    r->labels = malloc(batch);
    if (!r->order || !r->images || !r->labels)
        return flx_fail(FLX_ERR_NOMEM, "out of memory");
    return FLX_OK;
}

static void draw_order(struct run *r)
{
    struct flx_rng rng;
    for (int i = 0; i < r->train.n; i++)
        r->order[i] = (uint32_t)i;
    flx_rng_init(&rng, (uint64_t)r->t->o.seed, FLX_STREAM_ORDER + 16 * (uint64_t)r->t->epoch);
    flx_rng_shuffle(&rng, r->order, (uint32_t)r->train.n);
}

static struct flx_train_progress progress_of(const struct run *r)
{
    const struct flx_trainer *t = r->t;
    double done = (double)t->step, batch = t->o.batch;
    struct flx_train_progress p = {.epoch = t->epoch + 1,
                                   .epochs = t->o.epochs,
                                   .step = (uint64_t)t->epoch * r->steps + t->step,
                                   .steps = (uint64_t)t->o.epochs * r->steps};
    p.loss = t->loss_sum / done;
    p.train_accuracy = (double)t->correct / (done * batch);
    p.images_per_second = (double)r->trained * batch / (r->seconds > 0 ? r->seconds : 1e-9);
    p.eta = (double)(p.steps - p.step) * batch / p.images_per_second;
    return p;
}

/* Images and labels of the shards of this process, in the place of the whole batch. */
static void fill_batch(struct run *r)
{
    const struct flx_trainer *t = r->t;
    size_t size = (size_t)(t->in_h * t->in_w * t->in_c);
    int first, end;
    flx_ranks_shards(t, &first, &end);
    size_t at = (size_t)first * (size_t)t->net->batch;
    flx_batch_fill(&t->o, &r->train, r->order + t->step * (uint64_t)t->o.batch + at,
                   (end - first) * t->net->batch, t->epoch, r->images + at * size, r->labels + at);
}

/* The rest of the current epoch. FLX_ERR_INTERRUPTED when asked to stop. */
static int run_epoch(struct run *r)
{
    struct flx_trainer *t = r->t;
    draw_order(r);
    while (t->step < r->steps) {
        double start = flx_now();
        fill_batch(r);
        int status = flx_trainer_step(t, r->images, r->labels, r->steps);
        if (status != FLX_OK)
            return status;
        r->trained++;
        r->seconds += flx_now() - start;
        struct flx_train_progress p = progress_of(r);
        if (t->step < r->steps && r->job->progress && r->job->progress(r->job->user, &p))
            status =
                flx_fail(FLX_ERR_INTERRUPTED, "stopped in epoch %d after step %llu of %llu",
                         t->epoch + 1, (unsigned long long)t->step, (unsigned long long)r->steps);
        status = flx_group_agree(t->group, status);
        if (status != FLX_OK)
            return status;
    }
    return FLX_OK;
}

static int save(const struct run *r)
{
    if (!r->job->checkpoint || !flx_group_leads(r->job->group))
        return FLX_OK;
    return flx_checkpoint_save(r->t, r->job->checkpoint);
}

/* Test accuracy, when it is due. Batch norm of the final weights comes before. */
static int test_epoch(struct run *r, struct flx_train_progress *p)
{
    struct flx_trainer *t = r->t;
    int last = t->epoch + 1 == t->o.epochs, correct = 0, status = FLX_OK;
    p->test_accuracy = -1;
    if (last && t->o.bn_images)
        status = flx_group_agree(t->group, flx_trainer_calibrate(t, &r->train));
    if (status != FLX_OK || (!last && (t->epoch + 1) % t->o.test_every))
        return status;
    status = flx_trainer_evaluate(t, &r->test, &correct);
    p->test_accuracy = (double)correct / r->test.n;
    return status;
}

/* Closes the epoch: test accuracy, report, checkpoint. */
static int end_epoch(struct run *r, struct flx_train_result *result)
{
    struct flx_trainer *t = r->t;
    struct flx_train_progress p = progress_of(r);
    int status = flx_ranks_compare(t);
    if (status == FLX_OK)
        status = test_epoch(r, &p);
    if (status != FLX_OK)
        return status;
    p.epoch_done = 1;
    result->loss = p.loss;
    result->train_accuracy = p.train_accuracy;
    result->test_accuracy = p.test_accuracy;
    t->epoch++;
    t->step = 0;
    t->loss_sum = 0;
    t->correct = 0;
    status = save(r);
    if (status == FLX_OK && r->job->progress && r->job->progress(r->job->user, &p) &&
        t->epoch < t->o.epochs)
        status = flx_fail(FLX_ERR_INTERRUPTED, "stopped after epoch %d", t->epoch);
    return flx_group_agree(t->group, status);
}

static int integer_accuracy(struct run *r, const struct flx_model *m, double *accuracy)
{
    struct flx_exec *e = NULL;
    struct flx_dataset *d = &r->test;
    int correct = 0;
    flx_dataset_reduce(d, m->act_bits);
    int32_t *logits = malloc((size_t)d->n * (size_t)m->classes * sizeof *logits);
    int status = logits ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status == FLX_OK)
        status = flx_exec_create(m, r->t->o.threads, &e);
    if (status == FLX_OK)
        status = flx_exec_run(e, d->images, d->n, logits);
    for (int i = 0; status == FLX_OK && i < d->n; i++) {
        const int32_t *l = logits + (size_t)i * (size_t)m->classes;
        int best = 0;
        for (int k = 1; k < m->classes; k++)
            best = l[k] > l[best] ? k : best;
        correct += best == d->labels[i];
    }
    *accuracy = (double)correct / d->n;
    flx_exec_free(e);
    free(logits);
    return status;
}

static int pack_and_measure(struct run *r, struct flx_train_result *result)
{
    struct flx_model *m = NULL;
    int status = flx_trainer_pack(r->t, &m);
    if (status == FLX_OK)
        status = integer_accuracy(r, m, &result->integer_accuracy);
    if (status == FLX_OK)
        status = flx_model_save(m, r->job->output);
    flx_model_free(m);
    return status;
}

/* A finished checkpoint is evaluated again, for the report. */
static int finish(struct run *r, struct flx_train_result *result)
{
    int correct = 0, status = FLX_OK;
    if (!r->trained) {
        status = flx_trainer_evaluate(r->t, &r->test, &correct);
        result->test_accuracy = (double)correct / r->test.n;
    }
    result->options = r->t->o;
    result->bits_per_weight = r->t->bits_per_weight;
    result->test_images = r->test.n;
    result->seconds = r->seconds;
    if (r->seconds > 0)
        result->images_per_second = (double)r->trained * r->t->o.batch / r->seconds;
    if (status == FLX_OK && r->job->output && flx_group_leads(r->job->group))
        status = pack_and_measure(r, result);
    return status;
}

int flx_train_run(const struct flx_train_job *job, struct flx_train_result *result)
{
    struct run r = {.job = job};
    *result = (struct flx_train_result){.integer_accuracy = -1};
    int status = flx_group_agree(job->group, prepare(&r));
    while (status == FLX_OK && r.t->epoch < r.t->o.epochs) {
        status = run_epoch(&r);
        if (status == FLX_ERR_INTERRUPTED) {
            int saved = save(&r);
            status = saved == FLX_OK ? status : saved;
        } else if (status == FLX_OK) {
            status = end_epoch(&r, result);
        }
    }
    if (status == FLX_OK)
        status = finish(&r, result);
    flx_trainer_free(r.t);
    flx_dataset_free(&r.train);
    flx_dataset_free(&r.test);
    free(r.order);
    free(r.images);
    free(r.labels);
    return status;
}
