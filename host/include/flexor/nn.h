/* SPDX-License-Identifier: Apache-2.0 */
/** Training of convolutional networks on the CPU: convolutions by oneDNN, everything
 *  between them in fused loops. A net is a list of nodes; a node is
 *  convolution -> batch norm -> (+ skip) -> ReLU and quantiser -> pool, or one of the
 *  other kinds below. Nodes read the image or any node before them, so residual
 *  networks are lists too. A fully connected layer is a convolution whose kernel covers
 *  its whole input. Tensors are channel-innermost (NHWC, OHWI).
 *
 *  In quantised mode weights are small integers (+1/-1, or odd ones up to 127),
 *  activations are unsigned codes with a step per node, and the sums S of
 *  docs/numerics.md are formed exactly. With act_bits 4 the net reduces the bytes of an
 *  image to their upper 4 bits. Sums are deterministic for a given machine and number of
 *  threads. */
#ifndef FLEXOR_NN_H
#define FLEXOR_NN_H
#include <stddef.h>
#include <stdint.h>

#define FLX_NN_BN_EPS     1e-5F
#define FLX_NN_RANGE0     6.0F /* activation range before the first batch */
#define FLX_NN_MAX_NODES  64
#define FLX_NN_MAX_PLANES 4

#define FLX_NN_IMAGE   (-1) /* input: the image */
#define FLX_NN_NO_SKIP (-2)

enum flx_nn_mode {
    FLX_NN_FLOAT = 0, /* float weights and activations */
    FLX_NN_QUANT = 1  /* integer weights, quantised activations */
};

enum flx_node_kind {
    FLX_NODE_RELU = 0,   /* batch norm, skip, ReLU, unsigned codes */
    FLX_NODE_LINEAR = 1, /* batch norm, signed values; code of zero is 2^(act_bits-1) */
    FLX_NODE_LOGITS = 2  /* bias; the last node, and only it */
};

enum flx_nn_pool { FLX_NN_POOL_MAX = 0, FLX_NN_POOL_MEAN = 1 };

/** What a node computes; input sizes follow from the node that it reads. */
struct flx_node_spec {
    char name[32];
    enum flx_node_kind kind;
    int input; /* node that it reads, before this one, or FLX_NN_IMAGE */
    int out_c;
    int kernel; /* 0: the whole input (fully connected) */
    int stride, pad;
    int skip; /* node whose output is added before the ReLU, or FLX_NN_NO_SKIP: at stride
               * skip map / conv map, channels that it lacks add 0 */
    int pool; /* 1: none; 0: the whole map */
    int pool_stride, pool_pad;
    enum flx_nn_pool pool_kind;
    int weight_bits; /* 0: XOR-coded planes of +1/-1; 2..7: plain integers of so many bits */
    int stage;       /* 1, 2, ...: which number of a per-stage n_in list is meant; 0: none */
};

/** A network: named, or read from JSON. */
struct flx_net_spec {
    char name[32];
    int n_nodes;
    struct flx_node_spec nodes[FLX_NN_MAX_NODES];
};

/** Fills @p spec with the network of that name: "lenet5", "mlp", "resnet20", "resnet32"
 *  (parameter-free shortcuts), "resnet18" (7x7 stride 2, 3x3 max pool, 1x1 projections).
 *  @p first_bits, @p last_bits: weight_bits of the first convolution and the last layer of
 *  the residual ones. FLX_ERR_NOT_FOUND lists the names. */
int flx_net_spec_named(const char *name, int classes, int first_bits, int last_bits,
                       struct flx_net_spec *spec);

/** Reads the JSON description of a network (docs/networks.md). FLX_ERR_FORMAT and
 *  FLX_ERR_UNSUPPORTED say where, and what is supported. */
int flx_net_spec_parse(const char *what, const char *json, struct flx_net_spec *spec);

struct flx_conv; /* private to nn */

struct flx_node {
    char name[32];
    enum flx_node_kind kind;
    int input, skip; /* as in the spec */
    int in_h, in_w, in_c, out_c;
    int kh, kw, stride, pad;
    int skip_stride;
    int pool, pool_stride, pool_pad, pool_shift; /* pool_shift: of a mean in quantised mode */
    enum flx_nn_pool pool_kind;
    int conv_h, conv_w; /* before pooling */
    int out_h, out_w;
    int planes, weight_bits;
    size_t n_weights; /* out_c * kh * kw * in_c */
    /* Parameters and gradients, owned by the net. w8, w and dw hold one element
     * more than n_weights, a place for the padding of slices; dw's stays 0. */
    int8_t *w8[FLX_NN_MAX_PLANES]; /* quantised mode, OHWI; plane p > 0 counts ratio[p] times */
    float *w;                      /* float mode, OHWI */
    float *dw;                     /* gradient of w8[0] or w; that of plane p is ratio[p] dw */
    float *ratio[FLX_NN_MAX_PLANES], *dratio[FLX_NN_MAX_PLANES]; /* [out_c], planes p > 0:
                               S = S_0 + sum_p ratio[p] S_p */
    float *alpha, *dalpha;                                       /* [out_c], 1 in float mode */
    float *gamma, *dgamma;                                       /* [out_c], not for logits */
    float *beta, *dbeta; /* [out_c], batch norm offset or bias */
    float *mean, *var;   /* [out_c], running statistics of alpha * step * S */
    float range;         /* running maximum of the activations before the clip */
    float step_in;       /* real value of an input code */
    float step_code;     /* real value of a code before pooling; 1 in float mode */
    float step_out;      /* real value of an output code: step_code, or for a mean of n codes
                          * step_code 2^pool_shift / n; 1 in float mode */
    int zero_out;        /* output code of real zero */
    /* Private to nn. */
    struct flx_conv **conv;         /* a thread each, for its share of the batch */
    float **share_dw;               /* gradient of that share; the first is dw */
    float *sums;                    /* S, batch x conv_h x conv_w x out_c */
    float *peak;                    /* sum at the maximum of each window, pooling fast path */
    uint8_t *arg;                   /* its place in the window, 255: no gradient */
    uint8_t *codes;                 /* output codes, quantised mode */
    float *values;                  /* output values, float mode; the logits in both */
    void *out;                      /* output less zero_out as the backward pass reads it */
    float *dout;                    /* gradient of the output codes */
    float *dcode;                   /* gradient of the codes before pooling; dout without */
    float *scale, *offset;          /* sums -> real value of this pass */
    float *batch_mean, *batch_istd; /* of S; and 1/sigma of alpha * step * S */
    double *stat;                   /* threads x 2 x out_c partial sums */
    float *slope;                   /* 3 x out_c: gradient of code and sum -> of sum */
    float *top;                     /* largest real value of each share */
};

struct flx_net {
    enum flx_nn_mode mode;
    int act_bits; /* 8 or 4, quantised mode */
    int batch, threads;
    int bf16; /* backward pass in bfloat16 (f32 accumulation) */
    int bf16_forward;
    int in_h, in_w, in_c, classes;
    float bn_momentum, range_momentum;
    int n_nodes;
    struct flx_node *nodes;
    /* Private to nn. */
    const void *images; /* of the last forward pass: bytes, 4-bit codes or floats */
    void *images_own;   /* codes or floats made of the caller's bytes; NULL: not needed */
    void *images_back;  /* as the backward pass reads them */
    void *map;          /* codes or values of one image before pooling, a thread each */
    void *dsums;        /* gradient of the sums; a thread's part from its share on */
    float *scratch;     /* sums of a further plane, or a second gradient of an output */
    float *mixed;       /* weights of all planes together, a thread each */
};

/** How a net is built. */
struct flx_net_config {
    enum flx_nn_mode mode;
    int act_bits; /* 8 or 4 */
    int planes;   /* of XOR-coded nodes, 1..FLX_NN_MAX_PLANES */
    int batch, in_h, in_w, in_c;
    int threads;      /* >= 1, also set for OpenMP */
    int f32;          /* 1: backward pass in f32 even where bfloat16 is faster */
    int bf16_forward; /* float mode: forward products in bfloat16, where that is faster */
};

/** Builds a net with all parameters at 0 but alpha = gamma = var = 1. @p spec is not kept.
 *  FLX_ERR_ARG (a kernel, pool or skip that does not fit), _NOMEM, _UNSUPPORTED (oneDNN
 *  refuses). */
int flx_net_create(const struct flx_net_spec *spec, const struct flx_net_config *config,
                   struct flx_net **out);
void flx_net_free(struct flx_net *net);

/** Forward pass over one batch of images (bytes). @p train uses and follows the
 *  statistics of the batch, else the running ones are used. */
int flx_net_forward(struct flx_net *net, const uint8_t *images, int train);

/** Logits of the last forward pass, batch x classes. */
const float *flx_net_logits(const struct flx_net *net);

/** What the loss is made of. */
struct flx_loss {
    float smoothing; /* label smoothing */
    float distill;   /* share of the teacher's part: T^2 KL(teacher/T, net/T) */
    float temperature;
    const float *teacher; /* logits, n x classes; NULL: none */
};

/** Softmax cross-entropy of the last forward pass over the first @p n images:
 *  mean loss, number of correct answers, and the gradient for flx_net_backward. */
void flx_net_loss(struct flx_net *net, const uint8_t *labels, int n, const struct flx_loss *kind,
                  double *loss, int *correct);

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
