/* SPDX-License-Identifier: Apache-2.0 */
/** One self-contained HTML page about one or more training runs. Plots are drawn by
 *  gnuplot, which must be installed, and lie in the page as SVG. */
#ifndef FLEXOR_REPORT_H
#define FLEXOR_REPORT_H

#define FLX_REPORT_MAX_RUNS 64

struct flx_report_job {
    /** Each run is "[NAME=]FILE[,FILE...]": at most one model, one checkpoint and one log of
     *  flexor train --json. What is not named and lies beside the first file under its name
     *  (MODEL, MODEL.ckpt, MODEL.json; with or without .safetensors) is taken too. */
    const char *const *runs;
    int n_runs;
    const char *output; /* the page */
    const char *data;   /* data set of the confusion matrices; NULL: none */
    int images;         /* only the first of its test images; 0: all */
    int threads;        /* 0: all cores */
};

/** Reads the runs and writes the page atomically. FLX_ERR_NOT_FOUND (a file, the data set,
 *  gnuplot), _FORMAT, _ARG, _NOMEM, _IO, and all of flx_model_load. */
int flx_report_write(const struct flx_report_job *job);

#endif
