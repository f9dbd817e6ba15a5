/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the report share. Numbers that are not known are NAN. */
#ifndef FLEXOR_REPORT_INTERNAL_H
#define FLEXOR_REPORT_INTERNAL_H
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "flexor/dataset.h"
#include "flexor/model.h"
#include "flexor/report.h"

#define FLX_REPORT_BINS    60
#define FLX_REPORT_COLOURS 8 /* of the plots; the runs take them in turn */

struct flx_report_epoch {
    int epoch;
    double loss, train_accuracy, test_accuracy;
};

/** A log of flexor train --json: its last run. */
struct flx_report_log {
    int n;
    struct flx_report_epoch *epochs;
    json_t *final; /* the line after the last epoch, or NULL */
};

/** Distribution of one weight tensor of a checkpoint over [-max, max]. */
struct flx_report_histogram {
    char name[64];
    int encrypted; /* 1: encrypted weights x; 0: float weights */
    size_t n;
    double max, deviation;
    uint32_t bins[FLX_REPORT_BINS];
};

struct flx_report_run {
    char name[128];
    char *model_path, *checkpoint_path, *log_path; /* owned, or NULL */
    struct flx_model *model; /* read, or packed from the checkpoint; NULL for float weights */
    struct flx_model_stats stats;
    struct flx_report_log log;
    json_t *options; /* of the checkpoint: names and texts; or NULL */
    int n_histograms;
    struct flx_report_histogram *histograms;
    int float_weights; /* trained without quantisation */
    double bits;       /* a weight, nominal */
    double float_accuracy, integer_accuracy;
    /* Of the integer network, on `tested` images of `tested_on`. */
    uint32_t *confusion; /* classes x classes: [label][answer]; or NULL */
    int tested;
    double tested_accuracy;
    char tested_on[64];
};

/** Opens a run from "[NAME=]FILE[,FILE...]". On failure nothing is left in @p run. */
int flx_report_run_open(const char *text, struct flx_report_run *run);
void flx_report_run_free(struct flx_report_run *run);

/** Reads a log. A repeated epoch (a resumed or a second run) replaces it and all after it.
 *  FLX_ERR_FORMAT names the line. */
int flx_report_log_read(const char *path, struct flx_report_log *log);
void flx_report_log_free(struct flx_report_log *log);

/** Options and weight histograms of a checkpoint. */
int flx_report_checkpoint_read(const char *path, struct flx_report_run *run);

/** Runs the integer network of @p run over @p d. */
int flx_report_confusion(struct flx_report_run *run, const struct flx_dataset *d, int threads);

/** Writes text with everything escaped that means something in HTML; bytes that are not
 *  UTF-8 become '?'. */
void flx_html_text(FILE *f, const char *text);

/** "12,345" */
void flx_html_count(FILE *f, uint64_t n);

/** "91.06 %", a dash when unknown. */
void flx_html_percent(FILE *f, double share);

/** Begins a gnuplot script of one plot of the page's look. The colours of the page are
 *  rgb "#000001" to "#000008" (runs), "#000009" (grey); "#00000a" (surface). */
FILE *flx_plot_begin(int width, int height, char **text, size_t *len);

/** Closes @p script, runs gnuplot and writes the SVG into @p html. @p id: a number that no
 *  other plot of the page has. @p label: what the plot shows. */
int flx_plot_end(FILE *script, char **text, const size_t *len, FILE *html, int id,
                 const char *label);

/** Writes the page. */
int flx_report_page(FILE *html, const struct flx_report_run *runs, int n);

/** The parts of the page. @p plot counts the plots. */
int flx_report_overview(FILE *html, const struct flx_report_run *runs, int n, int *plot);
int flx_report_details(FILE *html, const struct flx_report_run *run, int index, int *plot);

/** The look of the page. */
extern const char flx_report_style[];

#endif
