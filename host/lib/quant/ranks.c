/* SPDX-License-Identifier: Apache-2.0 */
/* One model in several processes. Each runs its neighbouring shards, then all have all
 * parts and form the same sums in the order of the shards. */
#include <stdlib.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "quant.h"

int flx_ranks_check(const struct flx_group *g, const struct flx_train_options *o)
{
    if (g && o->shards % g->size)
        return flx_fail(FLX_ERR_ARG,
                        "%d shards cannot be divided among %d ranks: give a multiple as --shards, "
                        "or start another number of ranks",
                        o->shards, g->size);
    return FLX_OK;
}

void flx_ranks_shards(const struct flx_trainer *t, int *first, int *end)
{
    const struct flx_group *g = t->group;
    int each = g ? t->o.shards / g->size : t->o.shards;
    *first = g ? g->rank * each : 0;
    *end = *first + each;
}

int flx_ranks_parts(struct flx_trainer *t)
{
    size_t each = t->group ? (size_t)(t->o.shards / t->group->size) : 0;
    return flx_group_gather(t->group, t->parts, each * t->shard_floats * sizeof *t->parts);
}

/* Every rank's @p mine, in all[size]; the caller frees it. */
static int exchange(struct flx_group *g, uint32_t mine, uint32_t **all)
{
    *all = calloc((size_t)g->size, sizeof **all);
    int status =
        flx_group_agree(g, *all ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory for the ranks"));
    if (status != FLX_OK)
        return status;
    (*all)[g->rank] = mine;
    return flx_group_gather(g, *all, sizeof **all);
}

int flx_ranks_add(struct flx_trainer *t, int *count)
{
    struct flx_group *g = t->group;
    uint32_t *all = NULL;
    if (!g)
        return FLX_OK;
    int status = exchange(g, (uint32_t)*count, &all);
    *count = 0;
    for (int i = 0; status == FLX_OK && i < g->size; i++)
        *count += (int)all[i];
    free(all);
    return status;
}

int flx_ranks_compare(struct flx_trainer *t)
{
    struct flx_group *g = t->group;
    uint32_t *all = NULL, crc = 0;
    if (!g)
        return FLX_OK;
    for (int i = 0; i < t->n_params; i++)
        crc = flx_crc32(crc, t->params[i].w, t->params[i].n * sizeof(float));
    int status = exchange(g, crc, &all);
    for (int i = 1; status == FLX_OK && i < g->size; i++)
        if (all[i] != all[0])
            status = flx_fail(FLX_ERR_MISMATCH,
                              "the weights of rank %d differ from those of rank 0: ranks need "
                              "processors of one kind, the same program and the same images",
                              i);
    free(all);
    return status;
}
