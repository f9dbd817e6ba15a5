/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flexor/rng.h"
#include "quant/quant.h"

#define SEED    20240607
#define FILTERS 3
#define TAPS    20 /* weights of a filter */

struct integers {
    struct flx_int_layer l;
    float w[FILTERS * TAPS], g[FILTERS * TAPS], alpha[FILTERS];
    int8_t w8[FILTERS * TAPS];
};

static void draw_integers(struct integers *q, int bits)
{
    struct flx_rng rng;
    flx_rng_init(&rng, SEED, (uint64_t)bits);
    *q = (struct integers){0};
    q->l = (struct flx_int_layer){
        .bits = bits, .out_c = FILTERS, .n_weights = FILTERS * TAPS, .w = q->w, .g = q->g};
    for (int i = 0; i < FILTERS * TAPS; i++)
        q->w[i] = 0.1F * (float)flx_rng_normal(&rng);
    q->w[5] = 0;
}

static void integers_are_the_nearest_odd_ones(void **state)
{
    (void)state;
    struct integers q;
    for (int bits = 2; bits <= 7; bits++) {
        int top = (1 << bits) - 1;
        draw_integers(&q, bits);
        flx_int_forward(&q.l, q.alpha, q.w8);
        for (int i = 0; i < FILTERS * TAPS; i++) {
            assert_true(q.w8[i] % 2 != 0 && abs(q.w8[i]) <= top);
            assert_true(fabsf(q.w[i] / q.alpha[i / TAPS] - (float)q.w8[i]) < 1.001F);
        }
        for (int o = 0; o < FILTERS; o++) {
            int largest = 0;
            for (int i = 0; i < TAPS; i++)
                largest = abs(q.w8[o * TAPS + i]) > largest ? abs(q.w8[o * TAPS + i]) : largest;
            assert_int_equal(largest, top);
        }
    }
}

/* L = sum of c (alpha w8)^2 / 2 */
static double square_loss(struct integers *q)
{
    double sum = 0;
    flx_int_forward(&q->l, q->alpha, q->w8);
    for (int i = 0; i < FILTERS * TAPS; i++) {
        double w = (double)q->alpha[i / TAPS] * q->w8[i];
        sum += (i + 1) * w * w / 2;
    }
    return sum;
}

/* Over a few levels, where rounding averages out. */
static void an_integer_gradient_is_the_slope_of_the_loss(void **state)
{
    (void)state;
    struct integers q;
    float dw[FILTERS * TAPS];
    draw_integers(&q, 7);
    square_loss(&q);
    for (int i = 0; i < FILTERS * TAPS; i++) {
        float alpha = q.alpha[i / TAPS];
        dw[i] = (float)(i + 1) * alpha * alpha * (float)q.w8[i]; /* by w8 */
    }
    flx_int_backward(&q.l, q.alpha, dw);
    for (int i = 0; i < FILTERS * TAPS; i++) {
        float w = q.w[i], step = 16 * q.alpha[i / TAPS];
        if (abs(q.w8[i]) > 127 - 20)
            continue; /* it would set the scale */
        q.w[i] = w + step;
        double up = square_loss(&q);
        q.w[i] = w - step;
        double slope = (up - square_loss(&q)) / (2 * (double)step);
        q.w[i] = w;
        double level = (i + 1) * (double)q.alpha[i / TAPS];
        assert_true(fabs(slope - (double)q.g[i]) < 3 * level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_the_nearest_odd_ones),
        cmocka_unit_test(an_integer_gradient_is_the_slope_of_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
