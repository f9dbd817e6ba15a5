/* SPDX-License-Identifier: Apache-2.0 */
/* Boards: "usb" (the only one), "usb:SERIAL" or "usb:1-4.2" (bus and ports), "usb:all". */
#include <stdio.h>
#include <string.h>

#include "flexor/status.h"
#include "flexor/xornet.h"
#include "usb_all.h"
#include "usb_board.h"

/* Bare bridges may belong to anything, so they are only used when they are named, or
 * when nothing else is there. Moves the candidates to the front. */
static int choose(struct flx_usb_board *found, int n, const char *name)
{
    int known = 0, kept = 0;
    for (int i = 0; i < n; i++)
        known += found[i].kind->product != NULL;
    for (int i = 0; i < n; i++)
        if (*name ? flx_usb_named(&found[i], name) : !known || found[i].kind->product)
            found[kept++] = found[i];
    return kept;
}

static int not_found(const char *name, int n)
{
    if (*name)
        return flx_fail(FLX_ERR_NOT_FOUND,
                        "no board with serial number or place '%s' is plugged in (%d other%s): "
                        "see flexor devices",
                        name, n, n == 1 ? "" : "s");
    return flx_fail(FLX_ERR_NOT_FOUND, "no board is plugged in: looked for FT2232H and FT231X "
                                       "bridges, for 0d28:0204 and for 1209:000f");
}

/* Boards that do not open are left out as long as one does. */
static int open_all(const struct flx_spec *spec, const struct flx_usb_board *found, int n,
                    const struct flx_device_ops **ops, void **self)
{
    void *open[FLX_USB_BOARDS];
    int count = 0, status = FLX_OK;
    for (int i = 0; i < n; i++) {
        struct flx_usb_device *d;
        status = flx_usb_device_open(&found[i], spec, &d);
        if (!status)
            open[count++] = d;
    }
    if (!count)
        return status;
    *ops = &flx_usb_all_ops;
    return flx_usb_all_open(&flx_usb_device_ops, open, count, (struct flx_usb_all **)self);
}

static int usb_open(const struct flx_spec *spec, const struct flx_device_ops **ops, void **self)
{
    struct flx_usb_board found[FLX_USB_BOARDS];
    int all = !strcmp(spec->name, "all");
    const char *name = all ? "" : spec->name;
    int n = flx_usb_find(found), kept = n < 0 ? 0 : choose(found, n, name);
    if (n < 0)
        return n;
    if (!kept)
        return not_found(name, n);
    if (all)
        return open_all(spec, found, kept, ops, self);
    if (kept > 1)
        return flx_fail(FLX_ERR_ARG,
                        "%d boards are plugged in: choose one (see flexor devices), "
                        "or usb:all",
                        kept);
    *ops = &flx_usb_device_ops;
    return flx_usb_device_open(&found[0], spec, (struct flx_usb_device **)self);
}

static void describe(const struct flx_usb_board *b, const struct flx_desc *desc, char *text,
                     size_t size)
{
    struct flx_xornet net;
    char pixels[24] = "";
    int at = snprintf(text, size, "%s, %s at %s", b->kind->name,
                      *b->product ? b->product : "no name", b->path);
    if (!desc || at < 0 || at >= (int)size)
        return;
    flx_xornet_default(&net);
    if (desc->pixels > 1)
        snprintf(pixels, sizeof pixels, " PIXELS=%d", desc->pixels);
    snprintf(text + at, size - (size_t)at, ", K=%d T=%d P=%d%s, XOR network %08x%s", desc->k,
             desc->t, desc->p, pixels, desc->xor_hash,
             desc->xor_hash == flx_xornet_hash(&net)
                 ? ""
                 : " (not the default one: it runs models that were trained with it)");
}

static int usb_list(flx_device_list_fn fn, void *user)
{
    struct flx_usb_board found[FLX_USB_BOARDS];
    int n = flx_usb_find(found);
    for (int i = 0; i < n; i++) {
        struct flx_desc desc;
        char spec[80], detail[300], why[512] = "";
        int status = FLX_ERR_UNSUPPORTED;
        if (found[i].kind->product)
            status = flx_usb_device_probe(&found[i], &desc);
        else
            flx_fail(status, "not asked: it may be anything; if it is a board with flexor in it, "
                             "name it with --device");
        if (status)
            snprintf(why, sizeof why, "%s", flx_last_error());
        flx_usb_spec(&found[i], spec, sizeof spec);
        describe(&found[i], status ? NULL : &desc, detail, sizeof detail);
        fn(user, spec, detail, status ? why : NULL);
    }
    return n < 0 ? n : FLX_OK;
}

const struct flx_backend flx_backend_usb = {"usb", usb_open, usb_list};
