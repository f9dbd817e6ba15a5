/* SPDX-License-Identifier: Apache-2.0 */
/* Runs on a small set of images that the test draws: each class has stripes of
 * its own direction and width, with noise. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "flexor/exec.h"
#include "flexor/file.h"
#include "flexor/rng.h"
#include "flexor/status.h"
#include "quant/quant.h"

#define SIDE    20
#define N_TRAIN 400
#define N_TEST  100
#define N_STEPS 20 /* an epoch: 400 images in batches of 20 */
#define SEED    11

static char dir[64], data_option[128];

static char *in_dir(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void draw_image(struct flx_rng *rng, int label, uint8_t *image)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int on = (label % 2 ? x : y) / (2 + label / 2) % 2;
            image[y * SIDE + x] = (uint8_t)((on ? 140 : 20) + flx_rng_below(rng, 100));
        }
}

static void write_split(const char *prefix, int n, uint64_t stream)
{
    size_t pixels = (size_t)n * SIDE * SIDE;
    uint8_t *images = calloc(16 + pixels, 1), *labels = calloc(8 + (size_t)n, 1);
    struct flx_rng rng;
    char name[64];
    assert_non_null(images);
    assert_non_null(labels);
    flx_rng_init(&rng, SEED, stream);
    memcpy(images,
           (const uint8_t[16]){0, 0, 8, 3, 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, SIDE, 0, 0,
                               0, SIDE},
           16);
    memcpy(labels, (const uint8_t[8]){0, 0, 8, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}, 8);
    for (int i = 0; i < n; i++) {
        labels[8 + i] = (uint8_t)(i % 10);
        draw_image(&rng, i % 10, images + 16 + (size_t)i * SIDE * SIDE);
    }
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    write_file(in_dir(name), images, 16 + pixels);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    write_file(in_dir(name), labels, 8 + (size_t)n);
    free(images);
    free(labels);
}

static int make_data(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/flexor-test-train-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    write_split("train", N_TRAIN, 0);
    write_split("t10k", N_TEST, 1);
    snprintf(data_option, sizeof data_option, "idx:%s", dir);
    return 0;
}

static int remove_data(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

/* Stops after step `stop`, counted over the whole run; 0: never. */
struct stopper {
    uint64_t stop;
};

static int stop_there(void *user, const struct flx_train_progress *p)
{
    const struct stopper *s = user;
    return s->stop && !p->epoch_done && p->step == s->stop;
}

static struct flx_train_job small_job(void)
{
    struct flx_train_job job = {0};
    flx_train_defaults(&job.options);
    snprintf(job.options.data, sizeof job.options.data, "%s", data_option);
    job.options.epochs = 3;
    job.options.batch = 20;
    job.options.threads = 1;
    job.options.augment = FLX_AUGMENT_FLIP_SHIFT;
    return job;
}

static void read_all(const char *path, uint8_t **data, size_t *len)
{
    assert_int_equal(flx_file_read(path, data, len), FLX_OK);
}

static void assert_same_file(const char *a, const char *b)
{
    uint8_t *x, *y;
    size_t n, m;
    read_all(a, &x, &n);
    read_all(b, &y, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void run_to(struct flx_train_job *job, const char *checkpoint, int want)
{
    struct flx_train_result r;
    job->checkpoint = checkpoint;
    assert_int_equal(flx_train_run(job, &r), want);
}

static void same_seed_gives_the_same_checkpoint(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    char *a = in_dir("a.ckpt"), *b = in_dir("b.ckpt");
    job.options.epochs = 1;
    job.options.threads = 2;
    job.options.train_images = 100; /* waiting threads are slow on a busy machine */
    run_to(&job, a, FLX_OK);
    run_to(&job, b, FLX_OK);
    assert_same_file(a, b);
}

static void another_seed_gives_another_checkpoint(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    job.options.epochs = 1;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    double loss = r.loss;
    job.options.seed = 2;
    assert_int_equal(flx_train_run(&job, &r), FLX_OK);
    assert_true(loss != r.loss);
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

static void all_modes_learn(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    for (int mode = FLX_TRAIN_FLEXOR; mode <= FLX_TRAIN_FLOAT; mode++) {
        job.options.mode = (enum flx_train_mode)mode;
        job.options.epochs = 6;
        job.options.augment = FLX_AUGMENT_NONE;
        job.output = mode == FLX_TRAIN_FLOAT ? NULL : in_dir("m.safetensors");
        assert_int_equal(flx_train_run(&job, &r), FLX_OK);
        print_message("mode %d: %.2f %.2f\n", mode, r.test_accuracy, r.integer_accuracy);
        assert_true(r.test_accuracy > 0.9);
        if (job.output)
            assert_true(r.integer_accuracy > r.test_accuracy - 0.021);
    }
}

/* Codes of the trainer's float evaluation against the integer network's. */
struct difference {
    size_t codes, unequal;
    int largest, largest_first; /* over all layers; in the first */
};

static void compare_codes(struct flx_trainer *t, struct flx_exec *e, const uint8_t *images, int n,
                          struct difference *d)
{
    for (int i = 0; i + 1 < t->net->n_nodes; i++) {
        const struct flx_node *nd = &t->net->nodes[i];
        size_t size = (size_t)n * (size_t)(nd->out_h * nd->out_w * nd->out_c);
        uint8_t *codes = malloc(size);
        assert_non_null(codes);
        assert_int_equal(flx_exec_activations(e, images, n, i, codes), FLX_OK);
        for (size_t k = 0; k < size; k++) {
            int gap = abs(codes[k] - nd->codes[k]);
            d->codes++;
            d->unequal += gap != 0;
            d->largest = gap > d->largest ? gap : d->largest;
            if (i == 0)
                d->largest_first = gap > d->largest_first ? gap : d->largest_first;
        }
        free(codes);
    }
}

/* Multipliers are rounded to 13 bits or more, so a value close to a half may fall
 * on its other side: the first layer's codes differ by at most 1, rarely. The next
 * layers sum such differences, with both signs. */
static void integer_codes_equal_the_float_evaluation_up_to_rounding(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    struct flx_exec *e = NULL;
    struct flx_dataset test;
    struct difference d = {0};
    run_to(&job, in_dir("codes.ckpt"), FLX_OK);
    assert_int_equal(flx_checkpoint_load(in_dir("codes.ckpt"), NULL, NULL, &t), FLX_OK);
    assert_int_equal(flx_pack_checkpoint(in_dir("codes.ckpt"), &m), FLX_OK);
    assert_int_equal(flx_dataset_load(data_option, FLX_TEST, 0, &test), FLX_OK);
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    flx_trainer_weights(t);
    for (int at = 0; at + 20 <= N_TEST; at += 20) {
        const uint8_t *images = test.images + (size_t)at * SIDE * SIDE;
        assert_int_equal(flx_net_forward(t->net, images, 0), FLX_OK);
        compare_codes(t, e, images, 20, &d);
    }
    print_message("%zu of %zu codes differ, by at most %d\n", d.unequal, d.codes, d.largest);
    assert_true(d.codes > 100000);
    assert_true(d.largest_first <= 1);
    assert_true(d.largest <= 3);
    assert_true(d.unequal * 50 <= d.codes);
    flx_exec_free(e);
    flx_model_free(m);
    flx_dataset_free(&test);
    flx_trainer_free(t);
}

static void packed_weights_are_those_of_training(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_trainer *t = NULL;
    struct flx_model *m = NULL;
    static const enum flx_slice_order orders[] = {FLX_SLICE_TILE, FLX_SLICE_FLAT};
    for (int k = 0; k < 2; k++) {
        job.options.epochs = 1;
        job.options.order = orders[k];
        job.options.xor_kind = k ? FLX_TRAIN_FILL : FLX_TRAIN_NESTED;
        run_to(&job, in_dir("w.ckpt"), FLX_OK);
        assert_int_equal(flx_checkpoint_load(in_dir("w.ckpt"), NULL, NULL, &t), FLX_OK);
        assert_int_equal(flx_trainer_pack(t, &m), FLX_OK);
        flx_trainer_weights(t);
        for (int i = 0; i < m->n_layers; i++) {
            const struct flx_node *nd = &t->net->nodes[i];
            int8_t *w = malloc(nd->n_weights);
            assert_non_null(w);
            assert_int_equal(flx_layer_weights(m, &m->layers[i], 0, w), FLX_OK);
            assert_memory_equal(w, nd->w8, nd->n_weights);
            free(w);
        }
        flx_model_free(m);
        flx_trainer_free(t);
    }
}

static void float_weights_are_not_packed(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    struct flx_train_result r;
    struct flx_model *m = NULL;
    job.options.mode = FLX_TRAIN_FLOAT;
    job.options.epochs = 1;
    job.output = in_dir("none.safetensors");
    assert_int_equal(flx_train_run(&job, &r), FLX_ERR_UNSUPPORTED);
    job.output = NULL;
    run_to(&job, in_dir("f.ckpt"), FLX_OK);
    assert_int_equal(flx_pack_checkpoint(in_dir("f.ckpt"), &m), FLX_ERR_UNSUPPORTED);
    assert_null(m);
}

static void impossible_jobs_are_refused(void **state)
{
    (void)state;
    struct flx_train_job job = small_job();
    job.options.train_images = 10;
    run_to(&job, NULL, FLX_ERR_ARG);
    job = small_job();
    job.options.batch = 500; /* more than all images */
    run_to(&job, NULL, FLX_ERR_ARG);
    job = small_job();
    snprintf(job.options.data, sizeof job.options.data, "idx:%s/missing", dir);
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
    job = small_job();
    run_to(&job, in_dir("missing/x.ckpt"), FLX_ERR_NOT_FOUND);
    job.resume = in_dir("missing.ckpt");
    run_to(&job, NULL, FLX_ERR_NOT_FOUND);
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
        cmocka_unit_test(same_seed_gives_the_same_checkpoint),
        cmocka_unit_test(another_seed_gives_another_checkpoint),
        cmocka_unit_test(resume_equals_the_uninterrupted_run),
        cmocka_unit_test(resume_refuses_other_options),
        cmocka_unit_test(all_modes_learn),
        cmocka_unit_test(integer_codes_equal_the_float_evaluation_up_to_rounding),
        cmocka_unit_test(packed_weights_are_those_of_training),
        cmocka_unit_test(float_weights_are_not_packed),
        cmocka_unit_test(impossible_jobs_are_refused),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(ctrl_c_leaves_a_checkpoint_that_resumes),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
