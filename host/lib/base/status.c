/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[512];

static const struct {
    const char *name, *sentence;
} table[] = {
    [-FLX_OK] = {"FLX_OK", "no error"},
    [-FLX_ERR_ARG] = {"FLX_ERR_ARG", "impossible argument or parameter"},
    [-FLX_ERR_NOMEM] = {"FLX_ERR_NOMEM", "out of memory"},
    [-FLX_ERR_IO] = {"FLX_ERR_IO", "the operating system refused a read or write"},
    [-FLX_ERR_NOT_FOUND] = {"FLX_ERR_NOT_FOUND", "file, folder, data set or device is missing"},
    [-FLX_ERR_FORMAT] = {"FLX_ERR_FORMAT", "the file is not what its name or header says"},
    [-FLX_ERR_TRUNCATED] = {"FLX_ERR_TRUNCATED", "the file or frame ends too early"},
    [-FLX_ERR_CRC] = {"FLX_ERR_CRC", "a checksum differs"},
    [-FLX_ERR_VERSION] = {"FLX_ERR_VERSION", "unknown format version"},
    [-FLX_ERR_XORNET] = {"FLX_ERR_XORNET", "model and device use different XOR networks"},
    [-FLX_ERR_UNSUPPORTED] = {"FLX_ERR_UNSUPPORTED", "not supported here"},
    [-FLX_ERR_OVERFLOW] = {"FLX_ERR_OVERFLOW", "integer bounds cannot be proved"},
    [-FLX_ERR_CAPACITY] = {"FLX_ERR_CAPACITY", "does not fit the device"},
    [-FLX_ERR_TIMEOUT] = {"FLX_ERR_TIMEOUT", "a bounded wait ended"},
    [-FLX_ERR_LINK] = {"FLX_ERR_LINK", "the link protocol was violated"},
    [-FLX_ERR_DEVICE] = {"FLX_ERR_DEVICE", "the device reported an error"},
    [-FLX_ERR_MISMATCH] = {"FLX_ERR_MISMATCH", "results differ from the reference"},
    [-FLX_ERR_INTERRUPTED] = {"FLX_ERR_INTERRUPTED", "stopped by the user"},
    [-FLX_ERR_UNPLUGGED] = {"FLX_ERR_UNPLUGGED", "the board is no longer there"},
    [-FLX_ERR_INTERNAL] = {"FLX_ERR_INTERNAL", "a bug: please report it"},
};

static int known(int status)
{
    return status <= 0 && status > -(int)(sizeof table / sizeof table[0]);
}

const char *flx_status_name(int status)
{
    return known(status) ? table[-status].name : "FLX_ERR_UNKNOWN";
}

const char *flx_strerror(int status)
{
    return known(status) ? table[-status].sentence : "unknown status code";
}

int flx_fail(int status, const char *fmt, ...)
{
    /* Formatted apart first, so that the last error can be an argument. */
    char text[sizeof last_error];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(last_error, text, strlen(text) + 1);
    return status;
}

const char *flx_last_error(void)
{
    return last_error;
}
