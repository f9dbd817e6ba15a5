/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "flexor/model.h"
#include "flexor/status.h"

static const char help[] =
    "usage: flexor info MODEL [--json]\n"
    "Shows the layers of a model, its bits per weight, size and operations.\n"
    "  --json  print JSON";

enum { OPT_JSON = 256 };

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* "19/32", "26+19/32" for two planes, "4 bit 32/32" for integers of binary planes */
static void bits_text(const struct flx_model *m, const struct flx_layer *l, char *out, size_t size)
{
    int binary = l->plane_mode == FLX_PLANES_BINARY && l->planes > 1, same = binary;
    size_t n = 0;
    for (int p = 1; p < l->planes; p++)
        same = same && l->n_in[p] == l->n_in[0];
    if (binary)
        n = (size_t)snprintf(out, size, "%d bit ", l->planes);
    for (int p = 0; p < (same ? 1 : l->planes) && n < size; p++)
        n += (size_t)snprintf(out + n, size - n, "%s%d", p ? "+" : "", l->n_in[p]);
    if (n < size)
        snprintf(out + n, size - n, "/%d", m->nets[l->net[0]].n_out);
}

/* "max 2", "max 3/2 pad 1", "sum 8 >> 6", "-" */
static void pool_text(const struct flx_layer *l, char *out, size_t size)
{
    char stride[16] = "", pad[16] = "", shift[16] = "";
    if (l->pool_stride != l->pool)
        snprintf(stride, sizeof stride, "/%d", l->pool_stride);
    if (l->pool_pad)
        snprintf(pad, sizeof pad, " pad %d", l->pool_pad);
    if (l->pool_shift)
        snprintf(shift, sizeof shift, " >> %d", l->pool_shift);
    if (l->pool == 1)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%s %d%s%s%s", l->pool_kind == FLX_POOL_SUM ? "sum" : "max", l->pool,
                 stride, pad, shift);
}

static const char *source(const struct flx_model *m, int layer)
{
    return layer < 0 ? "image" : m->layers[layer].name;
}

/* "conv3", "conv7/2", "-" */
static void skip_text(const struct flx_model *m, const struct flx_layer *l, char *out, size_t size)
{
    if (l->skip == FLX_NO_SKIP)
        snprintf(out, size, "-");
    else if (l->skip_stride == 1)
        snprintf(out, size, "%s", source(m, l->skip));
    else
        snprintf(out, size, "%s/%d", source(m, l->skip), l->skip_stride);
}

static void print_layer(const struct flx_model *m, const struct flx_layer *l)
{
    struct flx_layer_stats s;
    char in[48], kernel[48], out[48], bits[64], pool[64], skip[48];
    flx_layer_stats(m, l, &s);
    snprintf(in, sizeof in, "%dx%dx%d", l->in_h, l->in_w, l->in_c);
    snprintf(out, sizeof out, "%dx%dx%d", l->out_h, l->out_w, l->out_c);
    snprintf(kernel, sizeof kernel, "%dx%d/%d", l->kh, l->kw, l->stride);
    bits_text(m, l, bits, sizeof bits);
    pool_text(l, pool, sizeof pool);
    skip_text(m, l, skip, sizeof skip);
    printf("%-10s %-10s %-10s %-7s %3d %-9s %-13s %-10s %-11s %8" PRIu64 " %10" PRIu64 " %6.3f\n",
           l->name, source(m, l->input), in, kernel, l->pad, skip, pool, out, bits, s.weights,
           s.macs, s.nominal_bits / (double)s.weights);
}

static void print_text(const struct flx_model *m, const struct flx_model_stats *s)
{
    printf("%s, trained on %s, %d-bit activations\n\n", m->name,
           *m->dataset ? m->dataset : "nothing named", m->act_bits);
    printf("%-10s %-10s %-10s %-7s %3s %-9s %-13s %-10s %-11s %8s %10s %6s\n", "layer", "reads",
           "input", "kernel", "pad", "adds", "pool", "output", "n_in/n_out", "weights", "MACs",
           "bits/w");
    for (int i = 0; i < m->n_layers; i++)
        print_layer(m, &m->layers[i]);
    printf("%-92s %8" PRIu64 " %10" PRIu64 " %6.3f\n\n", "all", s->weights, s->macs,
           s->bits_per_weight);
    for (int i = 0; i < m->n_nets; i++)
        printf("XOR network %d    %s, n_out %d, n_in %d to %d, hash %08" PRIx32 "\n", i,
               m->nets[i].kind == FLX_XORNET_NESTED ? "nested" : "fixed", m->nets[i].n_out,
               m->nets[i].n_min, m->nets[i].n_max, flx_xornet_hash(&m->nets[i]));
    printf("bits per weight  %.4f nominal, %.4f with everything that is stored\n",
           s->bits_per_weight, s->bits_per_weight_stored);
    printf("size             %" PRIu64 " bytes\n", s->bytes);
}

static json_t *pool_json(const struct flx_layer *l)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind",
                     l->pool_kind == FLX_POOL_SUM ? "sum" : "max", "size", l->pool, "stride",
                     l->pool_stride, "pad", l->pool_pad, "shift", l->pool_shift);
}

static json_t *skip_json(const struct flx_layer *l)
{
    if (l->skip == FLX_NO_SKIP)
        return json_null();
    return json_pack("{s:i, s:i, s:i}", "layer", l->skip, "stride", l->skip_stride, "m", l->skip_m);
}

static json_t *layer_json(const struct flx_model *m, const struct flx_layer *l)
{
    struct flx_layer_stats s;
    json_t *n_in = json_array();
    flx_layer_stats(m, l, &s);
    for (int p = 0; p < l->planes; p++)
        json_array_append_new(n_in, json_integer(l->n_in[p]));
    return json_pack("{s:s, s:i, s:[i,i,i], s:[i,i], s:i, s:i, s:o, s:o, s:[i,i,i], s:o, s:i, s:s, "
                     "s:I, s:I, s:f}",
                     "name", l->name, "input", l->input, "in", l->in_h, l->in_w, l->in_c, "kernel",
                     l->kh, l->kw, "stride", l->stride, "pad", l->pad, "skip", skip_json(l), "pool",
                     pool_json(l), "out", l->out_h, l->out_w, l->out_c, "n_in", n_in, "n_out",
                     m->nets[l->net[0]].n_out, "plane_mode",
                     l->plane_mode == FLX_PLANES_BINARY ? "binary" : "scaled", "weights",
                     (json_int_t)s.weights, "macs", (json_int_t)s.macs, "bits", s.nominal_bits);
}

static json_t *to_json(const struct flx_model *m, const struct flx_model_stats *s)
{
    json_t *layers = json_array(), *hashes = json_array();
    char hash[16];
    for (int i = 0; i < m->n_layers; i++)
        json_array_append_new(layers, layer_json(m, &m->layers[i]));
    for (int i = 0; i < m->n_nets; i++) {
        snprintf(hash, sizeof hash, "%08" PRIx32, flx_xornet_hash(&m->nets[i]));
        json_array_append_new(hashes, json_string(hash));
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:f, s:f, s:I, s:I, s:I, s:I, s:o, s:o}", "name",
                     m->name, "data", m->dataset, "classes", m->classes, "act_bits", m->act_bits,
                     "bits_per_weight", s->bits_per_weight, "bits_per_weight_stored",
                     s->bits_per_weight_stored, "bytes", (json_int_t)s->bytes, "macs",
                     (json_int_t)s->macs, "weights", (json_int_t)s->weights, "nominal_bits",
                     (json_int_t)s->nominal_bits, "xor_hashes", hashes, "layers", layers);
}

static int show(const char *path, int json)
{
    struct flx_model *m = NULL;
    struct flx_model_stats stats;
    int status = flx_model_load(path, &m);
    if (!status)
        status = flx_model_stats(m, path, &stats);
    if (!status && json)
        status = flx_cli_json(to_json(m, &stats));
    else if (!status)
        print_text(m, &stats);
    flx_model_free(m);
    return status;
}

int flx_cmd_info(int argc, char **argv)
{
    int c, json = 0, status = FLX_OK;
    while ((c = flx_cli_option(argc, argv, "h", long_options)) != -1) {
        if (c == 'h') {
            puts(help);
            return 0;
        }
        if (c != OPT_JSON)
            return flx_cli_fail(argv[0], FLX_ERR_ARG);
        json = 1;
    }
    status = flx_cli_operands(argc, argv, 1, "MODEL");
    if (!status)
        status = show(argv[optind], json);
    return flx_cli_fail(argv[0], status);
}
