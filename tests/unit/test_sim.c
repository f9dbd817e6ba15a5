/* SPDX-License-Identifier: Apache-2.0 */
/** Random models through every simulation that is built (`make sim`) and has all options. Boards'
 * lack some and are left to the system tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "flexor/device.h"
#include "flexor/exec.h"
#include "flexor/status.h"

#define MODELS 25
#define IMAGES 3
#define SHAPES "sim/shapes"

struct shapes {
    int n;
    char spec[16][80];
};

/* Whether SHAPES has the shape of a spec (sim:SHAPE or sim:SHAPE-SUFFIX) and it does not leave
 * options out. */
static int has_all_options(const char *spec)
{
    FILE *f = fopen(SHAPES, "r");
    char line[512];
    size_t n = strcspn(spec + 4, "-,");
    int found = 0;
    if (!f)
        fail_msg("cannot read " SHAPES);
    while (!found && fgets(line, sizeof line, f))
        found = !strncmp(line, spec + 4, n) && line[n] == ' ' && !strstr(line, " SKIP=0");
    fclose(f);
    return found;
}

static void add_shape(void *user, const char *spec, const char *detail, const char *why)
{
    struct shapes *s = user;
    (void)detail;
    (void)why;
    if (!strncmp(spec, "sim:", 4) && has_all_options(spec) && s->n < 16)
        snprintf(s->spec[s->n++], sizeof s->spec[0], "%s", spec);
}

static void compare_layer(struct flx_device *d, struct flx_exec *e, const struct flx_layer *l,
                          int layer, const uint8_t *images, const char *what)
{
    size_t n = (size_t)(IMAGES * l->out_h * l->out_w) * (size_t)l->out_c;
    uint8_t *got = malloc(n), *expected = malloc(n);
    if (flx_device_activations(d, images, IMAGES, layer, got))
        fail_msg("%s: %s", what, flx_last_error());
    assert_int_equal(flx_exec_activations(e, images, IMAGES, layer, expected), FLX_OK);
    if (memcmp(got, expected, n))
        fail_msg("%s: activations of layer %d differ", what, layer);
    free(got);
    free(expected);
}

/* Planes with scales of their own become binary ones; 0 when that breaks a bound. */
static int without_scales(struct flx_model *m)
{
    for (int i = 0; i < m->n_layers; i++)
        m->layers[i].plane_mode = FLX_PLANES_BINARY;
    return flx_model_check(m) == FLX_OK;
}

/* Loads and compares one model; 0 when it does not fit the shape. */
static int compare_model(struct flx_device *d, struct flx_model *m, uint64_t seed, const char *what)
{
    int status = flx_device_load(d, m);
    if (status == FLX_ERR_UNSUPPORTED && strstr(flx_last_error(), "scales of their own"))
        status = without_scales(m) ? flx_device_load(d, m) : FLX_ERR_CAPACITY;
    if (status == FLX_ERR_CAPACITY)
        return 0;
    if (status)
        fail_msg("%s: %s", what, flx_last_error());
    struct flx_exec *e;
    uint8_t *images = fixture_images(m, IMAGES, seed);
    int32_t got[IMAGES * 32], expected[IMAGES * 32];
    assert_int_equal(flx_exec_create(m, 1, &e), FLX_OK);
    for (int i = 0; i < m->n_layers - 1; i++)
        compare_layer(d, e, &m->layers[i], i, images, what);
    if (flx_device_infer(d, images, IMAGES, got))
        fail_msg("%s: %s", what, flx_last_error());
    assert_int_equal(flx_exec_run(e, images, IMAGES, expected), FLX_OK);
    if (memcmp(got, expected, (size_t)(IMAGES * m->classes) * sizeof *got))
        fail_msg("%s: logits differ", what);
    flx_exec_free(e);
    free(images);
    return 1;
}

/* All models on one device; the number of those that fitted. */
static int compare_models(const char *spec, uint64_t seed)
{
    struct flx_xornet net;
    struct flx_device *d;
    struct flx_device_info info;
    int fitted = 0;
    assert_int_equal(flx_xornet_nested(&net, 32, 13, 1), FLX_OK);
    if (flx_device_open(spec, &d))
        fail_msg("%s: %s", spec, flx_last_error());
    assert_int_equal(flx_device_info(d, &info), FLX_OK);
    for (uint64_t i = 0; i < MODELS && info.xor_hash == flx_xornet_hash(&net); i++) {
        struct flx_model *m = fixture_device_model(seed + i, &net, 8);
        char what[256];
        assert_non_null(m);
        snprintf(what, sizeof what, "%s, model %llu", spec, (unsigned long long)(seed + i));
        fitted += compare_model(d, m, seed + i, what);
        flx_model_free(m);
    }
    flx_device_close(d);
    return fitted;
}

static void random_models_are_bit_exact(const char *options)
{
    struct shapes shapes = {0};
    uint64_t seed = fixture_seed();
    int most = 0;
    assert_int_equal(flx_device_list(add_shape, &shapes), FLX_OK);
    if (shapes.n == 0) {
        print_message("no simulation is built (make sim): skipped\n");
        skip();
    }
    for (int i = 0; i < shapes.n; i++) {
        char spec[160];
        snprintf(spec, sizeof spec, "%s,seed=%llu%s", shapes.spec[i],
                 (unsigned long long)(seed & 0xffffffff), options);
        int fitted = compare_models(spec, seed);
        most = fitted > most ? fitted : most;
    }
    assert_true(most > MODELS / 2);
}

static void resident_weights_give_the_reference(void **state)
{
    (void)state;
    random_models_are_bit_exact("");
}

static void streamed_weights_give_the_reference(void **state)
{
    (void)state;
    random_models_are_bit_exact(",stream");
}

static void gaps_and_back_pressure_change_nothing(void **state)
{
    (void)state;
    random_models_are_bit_exact(",stall=60");
    random_models_are_bit_exact(",stall=60,stream");
}

static void a_noisy_link_changes_nothing(void **state)
{
    (void)state;
    random_models_are_bit_exact(",noise=3000,timeout=20");
    random_models_are_bit_exact(",noise=3000,timeout=20,stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resident_weights_give_the_reference),
        cmocka_unit_test(streamed_weights_give_the_reference),
        cmocka_unit_test(gaps_and_back_pressure_change_nothing),
        cmocka_unit_test(a_noisy_link_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
