/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "flexor/file.h"
#include "flexor/status.h"
#include "tempdir.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct tempdir));
    tempdir_make(*state);
    return 0;
}

static int teardown(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

static void a_file_reads_back_what_was_written_in_parts(void **state)
{
    uint8_t *data = NULL;
    size_t len = 0;
    const void *const parts[] = {"abc", "", "defg"};
    const size_t lens[] = {3, 0, 4};
    const char *path = tempdir_file(*state, "a");
    assert_int_equal(flx_file_write_atomic(path, parts, lens, 3), FLX_OK);
    assert_int_equal(flx_file_read(path, &data, &len), FLX_OK);
    assert_int_equal(len, 7);
    assert_memory_equal(data, "abcdefg", 7);
    free(data);
}

static void an_empty_file_reads_as_an_allocated_buffer_of_no_bytes(void **state)
{
    uint8_t *data = NULL;
    size_t len = 1;
    tempdir_write(*state, "a", "", 0);
    assert_int_equal(flx_file_read(tempdir_file(*state, "a"), &data, &len), FLX_OK);
    assert_non_null(data);
    assert_int_equal(len, 0);
    free(data);
}

static void a_file_without_a_known_size_is_read_to_its_end(void **state)
{
    (void)state;
    uint8_t *data = NULL;
    size_t len = 0;
    assert_int_equal(flx_file_read("/proc/self/status", &data, &len), FLX_OK);
    assert_true(len > 100);
    assert_memory_equal(data, "Name:", 5);
    free(data);
}

static void reading_a_missing_file_names_it(void **state)
{
    uint8_t *data = NULL;
    size_t len;
    const char *path = tempdir_file(*state, "missing");
    assert_int_equal(flx_file_read(path, &data, &len), FLX_ERR_NOT_FOUND);
    assert_non_null(strstr(flx_last_error(), path));
    assert_null(data);
}

static void reading_a_folder_is_an_io_error(void **state)
{
    uint8_t *data = NULL;
    size_t len;
    assert_int_equal(flx_file_read(tempdir_file(*state, "."), &data, &len), FLX_ERR_IO);
    assert_null(data);
}

static void writing_replaces_a_file_and_leaves_no_other(void **state)
{
    const void *const first[] = {"old and longer"}, *const second[] = {"new"};
    uint8_t *data = NULL;
    size_t len = 0;
    const char *path = tempdir_file(*state, "a");
    assert_int_equal(flx_file_write_atomic(path, first, (size_t[]){14}, 1), FLX_OK);
    assert_int_equal(flx_file_write_atomic(path, second, (size_t[]){3}, 1), FLX_OK);
    assert_int_equal(tempdir_count(*state), 1);
    assert_int_equal(flx_file_read(path, &data, &len), FLX_OK);
    assert_int_equal(len, 3);
    free(data);
}

static void writing_into_a_missing_folder_is_refused(void **state)
{
    const void *const parts[] = {"x"};
    assert_int_equal(flx_file_write_atomic(tempdir_file(*state, "no/a"), parts, (size_t[]){1}, 1),
                     FLX_ERR_NOT_FOUND);
}

static void a_failed_write_keeps_the_old_file_and_removes_the_new(void **state)
{
    const void *const parts[] = {"abc", "defgh"};
    const size_t lens[] = {3, 5};
    tempdir_write(*state, "a", "old", 3);
    const char *path = tempdir_file(*state, "a");
    struct rlimit old, small; /* files may not grow beyond 4 bytes */
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 4, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int status = flx_file_write_atomic(path, parts, lens, 2);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, FLX_ERR_IO);
    assert_int_equal(tempdir_count(*state), 1);
    uint8_t *data = NULL;
    size_t len = 0;
    assert_int_equal(flx_file_read(path, &data, &len), FLX_OK);
    assert_memory_equal(data, "old", 3);
    free(data);
}

static void something_that_is_not_a_file_is_not_replaced(void **state)
{
    const void *const parts[] = {"x"};
    const char *path = tempdir_file(*state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(flx_file_write_atomic(path, parts, (size_t[]){1}, 1), FLX_ERR_IO);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
}

static void a_new_file_has_the_permissions_of_the_umask(void **state)
{
    const void *const parts[] = {"x"};
    const char *path = tempdir_file(*state, "a");
    struct stat st;
    mode_t old = umask(027);
    assert_int_equal(flx_file_write_atomic(path, parts, (size_t[]){1}, 1), FLX_OK);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

/* Gzipped bytes 0, 1, 2, ... */
static void write_gz(struct tempdir *t, const char *name, int n, const char *mode)
{
    gzFile f = gzopen(tempdir_file(t, name), mode);
    for (int i = 0; i < n; i++)
        gzputc(f, i * i % 251);
    assert_int_equal(gzclose(f), Z_OK);
}

static void check_counting(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], (int)(i * i % 251));
}

static void a_gzipped_file_is_unpacked(void **state)
{
    uint8_t *data = NULL;
    size_t len = 0;
    write_gz(*state, "a.gz", 30000, "wb");
    assert_int_equal(flx_file_read_gz(tempdir_file(*state, "a.gz"), 0, &data, &len), FLX_OK);
    assert_int_equal(len, 30000);
    check_counting(data, len);
    free(data);
}

static void gzip_members_one_after_the_other_are_joined(void **state)
{
    uint8_t *data = NULL;
    size_t len = 0;
    write_gz(*state, "a.gz", 1000, "wb");
    write_gz(*state, "a.gz", 500, "ab");
    assert_int_equal(flx_file_read_gz(tempdir_file(*state, "a.gz"), 0, &data, &len), FLX_OK);
    assert_int_equal(len, 1500);
    check_counting(data, 1000);
    check_counting(data + 1000, 500);
    free(data);
}

static void a_plain_file_is_read_as_it_is(void **state)
{
    uint8_t *data = NULL;
    size_t len = 0;
    tempdir_write(*state, "a", "plain", 5);
    assert_int_equal(flx_file_read_gz(tempdir_file(*state, "a"), 0, &data, &len), FLX_OK);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "plain", 5);
    free(data);
}

static void a_gzip_file_cut_anywhere_is_truncated(void **state)
{
    uint8_t *packed = NULL, *data = NULL;
    size_t n = 0, len = 0;
    write_gz(*state, "a.gz", 300, "wb");
    assert_int_equal(flx_file_read(tempdir_file(*state, "a.gz"), &packed, &n), FLX_OK);
    for (size_t cut = 2; cut < n; cut++) {
        tempdir_write(*state, "b.gz", packed, cut);
        assert_int_equal(flx_file_read_gz(tempdir_file(*state, "b.gz"), 0, &data, &len),
                         FLX_ERR_TRUNCATED);
    }
    assert_null(data);
    free(packed);
}

static void a_damaged_gzip_file_is_refused(void **state)
{
    uint8_t *packed = NULL, *data = NULL;
    size_t n = 0, len = 0;
    write_gz(*state, "a.gz", 300, "wb");
    assert_int_equal(flx_file_read(tempdir_file(*state, "a.gz"), &packed, &n), FLX_OK);
    packed[n - 6] ^= 1; /* CRC-32 of the content */
    tempdir_write(*state, "a.gz", packed, n);
    assert_int_equal(flx_file_read_gz(tempdir_file(*state, "a.gz"), 0, &data, &len),
                     FLX_ERR_FORMAT);
    assert_null(data);
    free(packed);
}

static void garbage_after_a_gzip_member_is_refused(void **state)
{
    uint8_t *packed = NULL, *data = NULL;
    size_t n = 0, len = 0;
    write_gz(*state, "a.gz", 300, "wb");
    assert_int_equal(flx_file_read(tempdir_file(*state, "a.gz"), &packed, &n), FLX_OK);
    const void *const parts[] = {packed, "garbage at the end"};
    assert_int_equal(
        flx_file_write_atomic(tempdir_file(*state, "a.gz"), parts, (size_t[]){n, 18}, 2), FLX_OK);
    assert_int_equal(flx_file_read_gz(tempdir_file(*state, "a.gz"), 0, &data, &len),
                     FLX_ERR_FORMAT);
    free(packed);
}

static void unpacking_stops_at_the_bound(void **state)
{
    uint8_t *data = NULL;
    size_t len = 0;
    write_gz(*state, "a.gz", 300, "wb");
    const char *path = tempdir_file(*state, "a.gz");
    assert_int_equal(flx_file_read_gz(path, 299, &data, &len), FLX_ERR_FORMAT);
    assert_null(data);
    assert_int_equal(flx_file_read_gz(path, 300, &data, &len), FLX_OK);
    free(data);
}

static void crc32_is_the_usual_one_and_continues(void **state)
{
    (void)state;
    assert_int_equal(flx_crc32(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(flx_crc32(flx_crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
    assert_int_equal(flx_crc32(0, "", 0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_reads_back_what_was_written_in_parts),
        T(an_empty_file_reads_as_an_allocated_buffer_of_no_bytes),
        T(a_file_without_a_known_size_is_read_to_its_end),
        T(reading_a_missing_file_names_it),
        T(reading_a_folder_is_an_io_error),
        T(writing_replaces_a_file_and_leaves_no_other),
        T(writing_into_a_missing_folder_is_refused),
        T(a_failed_write_keeps_the_old_file_and_removes_the_new),
        T(something_that_is_not_a_file_is_not_replaced),
        T(a_new_file_has_the_permissions_of_the_umask),
        T(a_gzipped_file_is_unpacked),
        T(gzip_members_one_after_the_other_are_joined),
        T(a_plain_file_is_read_as_it_is),
        T(a_gzip_file_cut_anywhere_is_truncated),
        T(a_damaged_gzip_file_is_refused),
        T(garbage_after_a_gzip_member_is_refused),
        T(unpacking_stops_at_the_bound),
        T(crc32_is_the_usual_one_and_continues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
