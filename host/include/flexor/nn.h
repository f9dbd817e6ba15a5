/* SPDX-License-Identifier: Apache-2.0 */
/** Training of small convolutional networks on the CPU: convolutions by oneDNN,
 *  everything between them in fused loops. A net is a list of nodes; a node is
 *  convolution -> batch norm -> ReLU (and u8 quantiser) -> max pool, the last one
 *  convolution -> bias. A fully connected layer is a convolution whose kernel
 *  covers its whole input. Tensors are channel-innermost (NHWC, OHWI).
 *
 *  In quantised mode weights are small integers (+1/-1), activations are u8 codes
 *  with a step per node, and the sums S of docs/numerics.md are formed exactly.
 *  Sums are deterministic for a given machine and number of threads. */
#ifndef FLEXOR_NN_H
#define FLEXOR_NN_H
#include <stddef.h>
#include <stdint.h>

#define FLX_NN_BN_EPS 1e-5F
#define FLX_NN_RANGE0 6.0F /* activation range before the first batch */

enum flx_nn_mode {
    FLX_NN_FLOAT = 0, /* float weights and activations */
    FLX_NN_QUANT = 1  /* integer weights, u8 activations */
};

/** What a node computes; input sizes follow from the node before it. */
struct flx_node_spec {
    const char *name;
    int out_c;
    int kernel; /* 0: the whole input (fully connected) */
    int stride, pad;
    int pool;   /* maximum over pool x pool, stride pool; 1: none */
    int hidden; /* 1: batch norm, ReLU, quantiser; 0: logits with a bias */
};

/** A named network. */
struct flx_net_spec {
    const char *name;
    int n_nodes;
    const struct flx_node_spec *nodes;
};

/** The spec of that name ("lenet5", "mlp"), or NULL. */
const struct flx_net_spec *flx_net_spec_find(const char *name);

struct flx_conv; /* private to nn */

struct flx_node {
    char name[32];
    int in_h, in_w, in_c, out_c;
    int kh, kw, stride, pad, pool, hidden;
    int conv_h, conv_w; /* before pooling */
    int out_h, out_w;
    size_t n_weights; /* out_c * kh * kw * in_c */
    /* Parameters and gradients, owned by the net. w8, w and dw hold one element
     * more than n_weights, a place for the padding of slices; dw's stays 0. */
    int8_t *w8;            /* quantised mode, OHWI */
    float *w;              /* float mode, OHWI */
    float *dw;             /* gradient of w8 or w */
    float *alpha, *dalpha; /* [out_c], 1 in float mode */
    float *gamma, *dgamma; /* [out_c], hidden nodes */
    float *beta, *dbeta;   /* [out_c], batch norm offset or bias */
    float *mean, *var;     /* [out_c], running statistics of alpha * step * S */
    float range;           /* running maximum of the activations before the clip */
    float step_in;         /* real value of an input code */
    float step_out;        /* real value of an output code; 1 in float mode */
    /* Private to nn. */
    struct flx_conv *conv;
    float *sums;                    /* conv output, batch x conv_h x conv_w x out_c */
    float *peak;                    /* sum at the maximum of each pool window */
    uint8_t *arg;                   /* its place in the window, 255: no gradient */
    uint8_t *codes;                 /* output codes, quantised mode */
    void *out;                      /* output as the backward pass reads it */
    void *dsums;                    /* gradient of sums */
    float *dout;                    /* gradient of the output codes */
    float *scale, *offset;          /* sums -> real value of this pass */
    float *batch_mean, *batch_istd; /* of S; and 1/sigma of alpha * step * S */
    double *stat;                   /* threads x 2 x out_c partial sums */
};

struct flx_net {
    enum flx_nn_mode mode;
    int batch, threads;
    int bf16; /* backward pass in bfloat16 (f32 accumulation) */
    int in_h, in_w, in_c, classes;
    float bn_momentum, range_momentum;
    int n_nodes;
    struct flx_node *nodes;
    const uint8_t *images; /* of the last forward pass */
    void *images_back;     /* as the backward pass reads them */
};

/** Builds a net with all parameters at 0 but alpha = gamma = var = 1.
 *  @p threads >= 1 is also set for OpenMP. FLX_ERR_ARG (a kernel or pool larger
 *  than its input), _NOMEM, _UNSUPPORTED (oneDNN refuses). */
int flx_net_create(const struct flx_net_spec *spec, enum flx_nn_mode mode, int batch, int in_h,
                   int in_w, int in_c, int threads, struct flx_net **out);
void flx_net_free(struct flx_net *net);

/** Forward pass over one batch of images (bytes). @p train uses and follows the
 *  statistics of the batch, else the running ones are used. */
int flx_net_forward(struct flx_net *net, const uint8_t *images, int train);

/** Logits of the last forward pass, batch x classes. */
const float *flx_net_logits(const struct flx_net *net);

/** Softmax cross-entropy of the last forward pass over the first @p n images:
 *  mean loss, number of correct answers, and the gradient for flx_net_backward. */
void flx_net_loss(struct flx_net *net, const uint8_t *labels, int n, float smoothing, double *loss,
                  int *correct);

/** Gradients of all parameters (overwritten, not added). */
int flx_net_backward(struct flx_net *net);

/** A trained tensor and what the optimisers keep about it. */
struct flx_param {
    char name[48];
    size_t n;
    float *w, *g; /* not owned */
    float *m, *v; /* moments, owned by whoever allocated the parameter */
    float clip;   /* |w| <= clip after each step; 0: free */
    float decay;  /* L2 weight decay */
};

/** Adam (beta 0.9, 0.999, eps 1e-8), @p t counts from 1. */
void flx_adam_step(struct flx_param *p, int n_params, float lr, uint64_t t, int threads);

/** SGD with momentum: m = momentum m + g, w -= lr m. */
void flx_sgd_step(struct flx_param *p, int n_params, float lr, float momentum, int threads);

#endif
