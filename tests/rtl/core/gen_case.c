/* SPDX-License-Identifier: Apache-2.0 */
/* gen_case: random networks with images, weights and expected answers, as a stimulus
 * file for tb_core.v. Usage: gen_case KEY=VALUE ...
 *   net=FILE                    writes flx_xornet.vh for nout, kind, nmin and ends
 *   out=FILE seed=N             writes a stimulus
 *   k t p rq nout nmin nmax kind actw amem wmem pmem layers res win skip windows scaled
 *   poolbits lanes fan pixels   the shape
 *   lenet=1                     LeNet-5 (MNIST shapes) instead of a random network
 *   stream=0|1                  weights resident or streamed; random without it
 *   runs=N                      runs (batches of p images)                            */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "stimulus.h"

static struct shape sh = {.k = 8,
                          .t = 8,
                          .p = 1,
                          .pixels = 1,
                          .rq = 4,
                          .nout = 32,
                          .nmin = 9,
                          .nmax = 32,
                          .actw = 8,
                          .amem = 1024,
                          .wmem = 1024,
                          .pmem = 256,
                          .layers = 16,
                          .res = 16,
                          .win = 32,
                          .skip = 1,
                          .windows = 1,
                          .pool_bits = 6};
static int lenet, runs = 3, stream = -1;
static uint64_t seed = 1;
static const char *net_path, *out_path;

static void parse(int argc, char **argv)
{
    struct {
        const char *key;
        int *value;
    } keys[] = {
        {"k", &sh.k},           {"t", &sh.t},
        {"p", &sh.p},           {"rq", &sh.rq},
        {"nout", &sh.nout},     {"nmin", &sh.nmin},
        {"nmax", &sh.nmax},     {"kind", &sh.kind},
        {"actw", &sh.actw},     {"amem", &sh.amem},
        {"wmem", &sh.wmem},     {"pmem", &sh.pmem},
        {"layers", &sh.layers}, {"res", &sh.res},
        {"win", &sh.win},       {"lenet", &lenet},
        {"runs", &runs},        {"stream", &stream},
        {"skip", &sh.skip},     {"windows", &sh.windows},
        {"scaled", &sh.scaled}, {"poolbits", &sh.pool_bits},
        {"lanes", &sh.lanes},   {"fan", &sh.fan},
        {"pixels", &sh.pixels},
    };
    for (int i = 1; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        size_t len = eq ? (size_t)(eq - argv[i]) : 0;
        int known = 0;
        if (!eq)
            continue;
        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
            if (strlen(keys[j].key) == len && !strncmp(keys[j].key, argv[i], len)) {
                *keys[j].value = atoi(eq + 1);
                known = 1;
            }
        if (!strncmp(argv[i], "net=", 4))
            net_path = eq + 1, known = 1;
        if (!strncmp(argv[i], "out=", 4))
            out_path = eq + 1, known = 1;
        if (!strncmp(argv[i], "seed=", 5))
            seed = strtoull(eq + 1, NULL, 0), known = 1;
        if (!known) {
            fprintf(stderr, "gen_case: unknown argument %s\n", argv[i]);
            exit(2);
        }
    }
}

/* Windows of a pool: plain ones, or what the options allow. Returns 0 when it does not fit. */
static int draw_pool(struct layer *l)
{
    int h = conv_h(l), w = conv_w(l), half;
    l->pool_stride = l->pool;
    if (sh.windows && between(0, 1) && l->pool > 1) {
        l->pool_stride = between(1, 3);
        l->pool_pad = between(0, l->pool / 2);
    }
    if (sh.pool_bits && !between(0, 2)) {
        l->pool_sum = 1;
        l->pool_shift = between(0, 6);
        if (h == w && between(0, 1))
            l->pool = h, l->pool_stride = between(1, h), l->pool_pad = 0;
        if (!sh.windows)
            l->pool_stride = l->pool;
        half = l->pool_shift ? 1 << (l->pool_shift - 1) : 0;
        if (l->pool * l->pool * ((1 << sh.actw) - 1) + half >= 1 << (sh.actw + sh.pool_bits))
            return 0;
    }
    return h + l->pool_pad >= l->pool && w + l->pool_pad >= l->pool;
}

/* Perhaps adds the codes of an earlier layer that is large enough. */
static void draw_skip(struct layer *l, int i)
{
    struct layer *y = &l[i], *from = &l[i ? between(0, i - 1) : 0];
    int stride = between(1, 2);
    if (i == 0 || !sh.skip || (conv_h(y) - 1) * stride >= pooled(from, conv_h(from)) ||
        (conv_w(y) - 1) * stride >= pooled(from, conv_w(from)))
        return;
    y->skip = (int)(from - l);
    y->skip_stride = stride;
    y->skip_w = pooled(from, conv_w(from));
    y->skip_c = from->out_c;
}

/* A layer on an input of h x w x c. Returns 0 when the draw does not fit. */
static int draw_layer(struct layer *l, int i, int last, int h, int w, int c)
{
    struct layer *y = &l[i];
    int first = i == 0, input = y->input;
    memset(y, 0, sizeof *y);
    y->input = input;
    y->skip = -1;
    y->in_h = h;
    y->in_w = w;
    y->in_c = c;
    y->row_packed = first;
    y->logits = last;
    y->planes = (sh.lanes && !sh.scaled) || between(0, 2) ? 1 : between(2, MAX_PLANES);
    y->scaled = sh.scaled && between(0, 1);
    y->n_in = sh.kind ? sh.nmin : between(sh.nmin, sh.nmax);
    int full = last || !between(0, 5), same = !full && !between(0, 2);
    y->kh = full ? h : between(1, 4);
    y->kw = full ? w : between(1, 4);
    y->pad = full ? 0 : between(0, 2);
    y->stride = full || (first && between(0, 2)) ? 1 : between(1, 3);
    y->pool = full || (first && between(0, 2)) ? 1 : between(1, 3);
    if (same) {
        y->kh = y->kw = 2 * between(0, 1) + 1;
        y->pad = y->kh / 2;
        y->stride = between(0, 3) ? 1 : 2;
        y->pool = between(0, 3) ? 1 : 2;
    }
    y->in_zero = first ? between(0, (1 << sh.actw) - 1) : 0;
    y->out_c = last ? between(1, sh.res) : between(1, between(0, 3) ? 3 * sh.t / 2 : 3 * sh.t);
    if (y->kh > h + 2 * y->pad || y->kw > w + 2 * y->pad)
        return 0;
    if (full)
        y->pool_stride = 1;
    else if (!draw_pool(y))
        return 0;
    if (first && y->kw * c > sh.win)
        return 0;
    for (int tries = 0; tries < 3 && y->skip < 0; tries++)
        draw_skip(l, i);
    return 1;
}

static int draw_network(struct layer *l)
{
    int n = between(1, 5), h = between(1, 10), w = between(1, 10), c = between(1, 5);
    for (int i = 0; i < n; i++) {
        l[i].input = between(0, 3) || i < 2 ? i - 1 : between(0, i - 1);
        if (i > 0) {
            const struct layer *from = &l[l[i].input];
            h = pooled(from, conv_h(from));
            w = pooled(from, conv_w(from));
            c = from->out_c;
        }
        while (!draw_layer(l, i, i == n - 1, h, w, c))
            if (l[i].logits && i == 0)
                return 0;
    }
    return n;
}

static int lenet_chain(struct layer *l)
{
    static const struct layer net5[4] = {
        {.in_h = 28,
         .in_w = 28,
         .in_c = 1,
         .out_c = 32,
         .kh = 5,
         .kw = 5,
         .pool = 2,
         .row_packed = 1},
        {.in_h = 12, .in_w = 12, .in_c = 32, .out_c = 64, .kh = 5, .kw = 5, .pool = 2},
        {.in_h = 4, .in_w = 4, .in_c = 64, .out_c = 512, .kh = 4, .kw = 4, .pool = 1},
        {.in_h = 1, .in_w = 1, .in_c = 512, .out_c = 10, .kh = 1, .kw = 1, .pool = 1, .logits = 1},
    };
    memcpy(l, net5, sizeof net5);
    for (int i = 0; i < 4; i++) {
        l[i].input = i - 1;
        l[i].skip = -1;
        l[i].stride = 1;
        l[i].pool_stride = l[i].pool;
        l[i].planes = 1;
        l[i].n_in = sh.nmax < 19 ? sh.nmax : 19;
    }
    return 4;
}

int main(int argc, char **argv)
{
    struct net net;
    struct layer layers[MAX_LAYERS];
    int n;

    parse(argc, argv);
    make_net(&net, sh.kind, sh.nout, sh.nmin, 77);
    if (net_path) {
        write_net(&net, net_path);
        return 0;
    }
    if (!out_path) {
        fprintf(stderr, "gen_case: out=FILE is missing\n");
        return 2;
    }
    seed_rng(seed);
    if (stream < 0)
        stream = between(0, 1);
    do {
        n = lenet ? lenet_chain(layers) : draw_network(layers);
    } while (!n || !case_fits(&sh, layers, n, stream));
    for (int i = 0; i < n; i++)
        layer_init(&layers[i], &net);
    write_case(&sh, &net, layers, n, runs, stream, lenet, out_path);
    for (int i = 0; i < n; i++)
        layer_free(&layers[i]);
    return 0;
}
