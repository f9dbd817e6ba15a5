/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/xornet.h"

int flx_xornet_rank(const struct flx_xornet *net, int n_in)
{
    uint32_t basis[FLX_XOR_MAX] = {0}; /* basis[b]: a row whose highest tap is b */
    int rank = 0;
    for (int i = 0; i < net->n_out; i++) {
        uint32_t row = flx_xornet_row(net, n_in, i);
        while (row) {
            int top = 31 - __builtin_clz(row);
            if (!basis[top]) {
                basis[top] = row;
                rank++;
                break;
            }
            row ^= basis[top];
        }
    }
    return rank;
}
