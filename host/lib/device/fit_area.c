/* SPDX-License-Identifier: Apache-2.0 */
#include "fit_area.h"

#include <stdio.h>
#include <string.h>

#include "compile_internal.h"
#include "desc.h"
#include "fit_table.h"

static const char *const names[FLX_QUANTITIES] = {
    "ONE",       "K",         "T",           "P",        "RING",         "RINGS",      "NO_RINGS",
    "ACT_W",     "ACC_W",     "RQ",          "NIN_MAX",  "PLAIN",        "PAIRS",      "ROWS",
    "COPIES",    "PIPE",      "NO_PIPE",     "SKIP",     "SKIP_OWN",     "WINDOWS",    "SCALED",
    "NO_SCALED", "SUMS",      "STORE",       "NO_STORE", "WIDE",         "NARROW",     "COUNTERS",
    "NO_DSP",    "UART",      "USB",         "BANKS",    "STEPS",        "WORD_BYTES", "AMEM_LOG2",
    "WMEM_LOG2", "PMEM_LOG2", "LAYERS_LOG2", "WIN_LOG2", "PAYLOAD_LOG2", "FIFO_LOG2",
};

const char *flx_quantity_name(enum flx_quantity q)
{
    return names[q];
}

/* Smallest n with 2^n >= v. */
static int log2_up(int v)
{
    int n = 0;
    while (1 << n < v)
        n++;
    return n;
}

static void flags(const struct flx_board *b, double q[FLX_QUANTITIES])
{
    const int *c = b->core;
    q[FLX_Q_PLAIN] = c[FLX_CORE_LANES] == 0;
    q[FLX_Q_PAIRS] = c[FLX_CORE_LANES] == 1;
    q[FLX_Q_ROWS] = c[FLX_CORE_LANES] == 2;
    q[FLX_Q_COPIES] = c[FLX_CORE_FAN] != 0;
    q[FLX_Q_PIPE] = c[FLX_CORE_PIPE];
    q[FLX_Q_NO_PIPE] = !c[FLX_CORE_PIPE];
    q[FLX_Q_SKIP] = c[FLX_CORE_SKIP] != 0;
    q[FLX_Q_SKIP_OWN] = c[FLX_CORE_SKIP] == 2;
    q[FLX_Q_RINGS] = c[FLX_CORE_PIXELS] > 1;
    q[FLX_Q_NO_RINGS] = c[FLX_CORE_PIXELS] == 1;
    q[FLX_Q_WINDOWS] = c[FLX_CORE_WINDOWS];
    q[FLX_Q_SCALED] = c[FLX_CORE_SCALED];
    q[FLX_Q_NO_SCALED] = !c[FLX_CORE_SCALED];
    q[FLX_Q_SUMS] = c[FLX_CORE_POOL_BITS] != 0;
    q[FLX_Q_STORE] = c[FLX_CORE_AMEM_KIND];
    q[FLX_Q_NO_STORE] = !c[FLX_CORE_AMEM_KIND];
    q[FLX_Q_WIDE] = !c[FLX_CORE_LOADER];
    q[FLX_Q_NARROW] = c[FLX_CORE_LOADER];
    q[FLX_Q_COUNTERS] = c[FLX_CORE_COUNTERS];
    q[FLX_Q_NO_DSP] = !b->dsp;
    q[FLX_Q_UART] = b->link == FLX_LINK_UART;
    q[FLX_Q_USB] = b->link == FLX_LINK_USB;
}

void flx_fit_quantities(const struct flx_board *b, int n_out, double q[FLX_QUANTITIES])
{
    const int *c = b->core;
    int slices = c[FLX_CORE_K] * c[FLX_CORE_T] / n_out;
    q[FLX_Q_ONE] = 1;
    q[FLX_Q_K] = c[FLX_CORE_K];
    q[FLX_Q_T] = c[FLX_CORE_T];
    q[FLX_Q_P] = c[FLX_CORE_P];
    q[FLX_Q_RING] = c[FLX_CORE_PIXELS] - 1;
    q[FLX_Q_ACT_W] = c[FLX_CORE_ACT_W];
    q[FLX_Q_ACC_W] = c[FLX_CORE_ACC_W];
    q[FLX_Q_RQ] = c[FLX_CORE_RQ];
    q[FLX_Q_NIN_MAX] = c[FLX_CORE_NIN_MAX];
    q[FLX_Q_BANKS] = c[FLX_CORE_K] / 4.0;
    q[FLX_Q_STEPS] = (double)c[FLX_CORE_T] / c[FLX_CORE_RQ];
    q[FLX_Q_WORD_BYTES] = (double)flx_word_bytes(slices, c[FLX_CORE_NIN_MAX]);
    q[FLX_Q_AMEM_LOG2] = log2_up(c[FLX_CORE_AMEM_WORDS]);
    q[FLX_Q_WMEM_LOG2] = log2_up(c[FLX_CORE_WMEM_WORDS]);
    q[FLX_Q_PMEM_LOG2] = log2_up(c[FLX_CORE_PMEM_CH] / c[FLX_CORE_RQ]);
    q[FLX_Q_LAYERS_LOG2] = log2_up(c[FLX_CORE_PROG_LAYERS]);
    q[FLX_Q_WIN_LOG2] = log2_up(c[FLX_CORE_WIN_MAX]);
    q[FLX_Q_PAYLOAD_LOG2] = log2_up(c[FLX_CORE_MAX_PAYLOAD]);
    q[FLX_Q_FIFO_LOG2] = b->rx_log2;
    flags(b, q);
}

static const struct fit_family *family_of(const struct flx_board *b)
{
    for (size_t i = 0; i < sizeof fit_families / sizeof fit_families[0]; i++)
        if (!strcmp(fit_families[i].name, b->family))
            return &fit_families[i];
    return NULL;
}

static double product(const double *q, const enum flx_quantity *factors)
{
    return q[factors[0]] * q[factors[1]] * q[factors[2]] * q[factors[3]];
}

struct sums {
    double cells, ffs, ns;
};

static struct sums unit_sums(const struct fit_family *f, int unit, const double *q)
{
    struct sums s = {.cells = 0};
    for (size_t i = 0; i < f->n_terms; i++)
        if (f->terms[i].unit == unit) {
            double value = product(q, f->terms[i].factors);
            s.cells += f->terms[i].cells * value;
            s.ffs += f->terms[i].ffs * value;
            s.ns += f->terms[i].ns * value;
        }
    return s;
}

int flx_fit_area(const struct flx_board *b, int n_out, struct flx_fit_unit use[FLX_FIT_UNITS])
{
    const struct fit_family *f = family_of(b);
    double q[FLX_QUANTITIES];
    int n = 0;
    flx_fit_quantities(b, n_out, q);
    for (int u = 0; f && u < FIT_UNITS; u++) {
        double times = product(q, fit_units[u].times);
        struct sums s = unit_sums(f, u, q);
        if (times > 0)
            use[n++] = (struct flx_fit_unit){fit_units[u].name, times * s.cells * f->cells_scale,
                                             times * s.ffs * f->ffs_scale};
    }
    return n;
}

int flx_fit_dsps(const struct flx_board *b)
{
    const int *c = b->core;
    int rings = c[FLX_CORE_PIXELS] > 1;
    int channel = rings && c[FLX_CORE_ACC_W] <= 18 ? 1 : 2; /* sum times m, in halves */
    channel += c[FLX_CORE_SKIP] == 2;                       /* code times skip_m */
    channel += rings;                                       /* shift of V */
    channel += rings && c[FLX_CORE_POOL_BITS] > 0;          /* shift of a pool's sum */
    return b->dsp ? c[FLX_CORE_P] * c[FLX_CORE_RQ] * channel + rings : 0;
}

static const struct fit_speed *speed_of(const struct flx_board *b)
{
    for (size_t i = 0; i < sizeof fit_speeds / sizeof fit_speeds[0]; i++)
        if ((!strcmp(fit_speeds[i].device, b->device) ||
             !strcmp(fit_speeds[i].device, b->family)) &&
            fit_speeds[i].speed == b->speed)
            return &fit_speeds[i];
    return NULL;
}

int flx_fit_clocks(const struct flx_board *b, int n_out, struct flx_fit_clock out[FLX_FIT_CLOCKS])
{
    const struct fit_family *f = family_of(b);
    const struct fit_speed *speed = speed_of(b);
    int pixels = b->core[FLX_CORE_PIXELS];
    double q[FLX_QUANTITIES], core = 0;
    if (!f || !speed)
        return 0;
    flx_fit_quantities(b, n_out, q);
    for (int u = 0; u < FIT_UNITS; u++) {
        double ns = product(q, fit_units[u].times) > 0 ? unit_sums(f, u, q).ns : 0;
        if (ns > core && !(pixels > 1 && fit_units[u].engine))
            core = ns;
    }
    out[0] = (struct flx_fit_clock){"core", b->core_khz, (int64_t)(1e6 / (core * speed->core))};
    if (pixels == 1)
        return 1;
    out[1] = (struct flx_fit_clock){"lanes", (int64_t)b->core_khz * pixels, 0};
    return 2;
}

/* Sum of the cells. */
static double all_cells(const struct flx_board *b, int n_out)
{
    struct flx_fit_unit unit[FLX_FIT_UNITS];
    int n = flx_fit_area(b, n_out, unit);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += unit[i].cells;
    return sum;
}

/* A knob of a build: a value of a parameter that takes fewer cells; 0 when there is none. */
static int turn(const struct flx_board *b, int n_out, int p, struct flx_board *out)
{
    int *c = out->core;
    *out = *b;
    if (p <= FLX_CORE_P || p == FLX_CORE_RQ)
        c[p] /= 2;
    else if (p == FLX_CORE_LANES)
        c[p] = strcmp(b->family, "ecp5") ? 1 : 2;
    else
        c[p] = p == FLX_CORE_LOADER;
    return c[p] != b->core[p] && c[FLX_CORE_P] > 0 && c[FLX_CORE_RQ] > 0 &&
           c[FLX_CORE_K] % FLX_K0 == 0 && c[FLX_CORE_T] % (n_out / FLX_K0) == 0;
}

static const int knobs[] = {FLX_CORE_LANES,   FLX_CORE_T,        FLX_CORE_K,        FLX_CORE_P,
                            FLX_CORE_RQ,      FLX_CORE_LOADER,   FLX_CORE_SCALED,   FLX_CORE_SKIP,
                            FLX_CORE_WINDOWS, FLX_CORE_COUNTERS, FLX_CORE_POOL_BITS};
enum { KNOBS = sizeof knobs / sizeof knobs[0], KNOBS_SHOWN = 4 };

static int largest(const double *v, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = v[i] > v[best] ? i : best;
    return best;
}

void flx_fit_knobs(const struct flx_board *b, int n_out, char *out, size_t size)
{
    double now = all_cells(b, n_out), freed[KNOBS] = {0};
    struct flx_board other[KNOBS];
    size_t used = 0;
    for (int i = 0; i < KNOBS; i++)
        if (turn(b, n_out, knobs[i], &other[i]))
            freed[i] = now - all_cells(&other[i], n_out);
    *out = '\0';
    for (int shown = 0; shown < KNOBS_SHOWN && used < size; shown++) {
        int k = largest(freed, KNOBS);
        if (freed[k] < 1)
            return;
        used += (size_t)snprintf(out + used, size - used, "%s%s=%d%s %.0f", shown ? ", " : "",
                                 flx_core_parameter_name((enum flx_core_parameter)knobs[k]),
                                 other[k].core[knobs[k]], shown ? "" : " frees", freed[k]);
        freed[k] = 0;
    }
}
