/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "train_fixture.h"

/* Stops after step `stop`, counted over the whole run; 0: never. */
struct stopper {
    uint64_t stop;
};

static int stop_there(void *user, const struct flx_train_progress *p)
{
    const struct stopper *s = user;
    return s->stop && !p->epoch_done && p->step == s->stop;
}

static void check_resume(enum flx_train_mode mode, int sgd)
{
    struct flx_train_job job = small_job();
    struct stopper s = {0};
    job.options.mode = mode;
    job.options.sgd = sgd;
    job.progress = stop_there;
    job.user = &s;
    run_to(&job, in_dir("whole.ckpt"), FLX_OK);
    s.stop = 1 + flx_rng_u64(SEED, 99, (uint64_t)mode) % (3 * N_STEPS - 2);
    s.stop += s.stop % N_STEPS == 0; /* inside an epoch */
    print_message("seed %d: stop after step %d\n", SEED, (int)s.stop);
    run_to(&job, in_dir("part.ckpt"), FLX_ERR_INTERRUPTED);
    s.stop = 0;
    job.resume = in_dir("part.ckpt");
    run_to(&job, in_dir("resumed.ckpt"), FLX_OK);
    assert_same_file(in_dir("whole.ckpt"), in_dir("resumed.ckpt"));
}

static void resume_equals_the_uninterrupted_run(void **state)
{
    (void)state;
    check_resume(FLX_TRAIN_FLEXOR, 0);
    check_resume(FLX_TRAIN_FLOAT, 0);
    check_resume(FLX_TRAIN_BINARY, 1);
}

/* Every kind of state at once: planes, shards, S in steps, a network of its own. */
static void resume_keeps_all_kinds_of_state(void **state)
{
    (void)state;
    static const char *const options[][2] = {
        {"planes", "2"},      {"shards", "2"},     {"schedule", "step"}, {"decay-epochs", "1,2"},
        {"s-double", "on"},   {"s-start", "5"},    {"warmup", "0.1"},    {"optimiser", "sgd"},
        {"plane-xor", "own"}, {"test-every", "2"}, {"bn-images", "100"}, {"distill", "0.3"}};
    struct flx_train_job job = small_job();
    struct stopper s = {27};
    char *network = in_dir("own.json"), *teacher = in_dir("teacher.ckpt");
    write_network(network, 4);
    snprintf(job.options.model, sizeof job.options.model, "%s", network);
    job.options.mode = FLX_TRAIN_FLOAT;
    run_to(&job, teacher, FLX_OK);
    job.options.mode = FLX_TRAIN_FLEXOR;
    snprintf(job.options.teacher, sizeof job.options.teacher, "%s", teacher);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        assert_int_equal(flx_train_option_set(&job.options, options[i][0], options[i][1]), FLX_OK);
    run_to(&job, in_dir("whole.ckpt"), FLX_OK);
    job.progress = stop_there;
    job.user = &s;
    run_to(&job, in_dir("part.ckpt"), FLX_ERR_INTERRUPTED);
    assert_int_equal(remove(network), 0); /* its text is in the checkpoint */
    struct flx_train_job again = {.resume = in_dir("part.ckpt")};
    flx_train_defaults(&again.options);
    run_to(&again, in_dir("resumed.ckpt"), FLX_OK);
    assert_same_file(in_dir("whole.ckpt"), in_dir("resumed.ckpt"));
    struct flx_model *m = NULL;
    assert_int_equal(remove(teacher), 0);
    assert_int_equal(flx_pack_checkpoint(in_dir("resumed.ckpt"), &m), FLX_OK);
    assert_string_equal(m->name, "tiny");
    flx_model_free(m);
}

static void twenty_interruptions_change_nothing(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct stopper s = {0};
    job.options.epochs = 6;
    run_to(&job, in_dir("whole.ckpt"), FLX_OK);
    job.progress = stop_there;
    job.user = &s;
    print_message("seed %d\n", SEED);
    for (uint64_t k = 0; k < 20; k++) {
        s.stop += 1 + flx_rng_u64(SEED, 98, k) % 5;
        s.stop += s.stop % N_STEPS == 0; /* inside an epoch */
        run_to(&job, in_dir("part.ckpt"), FLX_ERR_INTERRUPTED);
        job.resume = job.checkpoint;
    }
    s.stop = 0;
    run_to(&job, in_dir("part.ckpt"), FLX_OK);
    assert_same_file(in_dir("whole.ckpt"), in_dir("part.ckpt"));
}

static void resume_refuses_other_options(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    job.options.epochs = 1;
    run_to(&job, in_dir("one.ckpt"), FLX_OK);
    job.resume = in_dir("one.ckpt");
    job.given = (const char *const[]){"lr", NULL};
    run_to(&job, NULL, FLX_OK); /* given, but the same */
    job.options.lr = 0.002;
    run_to(&job, NULL, FLX_ERR_ARG);
    assert_non_null(strstr(flx_last_error(), "--lr"));
}

/* Every truncation and a flipped byte in the header end in a status, not a crash. */
static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_model *m = NULL;
    uint8_t *data;
    size_t len;
    job.options.epochs = 1;
    run_to(&job, in_dir("good.ckpt"), FLX_OK);
    read_all(in_dir("good.ckpt"), &data, &len);
    static const size_t cuts[] = {0, 7, 8, 100, 2000};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_file(in_dir("cut.ckpt"), data, cuts[i]);
        assert_int_not_equal(flx_pack_checkpoint(in_dir("cut.ckpt"), &m), FLX_OK);
    }
    write_file(in_dir("cut.ckpt"), data, len - 1);
    assert_int_not_equal(flx_pack_checkpoint(in_dir("cut.ckpt"), &m), FLX_OK);
    for (size_t at = 8; at < 1200; at += 13) {
        data[at] ^= 0x15;
        write_file(in_dir("flip.ckpt"), data, len);
        if (flx_pack_checkpoint(in_dir("flip.ckpt"), &m) == FLX_OK)
            flx_model_free(m); /* a byte of a number that is still valid */
        m = NULL;
        data[at] ^= 0x15;
    }
    free(data);
}

/* The program next to this one: build/tests/test_train -> build/flexor. */
static int find_program(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    assert_true(n > 0);
    path[n] = 0;
    for (int i = 0; i < 2; i++)
        *strrchr(path, '/') = 0;
    strncat(path, "/flexor", size - strlen(path) - 1);
    return access(path, X_OK) == 0;
}

static pid_t start_program(const char *program, const char *const args[])
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execv(program, (char *const *)(uintptr_t)args);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static int exit_code_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ctrl_c_leaves_a_checkpoint_that_resumes(void **state)
{
    (void)state;
    char program[4096];
    char *whole = in_dir("cli-whole.ckpt"), *part = in_dir("cli-part.ckpt"), *log = in_dir("log");
    if (!find_program(program, sizeof program)) {
        print_message("skipped: %s is not built\n", program);
        skip();
    }
    const char *const full[] = {program,        "train",     "--data", data_option, "--batch",
                                "20",           "--threads", "1",      "--epochs",  "12",
                                "--checkpoint", whole,       NULL};
    const char *const first[] = {program,        "train", "--data",   data_option, "--batch", "20",
                                 "--threads",    "1",     "--epochs", "12",        "--json",  log,
                                 "--checkpoint", part,    NULL};
    const char *const again[] = {program, "train", "--resume", part, NULL};
    assert_int_equal(exit_code_of(start_program(program, full)), 0);
    pid_t pid = start_program(program, first);
    while (access(part, R_OK)) /* the first epoch is over: it trains */
        usleep(1000);
    kill(pid, SIGINT);
    int code = exit_code_of(pid);
    assert_true(code == 130 || code == 0); /* 0: it was faster than the signal */
    assert_int_equal(exit_code_of(start_program(program, again)), 0);
    assert_same_file(whole, part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume_equals_the_uninterrupted_run),
        cmocka_unit_test(resume_keeps_all_kinds_of_state),
        cmocka_unit_test(twenty_interruptions_change_nothing),
        cmocka_unit_test(resume_refuses_other_options),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(ctrl_c_leaves_a_checkpoint_that_resumes),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
