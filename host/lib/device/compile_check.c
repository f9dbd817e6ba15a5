/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "compile_internal.h"
#include "flexor/status.h"
#include "flx_proto.h"

#define SUPPORTED                                                                                  \
    "supported: tile order, one XOR network and n_in a layer, zero padding code except for the "   \
    "image"

static int check_xornet(const struct flx_model *m, const struct flx_layer *l,
                        const struct flx_desc *d)
{
    for (int p = 0; p < l->planes; p++) {
        uint32_t hash = flx_xornet_hash(&m->nets[l->net[p]]);
        if (hash != d->xor_hash)
            return flx_fail(FLX_ERR_XORNET,
                            "layer %s uses XOR network %08" PRIx32 ", the device was built for "
                            "%08" PRIx32 ": build one for this model, for example with `make sim "
                            "XORNET=MODEL.safetensors SUFFIX=-mine` (docs/architecture.md)",
                            l->name, hash, d->xor_hash);
    }
    return FLX_OK;
}

static int check_coding(const struct flx_layer *l, const struct flx_desc *d)
{
    if (l->order != FLX_SLICE_TILE)
        return flx_fail(FLX_ERR_UNSUPPORTED, "layer %s: the device runs no flat slice order; %s",
                        l->name, SUPPORTED);
    for (int p = 1; p < l->planes; p++)
        if (l->n_in[p] != l->n_in[0] || l->net[p] != l->net[0])
            return flx_fail(FLX_ERR_UNSUPPORTED, "layer %s: its planes are coded differently; %s",
                            l->name, SUPPORTED);
    if (l->n_in[0] > d->nin_max || l->n_in[0] < d->xor_n_min)
        return flx_fail(FLX_ERR_CAPACITY,
                        "layer %s: %d stored bits a slice, the device decodes %d to %d: build it "
                        "with a larger NIN_MAX",
                        l->name, l->n_in[0], d->xor_n_min, d->nin_max);
    return FLX_OK;
}

/* Options of the build that a layer needs. */
static int check_options(const struct flx_layer *l, const struct flx_desc *d)
{
    int plain = l->pool_stride == l->pool && !l->pool_pad;
    const struct {
        int needed, there;
        const char *what, *option;
    } options[] = {
        {l->skip != FLX_NO_SKIP, d->skip, "addition of an earlier layer", "SKIP"},
        {l->planes > 1 && (d->lanes || l->plane_mode == FLX_PLANES_SCALED), d->scaled,
         "addition of planes", "SCALED"},
        {l->planes > 1 && l->plane_mode == FLX_PLANES_SCALED, d->scaled == 1,
         "addition of planes with scales of their own", "SCALED"},
        {l->pool > 1 && !plain, d->windows,
         "windows of pooling that overlap, lie apart or are padded", "WINDOWS"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].needed && !options[i].there)
            return flx_fail(FLX_ERR_UNSUPPORTED,
                            "layer %s: the device has no %s: build it with %s=1", l->name,
                            options[i].what, options[i].option);
    return FLX_OK;
}

/* Sums of pool windows fit the pool register. */
static int check_sums(const struct flx_layer *l, const struct flx_desc *d)
{
    int64_t most = (INT64_C(1) << d->act_bits) - 1;
    int64_t half = l->pool_shift > 0 ? INT64_C(1) << (l->pool_shift - 1) : 0;
    if (l->pool_kind != FLX_POOL_SUM)
        return FLX_OK;
    if (d->pool_bits == 0)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "layer %s: the device has no sum pooling: build it with POOL_BITS=6",
                        l->name);
    if ((l->pool * l->pool * most + half) >> (d->act_bits + d->pool_bits))
        return flx_fail(FLX_ERR_CAPACITY,
                        "layer %s: the sum of %dx%d codes is beyond the device's %d bits: build it "
                        "with a larger POOL_BITS",
                        l->name, l->pool, l->pool, d->act_bits + d->pool_bits);
    return FLX_OK;
}

static int check_input(const struct flx_layer *l, int first, const struct flx_desc *d)
{
    if (first && !l->row_packed)
        return flx_fail(FLX_ERR_UNSUPPORTED, "layer %s: the device wants a row-packed first layer",
                        l->name);
    if (!first && l->row_packed)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "layer %s: only the first layer may be row-packed on the device", l->name);
    if (!first && l->pad && l->in_zero)
        return flx_fail(FLX_ERR_UNSUPPORTED, "layer %s: padding code %d; %s", l->name, l->in_zero,
                        SUPPORTED);
    if (first && l->kw * l->in_c > d->window_max)
        return flx_fail(FLX_ERR_CAPACITY,
                        "layer %s: a kernel row of the image has %d bytes, the device takes %d: "
                        "build it with a larger WIN_MAX",
                        l->name, l->kw * l->in_c, d->window_max);
    return FLX_OK;
}

/* Fields of the program words. */
static int check_fields(const struct flx_layer *l, int first)
{
    const struct {
        const char *what;
        int64_t value, max;
    } fields[] = {
        {"kernel rows", l->kh, 255},
        {"padding", l->pad, 255},
        {"rows of stride", l->stride, 255},
        {"pool", l->pool, 255},
        {"bits of pool shift", l->pool_shift, 15},
        {"planes", l->planes, 15},
        {"output channels", l->out_c, 65535},
        {"bytes between image windows", first ? (int64_t)l->stride * l->in_c : 0, 255},
        {"bytes of a kernel row of the image", first ? (int64_t)l->kw * l->in_c : 0, 255},
        {"bytes of an image row", first ? (int64_t)l->in_w * l->in_c : 0, 65535},
        {"bytes of padding", first ? (int64_t)l->pad * l->in_c : 0, 65535},
        {"input rows", (int64_t)l->in_h + 2 * l->pad, 65535},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].value > fields[i].max)
            return flx_fail(FLX_ERR_CAPACITY,
                            "layer %s: %" PRId64 " %s, a program can say %" PRId64, l->name,
                            fields[i].value, fields[i].what, fields[i].max);
    return FLX_OK;
}

/* What lanes of several outputs a cycle can do. */
static int check_pixels(const struct flx_desc *d)
{
    if (d->pixels == 1 || (d->k % d->t == 0 && d->windows && !d->store))
        return FLX_OK;
    return flx_fail(FLX_ERR_UNSUPPORTED,
                    "the device computes %d outputs at a time, which needs K a multiple of T, "
                    "WINDOWS=1 and AMEM_KIND=0: build it with them, or with PIXELS=1",
                    d->pixels);
}

int flx_compile_check(const struct flx_model *m, const struct flx_desc *d)
{
    if (m->act_bits != d->act_bits)
        return flx_fail(FLX_ERR_UNSUPPORTED,
                        "the model has %d-bit activations, the device %d-bit: build it with "
                        "ACT_W = %d",
                        m->act_bits, d->act_bits, m->act_bits);
    if (m->n_layers > d->layers || m->n_layers > FLX_RUN_ALL_LAYERS)
        return flx_fail(FLX_ERR_CAPACITY,
                        "the model has %d layers, the device's program memory holds %d: build it "
                        "with a larger PROG_LAYERS",
                        m->n_layers, d->layers);
    if (check_pixels(d))
        return FLX_ERR_UNSUPPORTED;
    for (int i = 0; i < m->n_layers; i++) {
        const struct flx_layer *l = &m->layers[i];
        int status = check_xornet(m, l, d);
        if (!status)
            status = check_coding(l, d);
        if (!status)
            status = check_options(l, d);
        if (!status)
            status = check_sums(l, d);
        if (!status)
            status = check_input(l, i == 0, d);
        if (!status)
            status = check_fields(l, i == 0);
        if (status)
            return status;
    }
    return FLX_OK;
}
