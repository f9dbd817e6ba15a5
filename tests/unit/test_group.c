/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks of a group, here threads of one process. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/group.h"
#include "train_fixture.h"

#define RANKS 2

/* What the ranks share: a table, and the moments at which it is full and free again. */
struct table {
    pthread_barrier_t full, read;
    char parts[1 << 22];
};

static struct table *table;

static int gather(struct flx_group *g, void *all, size_t bytes)
{
    char *mine = (char *)all + (size_t)g->rank * bytes;
    if (bytes * RANKS > sizeof table->parts)
        return flx_fail(FLX_ERR_INTERNAL, "the table is too small");
    memcpy(table->parts + (size_t)g->rank * bytes, mine, bytes);
    pthread_barrier_wait(&table->full);
    memcpy(all, table->parts, bytes * RANKS);
    pthread_barrier_wait(&table->read);
    return FLX_OK;
}

/* One rank: what it does, and what came of it. */
struct rank {
    struct flx_group *g;
    int bring, status; /* to agree on */
    struct flx_train_job job;
    int stop_after; /* steps; 0: never */
    char text[512];
};

static void *agree(void *arg)
{
    struct rank *r = arg;
    if (r->bring != FLX_OK)
        flx_fail(r->bring, "sentence %d", r->g->rank);
    r->status = flx_group_agree(r->g, r->bring);
    snprintf(r->text, sizeof r->text, "%s", flx_last_error());
    return NULL;
}

static void *train(void *arg)
{
    struct rank *r = arg;
    struct flx_train_result result;
    r->status = flx_train_run(&r->job, &result);
    snprintf(r->text, sizeof r->text, "%s", flx_last_error());
    return NULL;
}

static void run_ranks(void *(*work)(void *), struct rank *r)
{
    pthread_t threads[RANKS];
    table = calloc(1, sizeof *table);
    assert_non_null(table);
    pthread_barrier_init(&table->full, NULL, RANKS);
    pthread_barrier_init(&table->read, NULL, RANKS);
    for (int i = 0; i < RANKS; i++) {
        r[i].g = flx_group_create(i, RANKS, gather, NULL);
        assert_non_null(r[i].g);
        r[i].job.group = r[i].g;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &r[i]), 0);
    }
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        flx_group_free(r[i].g);
    }
    pthread_barrier_destroy(&table->full);
    pthread_barrier_destroy(&table->read);
    free(table);
}

static void assert_agreed(int first, int second, int want, const char *text)
{
    struct rank *r = calloc(RANKS, sizeof *r);
    r[0].bring = first;
    r[1].bring = second;
    run_ranks(agree, r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r[i].status, want);
        if (want != FLX_OK)
            assert_string_equal(r[i].text, text);
    }
    free(r);
}

static void all_well_is_all_well(void **state)
{
    (void)state;
    assert_agreed(FLX_OK, FLX_OK, FLX_OK, "");
}

static void a_failure_of_one_is_the_failure_of_all(void **state)
{
    (void)state;
    assert_agreed(FLX_OK, FLX_ERR_IO, FLX_ERR_IO, "rank 1 of 2: sentence 1");
    assert_agreed(FLX_ERR_ARG, FLX_ERR_IO, FLX_ERR_ARG, "sentence 0");
}

static void a_failure_counts_more_than_a_stop(void **state)
{
    (void)state;
    assert_agreed(FLX_ERR_INTERRUPTED, FLX_ERR_CRC, FLX_ERR_CRC, "rank 1 of 2: sentence 1");
    assert_agreed(FLX_OK, FLX_ERR_INTERRUPTED, FLX_ERR_INTERRUPTED, "sentence 1");
}

static int on_step(void *user, const struct flx_train_progress *p)
{
    const struct rank *r = user;
    return r->stop_after && p->step >= (uint64_t)r->stop_after;
}

static struct rank *make_ranks(const char *checkpoint)
{
    struct rank *r = calloc(RANKS, sizeof *r);
    assert_non_null(r);
    for (int i = 0; i < RANKS; i++) {
        r[i].job = small_job();
        r[i].job.options.shards = 4;
        r[i].job.options.epochs = 2;
        r[i].job.checkpoint = checkpoint;
        r[i].job.progress = on_step;
        r[i].job.user = &r[i];
    }
    return r;
}

static const char *alone(void)
{
    struct flx_train_job job = small_job();
    const char *path = in_dir("alone.ckpt");
    job.options.shards = 4;
    job.options.epochs = 2;
    run_to(&job, path, FLX_OK);
    return path;
}

static void two_ranks_train_the_bits_of_one_process(void **state)
{
    (void)state;
    const char *one = alone(), *path = in_dir("ranks.ckpt");
    struct rank *r = make_ranks(path);
    run_ranks(train, r);
    assert_int_equal(r[0].status, FLX_OK);
    assert_int_equal(r[1].status, FLX_OK);
    assert_same_file(one, path);
    free(r);
}

static void one_rank_stops_all_and_any_number_of_ranks_resumes(void **state)
{
    (void)state;
    const char *one = alone(), *path = in_dir("stopped.ckpt"), *two = in_dir("two.ckpt");
    struct rank *r = make_ranks(path);
    r[1].stop_after = 7;
    run_ranks(train, r);
    assert_int_equal(r[0].status, FLX_ERR_INTERRUPTED);
    assert_int_equal(r[1].status, FLX_ERR_INTERRUPTED);
    free(r);
    r = make_ranks(two);
    r[0].job.resume = r[1].job.resume = path;
    run_ranks(train, r);
    assert_int_equal(r[0].status, FLX_OK);
    assert_same_file(one, two);
    free(r);
    struct flx_train_job job = small_job();
    job.resume = path;
    run_to(&job, in_dir("single.ckpt"), FLX_OK);
    assert_same_file(one, in_dir("single.ckpt"));
}

static void shards_that_ranks_cannot_share_are_refused(void **state)
{
    (void)state;
    struct rank *r = make_ranks(NULL);
    r[0].job.options.shards = r[1].job.options.shards = 5;
    run_ranks(train, r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r[i].status, FLX_ERR_ARG);
        assert_non_null(strstr(r[i].text, "5 shards"));
    }
    free(r);
}

/* Another seed on one machine stands for other arithmetic. */
static void ranks_whose_weights_differ_are_found(void **state)
{
    (void)state;
    struct rank *r = make_ranks(NULL);
    r[1].job.options.seed++;
    run_ranks(train, r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r[i].status, FLX_ERR_MISMATCH);
        assert_non_null(strstr(r[i].text, "rank 1 differ"));
    }
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_well_is_all_well),
        cmocka_unit_test(a_failure_of_one_is_the_failure_of_all),
        cmocka_unit_test(a_failure_counts_more_than_a_stop),
        cmocka_unit_test(two_ranks_train_the_bits_of_one_process),
        cmocka_unit_test(one_rank_stops_all_and_any_number_of_ranks_resumes),
        cmocka_unit_test(shards_that_ranks_cannot_share_are_refused),
        cmocka_unit_test(ranks_whose_weights_differ_are_found),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
