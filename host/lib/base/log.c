/* SPDX-License-Identifier: Apache-2.0 */
#include "flexor/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static flx_log_fn callback; /* under lock */
static void *callback_user; /* under lock */
static atomic_int max_level = FLX_LOG_WARN;

void flx_log_set_callback(flx_log_fn fn, void *user)
{
    pthread_mutex_lock(&lock);
    callback = fn;
    callback_user = user;
    pthread_mutex_unlock(&lock);
}

void flx_log_set_level(enum flx_log_level level)
{
    atomic_store(&max_level, (int)level);
}

void flx_log(enum flx_log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load(&max_level))
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&lock);
    if (callback)
        callback(callback_user, level, text);
    pthread_mutex_unlock(&lock);
}
