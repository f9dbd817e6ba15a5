/* SPDX-License-Identifier: Apache-2.0 */
#include "usb_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flexor/status.h"
#include "flx_proto.h"
#include "usb_cdc.h"

/* First match wins, so boards come before the bare bridges. */
static const struct flx_usb_kind kinds[] = {
    {"native", FLX_USB_VID, FLX_USB_PID, "", FLX_USB_NATIVE, 0, FLX_USB_EP_OUT, FLX_USB_EP_IN,
     FLX_USB_PACKET, 0},
    {"icebreaker", 0x0403, 0x6010, "iCEBreaker", FLX_USB_FT_H, 1, 0x04, 0x83, 512, 12000000},
    {"hx8k", 0x0403, 0x6010, "Lattice", FLX_USB_FT_H, 1, 0x04, 0x83, 512, 12000000},
    {"FT2232H", 0x0403, 0x6010, NULL, FLX_USB_FT_H, 1, 0x04, 0x83, 512, 12000000},
    {"ulx3s", 0x0403, 0x6015, "ULX3S", FLX_USB_FT_X, 0, 0x02, 0x81, 64, 3000000},
    {"DAPLink", 0x0d28, 0x0204, NULL, FLX_USB_CDC, 0, 0, 0, 0, 1000000},
    {"FT231X", 0x0403, 0x6015, NULL, FLX_USB_FT_X, 0, 0x02, 0x81, 64, 3000000},
};

/* The kernel has read the strings already, and lets everybody see them. */
static void read_string(const struct flx_usb_board *b, const char *name, char *out, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/%s", b->path, name);
    FILE *f = fopen(path, "r");
    *out = 0;
    if (!f)
        return;
    if (fgets(out, (int)size, f))
        out[strcspn(out, "\n")] = 0;
    fclose(f);
}

static void set_path(struct flx_usb_board *b, libusb_device *d)
{
    uint8_t ports[8];
    int n = libusb_get_port_numbers(d, ports, sizeof ports);
    size_t at = (size_t)snprintf(b->path, sizeof b->path, "%d", b->bus);
    for (int i = 0; i < n && at < sizeof b->path - 5; i++)
        at += (size_t)snprintf(b->path + at, sizeof b->path - at, "%c%d", i ? '.' : '-', ports[i]);
}

static const struct flx_usb_kind *kind_of(const struct libusb_device_descriptor *d,
                                          const char *product)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct flx_usb_kind *k = &kinds[i];
        if (k->vid == d->idVendor && k->pid == d->idProduct &&
            (!k->product || !strncmp(product, k->product, strlen(k->product))))
            return k;
    }
    return NULL;
}

/* Where the data go. 0 when a device of this kind lacks it. */
static int take_interfaces(libusb_device *d, struct flx_usb_board *b)
{
    struct libusb_config_descriptor *config;
    const struct flx_usb_kind *k = b->kind;
    b->interface = b->control = k->interface;
    b->ep_out = k->ep_out;
    b->ep_in = k->ep_in;
    b->packet = k->packet;
    if (k->bridge != FLX_USB_CDC)
        return 1;
    if (libusb_get_active_config_descriptor(d, &config))
        return 0;
    int found = flx_cdc_find(config, b);
    libusb_free_config_descriptor(config);
    return found;
}

static int take(libusb_device *d, struct flx_usb_board *b)
{
    struct libusb_device_descriptor desc;
    *b = (struct flx_usb_board){.bus = libusb_get_bus_number(d),
                                .address = libusb_get_device_address(d)};
    if (libusb_get_device_descriptor(d, &desc))
        return 0;
    set_path(b, d);
    read_string(b, "product", b->product, sizeof b->product);
    read_string(b, "serial", b->serial, sizeof b->serial);
    b->kind = kind_of(&desc, b->product);
    return b->kind && take_interfaces(d, b);
}

static int by_path(const void *a, const void *b)
{
    return strverscmp(((const struct flx_usb_board *)a)->path,
                      ((const struct flx_usb_board *)b)->path);
}

static int no_usb(int error)
{
    return flx_fail(error == LIBUSB_ERROR_NO_MEM ? FLX_ERR_NOMEM : FLX_ERR_IO,
                    "libusb cannot list the USB devices: %s", libusb_strerror(error));
}

int flx_usb_find(struct flx_usb_board out[FLX_USB_BOARDS])
{
    libusb_context *ctx;
    libusb_device **list;
    int n = 0, error = libusb_init(&ctx);
    if (error)
        return no_usb(error);
    ssize_t count = libusb_get_device_list(ctx, &list);
    for (ssize_t i = 0; i < count && n < FLX_USB_BOARDS; i++)
        n += take(list[i], &out[n]);
    if (count >= 0)
        libusb_free_device_list(list, 1);
    libusb_exit(ctx);
    if (count < 0)
        return no_usb((int)count);
    qsort(out, (size_t)n, sizeof *out, by_path);
    return n;
}

int flx_usb_named(const struct flx_usb_board *b, const char *name)
{
    return !*name || !strcmp(name, b->serial) || !strcmp(name, b->path);
}

/* Names in a spec have no blanks and no commas. */
void flx_usb_spec(const struct flx_usb_board *b, char *spec, size_t size)
{
    int usable = *b->serial && !strpbrk(b->serial, " ,:/") && *b->serial != '.';
    snprintf(spec, size, "usb:%s", usable ? b->serial : b->path);
}

int flx_usb_fail(const struct flx_usb_board *b, int error, const char *what)
{
    switch (error) {
    case LIBUSB_ERROR_NO_DEVICE:
        return flx_fail(FLX_ERR_UNPLUGGED, "usb %s (%s): unplugged", b->path, b->kind->name);
    case LIBUSB_ERROR_ACCESS:
        return flx_fail(FLX_ERR_IO,
                        "usb %s (%s): no permission to open /dev/bus/usb/%03d/%03d; install the "
                        "rule: sudo cp scripts/99-flexor.rules /etc/udev/rules.d/ && sudo udevadm "
                        "control --reload && sudo udevadm trigger",
                        b->path, b->kind->name, b->bus, b->address);
    case LIBUSB_ERROR_BUSY:
        return flx_fail(FLX_ERR_IO,
                        "usb %s (%s): busy: another program uses interface %d, close it first",
                        b->path, b->kind->name, b->interface);
    case LIBUSB_ERROR_TIMEOUT:
        return flx_fail(FLX_ERR_TIMEOUT, "usb %s (%s): %s: no answer in time", b->path,
                        b->kind->name, what);
    default:
        return flx_fail(error == LIBUSB_ERROR_NO_MEM ? FLX_ERR_NOMEM : FLX_ERR_IO,
                        "usb %s (%s): %s: %s", b->path, b->kind->name, what,
                        libusb_strerror(error));
    }
}

static int open_at(const struct flx_usb_board *b, libusb_context *ctx,
                   libusb_device_handle **handle)
{
    libusb_device **list;
    int error = LIBUSB_ERROR_NO_DEVICE;
    ssize_t count = libusb_get_device_list(ctx, &list);
    for (ssize_t i = 0; i < count; i++)
        if (libusb_get_bus_number(list[i]) == b->bus &&
            libusb_get_device_address(list[i]) == b->address) {
            error = libusb_open(list[i], handle);
            break;
        }
    if (count < 0)
        return (int)count;
    libusb_free_device_list(list, 1);
    return error;
}

int flx_usb_claim(const struct flx_usb_board *b, libusb_context **ctx,
                  libusb_device_handle **handle)
{
    int error = libusb_init(ctx);
    if (error)
        return flx_usb_fail(b, error, "libusb cannot start");
    error = open_at(b, *ctx, handle);
    if (!error) {
        libusb_set_auto_detach_kernel_driver(*handle, 1);
        if (b->control != b->interface)
            error = libusb_claim_interface(*handle, b->control);
        if (!error)
            error = libusb_claim_interface(*handle, b->interface);
        if (error)
            libusb_close(*handle);
    }
    if (!error)
        return FLX_OK;
    libusb_exit(*ctx);
    return flx_usb_fail(b, error, "cannot be opened");
}

void flx_usb_release(const struct flx_usb_board *b, libusb_context *ctx,
                     libusb_device_handle *handle)
{
    /* The kernel's driver takes both interfaces of a CDC function when it gets the first. */
    libusb_release_interface(handle, b->interface);
    if (b->control != b->interface)
        libusb_release_interface(handle, b->control);
    libusb_close(handle);
    libusb_exit(ctx);
}
