/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/progress.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR 24

double flx_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void flx_progress_begin(struct flx_progress *p, FILE *out, const char *what, uint64_t total)
{
    memset(p, 0, sizeof *p);
    p->out = out;
    p->tty = out && isatty(fileno(out));
    p->total = total;
    snprintf(p->what, sizeof p->what, "%s", what);
    p->start = flx_now();
    p->interval = p->tty ? 0.1 : 10.0;
    p->next = p->start + p->interval;
}

/* "1:05" or "2:00:10". */
static void format_time(char *text, size_t size, double seconds)
{
    unsigned long s = seconds > 0 ? (unsigned long)(seconds + 0.5) : 0;
    if (s < 3600)
        snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

static void format_bar(char bar[BAR + 3], double fraction)
{
    int full = (int)(fraction * BAR);
    bar[0] = '[';
    for (int i = 0; i < BAR; i++)
        bar[1 + i] = i < full ? '#' : '.';
    bar[BAR + 1] = ']';
    bar[BAR + 2] = 0;
}

void flx_progress_update(struct flx_progress *p, uint64_t done, const char *note)
{
    if (!p->out)
        return;
    double now = flx_now();
    if (now < p->next)
        return;
    p->next = now + p->interval;
    double fraction = p->total ? (double)done / (double)p->total : 0;
    fraction = fraction > 1 ? 1 : fraction;
    char left[32] = "?", bar[BAR + 3];
    if (fraction > 0)
        format_time(left, sizeof left, (now - p->start) * (1 - fraction) / fraction);
    format_bar(bar, fraction);
    const char *gap = note ? "  " : "";
    note = note ? note : "";
    if (p->tty)
        fprintf(p->out, "\r\033[K%s %s %3.0f %%  ETA %s%s%s", p->what, bar, 100 * fraction, left,
                gap, note);
    else
        fprintf(p->out, "%s: %.0f %%, ETA %s%s%s\n", p->what, 100 * fraction, left, gap, note);
    fflush(p->out);
    p->drawn = p->tty;
}

void flx_progress_end(struct flx_progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->drawn = 0;
}
