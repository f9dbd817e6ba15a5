/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns all runs: the summary, the curves, accuracy against bits per weight. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "report_internal.h"

#define FEW_EPOCHS 40 /* with no more, each gets a dot */

static int colour(int run)
{
    return run % FLX_REPORT_COLOURS + 1;
}

static void key(FILE *html, int run)
{
    fprintf(html, "<i class=\"key\" style=\"background:var(--c%d)\"></i>", colour(run));
}

static void number_cell(FILE *html, const char *format, double x)
{
    fputs("<td class=\"n\">", html);
    if (isnan(x))
        fputs("–", html);
    else
        fprintf(html, format, x);
    fputs("</td>", html);
}

static double logged(const struct flx_report_run *r, const char *name)
{
    const json_t *value = json_object_get(r->log.final, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_of(const struct flx_report_run *r, const char *name)
{
    const char *text = json_string_value(json_object_get(r->options, name));
    text = text ? text : json_string_value(json_object_get(r->log.final, name));
    return text ? text : "–";
}

static void summary_row(FILE *html, const struct flx_report_run *r, int index)
{
    const struct flx_model *m = r->model;
    fputs("<tr><th scope=\"row\">", html);
    key(html, index);
    fprintf(html, "<a href=\"#run-%d\">", index + 1);
    flx_html_text(html, r->name);
    fputs("</a></th><td>", html);
    flx_html_text(html, m ? m->name : text_of(r, "model"));
    fputs("</td><td>", html);
    flx_html_text(html, m ? m->dataset : text_of(r, "data"));
    fputs("</td>", html);
    number_cell(html, "%.4g", r->bits);
    number_cell(html, "%.4g", m ? r->stats.bits_per_weight_stored : NAN);
    fputs("<td class=\"n\">", html);
    if (m)
        flx_html_count(html, r->stats.bytes);
    else
        fputs("–", html);
    fputs("</td><td class=\"n\">", html);
    flx_html_percent(html, r->float_accuracy);
    fputs("</td><td class=\"n\">", html);
    flx_html_percent(html, r->integer_accuracy);
    fputs("</td>", html);
    number_cell(html, "%.0f", r->log.n ? (double)r->log.epochs[r->log.n - 1].epoch : NAN);
    number_cell(html, "%.1f", logged(r, "seconds") / 60);
    fputs("</tr>\n", html);
}

static void summary(FILE *html, const struct flx_report_run *runs, int n)
{
    fputs("<section id=\"summary\"><h2>Summary</h2><div class=\"card scroll\"><table><thead><tr>"
          "<th>run</th><th>network</th><th>data set</th><th class=\"n\">bits per weight</th>"
          "<th class=\"n\">all stored</th><th class=\"n\">file bytes</th>"
          "<th class=\"n\">float evaluation</th><th class=\"n\">integer network</th>"
          "<th class=\"n\">epochs</th><th class=\"n\">minutes</th></tr></thead><tbody>\n",
          html);
    for (int i = 0; i < n; i++)
        summary_row(html, &runs[i], i);
    fputs("</tbody></table></div></section>\n", html);
}

static void legend(FILE *html, const struct flx_report_run *runs, int n, int curves)
{
    fputs("<ul class=\"legend\">", html);
    for (int i = 0; i < n; i++) {
        if (curves && !runs[i].log.n)
            continue;
        fputs("<li>", html);
        key(html, i);
        flx_html_text(html, runs[i].name);
        fputs("</li>", html);
    }
    if (curves == 2)
        fputs("<li><svg width=\"26\" height=\"8\"><path d=\"M0 4h26\" stroke=\"currentColor\" "
              "stroke-width=\"2\"/></svg>test</li><li><svg width=\"26\" height=\"8\"><path d=\"M0 "
              "4h26\" stroke=\"currentColor\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/></svg>"
              "training</li>",
              html);
    fputs("</ul>", html);
}

enum curve { LOSS, TRAIN, TEST };

static double value_of(const struct flx_report_epoch *e, enum curve curve)
{
    return curve == LOSS    ? e->loss
           : curve == TRAIN ? 100 * e->train_accuracy
                            : 100 * e->test_accuracy;
}

static int has_values(const struct flx_report_run *r, enum curve curve)
{
    for (int i = 0; i < r->log.n; i++)
        if (isfinite(value_of(&r->log.epochs[i], curve)))
            return 1;
    return 0;
}

static void curve_data(FILE *script, const struct flx_report_run *r, int run, enum curve curve)
{
    fprintf(script, "$r%dc%d << EOD\n", run, (int)curve);
    for (int i = 0; i < r->log.n; i++) {
        double y = value_of(&r->log.epochs[i], curve);
        if (isfinite(y))
            fprintf(script, "%d %.9g\n", r->log.epochs[i].epoch, y);
    }
    fputs("EOD\n", script);
}

/* Whole numbers at the ticks, about ten of them. */
static int tick_step(int last)
{
    static const int nice[] = {1, 2, 5};
    for (int power = 1;; power *= 10)
        for (int i = 0; i < 3; i++)
            if (last <= 12 * nice[i] * power)
                return nice[i] * power;
}

static int last_epoch(const struct flx_report_run *runs, int n)
{
    int last = 1;
    for (int i = 0; i < n; i++)
        if (runs[i].log.n && runs[i].log.epochs[runs[i].log.n - 1].epoch > last)
            last = runs[i].log.epochs[runs[i].log.n - 1].epoch;
    return last;
}

/* Dots when they are few; one epoch is nothing but dots. */
static const char *line_style(enum curve curve, int last)
{
    if (last > FEW_EPOCHS)
        return "lines";
    if (last == 1)
        return curve == TRAIN ? "points pt 6 ps 0.9" : "points pt 7 ps 0.9";
    return "linespoints pt 7 ps 0.35";
}

static void plot_command(FILE *script, const struct flx_report_run *runs, int n,
                         const enum curve *curves, int n_curves, int last)
{
    const char *comma = "plot ";
    for (int c = 0; c < n_curves; c++)
        for (int i = 0; i < n; i++) {
            if (!has_values(&runs[i], curves[c]))
                continue;
            fprintf(script, "%s$r%dc%d using 1:2 with %s lc rgb '#%06x'%s", comma, i,
                    (int)curves[c], line_style(curves[c], last), (unsigned)colour(i),
                    last == 1            ? ""
                    : curves[c] == TRAIN ? " dt (6,5) lw 1.3"
                                         : " lw 2");
            comma = ", ";
        }
    fputc('\n', script);
}

static int curve_plot(FILE *html, const struct flx_report_run *runs, int n, const char *label,
                      const char *unit, const enum curve *curves, int n_curves, int *plot)
{
    char *text = NULL;
    size_t len = 0;
    int last = last_epoch(runs, n);
    FILE *script = flx_plot_begin(560, 320, &text, &len);
    if (!script)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for a plot");
    fprintf(script, "set xlabel 'epoch'\nset ylabel '%s'\nset xrange [%g:%g]\nset xtics %d\n", unit,
            last > 1 ? 1.0 : 0.5, last > 1 ? last : 1.5, tick_step(last));
    for (int c = 0; c < n_curves; c++)
        for (int i = 0; i < n; i++)
            if (has_values(&runs[i], curves[c]))
                curve_data(script, &runs[i], i, curves[c]);
    plot_command(script, runs, n, curves, n_curves, last);
    return flx_plot_end(script, &text, &len, html, ++*plot, label);
}

static int any(const struct flx_report_run *runs, int n, enum curve curve)
{
    for (int i = 0; i < n; i++)
        if (has_values(&runs[i], curve))
            return 1;
    return 0;
}

static int curves(FILE *html, const struct flx_report_run *runs, int n, int *plot)
{
    static const enum curve loss[] = {LOSS}, accuracy[] = {TRAIN, TEST};
    int status = FLX_OK, with_loss = any(runs, n, LOSS);
    int with_accuracy = any(runs, n, TRAIN) || any(runs, n, TEST);
    if (!with_loss && !with_accuracy)
        return FLX_OK;
    fputs("<section id=\"curves\"><h2>Training</h2><div class=\"pair\">\n", html);
    if (with_loss) {
        fputs("<figure class=\"card\" id=\"loss\"><h3>Training loss</h3>", html);
        legend(html, runs, n, 1);
        status = curve_plot(html, runs, n, "training loss per epoch", "loss", loss, 1, plot);
        fputs("</figure>\n", html);
    }
    if (status == FLX_OK && with_accuracy) {
        fputs("<figure class=\"card\" id=\"accuracy\"><h3>Accuracy</h3>", html);
        legend(html, runs, n, 2);
        status = curve_plot(html, runs, n, "accuracy per epoch", "accuracy, %", accuracy, 2, plot);
        fputs("</figure>\n", html);
    }
    fputs("</div></section>\n", html);
    return status;
}

static double best_accuracy(const struct flx_report_run *r)
{
    return 100 * (isnan(r->integer_accuracy) ? r->float_accuracy : r->integer_accuracy);
}

static int has_point(const struct flx_report_run *r)
{
    return isfinite(best_accuracy(r)) && isfinite(r->bits);
}

/* Float weights are a level, since 32 bits would be far off to the right. */
static int bits_plot(FILE *html, const struct flx_report_run *runs, int n, int *plot)
{
    char *text = NULL;
    size_t len = 0;
    double low = INFINITY, high = -INFINITY, right = 1;
    const char *comma = "plot ";
    FILE *script = flx_plot_begin(900, 320, &text, &len);
    if (!script)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for a plot");
    for (int i = 0; i < n; i++) {
        if (!has_point(&runs[i]))
            continue;
        low = fmin(low, best_accuracy(&runs[i]));
        high = fmax(high, best_accuracy(&runs[i]));
        right = runs[i].float_weights ? right : fmax(right, runs[i].bits);
    }
    double margin = fmax(0.12 * (high - low), 0.1);
    fprintf(script,
            "set xlabel 'bits per weight'\nset ylabel 'accuracy, %%'\nset xrange [0:%g]\n"
            "set yrange [%g:%g]\n",
            1.06 * right, low - margin, fmin(high + margin, 100.05));
    for (int i = 0; i < n; i++) {
        if (!has_point(&runs[i]))
            continue;
        double y = best_accuracy(&runs[i]);
        if (runs[i].float_weights)
            fprintf(script, "%s%.6f with lines dt (8,5) lw 1.6 lc rgb '#%06x'", comma, y,
                    (unsigned)colour(i));
        else
            fprintf(script,
                    "%s'+' using (%.6f):(%.6f) every ::0::0 with points pt 7 ps 1.0 lc rgb '#%06x'",
                    comma, runs[i].bits, y, (unsigned)colour(i));
        comma = ", ";
    }
    fputc('\n', script);
    return flx_plot_end(script, &text, &len, html, ++*plot, "accuracy against bits per weight");
}

static int bits(FILE *html, const struct flx_report_run *runs, int n, int *plot)
{
    int points = 0;
    for (int i = 0; i < n; i++)
        points += has_point(&runs[i]);
    if (points < 2)
        return FLX_OK;
    fputs("<section id=\"bits\"><h2>Accuracy against bits per weight</h2>"
          "<figure class=\"card\">",
          html);
    legend(html, runs, n, 0);
    int status = bits_plot(html, runs, n, plot);
    fputs("<figcaption>Integer network where there is one, else float evaluation. "
          "Dashed: float weights (32 bits).</figcaption></figure></section>\n",
          html);
    return status;
}

int flx_report_overview(FILE *html, const struct flx_report_run *runs, int n, int *plot)
{
    summary(html, runs, n);
    int status = curves(html, runs, n, plot);
    return status == FLX_OK ? bits(html, runs, n, plot) : status;
}
