/* SPDX-License-Identifier: Apache-2.0 */
/* The float peak that `make bench-train` states shares of: fused multiply-adds a second on
 * registers alone, on as many threads as argv[1] says. Prints operations a second, two for
 * each multiply-add. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LANES  16
#define CHAINS 10 /* independent sums hide the latency of two units */
#define STEPS  4000000L
#define RUNS   50 /* the best one counts */

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

/* The compiler does not know the factor, so it must do all of the work. */
static float chains(long steps, float factor)
{
    vec a = {0}, b = {1}, s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b,
        s9 = b;
    a += factor;
    for (long i = 0; i < steps; i++) {
        s0 = s0 * a + b;
        s1 = s1 * a + b;
        s2 = s2 * a + b;
        s3 = s3 * a + b;
        s4 = s4 * a + b;
        s5 = s5 * a + b;
        s6 = s6 * a + b;
        s7 = s7 * a + b;
        s8 = s8 * a + b;
        s9 = s9 * a + b;
        __asm__("" : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4));
        __asm__("" : "+v"(s5), "+v"(s6), "+v"(s7), "+v"(s8), "+v"(s9));
    }
    vec total = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9;
    return total[0];
}

/* Processor time of this thread: other programs do not count. */
static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Operations a second of this thread. */
static double measure(void)
{
    double start = thread_seconds();
    volatile float sink = chains(STEPS, 0.5F);
    (void)sink;
    return 2.0 * LANES * CHAINS * STEPS / (thread_seconds() - start);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
        double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
        rate += measure();
        best = rate > best ? rate : best;
    }
    printf("%.6g\n", best);
    return 0;
}
