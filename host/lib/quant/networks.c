/* SPDX-License-Identifier: Apache-2.0 */
/* Which XOR network and how many stored bits each layer has. */
#include <string.h>

#include "flexor/status.h"
#include "quant.h"

#define N_MIN_32 13 /* of the default nested network with 32 outputs */

/* Smallest n_min whose pairs suffice for the rows that are not inputs. */
static int smallest_n_min(int n_out)
{
    int n = 1;
    while (n * (n - 1) / 2 < n_out - n)
        n++;
    return n;
}

/* @p least: smallest n_in of the model. */
static int make_nested(const struct flx_train_options *o, int least, uint64_t seed,
                       struct flx_xornet *net)
{
    int n_min = (N_MIN_32 * o->n_out + 31) / 32, smallest = smallest_n_min(o->n_out);
    n_min = n_min < least ? n_min : least;
    if (n_min < smallest)
        n_min = smallest;
    if (least < n_min)
        return flx_fail(FLX_ERR_ARG,
                        "the nested XOR network for --nout %d wants --nin %d or more: use --xor "
                        "two-tap",
                        o->n_out, n_min);
    return flx_xornet_nested(net, o->n_out, n_min, seed);
}

/* The index of @p net among those of the trainer, to which it is added if new. */
static int intern(struct flx_trainer *t, const struct flx_xornet *net, int *index)
{
    for (*index = 0; *index < t->n_nets; (*index)++)
        if (!memcmp(&t->nets[*index], net, sizeof *net))
            return FLX_OK;
    if (t->n_nets == FLX_MAX_XORNETS)
        return flx_fail(FLX_ERR_ARG,
                        "more than %d XOR networks: use fewer values of --nin, or --plane-xor same",
                        FLX_MAX_XORNETS);
    t->nets[t->n_nets++] = *net;
    return FLX_OK;
}

int flx_trainer_find_net(struct flx_trainer *t, int n_in, int plane, int least, int *index)
{
    const struct flx_train_options *o = &t->o;
    uint64_t seed = (uint64_t)o->xor_seed + (o->plane_own ? (uint64_t)plane : 0);
    struct flx_xornet net;
    int taps = o->xor_kind == FLX_TRAIN_FILL ? 0 : o->taps;
    int status = o->xor_kind == FLX_TRAIN_NESTED
                     ? make_nested(o, least, seed, &net)
                     : flx_xornet_random(&net, n_in, o->n_out, taps, seed);
    return status == FLX_OK ? intern(t, &net, index) : status;
}

int flx_trainer_find_identity(struct flx_trainer *t, int *index)
{
    struct flx_xornet net;
    for (*index = 0; *index < t->n_nets; (*index)++)
        if (t->nets[*index].kind == FLX_XORNET_NESTED)
            return FLX_OK;
    int status = make_nested(&t->o, t->o.n_out, (uint64_t)t->o.xor_seed, &net);
    return status == FLX_OK ? intern(t, &net, index) : status;
}

/* The number of XOR-coded nodes and the highest of their stages. */
static void count_coded(const struct flx_net_spec *s, int *layers, int *stages)
{
    *layers = *stages = 0;
    for (int i = 0; i < s->n_nodes; i++) {
        const struct flx_node_spec *n = &s->nodes[i];
        if (n->weight_bits)
            continue;
        ++*layers;
        *stages = n->stage > *stages ? n->stage : *stages;
    }
}

int flx_trainer_rates(const struct flx_trainer *t, int n_in[FLX_NN_MAX_NODES])
{
    const struct flx_int_list *list = &t->o.n_in;
    int layers, stages, layer = 0;
    count_coded(&t->spec, &layers, &stages);
    if (list->n != 1 && list->n != layers && list->n != stages)
        return flx_fail(FLX_ERR_ARG,
                        "--nin has %d numbers, but %s has %d XOR-coded layers in %d stages",
                        list->n, t->o.model, layers, stages);
    for (int i = 0; i < t->spec.n_nodes; i++) {
        const struct flx_node_spec *s = &t->spec.nodes[i];
        n_in[i] = 0;
        if (s->weight_bits)
            continue;
        int at = list->n == 1 ? 0 : list->n == layers ? layer : s->stage - 1;
        if (at < 0)
            return flx_fail(FLX_ERR_ARG, "--nin: layer %s of %s has no stage", s->name, t->o.model);
        n_in[i] = list->v[at];
        layer++;
    }
    return FLX_OK;
}
