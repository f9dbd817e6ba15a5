/* SPDX-License-Identifier: Apache-2.0 */
#include "model_file.h"

#define MUTATIONS 2000

static void a_file_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct flx_model *m = fixture_model(fixture_seed());
    struct file f = file_of(m), cut = f;
    for (cut.len = 0; cut.len < f.len; cut.len++)
        refused(&cut, FLX_ERR_TRUNCATED, "");
    free(f.bytes);
    flx_model_free(m);
}

static void a_file_with_any_byte_changed_is_refused(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 3);
    struct flx_model *m = fixture_model(seed);
    struct file f = file_of(m);
    for (size_t i = 0; i < f.len; i++) {
        uint8_t kept = f.bytes[i];
        f.bytes[i] ^= (uint8_t)(1 + flx_rng_below(&r, 255));
        if (parse(&f) == FLX_OK)
            fail_msg("byte %zu changed from %02x to %02x is accepted", i, kept, f.bytes[i]);
        f.bytes[i] = kept;
    }
    assert_int_equal(parse(&f), FLX_OK);
    f.bytes[f.len - 1] ^= 1;
    refused(&f, FLX_ERR_CRC, "damaged");
    free(f.bytes);
    flx_model_free(m);
}

/* Several bytes at once: never a crash, never another model. */
static void random_mutations_are_refused(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 4);
    struct flx_model *m = fixture_model(seed);
    struct file f = file_of(m), g = f;
    g.bytes = malloc(f.len);
    for (int i = 0; i < MUTATIONS; i++) {
        memcpy(g.bytes, f.bytes, f.len);
        for (int k = fixture_pick(&r, 1, 8); k > 0; k--)
            g.bytes[flx_rng_below(&r, f.len)] = (uint8_t)flx_rng_below(&r, 256);
        if (memcmp(g.bytes, f.bytes, f.len) != 0)
            assert_int_not_equal(parse(&g), FLX_OK);
    }
    free(f.bytes);
    free(g.bytes);
    flx_model_free(m);
}

/* Behind a right CRC: the network text and the tensors themselves are wrong. What
 * is accepted is a model that can be saved and loaded. */
static void random_mutations_behind_the_crc_do_no_harm(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 5);
    struct flx_model *m = fixture_model(seed), *other;
    int accepted = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        struct flx_image image;
        assert_int_equal(flx_image_build(m, &image), FLX_OK);
        size_t at = flx_rng_below(&r, strlen(image.network));
        image.network[at] = (char)("0123456789\"x-{"[flx_rng_below(&r, 14)]);
        struct file f = serialise(&image);
        if (flx_model_parse("file", f.bytes, f.len, &other) == FLX_OK) {
            accepted++;
            struct file g = file_of(other);
            assert_int_equal(parse(&g), FLX_OK);
            free(g.bytes);
            flx_model_free(other);
        }
        free(f.bytes);
        flx_image_free(&image);
    }
    assert_true(accepted > 0);
    assert_true(accepted < MUTATIONS / 2);
    flx_model_free(m);
}

static void another_version_or_format_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_model(1);
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    static const struct {
        const char *format, *version;
        int status;
        const char *word;
    } cases[] = {
        {"flexor", "2", FLX_ERR_VERSION, "version 2"},
        {"flexor", "", FLX_ERR_VERSION, "version 1"},
        {"pt", "1", FLX_ERR_FORMAT, "not a flexor model"},
        {"flexor-checkpoint", "1", FLX_ERR_FORMAT, "flexor pack"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        image.meta[0].value = cases[i].format;
        image.meta[1].value = cases[i].version;
        struct file f = serialise(&image);
        refused(&f, cases[i].status, cases[i].word);
        free(f.bytes);
    }
    flx_image_free(&image);
    flx_model_free(m);
}

static void missing_metadata_are_refused(void **state)
{
    (void)state;
    static const int status[4] = {FLX_ERR_FORMAT, FLX_ERR_VERSION, FLX_ERR_FORMAT, FLX_ERR_FORMAT};
    static const char *const keys[4] = {"format", "version", "network", "crc32"};
    struct flx_model *m = fixture_model(1);
    for (int i = 0; i < 4; i++) {
        struct flx_image image;
        assert_int_equal(flx_image_build(m, &image), FLX_OK);
        image.meta[i].key = "other";
        struct file f = serialise(&image);
        refused(&f, status[i], keys[i]);
        free(f.bytes);
        flx_image_free(&image);
    }
    flx_model_free(m);
}

static void xor_rows_that_are_no_network_are_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    uint32_t *rows = m->nets[0].rows, kept = rows[20];
    static const uint32_t bad[] = {0, 1, 7, 1u << 31 | 1, 3u << 13};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rows[20] = bad[i];
        struct file f = serialise(&image);
        refused(&f, FLX_ERR_FORMAT, "row 20");
        free(f.bytes);
    }
    rows[20] = rows[21];
    struct file f = serialise(&image);
    refused(&f, FLX_ERR_FORMAT, "rows 20 and 21");
    free(f.bytes);
    rows[20] = kept;
    flx_image_free(&image);
    flx_model_free(m);
}

static void xor_rows_changed_on_the_way_are_noticed(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1), *other;
    uint32_t *rows = m->nets[0].rows, hash = flx_xornet_hash(&m->nets[0]);
    struct file f = file_of(m);
    size_t at = f.len;
    for (size_t i = 8; i + 128 <= f.len && at == f.len; i++)
        if (memcmp(f.bytes + i, rows, 128) == 0)
            at = i;
    assert_true(at < f.len);
    memcpy(f.bytes + at + 4 * 20, &rows[21], 4);
    memcpy(f.bytes + at + 4 * 21, &rows[20], 4);
    refused(&f, FLX_ERR_CRC, "damaged");
    free(f.bytes);
    uint32_t kept = rows[20];
    rows[20] = rows[21];
    rows[21] = kept;
    f = file_of(m);
    assert_int_equal(flx_model_parse("file", f.bytes, f.len, &other), FLX_OK);
    assert_int_not_equal(flx_xornet_hash(&other->nets[0]), hash);
    free(f.bytes);
    flx_model_free(other);
    flx_model_free(m);
}

static void a_description_that_is_not_understood_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    refused_text(m, "\"stride\":1", "\"stride\":1,\"dilation\":2", FLX_ERR_UNSUPPORTED,
                 "layer 0: unknown key 'dilation'");
    refused_text(m, "\"classes\":10", "\"classes\":10,\"more\":1", FLX_ERR_UNSUPPORTED, "'more'");
    refused_text(m, "\"n_in\":19", "\"n_in\":19,\"more\":1", FLX_ERR_UNSUPPORTED, "'more'");
    refused_text(m, "\"nested\"", "\"woven\"", FLX_ERR_UNSUPPORTED, "nested, fixed");
    refused_text(m, "\"tile\"", "\"diagonal\"", FLX_ERR_UNSUPPORTED, "tile, flat");
    refused_text(m, "\"scaled\"", "\"ternary\"", FLX_ERR_UNSUPPORTED, "scaled, binary");
    refused_text(m, "\"name\":\"conv2\"", "\"name\":7", FLX_ERR_FORMAT, "layer 1: 'name'");
    refused_text(m, "\"conv2\"", "\"a name of more than thirty-one bytes\"", FLX_ERR_FORMAT,
                 "layer 1: 'name'");
    refused_text(m, "\"conv2\"", "\"con\\nv2\"", FLX_ERR_FORMAT, "control characters");
    refused_text(m, "\"pad\":0", "\"pad\":\"0\"", FLX_ERR_FORMAT, "layer 0: 'pad'");
    refused_text(m, "\"pad\":0,", "", FLX_ERR_FORMAT, "layer 0: 'pad'");
    refused_text(m, "\"logits\":true", "\"logits\":1", FLX_ERR_FORMAT, "layer 3: 'logits'");
    refused_text(m, "[28,28,1]", "[28,28]", FLX_ERR_FORMAT, "network: 'input'");
    refused_text(m, "{\"name\"", "[{\"name\"", FLX_ERR_FORMAT, "is not JSON");
    refused_text(m, "\"layers\":[", "\"layers\":[7,", FLX_ERR_FORMAT, "layer 0: is not a JSON");
    flx_model_free(m);
}

static void impossible_numbers_are_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    refused_text(m, "\"stride\":1", "\"stride\":0", FLX_ERR_FORMAT, "'stride'");
    refused_text(m, "\"stride\":1", "\"stride\":2147483647", FLX_ERR_FORMAT, "stride");
    refused_text(m, "\"pad\":0", "\"pad\":5", FLX_ERR_FORMAT, "conv1: impossible padding 5");
    refused_text(m, "\"kernel\":[5,5]", "\"kernel\":[29,5]", FLX_ERR_FORMAT, "kernel");
    refused_text(m, "\"pool\":2", "\"pool\":25", FLX_ERR_FORMAT, "pooling");
    refused_text(m, "\"pool\":2", "\"pool\":3", FLX_ERR_FORMAT, "conv2: takes 12x12x32");
    refused_text(m, "\"out_c\":32", "\"out_c\":65536", FLX_ERR_FORMAT, "65536");
    refused_text(m, "\"in_zero\":0", "\"in_zero\":256", FLX_ERR_FORMAT, "'in_zero'");
    refused_text(m, "\"shift\":12", "\"shift\":32", FLX_ERR_FORMAT, "'shift'");
    refused_text(m, "\"act_bits\":8", "\"act_bits\":5", FLX_ERR_FORMAT, "4 or 8 bits");
    refused_text(m, "\"classes\":10", "\"classes\":9", FLX_ERR_FORMAT, "9 logits");
    refused_text(m, "\"n_in\":19", "\"n_in\":12", FLX_ERR_FORMAT, "n_in 12");
    refused_text(m, "\"n_in\":19", "\"n_in\":33", FLX_ERR_FORMAT, "'n_in'");
    refused_text(m, "{\"xor\":0", "{\"xor\":1", FLX_ERR_FORMAT, "XOR network 1");
    refused_text(m, "\"seed\":1", "\"seed\":-1", FLX_ERR_FORMAT, "'seed'");
    refused_text(m, "\"logits\":false", "\"logits\":true", FLX_ERR_FORMAT, "conv1: the last");
    refused_text(m, "\"in\":[28,28,1]", "\"in\":[60000,60000,60000]", FLX_ERR_FORMAT, "conv1");
    refused_text(m, "\"n_in\":19", "\"n_in\":20", FLX_ERR_FORMAT, "layer0.bits0");
    flx_model_free(m);
}

static void tensors_must_be_those_of_the_network(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    struct flx_st_tensor *t = image.tensors, kept = t[2];
    const struct {
        struct flx_st_tensor tensor;
        const char *word;
    } cases[] = {
        {{.name = "layer0.n", .dtype = kept.dtype, .rank = 2, .shape = {1, 32}}, "layer0.m"},
        {{.name = "layer0.m", .dtype = FLX_ST_U16, .rank = 2, .shape = {1, 32}}, "layer0.m"},
        {{.name = "layer0.m", .dtype = FLX_ST_I16, .rank = 1, .shape = {32}}, "layer0.m"},
        {{.name = "layer0.m", .dtype = FLX_ST_I16, .rank = 2, .shape = {32, 1}}, "layer0.m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        t[2] = cases[i].tensor;
        t[2].data = kept.data;
        t[2].bytes = kept.bytes;
        struct file f = serialise(&image);
        refused(&f, FLX_ERR_FORMAT, cases[i].word);
        free(f.bytes);
    }
    t[2] = t[3]; /* m and beta in the wrong order */
    t[3] = kept;
    struct file f = serialise(&image);
    refused(&f, FLX_ERR_FORMAT, "layer0.m");
    free(f.bytes);
    t[3] = t[2];
    t[2] = kept;
    image.n--; /* the last one is missing */
    f = serialise(&image);
    refused(&f, FLX_ERR_FORMAT, "layer3.beta");
    free(f.bytes);
    image.n++;
    flx_image_free(&image);
    flx_model_free(m);
}

static void a_tensor_too_many_is_refused(void **state)
{
    (void)state;
    struct flx_model *m = fixture_lenet5(1);
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    struct flx_st_tensor more[32], *kept = image.tensors;
    memcpy(more, kept, (size_t)image.n * sizeof more[0]);
    more[image.n] = more[image.n - 1];
    more[image.n].name = "zzz";
    image.tensors = more;
    image.n++;
    struct file f = serialise(&image);
    refused(&f, FLX_ERR_FORMAT, "zzz");
    image.tensors = kept;
    image.n--;
    free(f.bytes);
    flx_image_free(&image);
    flx_model_free(m);
}

/* Every tensor of bits of @p m whose last byte is not full; how many there are. */
static int set_unused_bits(const struct flx_model *m)
{
    struct flx_image image;
    assert_int_equal(flx_image_build(m, &image), FLX_OK);
    int found = 0;
    for (int i = 0; i < image.n; i++) {
        const struct flx_layer *x = NULL;
        for (int k = 0; k < m->n_layers; k++) {
            char name[32];
            flx_tensor_name(name, k, "bits", 0);
            if (strcmp(name, image.tensors[i].name) == 0)
                x = &m->layers[k];
        }
        if (!x || x->slicing.n_slices % 8 == 0)
            continue;
        uint8_t *last = (uint8_t *)image.buffers[i] + image.tensors[i].bytes - 1;
        *last ^= 0x80;
        struct file f = serialise(&image);
        refused(&f, FLX_ERR_FORMAT, "unused bits");
        free(f.bytes);
        *last ^= 0x80;
        found++;
    }
    flx_image_free(&image);
    return found;
}

static void unused_bits_in_a_file_must_be_0(void **state)
{
    (void)state;
    int found = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct flx_model *m = fixture_model(seed);
        assert_non_null(m);
        found += set_unused_bits(m);
        flx_model_free(m);
    }
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_anywhere_is_truncated),
        cmocka_unit_test(a_file_with_any_byte_changed_is_refused),
        cmocka_unit_test(random_mutations_are_refused),
        cmocka_unit_test(random_mutations_behind_the_crc_do_no_harm),
        cmocka_unit_test(another_version_or_format_is_refused),
        cmocka_unit_test(missing_metadata_are_refused),
        cmocka_unit_test(xor_rows_that_are_no_network_are_refused),
        cmocka_unit_test(xor_rows_changed_on_the_way_are_noticed),
        cmocka_unit_test(a_description_that_is_not_understood_is_refused),
        cmocka_unit_test(impossible_numbers_are_refused),
        cmocka_unit_test(tensors_must_be_those_of_the_network),
        cmocka_unit_test(a_tensor_too_many_is_refused),
        cmocka_unit_test(unused_bits_in_a_file_must_be_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
