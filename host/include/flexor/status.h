/* SPDX-License-Identifier: Apache-2.0 */
/** Status codes. Every fallible function returns FLX_OK or a negative code;
 *  the human sentence (what, where, the way out) is kept per thread and read
 *  with flx_last_error(). */
#ifndef FLEXOR_STATUS_H
#define FLEXOR_STATUS_H

enum flx_status {
    FLX_OK = 0,
    FLX_ERR_ARG = -1,          /* impossible argument or parameter */
    FLX_ERR_NOMEM = -2,        /* out of memory */
    FLX_ERR_IO = -3,           /* the operating system refused a read or write */
    FLX_ERR_NOT_FOUND = -4,    /* file, folder, data set or device is missing */
    FLX_ERR_FORMAT = -5,       /* the file is not what its name or header says */
    FLX_ERR_TRUNCATED = -6,    /* the file or frame ends too early */
    FLX_ERR_CRC = -7,          /* a checksum differs */
    FLX_ERR_VERSION = -8,      /* a format version this program does not know */
    FLX_ERR_XORNET = -9,       /* model and device use different XOR networks */
    FLX_ERR_UNSUPPORTED = -10, /* valid, but not supported here */
    FLX_ERR_OVERFLOW = -11,    /* integer bounds cannot be proved */
    FLX_ERR_CAPACITY = -12,    /* does not fit the device */
    FLX_ERR_TIMEOUT = -13,     /* a bounded wait ended */
    FLX_ERR_LINK = -14,        /* the link protocol was violated */
    FLX_ERR_DEVICE = -15,      /* the device reported an error */
    FLX_ERR_MISMATCH = -16,    /* results differ from the reference */
    FLX_ERR_INTERRUPTED = -17, /* stopped by the user; a checkpoint is left */
    FLX_ERR_UNPLUGGED = -18,   /* the board is no longer there */
    FLX_ERR_INTERNAL = -19     /* a bug: please report it */
};

/** Name of a status code ("FLX_ERR_CRC"); never NULL. */
const char *flx_status_name(int status);

/** One short sentence for a status code; never NULL. */
const char *flx_strerror(int status);

/** Records the sentence for this thread and returns @p status, so that callers
 *  write `return flx_fail(FLX_ERR_CRC, "%s: ...", path)`. At most 511 bytes. */
int flx_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Sentence recorded by the last flx_fail of this thread ("" if none). */
const char *flx_last_error(void);

#endif
