/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns one run: its options, layers, encrypted weights and answers. */
#include <math.h>
#include <string.h>

#include "flexor/status.h"
#include "report_internal.h"

static void tile(FILE *html, const char *what)
{
    fprintf(html, "</b><span>%s</span></div>\n", what);
}

static void tiles(FILE *html, const struct flx_report_run *r)
{
    const struct flx_model_stats *s = &r->stats;
    fputs("<div class=\"tiles\">\n", html);
    if (!isnan(r->integer_accuracy) || !isnan(r->float_accuracy)) {
        int integer = !isnan(r->integer_accuracy);
        fputs("<div class=\"tile\"><b>", html);
        flx_html_percent(html, integer ? r->integer_accuracy : r->float_accuracy);
        tile(html, integer ? "accuracy, integer network" : "accuracy, float evaluation");
    }
    if (!isnan(r->bits)) {
        fprintf(html, "<div class=\"tile\"><b>%.4g", r->bits);
        tile(html, "bits per weight");
    }
    if (r->model) {
        fputs("<div class=\"tile\"><b>", html);
        flx_html_count(html, s->bytes);
        tile(html, "bytes of the model file");
        fputs("<div class=\"tile\"><b>", html);
        flx_html_count(html, s->weights);
        tile(html, "weights");
        fputs("<div class=\"tile\"><b>", html);
        flx_html_count(html, s->macs);
        tile(html, "MACs an image");
    }
    fputs("</div>\n", html);
}

static void option(FILE *html, const char *name, const json_t *value)
{
    fputs("<div><dt>", html);
    flx_html_text(html, name);
    fputs("</dt><dd>", html);
    if (json_is_string(value))
        flx_html_text(html, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(html, "%lld", (long long)json_integer_value(value));
    else if (json_is_number(value))
        fprintf(html, "%.6g", json_number_value(value));
    else
        fputs(json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "–", html);
    fputs("</dd></div>", html);
}

static void file_name(FILE *html, const char *what, const char *path)
{
    if (!path)
        return;
    fprintf(html, "<br>%s: <code>", what);
    flx_html_text(html, path);
    fputs("</code>", html);
}

static void options(FILE *html, const struct flx_report_run *r)
{
    json_t *from = r->options ? r->options : r->log.final, *value;
    const char *name;
    fputs("<div class=\"card options\"><h3>What was run</h3><p class=\"soft\">", html);
    fputs(r->options     ? "Options of <code>flexor train</code>, as its checkpoint holds them."
          : r->log.final ? "As logged at the end of the run."
                         : "No checkpoint or finished log tells the options.",
          html);
    file_name(html, "model", r->model_path);
    file_name(html, "checkpoint", r->checkpoint_path);
    file_name(html, "log", r->log_path);
    fputs("</p><dl>", html);
    json_object_foreach(from, name, value) if (strcmp(name, "final") != 0)
        option(html, name, value);
    fputs("</dl></div>\n", html);
}

static void kind_cell(FILE *html, const struct flx_model *m, const struct flx_layer *l)
{
    int full = l->kh == l->in_h && l->kw == l->in_w && !l->pad;
    fprintf(html, "<td>%s", full ? "fully connected" : "convolution");
    if (l->skip >= 0 && l->skip < m->n_layers) {
        fputs(" + ", html);
        flx_html_text(html, m->layers[l->skip].name);
    }
    if (l->pool > 1)
        fprintf(html, ", %s %d×%d", l->pool_kind == FLX_POOL_SUM ? "mean" : "max", l->pool,
                l->pool);
    if (l->logits)
        fputs(", logits", html);
    fputs("</td>", html);
}

/* "19/32", "19+16/32" for two planes; integer weights are plain planes of powers of two */
static void code_cell(FILE *html, const struct flx_model *m, const struct flx_layer *l)
{
    if (l->plane_mode == FLX_PLANES_BINARY && l->planes > 1) {
        fprintf(html, "<td>%d-bit integers</td>", l->planes);
        return;
    }
    fputs("<td>", html);
    for (int p = 0; p < l->planes; p++)
        fprintf(html, "%s%d", p ? "+" : "", l->n_in[p]);
    fprintf(html, "/%d</td>", m->nets[l->net[0]].n_out);
}

static void size_cells(FILE *html, uint64_t weights, double bits, uint64_t macs)
{
    fputs("<td class=\"n\">", html);
    flx_html_count(html, weights);
    fputs("</td><td class=\"n\">", html);
    flx_html_count(html, (uint64_t)ceil(bits / 8));
    fprintf(html, "</td><td class=\"n\">%.3f</td><td class=\"n\">", bits / (double)weights);
    flx_html_count(html, macs);
    fputs("</td>", html);
}

static void layer_row(FILE *html, const struct flx_model *m, const struct flx_layer *l,
                      double largest)
{
    struct flx_layer_stats s;
    flx_layer_stats(m, l, &s);
    fputs("<tr><th scope=\"row\">", html);
    flx_html_text(html, l->name);
    fputs("</th>", html);
    kind_cell(html, m, l);
    fprintf(html, "<td>%d×%d×%d</td><td>%d×%d", l->in_h, l->in_w, l->in_c, l->kh, l->kw);
    if (l->stride > 1)
        fprintf(html, ", stride %d", l->stride);
    if (l->pad)
        fprintf(html, ", pad %d", l->pad);
    fprintf(html, "</td><td>%d×%d×%d</td><td class=\"n\">%d</td>", l->out_h, l->out_w, l->out_c,
            l->planes);
    code_cell(html, m, l);
    size_cells(html, s.weights, s.nominal_bits, s.macs);
    fprintf(html,
            "<td class=\"track\"><span class=\"bar\" style=\"width:%.1f%%\"></span></td></tr>\n",
            100 * s.nominal_bits / largest);
}

static void layers(FILE *html, const struct flx_report_run *r)
{
    const struct flx_model *m = r->model;
    double largest = 1;
    if (!m)
        return;
    for (int i = 0; i < m->n_layers; i++) {
        struct flx_layer_stats s;
        flx_layer_stats(m, &m->layers[i], &s);
        largest = fmax(largest, s.nominal_bits);
    }
    fputs("<div class=\"card layers\"><h3>Layers</h3><div class=\"scroll\"><table "
          "class=\"dense\"><thead><tr>"
          "<th>layer</th><th>kind</th><th>input</th><th>kernel</th><th>output</th>"
          "<th class=\"n\">planes</th><th>n_in/n_out</th><th class=\"n\">weights</th>"
          "<th class=\"n\">bytes</th><th class=\"n\">bits a weight</th><th class=\"n\">MACs</th>"
          "<th>size</th></tr></thead><tbody>\n",
          html);
    for (int i = 0; i < m->n_layers; i++)
        layer_row(html, m, &m->layers[i], largest);
    fputs("</tbody><tfoot><tr><th scope=\"row\">all</th><td colspan=\"6\"></td>", html);
    size_cells(html, r->stats.weights, (double)r->stats.nominal_bits, r->stats.macs);
    fprintf(
        html,
        "<td></td></tr></tfoot></table></div><p class=\"soft\">Bytes are those of the encrypted "
        "bits. With multipliers, offsets, padding and header the file takes %.3f bits a "
        "weight.</p></div>\n",
        r->stats.bits_per_weight_stored);
}

static int histogram(FILE *html, const struct flx_report_histogram *h, int index, int *plot)
{
    char *text = NULL;
    size_t len = 0;
    FILE *script = flx_plot_begin(300, 170, &text, &len);
    if (!script)
        return flx_fail(FLX_ERR_NOMEM, "out of memory for a plot");
    double max = h->max > 0 ? h->max : 1, width = 2 * max / FLX_REPORT_BINS;
    fprintf(script,
            "set border 1\nunset ytics\nunset grid\nset xrange [%g:%g]\nset yrange [0:*]\n"
            "set xtics (%g, 0, %g) format '%%.2g'\nset lmargin 3\nset rmargin 3\nset tmargin 0.5\n"
            "set boxwidth %g\nset style fill solid 1.0 noborder\n$h << EOD\n",
            -max, max, -max, max, 0.92 * width);
    for (int i = 0; i < FLX_REPORT_BINS; i++)
        fprintf(script, "%g %u\n", (i + 0.5) * width - max, h->bins[i]);
    fprintf(script, "EOD\nplot $h using 1:2 with boxes lc rgb '#%06x'\n",
            (unsigned)(index % FLX_REPORT_COLOURS + 1));
    return flx_plot_end(script, &text, &len, html, ++*plot,
                        h->encrypted ? "histogram of encrypted weights" : "histogram of weights");
}

static int histograms(FILE *html, const struct flx_report_run *r, int index, int *plot)
{
    int status = FLX_OK;
    if (!r->n_histograms)
        return FLX_OK;
    fprintf(
        html,
        "<div class=\"card histograms\"><h3>%s</h3><p class=\"soft\">Count of values over their "
        "range, per layer; from the checkpoint.%s</p><div class=\"many\">\n",
        r->float_weights ? "Weights" : "Encrypted weights",
        r->float_weights ? "" : " The sign of each is a stored bit.");
    for (int i = 0; i < r->n_histograms && status == FLX_OK; i++) {
        const struct flx_report_histogram *h = &r->histograms[i];
        fputs("<figure>", html);
        status = histogram(html, h, index, plot);
        fputs("<figcaption><b>", html);
        flx_html_text(html, h->name);
        fputs("</b> ", html);
        flx_html_count(html, h->n);
        fprintf(html, " values, rms %.3g%s</figcaption></figure>\n", h->deviation,
                h->encrypted || r->float_weights ? "" : ", integer layer");
    }
    fputs("</div></div>\n", html);
    return status;
}

static const char *class_name(const char *data, int c)
{
    static const char *const fashion[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                          "sandal",  "shirt",    "sneaker",  "bag",   "boot"};
    static const char *const cifar[] = {"plane", "car",  "bird",  "cat",  "deer",
                                        "dog",   "frog", "horse", "ship", "truck"};
    const char *const *names = !strcmp(data, "fashion-mnist") ? fashion
                               : !strcmp(data, "cifar10")     ? cifar
                                                              : NULL;
    return names && c < 10 ? names[c] : NULL;
}

static void class_head(FILE *html, const char *data, int c, const char *scope)
{
    const char *name = class_name(data, c);
    fprintf(html, "<th scope=\"%s\">", scope);
    if (name)
        fputs(name, html);
    else
        fprintf(html, "%d", c);
    fputs("</th>", html);
}

static void confusion_row(FILE *html, const struct flx_report_run *r, int label)
{
    int classes = r->model->classes;
    const uint32_t *row = r->confusion + (size_t)label * (size_t)classes;
    double total = 0;
    for (int c = 0; c < classes; c++)
        total += row[c];
    fputs("<tr>", html);
    class_head(html, r->tested_on, label, "row");
    for (int c = 0; c < classes; c++) {
        double share = total > 0 ? row[c] / total : 0;
        /* The root shows the few errors beside the many right answers. */
        fprintf(html, "<td%s style=\"background:rgba(var(--heat),%.3f)\">%u</td>",
                share > 0.3 ? " class=\"hot\"" : "", sqrt(share), row[c]);
    }
    fputs("<td>", html);
    flx_html_percent(html, total > 0 ? row[label] / total : NAN);
    fputs("</td></tr>\n", html);
}

static void confusion(FILE *html, const struct flx_report_run *r)
{
    if (!r->confusion)
        return;
    fputs(
        "<div class=\"card confusion\"><h3>Confusion matrix</h3><p class=\"soft\">Integer network "
        "on ",
        html);
    flx_html_count(html, (uint64_t)r->tested);
    fputs(" test images of ", html);
    flx_html_text(html, r->tested_on);
    fputs(", ", html);
    flx_html_percent(html, r->tested_accuracy);
    fputs(" right. Rows: the label; columns: the answer.</p><div class=\"scroll\">"
          "<table class=\"matrix\"><thead><tr><td></td>",
          html);
    for (int c = 0; c < r->model->classes; c++)
        class_head(html, r->tested_on, c, "col");
    fputs("<th scope=\"col\">right</th></tr></thead><tbody>\n", html);
    for (int c = 0; c < r->model->classes; c++)
        confusion_row(html, r, c);
    fputs("</tbody></table></div></div>\n", html);
}

int flx_report_details(FILE *html, const struct flx_report_run *run, int index, int *plot)
{
    fprintf(html,
            "<section id=\"run-%d\"><h2><i class=\"key\" style=\"background:var(--c%d)\"></i>",
            index + 1, index % FLX_REPORT_COLOURS + 1);
    flx_html_text(html, run->name);
    fputs("</h2>\n", html);
    tiles(html, run);
    options(html, run);
    layers(html, run);
    int status = histograms(html, run, index, plot);
    confusion(html, run);
    fputs("</section>\n", html);
    return status;
}
