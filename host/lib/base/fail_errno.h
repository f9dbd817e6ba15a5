/* SPDX-License-Identifier: Apache-2.0 */
/** The sentence and status for a failed system call on a file (reads errno). */
#ifndef FLEXOR_FAIL_ERRNO_H
#define FLEXOR_FAIL_ERRNO_H

/** Returns FLX_ERR_NOT_FOUND when a part of @p path is missing, else FLX_ERR_IO. */
int flx_fail_errno(const char *what, const char *path);

#endif
