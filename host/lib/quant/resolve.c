/* SPDX-License-Identifier: Apache-2.0 */
/* What the options leave to choose, and what cannot go together. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "quant.h"

#define DEFAULT_BITS 0.6
#define FLOAT_LR     1e-3
#define BINARY_LR    4e-3
#define CIFAR_LR     2e-3 /* both modes */

static int is_data(const struct flx_train_options *o, const char *kind)
{
    return !strncmp(o->data, kind, strlen(kind));
}

static int resolve_nin(struct flx_train_options *o)
{
    if (o->mode == FLX_TRAIN_BINARY) {
        int other = 0;
        for (int i = 0; i < o->n_in.n; i++)
            other |= o->n_in.v[i] != o->n_out;
        if (other || (o->bits > 0 && o->bits != o->planes))
            return flx_fail(FLX_ERR_ARG, "binary weights have 1 bit a plane: leave out --bits and "
                                         "--nin");
        o->xor_kind = FLX_TRAIN_NESTED;
        o->n_in = (struct flx_int_list){1, {o->n_out}};
        return FLX_OK;
    }
    int n_in = (int)lround((o->bits > 0 ? o->bits / o->planes : DEFAULT_BITS) * o->n_out);
    if (o->bits > 0 && o->n_in.n && (o->n_in.n > 1 || o->n_in.v[0] != n_in))
        return flx_fail(FLX_ERR_ARG,
                        "--bits %g wants --nin %d for --nout %d: leave one of them out", o->bits,
                        n_in, o->n_out);
    if (!o->n_in.n)
        o->n_in = (struct flx_int_list){1, {n_in}};
    return FLX_OK;
}

static int resolve_code(struct flx_train_options *o)
{
    int status = resolve_nin(o);
    if (status != FLX_OK)
        return status;
    /* The rate of a list depends on the sizes of the layers. */
    o->bits = o->n_in.n == 1 ? (double)o->planes * o->n_in.v[0] / o->n_out : 0;
    for (int i = 0; i < o->n_in.n; i++)
        if (o->n_in.v[i] < 1 || o->n_in.v[i] > o->n_out)
            return flx_fail(FLX_ERR_ARG,
                            "%d stored bits for %d weights: --nin must be from 1 to --nout",
                            o->n_in.v[i], o->n_out);
    if (o->order == FLX_SLICE_TILE && o->n_out % 4)
        return flx_fail(FLX_ERR_ARG, "--nout %d is not a multiple of 4: use --order flat",
                        o->n_out);
    return FLX_OK;
}

/* The description of the network becomes part of the options, so that a checkpoint
 * needs no other file. */
static int read_network(struct flx_train_options *o)
{
    uint8_t *text = NULL;
    size_t n = strlen(o->model), size = 0;
    if (n < 5 || strcmp(o->model + n - 5, ".json") || o->network[0])
        return FLX_OK;
    int status = flx_file_read(o->model, &text, &size);
    if (status != FLX_OK)
        return status;
    if (size == 0 || size >= sizeof o->network || memchr(text, 0, size))
        status = flx_fail(FLX_ERR_FORMAT, "%s: not a text of 1 to %d bytes", o->model,
                          FLX_TRAIN_MAX_NETWORK - 1);
    else
        memcpy(o->network, text, size); /* the rest is 0 */
    free(text);
    return status;
}

static int resolve_network(struct flx_train_options *o)
{
    struct flx_net_spec *spec = calloc(1, sizeof *spec);
    int status = spec ? FLX_OK : flx_fail(FLX_ERR_NOMEM, "out of memory");
    if (status == FLX_OK && !strcmp(o->model, "auto"))
        strcpy(o->model, is_data(o, "cifar10") ? "resnet20" : "lenet5");
    if (status == FLX_OK)
        status = read_network(o);
    if (status == FLX_OK) {
        status = flx_train_network(o, 10, spec);
        status = status == FLX_ERR_NOT_FOUND ? FLX_ERR_ARG : status; /* no such name */
    }
    free(spec);
    return status;
}

int flx_train_network(const struct flx_train_options *o, int classes, struct flx_net_spec *spec)
{
    if (o->network[0])
        return flx_net_spec_parse(o->model, o->network, spec);
    return flx_net_spec_named(o->model, classes, o->first_bits, o->last_bits, spec);
}

static void resolve_training(struct flx_train_options *o)
{
    int cifar = is_data(o, "cifar10");
    if (!o->epochs)
        o->epochs = cifar ? 30 : 15;
    if (!o->batch)
        o->batch = cifar ? 128 : 100;
    if (o->augment == FLX_AUGMENT_AUTO)
        o->augment = cifar                         ? FLX_AUGMENT_FLIP_CROP
                     : is_data(o, "fashion-mnist") ? FLX_AUGMENT_FLIP
                                                   : FLX_AUGMENT_NONE;
    if (o->lr <= 0)
        o->lr = cifar ? CIFAR_LR : o->mode == FLX_TRAIN_FLOAT ? FLOAT_LR : BINARY_LR;
    if (!o->threads)
        o->threads = omp_get_num_procs();
}

static int check_training(const struct flx_train_options *o)
{
    if (o->train_images && o->train_images < o->batch)
        return flx_fail(FLX_ERR_ARG, "--train-images %d is less than one batch of %d",
                        o->train_images, o->batch);
    if (o->batch % o->shards)
        return flx_fail(FLX_ERR_ARG, "--batch %d does not divide into %d shards", o->batch,
                        o->shards);
    if (o->first_bits == 1 || o->last_bits == 1)
        return flx_fail(FLX_ERR_ARG, "--first-bits, --last-bits: integers have 2 to 7 bits");
    if (o->act_bits != 8 && o->act_bits != 4)
        return flx_fail(FLX_ERR_ARG, "--act-bits %d: activations have 8 or 4 bits", o->act_bits);
    return FLX_OK;
}

int flx_train_options_check(struct flx_train_options *o)
{
    int status = FLX_OK;
    if (o->mode != FLX_TRAIN_FLOAT)
        status = resolve_code(o);
    if (status == FLX_OK)
        status = resolve_network(o);
    if (status != FLX_OK)
        return status;
    resolve_training(o);
    return check_training(o);
}
