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

/* "19/32", "19+16/32" for two planes */
static void bits_text(const struct flx_model *m, const struct flx_layer *l, char *out, size_t size)
{
    size_t n = 0;
    for (int p = 0; p < l->planes && n < size; p++)
        n += (size_t)snprintf(out + n, size - n, "%s%d", p ? "+" : "", l->n_in[p]);
    if (n < size)
        snprintf(out + n, size - n, "/%d", m->nets[l->net[0]].n_out);
}

static void print_layer(const struct flx_model *m, const struct flx_layer *l)
{
    struct flx_layer_stats s;
    char in[48], kernel[48], out[48], bits[48];
    flx_layer_stats(m, l, &s);
    snprintf(in, sizeof in, "%dx%dx%d", l->in_h, l->in_w, l->in_c);
    snprintf(out, sizeof out, "%dx%dx%d", l->out_h, l->out_w, l->out_c);
    snprintf(kernel, sizeof kernel, "%dx%d/%d", l->kh, l->kw, l->stride);
    bits_text(m, l, bits, sizeof bits);
    printf("%-12s %-11s %-8s %3d %4d %-11s %-10s %9" PRIu64 " %11" PRIu64 " %6.3f\n", l->name, in,
           kernel, l->pad, l->pool, out, bits, s.weights, s.macs,
           s.nominal_bits / (double)s.weights);
}

static void print_text(const struct flx_model *m, const struct flx_model_stats *s)
{
    printf("%s, trained on %s, %d-bit activations\n\n", m->name,
           *m->dataset ? m->dataset : "nothing named", m->act_bits);
    printf("%-12s %-11s %-8s %3s %4s %-11s %-10s %9s %11s %6s\n", "layer", "input", "kernel", "pad",
           "pool", "output", "n_in/n_out", "weights", "MACs", "bits/w");
    for (int i = 0; i < m->n_layers; i++)
        print_layer(m, &m->layers[i]);
    printf("%-61s %9" PRIu64 " %11" PRIu64 " %6.3f\n\n", "all", s->weights, s->macs,
           s->bits_per_weight);
    for (int i = 0; i < m->n_nets; i++)
        printf("XOR network %d    %s, n_out %d, n_in %d to %d, hash %08" PRIx32 "\n", i,
               m->nets[i].kind == FLX_XORNET_NESTED ? "nested" : "fixed", m->nets[i].n_out,
               m->nets[i].n_min, m->nets[i].n_max, flx_xornet_hash(&m->nets[i]));
    printf("bits per weight  %.4f nominal, %.4f with everything that is stored\n",
           s->bits_per_weight, s->bits_per_weight_stored);
    printf("size             %" PRIu64 " bytes\n", s->bytes);
}

static json_t *layer_json(const struct flx_model *m, const struct flx_layer *l)
{
    struct flx_layer_stats s;
    json_t *n_in = json_array();
    flx_layer_stats(m, l, &s);
    for (int p = 0; p < l->planes; p++)
        json_array_append_new(n_in, json_integer(l->n_in[p]));
    return json_pack("{s:s, s:[i,i,i], s:[i,i], s:i, s:i, s:i, s:[i,i,i], s:o, s:i, s:I, s:I, s:f}",
                     "name", l->name, "in", l->in_h, l->in_w, l->in_c, "kernel", l->kh, l->kw,
                     "stride", l->stride, "pad", l->pad, "pool", l->pool, "out", l->out_h, l->out_w,
                     l->out_c, "n_in", n_in, "n_out", m->nets[l->net[0]].n_out, "weights",
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
