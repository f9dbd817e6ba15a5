/* SPDX-License-Identifier: Apache-2.0 */
/* The named networks. */
#include <stdio.h>
#include <string.h>

#include "flexor/nn.h"
#include "flexor/status.h"

/* Appends a plain node: reads the one before it, no skip, no pool. */
static struct flx_node_spec *add(struct flx_net_spec *s, const char *name, int out_c, int kernel,
                                 int stride)
{
    struct flx_node_spec *n = &s->nodes[s->n_nodes];
    *n = (struct flx_node_spec){.kind = FLX_NODE_RELU,
                                .input = s->n_nodes ? s->n_nodes - 1 : FLX_NN_IMAGE,
                                .out_c = out_c,
                                .kernel = kernel,
                                .stride = stride,
                                .pad = kernel / 2,
                                .skip = FLX_NN_NO_SKIP,
                                .pool = 1,
                                .pool_stride = 1};
    snprintf(n->name, sizeof n->name, "%s", name);
    s->n_nodes++;
    return n;
}

static void add_logits(struct flx_net_spec *s, const char *name, int classes, int weight_bits)
{
    struct flx_node_spec *n = add(s, name, classes, 0, 1);
    n->kind = FLX_NODE_LOGITS;
    n->weight_bits = weight_bits;
}

/* LeNet-5 of the paper: 32C5-MP2-64C5-MP2-512FC-10. */
static void lenet5(struct flx_net_spec *s, int classes)
{
    for (int i = 0; i < 2; i++) {
        struct flx_node_spec *n = add(s, i ? "conv2" : "conv1", i ? 64 : 32, 5, 1);
        n->pad = 0;
        n->pool = n->pool_stride = 2;
    }
    add(s, "fc1", 512, 0, 1);
    add_logits(s, "fc2", classes, 0);
}

static void mlp(struct flx_net_spec *s, int classes)
{
    add(s, "fc1", 512, 0, 1);
    add(s, "fc2", 512, 0, 1);
    add_logits(s, "fc3", classes, 0);
}

/* Two 3x3 convolutions around a shortcut, which is a 1x1 projection when @p project. */
static void add_block(struct flx_net_spec *s, int stage, int block, int out_c, int project)
{
    int from = s->n_nodes - 1, skip = from, stride = stage > 1 && block == 1 ? 2 : 1;
    char name[32];
    if (project && stride > 1) {
        snprintf(name, sizeof name, "s%db%dp", stage, block);
        add(s, name, out_c, 1, stride)->kind = FLX_NODE_LINEAR;
        skip = s->n_nodes - 1;
        s->nodes[skip].stage = stage;
    }
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "s%db%d%c", stage, block, 'a' + i);
        struct flx_node_spec *n = add(s, name, out_c, 3, i ? 1 : stride);
        n->stage = stage;
        if (i)
            n->skip = skip;
        else
            n->input = from;
    }
}

static void resnet(struct flx_net_spec *s, int classes, int stages, int width, int blocks,
                   const int bits[2])
{
    int project = stages == 4;
    s->nodes[0].weight_bits = bits[0];
    for (int stage = 1; stage <= stages; stage++)
        for (int block = 1; block <= blocks; block++)
            add_block(s, stage, block, width << (stage - 1), project);
    struct flx_node_spec *last = &s->nodes[s->n_nodes - 1];
    last->pool = 0;
    last->pool_kind = FLX_NN_POOL_MEAN;
    add_logits(s, "fc", classes, bits[1]);
}

static void resnet18(struct flx_net_spec *s, int classes, const int bits[2])
{
    struct flx_node_spec *n = add(s, "conv1", 64, 7, 2);
    n->pool = 3;
    n->pool_stride = 2;
    n->pool_pad = 1;
    resnet(s, classes, 4, 64, 2, bits);
}

int flx_net_spec_named(const char *name, int classes, int first_bits, int last_bits,
                       struct flx_net_spec *spec)
{
    const int bits[2] = {first_bits, last_bits};
    *spec = (struct flx_net_spec){.n_nodes = 0};
    snprintf(spec->name, sizeof spec->name, "%s", name);
    if (!strcmp(name, "lenet5")) {
        lenet5(spec, classes);
    } else if (!strcmp(name, "mlp")) {
        mlp(spec, classes);
    } else if (!strcmp(name, "resnet20") || !strcmp(name, "resnet32")) {
        add(spec, "conv1", 16, 3, 1);
        resnet(spec, classes, 3, 16, name[6] == '2' ? 3 : 5, bits);
    } else if (!strcmp(name, "resnet18")) {
        resnet18(spec, classes, bits);
    } else {
        return flx_fail(FLX_ERR_NOT_FOUND,
                        "there is no network '%s': use lenet5, mlp, resnet20, resnet32, resnet18 "
                        "or a JSON description (docs/networks.md)",
                        name);
    }
    return FLX_OK;
}
