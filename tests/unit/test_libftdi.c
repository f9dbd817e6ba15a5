/* SPDX-License-Identifier: Apache-2.0 */
/** Our vendor requests are those of libftdi1: both end in libusb_control_transfer, which this
 *  program has in libusb's place. */
#include <ftdi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/usb_ftdi.h"

struct request {
    uint8_t type, what;
    uint16_t value, index;
};

static struct request sent[16];
static int n_sent;

int LIBUSB_CALL libusb_control_transfer(libusb_device_handle *h, uint8_t type, uint8_t what,
                                        uint16_t value, uint16_t index, unsigned char *data,
                                        uint16_t length, unsigned timeout)
{
    (void)h;
    (void)data;
    (void)timeout;
    assert_in_range(n_sent, 0, 15);
    sent[n_sent++] = (struct request){type, what, value, index};
    return length;
}

static libusb_device_handle *const handle = (libusb_device_handle *)&n_sent;
static const struct flx_usb_kind kind_h = {.bridge = FLX_USB_FT_H, .interface = 1};

static struct ftdi_context *theirs(enum ftdi_chip_type type)
{
    struct ftdi_context *f = ftdi_new();
    assert_non_null(f);
    assert_int_equal(ftdi_set_interface(f, type == TYPE_2232H ? INTERFACE_B : INTERFACE_ANY), 0);
    f->type = type;
    f->usb_dev = handle;
    n_sent = 0;
    return f;
}

static void give_back(struct ftdi_context *f)
{
    f->usb_dev = NULL;
    ftdi_free(f);
}

static void same_divisors(enum ftdi_chip_type type, enum flx_usb_bridge bridge, int most)
{
    static const int bauds[] = {115200,  230400,  460800,  921600,  1000000, 1500000,
                                2000000, 3000000, 4000000, 6000000, 12000000};
    struct ftdi_context *f = theirs(type);
    uint16_t channel = bridge == FLX_USB_FT_H ? 2 : 0;
    for (size_t i = 0; i < sizeof bauds / sizeof bauds[0] && bauds[i] <= most; i++) {
        uint16_t value, index;
        n_sent = 0;
        assert_int_equal(ftdi_set_baudrate(f, bauds[i]), 0);
        flx_ftdi_divisor(bridge, bauds[i], &value, &index);
        assert_int_equal(sent[0].value, value);
        assert_int_equal(sent[0].index, index | channel);
    }
    give_back(f);
}

static void ft2232h_divisors_are_libftdis(void **state)
{
    (void)state;
    same_divisors(TYPE_2232H, FLX_USB_FT_H, 12000000);
}

static void ft231x_divisors_are_libftdis(void **state)
{
    (void)state;
    same_divisors(TYPE_230X, FLX_USB_FT_X, 3000000);
}

static void setup_is_what_libftdi_would_ask_for(void **state)
{
    (void)state;
    struct request wanted[16];
    struct ftdi_context *f = theirs(TYPE_2232H);
    assert_int_equal(ftdi_usb_reset(f), 0);
    assert_int_equal(ftdi_set_baudrate(f, 12000000), 0);
    assert_int_equal(ftdi_set_line_property(f, BITS_8, STOP_BIT_1, NONE), 0);
    assert_int_equal(ftdi_setflowctrl(f, SIO_DISABLE_FLOW_CTRL), 0);
    assert_int_equal(ftdi_setdtr_rts(f, 1, 1), 0);
    assert_int_equal(ftdi_set_latency_timer(f, 1), 0);
    assert_int_equal(ftdi_tcoflush(f), 0);
    assert_int_equal(ftdi_tciflush(f), 0);
    give_back(f);
    int n = n_sent;
    memcpy(wanted, sent, sizeof sent);
    n_sent = 0;
    assert_int_equal(flx_ftdi_setup(handle, &kind_h, 12000000), 0);
    assert_int_equal(n_sent, n);
    assert_memory_equal(sent, wanted, (size_t)n * sizeof *sent);
}

static void break_and_rts_cts_are_libftdis(void **state)
{
    (void)state;
    struct ftdi_context *f = theirs(TYPE_2232H);
    assert_int_equal(ftdi_setflowctrl(f, SIO_RTS_CTS_HS), 0);
    assert_int_equal(flx_ftdi_flow(handle, &kind_h, 1), 0);
    assert_memory_equal(&sent[0], &sent[1], sizeof *sent);
    n_sent = 0;
    assert_int_equal(ftdi_set_line_property2(f, BITS_8, STOP_BIT_1, NONE, BREAK_ON), 0);
    assert_int_equal(ftdi_set_line_property2(f, BITS_8, STOP_BIT_1, NONE, BREAK_OFF), 0);
    assert_int_equal(flx_ftdi_reset(handle, &kind_h), 0);
    assert_memory_equal(&sent[0], &sent[4], 2 * sizeof *sent);
    give_back(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ft2232h_divisors_are_libftdis),
        cmocka_unit_test(ft231x_divisors_are_libftdis),
        cmocka_unit_test(setup_is_what_libftdi_would_ask_for),
        cmocka_unit_test(break_and_rts_cts_are_libftdis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
