/* SPDX-License-Identifier: Apache-2.0 */
/* Named sets of options. */
#include <stddef.h>

#include "flexor/status.h"
#include "quant.h"

struct setting {
    const char *name, *text;
};

/* Section 3, Figure 4: LeNet-5, Adam at a constant rate. The epochs are not the paper's,
 * which names none. */
static const struct setting mnist[] = {
    {"model", "lenet5"},  {"optimiser", "adam"}, {"lr", "1e-4"},    {"schedule", "step"},
    {"warmup", "0"},      {"decay", "0"},        {"epochs", "20"},  {"batch", "50"},
    {"nout", "20"},       {"xor", "fill"},       {"order", "flat"}, {"s-tanh", "100"},
    {"init", "1e-3"},     {"alpha-init", "0.2"}, {"clip", "0"},     {"augment", "none"},
    {"plane-xor", "own"}, {"bn-images", "0"},    {NULL, NULL}};

/* Tables 1, 2 and 6: ResNet-20 and ResNet-32 on CIFAR-10. */
static const struct setting resnet[] = {{"model", "resnet20"},
                                        {"optimiser", "sgd"},
                                        {"momentum", "0.9"},
                                        {"lr", "0.1"},
                                        {"schedule", "step"},
                                        {"decay-epochs", "350,400,450"},
                                        {"lr-drop", "0.5"},
                                        {"warmup-epochs", "100"},
                                        {"decay", "1e-5"},
                                        {"epochs", "500"},
                                        {"batch", "128"},
                                        {"nout", "20"},
                                        {"xor", "two-tap"},
                                        {"taps", "2"},
                                        {"order", "flat"},
                                        {"s-start", "5"},
                                        {"s-tanh", "10"},
                                        {"s-double", "on"},
                                        {"init", "1e-3"},
                                        {"alpha-init", "0.2"},
                                        {"clip", "0"},
                                        {"plane-xor", "own"},
                                        {"augment", "flip+crop"},
                                        {"bn-images", "0"},
                                        {NULL, NULL}};

/* Figures 5 and 6: ResNet-32 at 0.8 bit. */
static const struct setting ablation[] = {
    {"model", "resnet32"}, {"optimiser", "sgd"},        {"momentum", "0.9"}, {"lr", "0.1"},
    {"schedule", "step"},  {"decay-epochs", "150,175"}, {"lr-drop", "0.5"},  {"warmup", "0"},
    {"decay", "1e-5"},     {"epochs", "200"},           {"batch", "128"},    {"nout", "10"},
    {"nin", "8"},          {"xor", "two-tap"},          {"taps", "2"},       {"order", "flat"},
    {"s-tanh", "10"},      {"s-double", "on"},          {"init", "1e-3"},    {"alpha-init", "0.2"},
    {"clip", "0"},         {"augment", "flip+crop"},    {"bn-images", "0"},  {NULL, NULL}};

/* Ours, for tens of epochs; a teacher and a warm start are files, named besides. */
static const struct setting fast[] = {
    {"optimiser", "adam"}, {"schedule", "cosine"}, {"warmup", "0.1"}, {"distill", "0.5"},
    {"temperature", "4"},  {"bn-images", "10000"}, {NULL, NULL}};

int flx_train_recipe(struct flx_train_options *o, enum flx_recipe recipe)
{
    static const struct setting *const all[] = {NULL, mnist, resnet, ablation, fast};
    int status = FLX_OK;
    o->recipe = recipe;
    for (const struct setting *s = all[recipe]; s && s->name && status == FLX_OK; s++)
        status = flx_train_option_set(o, s->name, s->text);
    return status;
}
