/* SPDX-License-Identifier: Apache-2.0 */
/* CDC-ACM controllers: the function is found by class, wherever it is; and a zero byte at a
 * quarter of the rate is a break for the board's UART. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "../../sim/flx_pins.h"
#include "device/link.h"
#include "device/usb_cdc.h"

#define PINS  "build/sim/pins/k16t16p1-uart.so"
#define BOARD 12000000 /* its rate */
#define LONG  20000    /* cycles for a short request and its answer */

static const struct libusb_endpoint_descriptor interrupt[] = {
    {.bEndpointAddress = 0x83, .bmAttributes = 3, .wMaxPacketSize = 16},
};
static const struct libusb_endpoint_descriptor bulk[] = {
    {.bEndpointAddress = 0x05, .bmAttributes = 2, .wMaxPacketSize = 64},
    {.bEndpointAddress = 0x86, .bmAttributes = 2, .wMaxPacketSize = 32},
};
static const struct libusb_interface_descriptor
    hid = {.bInterfaceNumber = 0, .bInterfaceClass = 3, .bNumEndpoints = 1, .endpoint = interrupt},
    storage = {.bInterfaceNumber = 1, .bInterfaceClass = 8, .bNumEndpoints = 2, .endpoint = bulk},
    acm = {.bInterfaceNumber = 2,
           .bInterfaceClass = 2,
           .bInterfaceSubClass = 2,
           .bNumEndpoints = 1,
           .endpoint = interrupt},
    data = {.bInterfaceNumber = 3, .bInterfaceClass = 10, .bNumEndpoints = 2, .endpoint = bulk};

static int find(const struct libusb_interface *interfaces, uint8_t n, struct flx_usb_board *b)
{
    const struct libusb_config_descriptor config = {.bNumInterfaces = n, .interface = interfaces};
    return flx_cdc_find(&config, b);
}

static void the_function_is_found_behind_others(void **state)
{
    (void)state;
    const struct libusb_interface all[] = {{&hid, 1}, {&storage, 1}, {&acm, 1}, {&data, 1}};
    struct flx_usb_board b = {0};
    assert_true(find(all, 4, &b));
    assert_int_equal(b.control, 2);
    assert_int_equal(b.interface, 3);
    assert_int_equal(b.ep_out, 0x05);
    assert_int_equal(b.ep_in, 0x86);
    assert_int_equal(b.packet, 32);
}

static void a_device_without_the_function_is_none(void **state)
{
    (void)state;
    struct flx_usb_board b = {0};
    const struct libusb_interface no_acm[] = {{&hid, 1}, {&storage, 1}, {&data, 1}};
    const struct libusb_interface no_data[] = {{&hid, 1}, {&storage, 1}, {&acm, 1}};
    assert_false(find(no_acm, 3, &b));
    assert_false(find(no_data, 3, &b));
}

struct pins {
    const struct flx_sim_api *sim;
    const struct flx_uart_pins_api *line;
    void *board;
};

static int open_pins(struct pins *p)
{
    void *handle = dlopen(PINS, RTLD_NOW | RTLD_LOCAL);
    const struct flx_sim_options o = {.seed = 1};
    const struct flx_sim_api *(*sim)(void);
    const struct flx_uart_pins_api *(*line)(void);
    if (!handle)
        return 0;
    *(void **)&sim = dlsym(handle, FLX_SIM_SYMBOL);
    *(void **)&line = dlsym(handle, FLX_UART_PINS_SYMBOL);
    *p = (struct pins){.sim = sim(), .line = line()};
    p->board = p->sim->open(&o);
    p->line->line(p->board, BOARD, 0);
    return p->board != NULL;
}

/* Whether the board says that it was reset since the last HELLO (docs/link.md, PING). */
static int was_reset(struct pins *p, uint8_t seq)
{
    uint8_t frame[FLX_FRAME_OVERHEAD], answer[64];
    size_t n = flx_frame_encode(frame, FLX_REQ_PING, seq, NULL, 0);
    assert_int_equal(p->sim->run(p->board, frame, n, LONG), n);
    assert_int_equal(p->sim->recv(p->board, answer, sizeof answer, 0), FLX_FRAME_OVERHEAD + 5);
    return answer[FLX_HDR_BYTES + 2] >> 7;
}

static void hello(struct pins *p)
{
    uint8_t frame[FLX_FRAME_OVERHEAD], answer[FLX_FRAME_OVERHEAD + 2 + FLX_DESC_BYTES];
    size_t n = flx_frame_encode(frame, FLX_REQ_HELLO, 0, NULL, 0);
    assert_int_equal(p->sim->run(p->board, frame, n, LONG), n);
    assert_int_equal(p->sim->recv(p->board, answer, sizeof answer, 0), sizeof answer);
}

static void zero_byte(struct pins *p, int baud)
{
    static const uint8_t zero;
    p->line->line(p->board, baud, 0);
    p->sim->run(p->board, &zero, 1, LONG);
    p->line->line(p->board, BOARD, 0);
}

static void a_zero_byte_at_a_quarter_of_the_rate_resets_the_board(void **state)
{
    struct pins p = {0};
    (void)state;
    if (!open_pins(&p)) {
        print_message("%s is not built (make pins)\n", PINS);
        skip();
    }
    hello(&p);
    assert_false(was_reset(&p, 1));
    zero_byte(&p, BOARD * 2 / 3); /* 13.5 bits of 0 */
    assert_false(was_reset(&p, 2));
    zero_byte(&p, BOARD / 4);
    assert_true(was_reset(&p, 3));
    p.sim->close(p.board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_is_found_behind_others),
        cmocka_unit_test(a_device_without_the_function_is_none),
        cmocka_unit_test(a_zero_byte_at_a_quarter_of_the_rate_resets_the_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
