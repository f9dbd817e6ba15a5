/* SPDX-License-Identifier: Apache-2.0 */
#include "desc.h"

#include "flexor/status.h"
#include "flexor/xornet.h"
#include "flx_proto.h"

#define K0         4   /* inputs of a slice */
#define K_MAX      128 /* the program's mask has 32 granules of 4 lanes */
#define OLD_BYTES  48  /* a description that ends before the pixels */
#define MIN_LENGTH 64  /* payload: room for a header and a weight word */

static int u16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

int flx_desc_slices(const struct flx_desc *d)
{
    return d->k * d->t / d->n_out;
}

size_t flx_word_bytes(int slices, int n_in)
{
    size_t s = (size_t)slices, n = (size_t)n_in;
    return s == 1 || s == 2 || s == 4 ? (n * s + 7) / 8 : n * ((s + 7) / 8);
}

static int bad(const char *field, long value)
{
    return flx_fail(FLX_ERR_LINK, "the device describes itself with an impossible %s (%ld)", field,
                    value);
}

static int check(const struct flx_desc *d)
{
    if (d->n_out < K0 || d->n_out > FLX_XOR_MAX || d->n_out % K0)
        return bad("n_out", d->n_out);
    if (d->nin_max < 1 || d->nin_max > d->n_out)
        return bad("largest n_in", d->nin_max);
    if (d->k < K0 || d->k > K_MAX || d->k % K0)
        return bad("K", d->k);
    if (d->t < 1 || d->t % K0 || d->t % (d->n_out / K0))
        return bad("T", d->t);
    if (d->p < 1)
        return bad("P", d->p);
    if (d->act_bits != 4 && d->act_bits != 8)
        return bad("number of activation bits", d->act_bits);
    if (d->acc_bits < 16 || d->acc_bits > 32)
        return bad("number of accumulator bits", d->acc_bits);
    if (d->lanes > 2)
        return bad("structure of lanes", d->lanes);
    if (d->xor_n_min < 1 || d->xor_n_min > d->xor_n_max || d->xor_n_max > d->n_out)
        return bad("range of n_in", d->xor_n_min);
    if (d->weight_words < 1 || (d->weight_words & (d->weight_words - 1)))
        return bad("weight memory", (long)d->weight_words);
    if (d->max_payload < MIN_LENGTH || d->max_payload < FLX_DESC_BYTES + 2)
        return bad("largest payload", d->max_payload);
    if ((size_t)d->max_payload < FLX_WR_HDR_BYTES + flx_word_bytes(flx_desc_slices(d), d->nin_max))
        return bad("largest payload", d->max_payload);
    if (d->clk_khz < 1)
        return bad("clock", (long)d->clk_khz);
    return FLX_OK;
}

int flx_desc_parse(const uint8_t *data, size_t len, struct flx_desc *d)
{
    if (len >= 2 && u16(data) != FLX_PROTO_VERSION)
        return flx_fail(FLX_ERR_VERSION,
                        "the device speaks version %d of the link protocol, this program version "
                        "%d: build both from one source",
                        u16(data), FLX_PROTO_VERSION);
    if (len != FLX_DESC_BYTES && len != OLD_BYTES)
        return flx_fail(FLX_ERR_LINK, "the device's description has %zu bytes instead of %d", len,
                        FLX_DESC_BYTES);
    *d = (struct flx_desc){
        .version = u16(data),
        .k = u16(data + 2),
        .t = u16(data + 4),
        .p = data[6],
        .pixels = len > OLD_BYTES && data[48] & 15 ? data[48] & 15 : 1,
        .n_out = data[7],
        .nin_max = data[8],
        .act_bits = data[9],
        .acc_bits = data[10],
        .rq_lanes = data[11] & 15,
        .lanes = data[11] >> 4 & 7,
        .store = data[11] >> 7,
        .xor_hash = u32(data + 12),
        .act_words = u32(data + 16),
        .weight_words = u32(data + 20),
        .param_entries = u32(data + 24),
        .layers = u16(data + 28),
        .results = u16(data + 30),
        .max_payload = u16(data + 32),
        .window_max = u16(data + 34),
        .clk_khz = u32(data + 36),
        .xor_n_min = data[40],
        .xor_n_max = data[41],
        .xor_kind = data[42],
        .skip = (data[43] & 1) << (len > OLD_BYTES && data[48] >> 4 & 1),
        .windows = data[43] >> 1 & 1,
        .scaled = (data[43] >> 2 & 1) << (len > OLD_BYTES && data[48] >> 5 & 1),
        .rts_cts = data[43] >> 3 & 1,
        .pool_bits = data[43] >> 4,
        .build_id = u32(data + 44),
    };
    return check(d);
}
