/* SPDX-License-Identifier: Apache-2.0 */
/* Shards of a batch against the same parts worked on one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train_fixture.h"

#define BATCH 40

/* A trainer of the residual network, with @p batch images a step in @p shards. */
static struct flx_trainer *make_trainer(int batch, int shards)
{
    struct flx_train_options *o = malloc(sizeof *o);
    struct flx_trainer *t = NULL;
    char *path = in_dir("tiny.json");
    assert_non_null(o);
    write_network(path, 4);
    flx_train_defaults(o);
    snprintf(o->data, sizeof o->data, "%s", data_option);
    snprintf(o->model, sizeof o->model, "%s", path);
    o->batch = batch;
    o->shards = shards;
    o->planes = 2;
    o->threads = 1;
    assert_int_equal(flx_train_options_check(o), FLX_OK);
    assert_int_equal(flx_trainer_create(o, SIDE, SIDE, 1, 10, "idx", &t), FLX_OK);
    free(o);
    return t;
}

/* What one part of the batch says, from the start. */
static void run_part(struct flx_trainer *t, const struct flx_dataset *d, int part, double *loss)
{
    struct flx_loss kind = {0};
    size_t at = (size_t)part * (size_t)t->net->batch;
    int correct;
    flx_trainer_weights(t);
    assert_int_equal(flx_net_forward(t->net, d->images + at * SIDE * SIDE, 1), FLX_OK);
    flx_net_loss(t->net, d->labels + at, t->net->batch, &kind, loss, &correct);
    assert_int_equal(flx_net_backward(t->net), FLX_OK);
}

static void assert_mean(const float *sum, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(sum[i] == 0.5F * (a[i] + b[i]));
}

static void two_shards_add_up_to_their_parts(void **state)
{
    (void)state;
    struct flx_dataset d;
    assert_int_equal(flx_dataset_load(data_option, FLX_TRAIN, BATCH, &d), FLX_OK);
    struct flx_trainer *whole = make_trainer(BATCH, 2);
    struct flx_trainer *first = make_trainer(BATCH / 2, 1), *second = make_trainer(BATCH / 2, 1);
    double a, b;
    run_part(first, &d, 0, &a);
    run_part(second, &d, 1, &b);
    assert_int_equal(flx_trainer_step(whole, d.images, d.labels, 10), FLX_OK);
    assert_true(whole->loss_sum > (a + b) / 2 - 1e-6 && whole->loss_sum < (a + b) / 2 + 1e-6);
    for (int i = 0; i < whole->net->n_nodes; i++) {
        const struct flx_node *w = &whole->net->nodes[i], *x = &first->net->nodes[i];
        const struct flx_node *y = &second->net->nodes[i];
        size_t c = (size_t)w->out_c;
        assert_mean(w->dw, x->dw, y->dw, w->n_weights);
        assert_mean(w->dbeta, x->dbeta, y->dbeta, c);
        assert_mean(w->dalpha, x->dalpha, y->dalpha, c);
        if (w->planes > 1)
            assert_mean(w->dratio[1], x->dratio[1], y->dratio[1], c);
        if (w->kind == FLX_NODE_LOGITS)
            continue;
        assert_mean(w->dgamma, x->dgamma, y->dgamma, c);
        assert_mean(w->mean, x->mean, y->mean, c);
        assert_mean(w->var, x->var, y->var, c);
        assert_true(w->range == (x->range > y->range ? x->range : y->range));
    }
    flx_trainer_free(whole);
    flx_trainer_free(first);
    flx_trainer_free(second);
    flx_dataset_free(&d);
}

/* Two trainers that hold one shard each and exchange their parts end as one with both. */
static void shards_may_be_worked_on_elsewhere(void **state)
{
    (void)state;
    struct flx_dataset d;
    assert_int_equal(flx_dataset_load(data_option, FLX_TRAIN, BATCH, &d), FLX_OK);
    struct flx_trainer *t[2] = {make_trainer(BATCH, 2), make_trainer(BATCH, 2)};
    size_t floats = t[0]->shard_floats;
    float *parts = malloc(2 * floats * sizeof *parts);
    double loss[2];
    int correct[2];
    assert_non_null(parts);
    for (int k = 0; k < 2; k++) {
        flx_shards_begin(t[k]);
        flx_shards_restart(t[k]);
        run_part(t[k], &d, k, &loss[k]);
        flx_shard_take(t[k], loss[k], 3 + k, parts + (size_t)k * floats);
    }
    for (int k = 0; k < 2; k++)
        flx_shards_sum(t[k], parts, 2, &loss[k], &correct[k]);
    assert_true(loss[0] == loss[1]);
    assert_int_equal(correct[0], 7);
    for (int i = 0; i < t[0]->n_fields; i++)
        assert_memory_equal(t[0]->fields[i].p, t[1]->fields[i].p,
                            t[0]->fields[i].n * sizeof(float));
    free(parts);
    flx_trainer_free(t[0]);
    flx_trainer_free(t[1]);
    flx_dataset_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_shards_add_up_to_their_parts),
        cmocka_unit_test(shards_may_be_worked_on_elsewhere),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
