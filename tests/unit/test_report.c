/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flexor/safetensors.h"
#include "flexor/status.h"
#include "report/report_internal.h"
#include "tempdir.h"

static struct tempdir dir;

static int make_dir(void **state)
{
    (void)state;
    tempdir_make(&dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    tempdir_remove(&dir);
    return 0;
}

/* Writes a log and reads it. */
static int read_log(const char *text, struct flx_report_log *log)
{
    tempdir_write(&dir, "run.json", text, strlen(text));
    return flx_report_log_read(tempdir_file(&dir, "run.json"), log);
}

static void a_log_gives_its_epochs_and_the_last_line(void **state)
{
    (void)state;
    struct flx_report_log log;
    assert_int_equal(read_log("{\"epoch\":1,\"loss\":0.5,\"test_accuracy\":0.8}\n"
                              "{\"epoch\":2,\"loss\":0.25,\"train_accuracy\":0.875}\n"
                              "{\"final\":true,\"bits\":0.6}\n",
                              &log),
                     FLX_OK);
    assert_int_equal(log.n, 2);
    assert_float_equal(log.epochs[1].loss, 0.25, 0);
    assert_float_equal(log.epochs[1].train_accuracy, 0.875, 0);
    assert_true(isnan(log.epochs[1].test_accuracy));
    assert_float_equal(json_number_value(json_object_get(log.final, "bits")), 0.6, 0);
    flx_report_log_free(&log);
}

static void a_second_run_in_a_log_replaces_the_first(void **state)
{
    (void)state;
    struct flx_report_log log;
    assert_int_equal(read_log("{\"epoch\":1,\"loss\":1}\n{\"epoch\":2,\"loss\":2}\n"
                              "{\"final\":true}\n{\"epoch\":1,\"loss\":3}\n",
                              &log),
                     FLX_OK);
    assert_int_equal(log.n, 1);
    assert_float_equal(log.epochs[0].loss, 3, 0);
    assert_null(log.final);
    flx_report_log_free(&log);
}

static void epochs_that_a_resumed_run_repeats_are_replaced(void **state)
{
    (void)state;
    struct flx_report_log log;
    assert_int_equal(read_log("{\"epoch\":1,\"loss\":1}\n{\"epoch\":2,\"loss\":2}\n"
                              "{\"epoch\":2,\"loss\":4}\n{\"epoch\":3,\"loss\":5}\n",
                              &log),
                     FLX_OK);
    assert_int_equal(log.n, 3);
    assert_float_equal(log.epochs[1].loss, 4, 0);
    flx_report_log_free(&log);
}

static void what_is_no_log_is_refused_with_its_line(void **state)
{
    (void)state;
    struct flx_report_log log;
    assert_int_equal(read_log("{\"epoch\":1}\n{\"epoch\":2\n", &log), FLX_ERR_FORMAT);
    assert_non_null(strstr(flx_last_error(), "line 2"));
    assert_int_equal(read_log("{\"name\":\"net\"}\n", &log), FLX_ERR_FORMAT);
    assert_int_equal(read_log("{\"epoch\":0}\n", &log), FLX_ERR_FORMAT);
    assert_int_equal(read_log("", &log), FLX_ERR_FORMAT);
}

static void assert_html(const char *text, const char *expected)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);
    flx_html_text(f, text);
    fclose(f);
    assert_string_equal(out, expected);
    free(out);
}

static void text_in_the_page_is_escaped(void **state)
{
    (void)state;
    assert_html("<b a=\"1\">&'", "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
    assert_html("caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac");
    assert_html("bad \xc3 \xff\x80 end\xe2\x82", "bad ? ?? end??");
    assert_html("a\nb\x7f", "a?b?");
}

static void counts_are_grouped_in_thousands(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234007, "1,234,007"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = NULL;
        size_t len = 0;
        FILE *f = open_memstream(&out, &len);
        flx_html_count(f, cases[i].n);
        fclose(f);
        assert_string_equal(out, cases[i].text);
        free(out);
    }
}

/* A checkpoint with encrypted weights, their moments and another tensor. */
static void write_checkpoint(const char *name, const float *x, size_t n)
{
    static const float ones[64] = {1};
    const struct flx_st_tensor tensors[] = {
        {.name = "conv1.x", .dtype = FLX_ST_F32, .rank = 1, .shape = {n}, .data = x},
        {.name = "conv1.x.m", .dtype = FLX_ST_F32, .rank = 1, .shape = {64}, .data = ones},
        {.name = "conv1.alpha", .dtype = FLX_ST_F32, .rank = 1, .shape = {64}, .data = ones},
        {.name = "conv2.x1", .dtype = FLX_ST_F32, .rank = 1, .shape = {64}, .data = ones},
    };
    const struct flx_st_meta meta[] = {{"format", "flexor-checkpoint"},
                                       {"options", "{\"mode\":\"flexor\",\"lr\":\"0.1\"}"}};
    assert_int_equal(flx_st_save(tempdir_file(&dir, name), tensors, 4, meta, 2), FLX_OK);
}

static void a_checkpoint_gives_options_and_histograms_without_padding(void **state)
{
    (void)state;
    static const float x[6] = {-0.5F, 0.25F, 0.5F, 0.25F, 0, 0};
    struct flx_report_run run = {0};
    write_checkpoint("run.ckpt", x, 6);
    assert_int_equal(flx_report_checkpoint_read(tempdir_file(&dir, "run.ckpt"), &run), FLX_OK);
    assert_string_equal(json_string_value(json_object_get(run.options, "lr")), "0.1");
    assert_int_equal(run.n_histograms, 2);
    const struct flx_report_histogram *h = &run.histograms[0];
    assert_string_equal(h->name, "conv1");
    assert_string_equal(run.histograms[1].name, "conv2, plane 1");
    assert_int_equal(h->n, 4);
    assert_float_equal(h->max, 0.5, 0);
    assert_int_equal(h->bins[0], 1);
    assert_int_equal(h->bins[FLX_REPORT_BINS * 3 / 4], 2);
    assert_int_equal(h->bins[FLX_REPORT_BINS - 1], 1);
    flx_report_run_free(&run);
}

static void the_files_of_a_run_are_found_beside_the_one_named(void **state)
{
    (void)state;
    static const char log[] = "{\"epoch\":1,\"loss\":1}\n{\"final\":true,\"mode\":\"float\"}\n";
    static const float w[2] = {1, -1};
    struct flx_report_run run;
    const struct flx_st_tensor tensor = {
        .name = "fc.w", .dtype = FLX_ST_F32, .rank = 1, .shape = {2}, .data = w};
    const struct flx_st_meta meta[] = {{"format", "flexor-checkpoint"},
                                       {"options", "{\"mode\":\"float\"}"}};
    assert_int_equal(flx_st_save(tempdir_file(&dir, "net.ckpt"), &tensor, 1, meta, 2), FLX_OK);
    tempdir_write(&dir, "net.jsonl", log, strlen(log));
    char text[600];
    snprintf(text, sizeof text, "my run=%s/net.ckpt", dir.path);
    assert_int_equal(flx_report_run_open(text, &run), FLX_OK);
    assert_string_equal(run.name, "my run");
    assert_int_equal(run.log.n, 1);
    assert_int_equal(run.n_histograms, 1);
    assert_true(run.float_weights);
    assert_null(run.model);
    flx_report_run_free(&run);
    assert_int_equal(flx_report_run_open(tempdir_file(&dir, "net.jsonl"), &run), FLX_OK);
    assert_string_equal(run.name, "net");
    assert_non_null(run.checkpoint_path);
    flx_report_run_free(&run);
}

static void two_files_of_one_kind_in_a_run_are_refused(void **state)
{
    (void)state;
    struct flx_report_run run;
    char text[600];
    tempdir_write(&dir, "a.json", "{\"epoch\":1}\n", 12);
    snprintf(text, sizeof text, "%s/a.json,%s/a.json", dir.path, dir.path);
    assert_int_equal(flx_report_run_open(text, &run), FLX_ERR_ARG);
    assert_int_equal(flx_report_run_open("=", &run), FLX_ERR_NOT_FOUND);
    assert_int_equal(flx_report_run_open(",", &run), FLX_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_gives_its_epochs_and_the_last_line),
        cmocka_unit_test(a_second_run_in_a_log_replaces_the_first),
        cmocka_unit_test(epochs_that_a_resumed_run_repeats_are_replaced),
        cmocka_unit_test(what_is_no_log_is_refused_with_its_line),
        cmocka_unit_test(text_in_the_page_is_escaped),
        cmocka_unit_test(counts_are_grouped_in_thousands),
        cmocka_unit_test(a_checkpoint_gives_options_and_histograms_without_padding),
        cmocka_unit_test(the_files_of_a_run_are_found_beside_the_one_named),
        cmocka_unit_test(two_files_of_one_kind_in_a_run_are_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
