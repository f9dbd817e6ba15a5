/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "report_internal.h"

/* The page may load nothing, which its policy says to the browser too. */
static void head(FILE *html, const struct flx_report_run *runs, int n)
{
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>flexor: ",
        html);
    flx_html_text(html, runs[0].name);
    if (n > 1)
        fprintf(html, " and %d more", n - 1);
    fputs("</title>\n<style>", html);
    fputs(flx_report_style, html);
    for (int c = 1; c <= FLX_REPORT_COLOURS; c++)
        fprintf(html,
                ".plot [stroke='rgb(  0,   0, %3d)']{stroke:var(--c%d)}"
                ".plot [color='rgb(  0,   0, %3d)']{color:var(--c%d)}"
                ".plot [fill='rgb(  0,   0, %3d)'],.plot [fill='rgb(0,0,%d)']{fill:var(--c%d)}",
                c, c, c, c, c, c, c);
    fputs("</style>\n</head>\n<body>\n<main>\n", html);
}

int flx_report_page(FILE *html, const struct flx_report_run *runs, int n)
{
    int plot = 0;
    head(html, runs, n);
    fprintf(html, "<h1>Training report</h1>\n<p class=\"soft\">%d run%s, by flexor report</p>\n", n,
            n > 1 ? "s" : "");
    int status = flx_report_overview(html, runs, n, &plot);
    for (int i = 0; i < n && status == FLX_OK; i++)
        status = flx_report_details(html, &runs[i], i, &plot);
    fputs("</main>\n</body>\n</html>\n", html);
    return status;
}

static int write_page(const char *path, const struct flx_report_run *runs, int n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *html = open_memstream(&text, &len);
    if (!html)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for the page");
    int status = flx_report_page(html, runs, n);
    if (fclose(html) != 0 && status == FLX_OK)
        status = flx_fail(FLX_ERR_NOMEM, "out of memory for the page");
    if (status == FLX_OK)
        status = flx_file_write_atomic(path, (const void *const[]){text}, &len, 1);
    free(text);
    return status;
}

static int confusions(const struct flx_report_job *job, struct flx_report_run *runs)
{
    struct flx_dataset d;
    int models = 0, status = flx_dataset_load(job->data, FLX_TEST, job->images, &d);
    if (status != FLX_OK)
        return status;
    for (int i = 0; i < job->n_runs && status == FLX_OK; i++) {
        models += runs[i].model != NULL;
        if (runs[i].model)
            status = flx_report_confusion(&runs[i], &d, job->threads);
    }
    if (status == FLX_OK && !models)
        status = flx_fail(FLX_ERR_ARG, "no run has an integer model to answer for %s", job->data);
    flx_dataset_free(&d);
    return status;
}

int flx_report_write(const struct flx_report_job *job)
{
    int opened = 0, status = FLX_OK;
    if (job->n_runs < 1 || job->n_runs > FLX_REPORT_MAX_RUNS)
        return flx_fail(FLX_ERR_ARG, "%d runs: a report has 1 to %d", job->n_runs,
                        FLX_REPORT_MAX_RUNS);
    struct flx_report_run *runs = calloc((size_t)job->n_runs, sizeof *runs);
    if (!runs)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for %d runs", job->n_runs);
    while (opened < job->n_runs && status == FLX_OK) {
        status = flx_report_run_open(job->runs[opened], &runs[opened]);
        opened += status == FLX_OK;
    }
    if (status == FLX_OK && job->data)
        status = confusions(job, runs);
    if (status == FLX_OK)
        status = write_page(job->output, runs, job->n_runs);
    for (int i = 0; i < opened; i++)
        flx_report_run_free(&runs[i]);
    free(runs);
    return status;
}
