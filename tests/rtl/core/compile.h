/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a layer chain for the accelerator (docs/architecture.md, docs/link.md) into the
 * stimulus of tb_core.v: one "OP DATA" a line. */
#ifndef COMPILE_H
#define COMPILE_H
#include "stimulus.h"

enum {
    END,
    LOAD,     /* arg*256 + target */
    ADDR,     /* load address; starts the load */
    BYTE,     /* a byte of it */
    RUN,      /* last*256 + flags */
    IDLE,     /* wait for busy = 0 */
    LD_IDLE,  /* wait for the loads to end */
    READ,     /* arg*256 + target */
    RD_ADDR,  /* read one word */
    EXPECT,   /* its value */
    AT_LEAST, /* or its least value */
    PRINT,    /* print it with this number */
    RESET     /* after so many cycles */
};
enum { T_PROGRAM, T_PARAMS, T_WEIGHTS, T_IMAGE, T_STREAM };

void open_stimulus(const char *path);
void close_stimulus(void);
void put(int op, uint32_t data);
void load(int target, int arg, uint32_t addr);

/* Quotient, rounded up. */
int up(int a, int b);

/* Geometry of layer i in activation words. */
int in_words(const struct shape *s, const struct layer *l, int i);
int out_words(const struct shape *s, const struct layer *l, int i);
int block_words(const struct shape *s, const struct layer *l, int i);
int out_base(const struct shape *s, const struct layer *l, int i);
int groups(const struct shape *s, const struct layer *l, int i);

/* Program, parameters and, unless they are streamed, weights. */
void load_model(const struct shape *s, const struct net *net, const struct layer *l, int n,
                int stream);

/* All words of a layer, in frames of random length; target T_WEIGHTS or T_STREAM. */
void put_weights(const struct shape *s, const struct net *net, const struct layer *l, int i,
                 int target, int base);

/* One image, sometimes in two frames. */
void put_image(const struct layer *l, const uint8_t *image, int engine);

#endif
