/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of the library. It prints nothing itself: a program installs a
 *  callback. Without one, messages are dropped. */
#ifndef FLEXOR_LOG_H
#define FLEXOR_LOG_H

enum flx_log_level { FLX_LOG_ERROR = 0, FLX_LOG_WARN = 1, FLX_LOG_INFO = 2, FLX_LOG_DEBUG = 3 };

/** Receives one message, without a newline. Called from any thread, one at a time. */
typedef void (*flx_log_fn)(void *user, enum flx_log_level level, const char *message);

/** Installs the callback (NULL: none) with its first argument. */
void flx_log_set_callback(flx_log_fn fn, void *user);

/** Messages above @p level are dropped. FLX_LOG_WARN at the start. */
void flx_log_set_level(enum flx_log_level level);

/** Sends a message, cut at 1023 bytes. */
void flx_log(enum flx_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
