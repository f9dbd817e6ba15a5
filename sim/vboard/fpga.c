/* SPDX-License-Identifier: Apache-2.0 */
/* The Verilated top behind its stream port or its UART (flx_sim.h), with a queue in front of it as
 * bridges and USB cores have one. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../flx_pins.h"
#include "vb.h"

#define QUEUE        4096
#define SLICE        2048    /* cycles of one vb_fpga_run */
#define LINE_SLICE   64      /* with a line that takes time: less than a FIFO fills in */
#define QUIET_CYCLES 1200000 /* without a byte or a run: more than FRAME_TIMEOUT */

struct vb_fpga {
    const struct flx_sim_api *api;
    const struct flx_uart_pins_api *pins; /* NULL: bytes take no line */
    void *sim;
    uint8_t queue[QUEUE], out[65536];
    size_t queued, begin, end; /* out: begin .. end-1 wait for the host */
    uint64_t quiet;
    /* The line: bytes leave the queue for the FIFO at its rate. */
    uint8_t fifo[QUEUE];
    size_t in_fifo, fifo_size;
    uint64_t credit, rate, lost; /* rate: of credit in a cycle; CREDIT is a byte */
};

#define CREDIT UINT64_C(1000000)

struct vb_fpga *vb_fpga_open(const char *path, uint32_t seed)
{
    const struct flx_sim_options o = {.seed = seed};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct flx_sim_api *(*get)(void) = NULL;
    if (handle)
        *(void **)&get = dlsym(handle, FLX_SIM_SYMBOL);
    const struct flx_sim_api *api = get ? get() : NULL;
    if (!api || api->abi != FLX_SIM_ABI) {
        fprintf(stderr, "flexor-vboard: %s is no simulation of this version: %s\n", path,
                handle ? "run make sim" : dlerror());
        return NULL;
    }
    const struct flx_uart_pins_api *(*get_pins)(void) = NULL;
    *(void **)&get_pins = dlsym(handle, FLX_UART_PINS_SYMBOL);
    struct vb_fpga *f = calloc(1, sizeof *f);
    if (f && (f->sim = api->open(&o)) != NULL) {
        f->api = api;
        f->pins = get_pins ? get_pins() : NULL;
        return f;
    }
    free(f);
    fprintf(stderr, "flexor-vboard: out of memory\n");
    return NULL;
}

void vb_fpga_close(struct vb_fpga *f)
{
    f->api->close(f->sim);
    free(f);
}

int vb_fpga_write(struct vb_fpga *f, const uint8_t *data, size_t len)
{
    if (len > QUEUE - f->queued)
        return 0;
    memcpy(f->queue + f->queued, data, len);
    f->queued += len;
    f->quiet = 0;
    return 1;
}

size_t vb_fpga_waiting(struct vb_fpga *f)
{
    if (f->begin == f->end)
        f->begin = f->end = 0;
    f->end += f->api->recv(f->sim, f->out + f->end, sizeof f->out - f->end, 0);
    return f->end - f->begin;
}

size_t vb_fpga_read(struct vb_fpga *f, uint8_t *data, size_t cap)
{
    size_t n = vb_fpga_waiting(f);
    if (n > cap)
        n = cap;
    memcpy(data, f->out + f->begin, n);
    f->begin += n;
    return n;
}

void vb_fpga_line(struct vb_fpga *f, int baud, size_t fifo)
{
    f->rate = (uint64_t)(unsigned)baud * (CREDIT / 10000) / f->api->clk_khz;
    f->fifo_size = fifo < QUEUE ? fifo : QUEUE;
}

void vb_fpga_wires(struct vb_fpga *f, int baud, int rts_cts)
{
    if (f->pins)
        f->pins->line(f->sim, baud, rts_cts);
}

int vb_fpga_has_pins(const struct vb_fpga *f)
{
    return f->pins != NULL;
}

/* Bytes that come over the line in one slice. */
static void move_line(struct vb_fpga *f)
{
    size_t i = 0;
    for (f->credit += f->rate * LINE_SLICE; i < f->queued && f->credit >= CREDIT; i++) {
        f->credit -= CREDIT;
        if (f->in_fifo < f->fifo_size)
            f->fifo[f->in_fifo++] = f->queue[i];
        else if (!f->lost++)
            fprintf(stderr, "flexor-vboard: the FIFO overflows\n");
    }
    if (f->credit > CREDIT)
        f->credit = CREDIT;
    f->queued -= i;
    memmove(f->queue, f->queue + i, f->queued);
}

static size_t run_line(struct vb_fpga *f)
{
    size_t all = 0;
    for (int i = 0; i < SLICE / LINE_SLICE; i++) {
        move_line(f);
        size_t taken = f->api->run(f->sim, f->fifo, f->in_fifo, LINE_SLICE);
        f->in_fifo -= taken;
        memmove(f->fifo, f->fifo + taken, f->in_fifo);
        all += taken;
    }
    return all;
}

static size_t run_stream(struct vb_fpga *f)
{
    size_t taken = f->api->run(f->sim, f->queue, f->queued, SLICE);
    f->queued -= taken;
    memmove(f->queue, f->queue + taken, f->queued);
    return taken;
}

int vb_fpga_run(struct vb_fpga *f)
{
    size_t before = vb_fpga_waiting(f);
    if (!f->queued && !f->in_fifo && !f->api->busy(f->sim) && f->quiet > QUIET_CYCLES)
        return 0;
    size_t taken = f->rate ? run_line(f) : run_stream(f);
    f->quiet = taken || vb_fpga_waiting(f) != before ? 0 : f->quiet + SLICE;
    return 1;
}

uint64_t vb_fpga_ms(const struct vb_fpga *f)
{
    return f->api->cycles(f->sim) / f->api->clk_khz;
}

void vb_fpga_reset(struct vb_fpga *f)
{
    f->api->reset(f->sim);
    f->queued = f->in_fifo = f->begin = f->end = 0;
    f->quiet = 0;
}
