/* SPDX-License-Identifier: Apache-2.0 */
/** The virtual board: what the parts of flexor-vboard promise each other.
 *
 *    front end (USB/IP server, or umockdev) -> bus -> [faults] -> device -> FPGA
 *
 *  The bus plays the host controller: it cuts URBs into packets and hands them to the
 *  device model, one at a time. Time is the FPGA's: it only passes in tick. */
#ifndef VB_H
#define VB_H
#include <stddef.h>
#include <stdint.h>

/** Answers of a device to a packet, besides a length >= 0. */
enum { VB_NAK = -1, VB_STALL = -2, VB_BABBLE = -3, VB_GONE = -4 };

#define VB_PACKET_MAX 512
#define VB_SETUP      8

struct vb_device_ops {
    /** A whole control transfer: @p data holds len bytes of an OUT stage, or receives
     *  at most len of an IN stage. Length, or VB_STALL. */
    int (*control)(void *self, const uint8_t setup[VB_SETUP], uint8_t *data, int len);
    /** An OUT packet: len when taken, or VB_NAK, VB_STALL, VB_GONE. */
    int (*out)(void *self, uint8_t endpoint, const uint8_t *data, int len);
    /** An IN token: length of the packet (at most VB_PACKET_MAX), or VB_... */
    int (*in)(void *self, uint8_t endpoint, uint8_t *data);
    /** Lets a little of the device's time pass. 0: nothing will change until a packet
     *  comes, apart from timers, which then count the host's milliseconds. */
    int (*tick)(void *self, int host_ms);
    /** Bus reset or power-up. */
    void (*reset)(void *self);
    void (*clear_halt)(void *self, uint8_t endpoint);
    /** The board's reset button: the FPGA alone, which the host does not see. */
    void (*press_reset)(void *self);
    void (*close)(void *self);
};

/** What the host can read about a device without talking to it. */
struct vb_identity {
    uint8_t device[18], config[128]; /* descriptors */
    int config_len, packet, speed;   /* of bulk endpoints; 12 or 480 (Mbit/s) */
    char manufacturer[64], product[64], serial[64];
};

struct vb_device {
    const struct vb_device_ops *ops;
    void *self;
    struct vb_identity *id; /* owned by self */
};

/** The FPGA behind a byte stream: its stream port, or its UART from the line on. */
struct vb_fpga;

/** Opens the simulation in the shared object @p path (sim/flx_sim.h, and sim/flx_pins.h if it
 *  has that). NULL after a message. */
struct vb_fpga *vb_fpga_open(const char *path, uint32_t seed);
void vb_fpga_close(struct vb_fpga *f);
/** Appends to the bytes that wait for the FPGA; 0 when there is no room. */
int vb_fpga_write(struct vb_fpga *f, const uint8_t *data, size_t len);
/** The line to the FPGA from here on: @p baud (10 bits a byte; 0: no time), a FIFO of
 *  @p fifo bytes, which loses what it has no room for (the first time it says so). */
void vb_fpga_line(struct vb_fpga *f, int baud, size_t fifo);
/** The bridge's rate, and whether it heeds RTS; of interest only where the line is real. */
void vb_fpga_wires(struct vb_fpga *f, int baud, int rts_cts);
int vb_fpga_has_pins(const struct vb_fpga *f);
/** Bytes that the FPGA has sent. */
size_t vb_fpga_read(struct vb_fpga *f, uint8_t *data, size_t cap);
size_t vb_fpga_waiting(struct vb_fpga *f);
/** Some cycles. 0 when the FPGA waits for the host. */
int vb_fpga_run(struct vb_fpga *f);
/** Its milliseconds so far. */
uint64_t vb_fpga_ms(const struct vb_fpga *f);
/** i_link_reset; what is under way in both directions is lost. */
void vb_fpga_reset(struct vb_fpga *f);

/** Devices. The serial number and product of @p names are copied (NULL: defaults). The
 *  device owns the FPGA. NULL after a message. */
struct vb_names {
    const char *product, *serial;
    int baud; /* that the FPGA's UART speaks; 0: any */
    int fifo; /* of a UART without RTS/CTS, in bytes; 0: RTS/CTS is wired */
};
int vb_native_open(struct vb_fpga *f, const struct vb_names *names, struct vb_device *d);
int vb_ftdi_open(struct vb_fpga *f, const struct vb_names *names, int ft231x, struct vb_device *d);
int vb_cdc_open(struct vb_fpga *f, const struct vb_names *names, struct vb_device *d);
/** The simulation with pins in the shared object @p path, which brings its own names. */
int vb_native_pins_open(const char *path, uint32_t seed, struct vb_device *d);

/** Chapter 9 for devices without a core of their own. Standard requests only. */
int vb_standard(const struct vb_identity *id, uint8_t *configuration, const uint8_t setup[VB_SETUP],
                uint8_t *data, int len);
/** The device descriptor. A device that is a composite of functions has @p composite. */
void vb_describe_device(struct vb_identity *id, uint16_t vid, uint16_t pid, uint16_t bcd, int speed,
                        int composite);
/** Fills the descriptors: interfaces with a bulk IN and a bulk OUT each. */
void vb_describe(struct vb_identity *id, uint16_t vid, uint16_t pid, uint16_t bcd, int speed,
                 int interfaces);

/** Faults: one packet in so many; 0 = never. */
struct vb_faults {
    uint64_t unplug, stall, babble, shorten, empty, corrupt, corrupt_in, lose, repeat, reset;
    uint64_t seed;
    uint64_t first; /* packets before the first fault */
    uint64_t most;  /* faults; 0 = no limit */
};
/** Wraps @p d. 0 without memory. */
int vb_faults_wrap(struct vb_device *d, const struct vb_faults *f);
/** How many there were, and packets, on all boards. */
void vb_faults_report(void);
/** "stall=1000": 0 when unknown. */
int vb_faults_parse(struct vb_faults *f, const char *text);

/** One transfer. The front end owns it and what it points to. */
struct vb_urb {
    struct vb_urb *next;
    uint8_t endpoint;        /* with 0x80: IN; 0: control */
    uint8_t setup[VB_SETUP]; /* control */
    uint8_t *data;           /* data stage */
    int length, actual;
    int zero_packet; /* an OUT of full packets ends with an empty one */
    int status;      /* 0 or a negative errno, when done */
    void *user;
};

#define VB_ENDPOINTS 32

/** A device and its transfers. Not thread-safe. */
struct vb_bus {
    struct vb_device device;
    struct vb_urb *queue[VB_ENDPOINTS];
    int gone;
};

typedef void (*vb_done_fn)(void *user, struct vb_urb *u);

void vb_bus_submit(struct vb_bus *b, struct vb_urb *u);
/** Moves packets until nothing moves, and lets time pass if IN waits. Calls @p done for
 *  every transfer that ended. Nonzero: call again soon, else when something is
 *  submitted or a few milliseconds later. */
int vb_bus_work(struct vb_bus *b, int host_ms, vb_done_fn done, void *user);
/** Takes a transfer out of the queue; 0 when it is not there (any more). */
int vb_bus_cancel(struct vb_bus *b, struct vb_urb *u);
/** All transfers end with -ENODEV. */
void vb_bus_unplug(struct vb_bus *b, vb_done_fn done, void *user);
int vb_bus_pending(const struct vb_bus *b);

/** Front ends. */
struct vb_options {
    const char *sim;  /* path of the shared object */
    const char *kind; /* ft2232h, ft231x, cdc, native */
    const char *product, *serial;
    int boards, baud, fifo;
    struct vb_faults faults;
    int replug_ms;           /* after an unplug by fault; < 0: never */
    int pins;                /* the board's own UART or USB core, from its line on */
    int no_permission, busy; /* what opening it says (umockdev) */
    uint32_t seed;
    int verbose;
};
#define VB_BOARDS_MAX 8

/** A fresh device, as plugged in for the nth time. 0 after a message. */
int vb_plug(const struct vb_options *o, int board, int nth, struct vb_device *d);

int vb_run_usbip(const struct vb_options *o, const char *address);
int vb_run_umockdev(const struct vb_options *o, char **argv);

#endif
