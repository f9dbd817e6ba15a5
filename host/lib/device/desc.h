/* SPDX-License-Identifier: Apache-2.0 */
/** The device description (docs/link.md). */
#ifndef FLEXOR_DESC_H
#define FLEXOR_DESC_H
#include <stddef.h>
#include <stdint.h>

struct flx_desc {
    int version;
    int k, t, p;
    int pixels; /* outputs of a row that the lanes compute in a cycle */
    int n_out, nin_max;
    int act_bits, acc_bits, rq_lanes;
    int lanes; /* structure of the lanes (docs/lanes.md) */
    uint32_t xor_hash;
    uint32_t act_words, weight_words, param_entries; /* memories */
    int layers, results;
    int max_payload, window_max;
    uint32_t clk_khz;
    int xor_n_min, xor_n_max, xor_kind;
    int skip, windows, scaled; /* 1: the option is there; skip 2: with multipliers of its
                                  own, scaled 2: planes of binary codes only */
    int store;                 /* 1: act_words hold resident weights too; rows are cached */
    int pool_bits;             /* 0: no sum pooling */
    int rts_cts;               /* of a UART: the wires are there */
    uint32_t build_id;
};

/** Reads and checks the answer of HELLO without its two status bytes.
 *  FLX_ERR_VERSION for another protocol, FLX_ERR_LINK (names the field) when the
 *  description is impossible. */
int flx_desc_parse(const uint8_t *data, size_t len, struct flx_desc *d);

/** Slices of a weight word, K*T/n_out. */
int flx_desc_slices(const struct flx_desc *d);

/** Bytes of a weight word of @p n_in stored bits a slice on the link. */
size_t flx_word_bytes(int slices, int n_in);

#endif
