/* SPDX-License-Identifier: Apache-2.0 */
/** Progress of long work: a bar that redraws itself on a terminal, a plain line
 *  now and then in a pipe or file. */
#ifndef FLEXOR_PROGRESS_H
#define FLEXOR_PROGRESS_H
#include <stdint.h>
#include <stdio.h>

struct flx_progress {
    FILE *out; /* not owned; NULL: silent */
    int tty;
    uint64_t total;
    char what[48];
    double start;    /* monotonic seconds */
    double next;     /* when the next redraw is due */
    double interval; /* seconds between redraws */
    int drawn;       /* a bar is on the line */
};

/** Starts @p total steps of @p what on @p out (NULL: silent). total 0 = unknown. */
void flx_progress_begin(struct flx_progress *p, FILE *out, const char *what, uint64_t total);

/** Reports @p done steps. @p note (may be NULL) is shown at the end, for
 *  example "loss 0.31  acc 89.2 %  41000 images/s". Cheap when no redraw is due. */
void flx_progress_update(struct flx_progress *p, uint64_t done, const char *note);

/** Removes the bar so that other output can follow. May be called twice. */
void flx_progress_end(struct flx_progress *p);

/** Monotonic clock in seconds. */
double flx_now(void);

#endif
