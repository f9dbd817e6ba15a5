/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and standard requests. */
#include <string.h>

#include "vb.h"

enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11
};
enum { DESC_DEVICE = 1, DESC_CONFIG = 2, DESC_STRING = 3 };

static int append(uint8_t *at, int n, const uint8_t *bytes, int len)
{
    memcpy(at + n, bytes, (size_t)len);
    return n + len;
}

void vb_describe_device(struct vb_identity *id, uint16_t vid, uint16_t pid, uint16_t bcd, int speed,
                        int composite)
{
    int fast = speed == 480;
    id->speed = speed;
    id->packet = fast ? 512 : 64;
    const uint8_t device[18] = {18,
                                DESC_DEVICE,
                                fast ? 0 : 0x10,
                                fast ? 2 : 1,
                                composite ? 0xef : 0,
                                composite ? 2 : 0,
                                composite ? 1 : 0,
                                64,
                                (uint8_t)vid,
                                (uint8_t)(vid >> 8),
                                (uint8_t)pid,
                                (uint8_t)(pid >> 8),
                                (uint8_t)bcd,
                                (uint8_t)(bcd >> 8),
                                1,
                                2,
                                3,
                                1};
    memcpy(id->device, device, sizeof device);
}

void vb_describe(struct vb_identity *id, uint16_t vid, uint16_t pid, uint16_t bcd, int speed,
                 int interfaces)
{
    int n = 9;
    uint8_t low = speed == 480 ? 0 : 64, high = speed == 480 ? 2 : 0;
    vb_describe_device(id, vid, pid, bcd, speed, 0);
    for (int i = 0; i < interfaces; i++) {
        uint8_t in = (uint8_t)(interfaces > 1 || vid == 0x0403 ? 0x81 + 2 * i : 0x81);
        uint8_t out = (uint8_t)(vid == 0x0403 ? 0x02 + 2 * i : 0x01);
        const uint8_t interface[] = {9, 4, (uint8_t)i, 0, 2, 0xff, 0xff, 0xff, 0};
        const uint8_t pipes[] = {7, 5, in, 2, low, high, 0, 7, 5, out, 2, low, high, 0};
        n = append(id->config, n, interface, sizeof interface);
        n = append(id->config, n, pipes, sizeof pipes);
    }
    const uint8_t config[9] = {9, DESC_CONFIG, (uint8_t)n, 0, (uint8_t)interfaces, 1, 0, 0x80, 250};
    memcpy(id->config, config, sizeof config);
    id->config_len = n;
}

static int give(const void *bytes, int n, uint8_t *data, int len)
{
    if (n > len)
        n = len;
    memcpy(data, bytes, (size_t)n);
    return n;
}

static int give_string(const struct vb_identity *id, int index, uint8_t *data, int len)
{
    static const uint8_t languages[] = {4, DESC_STRING, 0x09, 0x04};
    const char *const texts[] = {NULL, id->manufacturer, id->product, id->serial};
    uint8_t bytes[2 + 2 * 64];
    if (index == 0)
        return give(languages, sizeof languages, data, len);
    if (index > 3)
        return VB_STALL;
    int n = 2;
    for (const char *c = texts[index]; *c && n < (int)sizeof bytes - 1; c++) {
        bytes[n++] = (uint8_t)*c;
        bytes[n++] = 0;
    }
    bytes[0] = (uint8_t)n;
    bytes[1] = DESC_STRING;
    return give(bytes, n, data, len);
}

static int give_descriptor(const struct vb_identity *id, const uint8_t *setup, uint8_t *data,
                           int len)
{
    switch (setup[3]) {
    case DESC_DEVICE:
        return give(id->device, sizeof id->device, data, len);
    case DESC_CONFIG:
        return give(id->config, id->config_len, data, len);
    case DESC_STRING:
        return give_string(id, setup[2], data, len);
    default:
        return VB_STALL; /* the device qualifier among them */
    }
}

int vb_standard(const struct vb_identity *id, uint8_t *configuration, const uint8_t setup[VB_SETUP],
                uint8_t *data, int len)
{
    static const uint8_t zeros[2];
    if (setup[0] & 0x60)
        return VB_STALL;
    switch (setup[1]) {
    case GET_STATUS:
        return give(zeros, 2, data, len);
    case GET_DESCRIPTOR:
        return give_descriptor(id, setup, data, len);
    case GET_CONFIGURATION:
        return give(configuration, 1, data, len);
    case SET_CONFIGURATION:
        *configuration = setup[2];
        return 0;
    case GET_INTERFACE:
        return give(zeros, 1, data, len);
    case SET_INTERFACE:
        return setup[2] ? VB_STALL : 0;
    case CLEAR_FEATURE:
        return 0;
    default:
        return VB_STALL;
    }
}
