/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/fuzz_link.c"
#include "device/desc.h"
#include "device/link.h"
#include "device_fixture.h"
#include "flexor/status.h"
#include "soft_device.h"

#define MAX_PAYLOAD 300

static enum flx_frame_event feed(struct flx_frame_decoder *d, const uint8_t *data, size_t n,
                                 struct flx_frame *f)
{
    size_t room;
    uint8_t *space = flx_decoder_space(d, &room);
    assert_true(room >= n);
    memcpy(space, data, n);
    flx_decoder_added(d, n);
    return flx_decoder_next(d, f);
}

/* A READ of 10 counters as docs/link.md lays it out, checksums from zlib and by hand. */
static void a_frame_has_the_documented_bytes(void **state)
{
    (void)state;
    const uint8_t payload[3] = {1, 2, 3};
    const uint8_t expected[9] = {0xA5, 0x04, 0x07, 0x03, 0x00, 0, 1, 2, 3};
    uint8_t frame[3 + FLX_FRAME_OVERHEAD];
    assert_int_equal(flx_frame_encode(frame, 0x04, 0x07, payload, 3), 13);
    assert_memory_equal(frame, expected, 5);
    assert_memory_equal(frame + 6, expected + 6, 3);
    assert_int_equal(flx_crc8((const uint8_t *)"123456789", 9), 0xF4);
    assert_int_equal(frame[5], flx_crc8(frame + 1, 4));
    const uint8_t covered[7] = {0x04, 0x07, 0x03, 0x00, 1, 2, 3};
    uint32_t crc = UINT32_MAX;
    for (int i = 0; i < 7 * 8; i++) {
        uint32_t bit = (crc ^ (uint32_t)covered[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0xEDB88320u : 0);
    }
    assert_int_equal(soft_get32(frame + 9), ~crc);
}

static void a_frame_comes_back_byte_by_byte(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 0);
    struct flx_frame_decoder d;
    assert_int_equal(flx_decoder_init(&d, MAX_PAYLOAD), FLX_OK);
    for (size_t len = 0; len <= MAX_PAYLOAD; len++) {
        uint8_t payload[MAX_PAYLOAD], frame[MAX_PAYLOAD + FLX_FRAME_OVERHEAD];
        struct flx_frame f;
        fixture_bytes(&r, payload, len, 255);
        size_t n = flx_frame_encode(frame, 2, (uint8_t)len, payload, len);
        for (size_t i = 0; i + 1 < n; i++)
            assert_int_equal(feed(&d, frame + i, 1, &f), FLX_FRAME_NONE);
        assert_int_equal(feed(&d, frame + n - 1, 1, &f), FLX_FRAME_OK);
        assert_int_equal(f.type, 2);
        assert_int_equal(f.seq, (uint8_t)len);
        assert_int_equal(f.len, len);
        assert_memory_equal(f.payload, payload, len);
    }
    flx_decoder_free(&d);
}

static void a_damaged_frame_never_comes_out(void **state)
{
    (void)state;
    uint8_t payload[20] = {0xA5, 9, 8, 0xA5}, frame[20 + FLX_FRAME_OVERHEAD];
    size_t n = flx_frame_encode(frame, 2, 5, payload, sizeof payload);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        struct flx_frame_decoder d;
        struct flx_frame f;
        enum flx_frame_event e;
        assert_int_equal(flx_decoder_init(&d, MAX_PAYLOAD), FLX_OK);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        e = feed(&d, frame, n, &f);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        for (; e != FLX_FRAME_NONE; e = flx_decoder_next(&d, &f))
            assert_int_equal(e, FLX_FRAME_BAD_CRC);
        flx_decoder_free(&d);
    }
}

static void the_frame_after_garbage_is_found(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 1);
    for (int i = 0; i < 500; i++) {
        struct flx_frame_decoder d;
        struct flx_frame f;
        uint8_t bytes[600], payload[4] = {1, 2, 3, 4};
        size_t garbage = flx_rng_below(&r, 200);
        fixture_bytes(&r, bytes, garbage, 255);
        for (size_t k = 0; k < garbage; k += 7)
            bytes[k] = FLX_SOF;
        size_t n = garbage + flx_frame_encode(bytes + garbage, 1, (uint8_t)i, payload, 4);
        assert_int_equal(flx_decoder_init(&d, MAX_PAYLOAD), FLX_OK);
        enum flx_frame_event e = feed(&d, bytes, n, &f);
        for (int tries = 0; e != FLX_FRAME_OK && tries < 300; tries++) {
            if (e == FLX_FRAME_NONE)
                flx_decoder_resync(&d); /* what the session does when the line is silent */
            e = flx_decoder_next(&d, &f);
        }
        assert_int_equal(e, FLX_FRAME_OK);
        assert_int_equal(f.seq, (uint8_t)i);
        flx_decoder_free(&d);
    }
}

static void a_length_above_the_limit_is_no_frame(void **state)
{
    (void)state;
    uint8_t payload[MAX_PAYLOAD + 1] = {0}, frame[sizeof payload + FLX_FRAME_OVERHEAD];
    struct flx_frame_decoder d;
    struct flx_frame f;
    size_t n = flx_frame_encode(frame, 2, 5, payload, sizeof payload);
    assert_int_equal(flx_decoder_init(&d, MAX_PAYLOAD), FLX_OK);
    assert_int_equal(feed(&d, frame, n, &f), FLX_FRAME_NONE);
    assert_int_equal(d.begin, d.end);
    flx_decoder_free(&d);
}

static void any_bytes_leave_the_decoder_sane(void **state)
{
    (void)state;
    uint64_t seed = fixture_seed();
    struct flx_rng r;
    flx_rng_init(&r, seed, 2);
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[1200], payload[60];
        size_t n = 0, size = 2 + flx_rng_below(&r, 700);
        fixture_bytes(&r, bytes, size, 255);
        fixture_bytes(&r, payload, sizeof payload, 255);
        while (n + 300 < size) { /* some true frames among the noise */
            n += flx_rng_below(&r, 40);
            n += flx_frame_encode(bytes + n, 3, (uint8_t)i, payload, flx_rng_below(&r, 60));
        }
        if (i % 3 == 0 && n)
            bytes[flx_rng_below(&r, n)] ^= 4;
        assert_int_equal(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
}

static void weight_words_take_the_documented_bytes(void **state)
{
    (void)state;
    assert_int_equal(flx_word_bytes(1, 19), 3);
    assert_int_equal(flx_word_bytes(2, 19), 5);
    assert_int_equal(flx_word_bytes(4, 19), 10);
    assert_int_equal(flx_word_bytes(8, 19), 19);
    assert_int_equal(flx_word_bytes(12, 19), 38);
    assert_int_equal(flx_word_bytes(6, 7), 7);
}

static struct flx_desc some_desc(void)
{
    struct flx_xornet net;
    assert_int_equal(flx_xornet_nested(&net, 32, 13, 1), FLX_OK);
    return fixture_desc(16, 16, 2, &net, 8);
}

static void the_description_comes_back_field_by_field(void **state)
{
    (void)state;
    struct flx_desc d = some_desc(), got;
    uint8_t bytes[FLX_DESC_BYTES];
    d.build_id = 0xCAFE0001;
    d.pixels = 4;
    soft_describe(&d, bytes);
    assert_int_equal(flx_desc_parse(bytes, sizeof bytes, &got), FLX_OK);
    assert_memory_equal(&got, &d, sizeof d);
}

static void a_device_that_says_nothing_of_pixels_has_one(void **state)
{
    (void)state;
    struct flx_desc d = some_desc(), got;
    uint8_t bytes[FLX_DESC_BYTES];
    soft_describe(&d, bytes);
    bytes[48] = 0;
    assert_int_equal(flx_desc_parse(bytes, sizeof bytes, &got), FLX_OK);
    assert_int_equal(got.pixels, 1);
    bytes[48] = 4;
    assert_int_equal(flx_desc_parse(bytes, 48, &got), FLX_OK);
    assert_int_equal(got.pixels, 1);
}

static void an_impossible_description_is_refused(void **state)
{
    (void)state;
    static const struct {
        int at;
        uint8_t value;
        int status;
    } cases[] = {
        {0, 2, FLX_ERR_VERSION}, {2, 0, FLX_ERR_LINK},  {2, 18, FLX_ERR_LINK},
        {4, 12, FLX_ERR_LINK},   {6, 0, FLX_ERR_LINK},  {7, 30, FLX_ERR_LINK},
        {8, 33, FLX_ERR_LINK},   {9, 7, FLX_ERR_LINK},  {10, 40, FLX_ERR_LINK},
        {20, 3, FLX_ERR_LINK},   {33, 0, FLX_ERR_LINK}, {40, 0, FLX_ERR_LINK},
    };
    struct flx_desc d = some_desc(), got;
    uint8_t bytes[FLX_DESC_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        soft_describe(&d, bytes);
        bytes[cases[i].at] = cases[i].value;
        if (flx_desc_parse(bytes, sizeof bytes, &got) != cases[i].status)
            fail_msg("byte %d = %d was not refused as it should", cases[i].at, cases[i].value);
    }
    soft_describe(&d, bytes);
    assert_int_equal(flx_desc_parse(bytes, sizeof bytes - 2, &got), FLX_ERR_LINK);
    assert_int_equal(flx_desc_parse(bytes, 0, &got), FLX_ERR_LINK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_has_the_documented_bytes),
        cmocka_unit_test(a_frame_comes_back_byte_by_byte),
        cmocka_unit_test(a_damaged_frame_never_comes_out),
        cmocka_unit_test(the_frame_after_garbage_is_found),
        cmocka_unit_test(a_length_above_the_limit_is_no_frame),
        cmocka_unit_test(any_bytes_leave_the_decoder_sane),
        cmocka_unit_test(weight_words_take_the_documented_bytes),
        cmocka_unit_test(the_description_comes_back_field_by_field),
        cmocka_unit_test(a_device_that_says_nothing_of_pixels_has_one),
        cmocka_unit_test(an_impossible_description_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
