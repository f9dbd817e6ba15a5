/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/fit.h"

#include <stdio.h>
#include <string.h>

#include "compile.h"
#include "fit_area.h"
#include "fit_board.h"
#include "fit_cycles.h"
#include "fit_memory.h"
#include "flexor/status.h"
#include "flexor/xornet.h"
#include "flx_proto.h"

/* Packets of 64 bytes that fit into a frame of a full-speed bus (USB 2.0, table 5-9). */
#define USB_PACKETS 19

/* Bits of a byte on a UART. */
#define UART_BITS 10

/* The description that the build would give, for the model's own XOR network. */
static void describe(const struct flx_board *b, const struct flx_model *m, struct flx_desc *d)
{
    const int *c = b->core;
    const struct flx_xornet *net = &m->nets[m->layers[0].net[0]];
    *d = (struct flx_desc){.version = FLX_PROTO_VERSION,
                           .k = c[FLX_CORE_K],
                           .t = c[FLX_CORE_T],
                           .p = c[FLX_CORE_P],
                           .pixels = c[FLX_CORE_PIXELS],
                           .n_out = net->n_out,
                           .nin_max = c[FLX_CORE_NIN_MAX],
                           .act_bits = c[FLX_CORE_ACT_W],
                           .acc_bits = c[FLX_CORE_ACC_W],
                           .rq_lanes = c[FLX_CORE_RQ],
                           .lanes = c[FLX_CORE_LANES],
                           .xor_hash = flx_xornet_hash(net),
                           .act_words = (uint32_t)c[FLX_CORE_AMEM_WORDS],
                           .weight_words = (uint32_t)c[FLX_CORE_WMEM_WORDS],
                           .param_entries = (uint32_t)c[FLX_CORE_PMEM_CH],
                           .layers = c[FLX_CORE_PROG_LAYERS],
                           .results = c[FLX_CORE_RES_WORDS],
                           .max_payload = c[FLX_CORE_MAX_PAYLOAD],
                           .window_max = c[FLX_CORE_WIN_MAX],
                           .clk_khz = (uint32_t)b->core_khz,
                           .xor_n_min = net->n_min,
                           .xor_n_max = net->n_max,
                           .xor_kind = net->kind,
                           .skip = c[FLX_CORE_SKIP],
                           .windows = c[FLX_CORE_WINDOWS],
                           .scaled = c[FLX_CORE_SCALED],
                           .store = c[FLX_CORE_AMEM_KIND],
                           .pool_bits = c[FLX_CORE_POOL_BITS]};
}

static void describe_link(const struct flx_board *b, struct flx_fit *out)
{
    if (b->link == FLX_LINK_UART) {
        out->link_bytes_s = b->baud / (double)UART_BITS;
        snprintf(out->link, sizeof out->link, "UART %d baud", b->baud);
    } else {
        out->link_bytes_s = 1000.0 * USB_PACKETS * 64;
        snprintf(out->link, sizeof out->link, "USB full speed");
    }
}

static void add_resource(struct flx_fit *out, const char *name, double needed, int there,
                         const char *knob)
{
    struct flx_fit_resource *r = &out->resource[out->n_resources++];
    *r = (struct flx_fit_resource){
        .name = name, .needed = (int64_t)(needed + 0.5), .available = there};
    snprintf(r->knob, sizeof r->knob, "%s", knob);
}

/* What the build takes of an FPGA that is known. */
static void add_resources(const struct flx_board *b, int n_out, struct flx_fit *out)
{
    const struct flx_family *family = flx_family_find(b->family);
    const struct flx_part *part = flx_part_find(b->device);
    char knobs[sizeof out->resource[0].knob];
    double blocks = 0, cells = 0, ffs = 0;
    if (!family || !part)
        return;
    out->n_memories = flx_fit_memories(family, b, n_out, out->memory);
    for (int i = 0; i < out->n_memories; i++)
        blocks += out->memory[i].blocks;
    for (int i = 0; i < out->n_units; i++) {
        cells += out->unit[i].cells;
        ffs += out->unit[i].ffs;
    }
    flx_fit_knobs(b, n_out, knobs, sizeof knobs);
    add_resource(out, family->lut, cells, part->cells, knobs);
    add_resource(out, "flip-flops", ffs, part->cells, "T, K, P or RQ");
    add_resource(out, "block RAM", blocks, part->blocks,
                 "AMEM_WORDS, WMEM_WORDS, NIN_MAX, PMEM_CH or P");
    add_resource(out, "DSP", flx_fit_dsps(b), part->multipliers, "RQ or P");
}

/* Cells and clocks of the build, and what they are computed from. */
static void add_build(const struct flx_board *b, int n_out, struct flx_fit *out)
{
    double q[FLX_QUANTITIES];
    flx_fit_quantities(b, n_out, q);
    for (int i = 0; i < FLX_QUANTITIES; i++)
        out->quantity[out->n_quantities++] =
            (struct flx_fit_quantity){flx_quantity_name((enum flx_quantity)i), q[i]};
    out->n_units = flx_fit_area(b, n_out, out->unit);
    out->n_clocks = flx_fit_clocks(b, n_out, out->clock);
    add_resources(b, n_out, out);
}

static void add_layers(const struct flx_desc *d, const struct flx_compiled *c, struct flx_fit *out)
{
    for (int i = 0; i < c->n_layers; i++) {
        struct flx_fit_layer *l = &out->layer[out->n_layers++];
        snprintf(l->name, sizeof l->name, "%s", c->model->layers[i].name);
        flx_fit_cycles(d, c, i, &l->busy, &l->cycles);
        l->bytes = (uint64_t)c->layer[i].words * c->layer[i].word_bytes;
        out->cycles += l->cycles;
        out->lanes_busy += (double)l->busy;
    }
    out->lanes_busy /= (double)out->cycles * out->pixels;
}

static void add_speed(const struct flx_compiled *c, struct flx_fit *out)
{
    double bytes = (double)c->image_bytes * out->images;
    for (int i = 0; out->streamed && i < out->n_layers; i++)
        bytes += (double)out->layer[i].bytes;
    out->images_s_core = 1000.0 * (double)out->core_khz * out->images / (double)out->cycles;
    out->images_s_link = out->link_bytes_s * out->images / bytes;
    if (out->one_image)
        out->images_s = 1 / (1 / out->images_s_core + 1 / out->images_s_link);
    else if (out->images_s_core < out->images_s_link)
        out->images_s = out->images_s_core;
    else
        out->images_s = out->images_s_link;
}

/* What the compiler says of the model on this build. */
static int run(const struct flx_model *m, const struct flx_desc *d, int stream, struct flx_fit *out)
{
    struct flx_compiled c;
    int status = flx_compile(m, d, stream, &c);
    if (status == FLX_OK) {
        out->streamed = c.streamed;
        out->one_image = c.one_image;
        out->images = d->p;
        add_layers(d, &c, out);
        add_speed(&c, out);
    } else if (status == FLX_ERR_CAPACITY || status == FLX_ERR_UNSUPPORTED ||
               status == FLX_ERR_OVERFLOW || status == FLX_ERR_XORNET) {
        snprintf(out->refusal, sizeof out->refusal, "%s", flx_last_error());
        status = FLX_OK;
    }
    flx_compiled_free(&c);
    return status;
}

static void describe_board(const char *id, const struct flx_board *b, struct flx_fit *out)
{
    snprintf(out->board, sizeof out->board, "%s", id);
    snprintf(out->title, sizeof out->title, "%s", b->name);
    snprintf(out->device, sizeof out->device, "%s", b->device);
    out->core_khz = b->core_khz;
    out->pixels = b->core[FLX_CORE_PIXELS];
    for (int p = 0; p < FLX_CORE_PARAMETERS; p++)
        out->parameter[out->n_parameters++] = (struct flx_fit_parameter){
            flx_core_parameter_name((enum flx_core_parameter)p), b->core[p]};
    describe_link(b, out);
}

int flx_fit(const struct flx_model *m, const char *boards, const char *board,
            const char *const *settings, int n, int stream, struct flx_fit *out)
{
    struct flx_board b;
    struct flx_desc d;
    *out = (struct flx_fit){.n_layers = 0};
    int status = flx_board_read(boards, board, &b);
    for (int i = 0; i < n && !status; i++)
        status = flx_board_set(&b, settings[i]);
    if (status)
        return status;
    describe_board(board, &b, out);
    describe(&b, m, &d);
    add_build(&b, d.n_out, out);
    return run(m, &d, stream, out);
}
