/* SPDX-License-Identifier: Apache-2.0 */
/** FLX_CLONES before a function compiles it once for AVX-512, once for AVX2 and
 *  once for the baseline; the loader picks one. Put it on leaf kernels: code
 *  inside an OpenMP region is outlined and would not be cloned. Empty under the
 *  sanitizers, which cannot run before the loader's choice. */
#ifndef FLEXOR_CLONES_H
#define FLEXOR_CLONES_H
#include <stddef.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&       \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FLX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLX_CLONES
#endif

#endif
