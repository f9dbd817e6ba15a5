/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flexor/file.h"
#include "flexor/safetensors.h"
#include "flexor/status.h"

static const uint8_t some_bytes[6] = {1, 2, 3, 4, 5, 6};
static const float some_floats[3] = {0.5F, -1.0F, 3e20F};
static const int64_t some_number = -5;

static struct flx_st_tensor tensor(const char *name, enum flx_st_dtype dtype, int rank, uint64_t a,
                                   uint64_t b, const void *data)
{
    return (struct flx_st_tensor){
        .name = name, .dtype = dtype, .rank = rank, .shape = {a, b}, .data = data};
}

/* A file of that JSON header and @p data_len bytes of data, parsed. */
static int parse_text(const char *json, size_t data_len, struct flx_st **st)
{
    size_t n = strlen(json);
    uint64_t length = n;
    uint8_t *bytes = calloc(1, 8 + n + data_len);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, n);
    int status = flx_st_parse("file", bytes, 8 + n + data_len, st);
    free(bytes);
    return status;
}

static void tensors_and_metadata_come_back(void **state)
{
    (void)state;
    char path[] = "/tmp/flx_st_XXXXXX";
    close(mkstemp(path));
    const struct flx_st_tensor tensors[] = {
        tensor("bytes", FLX_ST_U8, 2, 2, 3, some_bytes),
        tensor("floats", FLX_ST_F32, 1, 3, 0, some_floats),
        tensor("nothing", FLX_ST_I16, 1, 0, 0, NULL),
        tensor("scalar", FLX_ST_I64, 0, 0, 0, &some_number),
    };
    const struct flx_st_meta meta[] = {{"format", "test"}, {"text", "\"quoted\" \xc3\xa9"}};
    assert_int_equal(flx_st_save(path, tensors, 4, meta, 2), FLX_OK);
    struct flx_st *st;
    assert_int_equal(flx_st_open(path, &st), FLX_OK);
    assert_int_equal(flx_st_count(st), 4);
    for (int i = 0; i < 4; i++) {
        const struct flx_st_tensor *t = flx_st_find(st, tensors[i].name);
        assert_ptr_equal(t, flx_st_at(st, i));
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->rank, tensors[i].rank);
        assert_memory_equal(t->shape, tensors[i].shape, (size_t)t->rank * sizeof t->shape[0]);
        if (t->bytes)
            assert_memory_equal(t->data, tensors[i].data, t->bytes);
    }
    assert_int_equal(flx_st_at(st, 1)->bytes, 12);
    assert_int_equal(flx_st_at(st, 2)->bytes, 0);
    assert_string_equal(flx_st_meta(st, "text"), meta[1].value);
    assert_null(flx_st_meta(st, "other"));
    assert_null(flx_st_find(st, "other"));
    assert_null(flx_st_at(st, 4));
    flx_st_free(st);
    unlink(path);
}

static void a_file_without_metadata_and_tensors_is_valid(void **state)
{
    (void)state;
    struct flx_st *st;
    assert_int_equal(parse_text("{}", 0, &st), FLX_OK);
    assert_int_equal(flx_st_count(st), 0);
    assert_null(flx_st_meta(st, "format"));
    flx_st_free(st);
}

static void the_header_is_padded_with_spaces_to_8_bytes(void **state)
{
    (void)state;
    for (int i = 1; i <= 8; i++) {
        char name[9] = "abcdefgh", *header;
        size_t len;
        uint64_t length;
        name[i] = 0;
        const struct flx_st_tensor t = tensor(name, FLX_ST_U8, 1, 6, 0, some_bytes);
        assert_int_equal(flx_st_header(&t, 1, NULL, 0, &header, &len), FLX_OK);
        memcpy(&length, header, 8);
        assert_int_equal(len % 8, 0);
        assert_int_equal(length, len - 8);
        for (char *c = (char *)memrchr(header, '}', len) + 1; c < header + len; c++)
            assert_int_equal(*c, ' ');
        free(header);
    }
}

static void tensors_may_be_described_in_any_order(void **state)
{
    (void)state;
    struct flx_st *st;
    assert_int_equal(
        parse_text("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[4,6]},"
                   "\"a\":{\"shape\":[1],\"data_offsets\":[0,4],\"dtype\":\"I32\"}}   ",
                   6, &st),
        FLX_OK);
    assert_string_equal(flx_st_at(st, 0)->name, "a");
    assert_string_equal(flx_st_at(st, 1)->name, "b");
    flx_st_free(st);
}

#define T(dtype, shape, offsets)                                                                   \
    "{\"t\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *json;
    size_t data;
    int status;
} malformed[] = {
    {"", 0, FLX_ERR_FORMAT},
    {"nonsense", 0, FLX_ERR_FORMAT},
    {"[]", 0, FLX_ERR_FORMAT},
    {" {}", 0, FLX_ERR_FORMAT},
    {"{} x", 0, FLX_ERR_FORMAT},
    {"{}\n", 0, FLX_ERR_FORMAT},
    {"{\"\xff\":1}", 0, FLX_ERR_FORMAT},
    {"{}", 1, FLX_ERR_FORMAT},
    {"{\"__metadata__\":7}", 0, FLX_ERR_FORMAT},
    {"{\"__metadata__\":{\"a\":7}}", 0, FLX_ERR_FORMAT},
    {"{\"t\":7}", 0, FLX_ERR_FORMAT},
    {"{\"t\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, FLX_ERR_FORMAT},
    {"{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":0}}", 1, FLX_ERR_FORMAT},
    {T("U8", "[1]", "[0,1]"), 0, FLX_ERR_TRUNCATED},
    {T("U8", "[1]", "[0,1,2]"), 1, FLX_ERR_FORMAT},
    {T("U8", "7", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[-1]", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[1.0]", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[2]", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("I32", "[1]", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[1]", "[-1,0]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[1]", "[1,0]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[1]", "[1,2]"), 2, FLX_ERR_FORMAT},
    {T("U8", "[1]", "[0,1]"), 2, FLX_ERR_FORMAT},
    {T("U8", "[9223372036854775807]", "[0,9223372036854775807]"), 1, FLX_ERR_TRUNCATED},
    {T("F64", "[4611686018427387904,4]", "[0,0]"), 0, FLX_ERR_FORMAT},
    {T("U8", "[99999999999999999999]", "[0,1]"), 1, FLX_ERR_FORMAT},
    {T("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, FLX_ERR_UNSUPPORTED},
    {T("BF16", "[1]", "[0,2]"), 2, FLX_ERR_UNSUPPORTED},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
     2, FLX_ERR_FORMAT},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
     3, FLX_ERR_FORMAT},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
     3, FLX_ERR_FORMAT},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
     "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
     1, FLX_ERR_FORMAT},
};

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct flx_st *st = NULL;
        int status = parse_text(malformed[i].json, malformed[i].data, &st);
        if (status != malformed[i].status)
            fail_msg("%s gives %s, not %s", malformed[i].json, flx_status_name(status),
                     flx_status_name(malformed[i].status));
        assert_null(st);
        assert_int_equal(strncmp(flx_last_error(), "file: ", 6), 0);
    }
}

static void a_file_that_ends_in_its_header_is_truncated(void **state)
{
    (void)state;
    struct flx_st *st;
    const struct flx_st_tensor t = tensor("t", FLX_ST_U8, 1, 6, 0, some_bytes);
    char *header;
    size_t len;
    assert_int_equal(flx_st_header(&t, 1, NULL, 0, &header, &len), FLX_OK);
    for (size_t n = 0; n <= len; n++)
        assert_int_equal(flx_st_parse("file", header, n, &st), FLX_ERR_TRUNCATED);
    memset(header, 0xff, 8);
    assert_int_equal(flx_st_parse("file", header, len, &st), FLX_ERR_FORMAT);
    free(header);
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    struct flx_st *st;
    assert_int_equal(flx_st_open("/nowhere/model.safetensors", &st), FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), "/nowhere/model.safetensors"));
}

static void impossible_tensors_are_not_written(void **state)
{
    (void)state;
    const char *path = "/tmp/flx_st_never_written";
    unlink(path);
    const struct flx_st_meta bad_text = {"key", "\xff"};
    const struct flx_st_tensor good = tensor("t", FLX_ST_U8, 1, 6, 0, some_bytes);
    const struct flx_st_tensor twice[2] = {good, good};
    const struct flx_st_tensor bad[] = {
        tensor("t", (enum flx_st_dtype)99, 1, 6, 0, some_bytes),
        tensor("t", FLX_ST_U8, FLX_ST_MAX_RANK + 1, 6, 0, some_bytes),
        tensor("t", FLX_ST_U8, -1, 6, 0, some_bytes),
        tensor("t", FLX_ST_F64, 2, UINT64_MAX / 4, 2, some_bytes),
        tensor("t", FLX_ST_U8, 1, 6, 0, NULL),
        tensor("\xff", FLX_ST_U8, 1, 6, 0, some_bytes),
        tensor("__metadata__", FLX_ST_U8, 1, 6, 0, some_bytes),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(flx_st_save(path, &bad[i], 1, NULL, 0), FLX_ERR_ARG);
    assert_int_equal(flx_st_save(path, twice, 2, NULL, 0), FLX_ERR_ARG);
    assert_int_equal(flx_st_save(path, &good, 1, &bad_text, 1), FLX_ERR_ARG);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_and_metadata_come_back),
        cmocka_unit_test(a_file_without_metadata_and_tensors_is_valid),
        cmocka_unit_test(the_header_is_padded_with_spaces_to_8_bytes),
        cmocka_unit_test(tensors_may_be_described_in_any_order),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(a_file_that_ends_in_its_header_is_truncated),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(impossible_tensors_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
