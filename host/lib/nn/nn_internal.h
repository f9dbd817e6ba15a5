/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of nn share. */
#ifndef FLEXOR_NN_INTERNAL_H
#define FLEXOR_NN_INTERNAL_H
#include "flexor/nn.h"

/** Fills the shape of node @p i from its spec and the nodes before it; refuses what
 *  does not fit or is not supported. */
int flx_node_geometry(const struct flx_net *net, int i, const struct flx_node_spec *spec,
                      struct flx_node *nd);

/** Refuses nodes that nothing reads, and logits anywhere but at the end. */
int flx_net_check(const struct flx_net *net);

/** Pool windows tile the map and nothing else is in the way: act_max.c does it. */
static inline int flx_pool_tiles(const struct flx_node *nd)
{
    return nd->pool > 1 && nd->pool == nd->pool_stride && nd->pool_pad == 0 &&
           nd->pool_kind == FLX_NN_POOL_MAX && nd->skip < 0 && nd->kind == FLX_NODE_RELU;
}

/** Images first..last-1 are thread @p t's share of the batch. */
static inline void flx_share(const struct flx_net *net, int t, int *first, int *last)
{
    *first = (int)((long)net->batch * t / net->threads);
    *last = (int)((long)net->batch * (t + 1) / net->threads);
}

/** Images first..last-1, worked on by thread @p t, whose share they are of. */
struct flx_part {
    int t, first, last;
};

/** Largest code. */
static inline int flx_top_code(const struct flx_net *net)
{
    return (1 << net->act_bits) - 1;
}

/** Size of an image's output, and of its map before pooling. */
static inline size_t flx_out_size(const struct flx_node *nd)
{
    return (size_t)nd->out_h * (size_t)nd->out_w * (size_t)nd->out_c;
}

static inline size_t flx_map_size(const struct flx_node *nd)
{
    return (size_t)nd->conv_h * (size_t)nd->conv_w * (size_t)nd->out_c;
}

#endif
