/* SPDX-License-Identifier: Apache-2.0 */
/** Divisors of the FTDI bridges against the formulas of the data sheets, spec strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/backend.h"
#include "device/usb_ftdi.h"
#include "flexor/status.h"

/* The rate that a chip makes of the request's fields. */
static int rate(enum flx_usb_bridge bridge, uint16_t value, uint16_t index)
{
    static const int eighths[8] = {0, 4, 2, 1, 3, 5, 6, 7};
    int high = bridge == FLX_USB_FT_H ? index >> 8 & 1 : index & 1;
    int base = bridge == FLX_USB_FT_H && (index & 0x0200) ? 12000000 : 3000000;
    int divisor = (value & 0x3fff) * 8 + eighths[value >> 14 | high << 2];
    return divisor == 0 ? base : divisor == 8 ? base * 2 / 3 : (int)(8LL * base / divisor);
}

static void divisors_give_the_rate_within_two_percent(void **state)
{
    (void)state;
    static const int bauds[] = {9600,    38400,   115200,  230400,  460800,  921600,  1000000,
                                1500000, 2000000, 3000000, 4000000, 6000000, 8000000, 12000000};
    for (size_t i = 0; i < sizeof bauds / sizeof bauds[0]; i++)
        for (int b = FLX_USB_FT_H; b <= FLX_USB_FT_X; b++) {
            uint16_t value, index;
            if (b == FLX_USB_FT_X && bauds[i] > 3000000)
                continue;
            int got = flx_ftdi_divisor((enum flx_usb_bridge)b, bauds[i], &value, &index);
            assert_in_range(got, bauds[i] - bauds[i] / 50, bauds[i] + bauds[i] / 50);
            assert_in_range(rate((enum flx_usb_bridge)b, value, index), got - got / 1000 - 1,
                            got + got / 1000 + 1);
        }
}

static void twelve_megabaud_is_divisor_zero_of_the_fast_clock(void **state)
{
    (void)state;
    uint16_t value, index;
    assert_int_equal(flx_ftdi_divisor(FLX_USB_FT_H, 12000000, &value, &index), 12000000);
    assert_int_equal(value, 0);
    assert_int_equal(index, 0x0200);
}

static void a_spec_names_a_board_and_its_options(void **state)
{
    (void)state;
    struct flx_spec s;
    assert_int_equal(flx_spec_parse("usb:1-4.2,baud=3000000,replug=5000", &s), FLX_OK);
    assert_string_equal(s.backend, "usb");
    assert_string_equal(s.name, "1-4.2");
    assert_int_equal(s.baud, 3000000);
    assert_int_equal(s.replug_ms, 5000);
    assert_int_equal(s.flow, FLX_FLOW_AUTO);
    assert_int_equal(flx_spec_parse("usb,flow=none", &s), FLX_OK);
    assert_int_equal(s.flow, FLX_FLOW_NONE);
    assert_int_equal(flx_spec_parse("usb,flow=rtscts", &s), FLX_OK);
    assert_int_equal(s.flow, FLX_FLOW_RTS_CTS);
    assert_int_equal(flx_spec_parse("usb,flow=xon", &s), FLX_ERR_ARG);
    assert_int_equal(flx_spec_parse("usb,baud=fast", &s), FLX_ERR_ARG);
    assert_int_equal(flx_spec_parse("usb,baud=13000000", &s), FLX_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divisors_give_the_rate_within_two_percent),
        cmocka_unit_test(twelve_megabaud_is_divisor_zero_of_the_fast_clock),
        cmocka_unit_test(a_spec_names_a_board_and_its_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
