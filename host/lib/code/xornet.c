/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/xornet.h"

#include <string.h>

#include "flexor/file.h"
#include "flexor/rng.h"
#include "flexor/status.h"

static uint32_t low_mask(int n)
{
    return n >= 32 ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

/* The pair of inputs that keeps the degrees most even among those not used:
 * smallest sum of degrees, then smallest larger degree, ties by lot. */
static uint32_t draw_pair(const int degree[], int n, const uint32_t used[], struct flx_rng *rng)
{
    int best = -1;
    uint64_t ties = 0;
    uint32_t pair = 0;
    for (int a = 0; a < n; a++) {
        for (int b = a + 1; b < n; b++) {
            if (used[a] >> b & 1)
                continue;
            int max = degree[a] > degree[b] ? degree[a] : degree[b];
            int cost = (degree[a] + degree[b]) * 2 * FLX_XOR_MAX + max;
            if (best < 0 || cost < best) {
                best = cost;
                ties = 0;
            }
            if (cost == best && flx_rng_below(rng, ++ties) == 0)
                pair = UINT32_C(1) << a | UINT32_C(1) << b;
        }
    }
    return pair;
}

int flx_xornet_nested(struct flx_xornet *net, int n_out, int n_min, uint64_t seed)
{
    if (n_out < 1 || n_out > FLX_XOR_MAX || n_min < 1 || n_min > n_out)
        return flx_fail(FLX_ERR_ARG,
                        "XOR network: n_min %d and n_out %d must be 1 <= n_min <= "
                        "n_out <= %d",
                        n_min, n_out, FLX_XOR_MAX);
    if (n_min * (n_min - 1) / 2 < n_out - n_min)
        return flx_fail(FLX_ERR_ARG,
                        "XOR network: %d inputs have only %d pairs, but n_out %d "
                        "needs %d: raise n_min",
                        n_min, n_min * (n_min - 1) / 2, n_out, n_out - n_min);
    memset(net, 0, sizeof *net);
    net->kind = FLX_XORNET_NESTED;
    net->n_out = n_out;
    net->n_min = n_min;
    net->n_max = n_out;
    net->seed = seed;
    int degree[FLX_XOR_MAX] = {0};
    uint32_t used[FLX_XOR_MAX] = {0};
    struct flx_rng rng;
    flx_rng_init(&rng, seed, 0);
    /* From the last row down: n_in uses the pairs of the rows n_in .. n_out-1,
     * so every suffix is spread evenly. */
    for (int i = n_out - 1; i >= n_min; i--) {
        uint32_t pair = draw_pair(degree, n_min, used, &rng);
        int a = __builtin_ctz(pair), b = 31 - __builtin_clz(pair);
        net->rows[i] = pair;
        used[a] |= UINT32_C(1) << b;
        degree[a]++;
        degree[b]++;
    }
    return FLX_OK;
}

int flx_xornet_default(struct flx_xornet *net)
{
    return flx_xornet_nested(net, 32, 13, 1);
}

static uint32_t draw_taps(int n_in, int taps, struct flx_rng *rng)
{
    uint32_t row = 0;
    if (taps == 0) {
        while (!row)
            row = (uint32_t)flx_rng_next(rng) & low_mask(n_in);
        return row;
    }
    while (__builtin_popcount(row) < taps)
        row |= UINT32_C(1) << flx_rng_below(rng, (uint64_t)n_in);
    return row;
}

int flx_xornet_random(struct flx_xornet *net, int n_in, int n_out, int taps, uint64_t seed)
{
    if (n_out < 1 || n_out > FLX_XOR_MAX || n_in < 1 || n_in > n_out)
        return flx_fail(FLX_ERR_ARG,
                        "XOR network: n_in %d and n_out %d must be 1 <= n_in <= "
                        "n_out <= %d",
                        n_in, n_out, FLX_XOR_MAX);
    if (taps < 0 || taps > n_in)
        return flx_fail(FLX_ERR_ARG,
                        "XOR network: %d taps a row must be 0 (random fill) to "
                        "n_in = %d",
                        taps, n_in);
    memset(net, 0, sizeof *net);
    net->kind = FLX_XORNET_FIXED;
    net->n_out = n_out;
    net->n_min = n_in;
    net->n_max = n_in;
    net->seed = seed;
    struct flx_rng rng;
    flx_rng_init(&rng, seed, 0);
    for (int i = 0; i < n_out; i++)
        net->rows[i] = draw_taps(n_in, taps, &rng);
    return FLX_OK;
}

static int check_nested(const struct flx_xornet *net)
{
    for (int i = net->n_min; i < net->n_out; i++) {
        uint32_t row = net->rows[i];
        if (__builtin_popcount(row) != 2 || row & ~low_mask(net->n_min))
            return flx_fail(FLX_ERR_ARG,
                            "XOR network: row %d (%08x) is not a pair of the first "
                            "%d inputs",
                            i, row, net->n_min);
        for (int j = net->n_min; j < i; j++)
            if (net->rows[j] == row)
                return flx_fail(FLX_ERR_ARG, "XOR network: rows %d and %d are the same", j, i);
    }
    return FLX_OK;
}

static int check_fixed(const struct flx_xornet *net)
{
    for (int i = 0; i < net->n_out; i++)
        if (!net->rows[i] || net->rows[i] & ~low_mask(net->n_min))
            return flx_fail(FLX_ERR_ARG,
                            "XOR network: row %d (%08x) is empty or has taps beyond "
                            "input %d",
                            i, net->rows[i], net->n_min - 1);
    return FLX_OK;
}

int flx_xornet_check(const struct flx_xornet *net)
{
    int nested = net->kind == FLX_XORNET_NESTED;
    if (!nested && net->kind != FLX_XORNET_FIXED)
        return flx_fail(FLX_ERR_ARG, "XOR network: unknown kind %d", (int)net->kind);
    if (net->n_out < 1 || net->n_out > FLX_XOR_MAX || net->n_min < 1 || net->n_min > net->n_out ||
        net->n_max != (nested ? net->n_out : net->n_min))
        return flx_fail(FLX_ERR_ARG, "XOR network: impossible sizes n_out %d, n_min %d, n_max %d",
                        net->n_out, net->n_min, net->n_max);
    for (int i = 0; i < FLX_XOR_MAX; i++) {
        int unused = i >= net->n_out || (nested && i < net->n_min);
        if (unused && net->rows[i])
            return flx_fail(FLX_ERR_ARG, "XOR network: row %d is unused and must be 0", i);
    }
    return nested ? check_nested(net) : check_fixed(net);
}

uint32_t flx_xornet_row(const struct flx_xornet *net, int n_in, int i)
{
    if (net->kind == FLX_XORNET_NESTED && i < n_in)
        return UINT32_C(1) << i;
    return net->rows[i];
}

uint32_t flx_xornet_hash(const struct flx_xornet *net)
{
    uint8_t bytes[4 + 4 * FLX_XOR_MAX] = {(uint8_t)net->kind, (uint8_t)net->n_out,
                                          (uint8_t)net->n_min, (uint8_t)net->n_max};
    for (int i = 0; i < 4 * FLX_XOR_MAX; i++)
        bytes[4 + i] = (uint8_t)(net->rows[i / 4] >> (i % 4 * 8));
    return flx_crc32(0, bytes, sizeof bytes);
}
