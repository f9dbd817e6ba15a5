#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A board without RTS/CTS works without an option, and its FIFO of two payloads never
# overflows, resident and streamed; RTS/CTS that is switched on though no wire is there ends
# in a named error; a FIFO that does overflow costs time, never a result.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"

quiet() { # NAME KIND IMAGES OPTION...: exact, and no byte was lost
    local name=$1
    shift
    USB_NAME=$name exact "$@" 2>"$work/err"
    ! grep -q overflows "$work/err" || fail "bytes were lost: $*"
}
quiet "" ft2232h 6 --fifo 2048 --baud 12000000
quiet ,stream ft2232h 2 --fifo 2048 --baud 12000000
quiet "" ft231x 2 --fifo 2048 --baud 3000000
quiet ,baud=2000000 ft2232h 2 --fifo 2048 --baud 2000000
quiet ,flow=none ft2232h 2 --fifo 2048

expect_error FLX_ERR_TIMEOUT on_board ft2232h --fifo 2048 -- "$flexor" verify "$model" \
    --device usb,flow=rtscts,timeout=100 --images 1
expect_error FLX_ERR_TIMEOUT on_board ft2232h --baud 12000000 -- "$flexor" verify "$model" \
    --device usb,baud=1000000,timeout=100 --images 1

USB_NAME=,timeout=200 exact ft2232h 6 --fifo 16 2>"$work/err"
grep -q overflows "$work/err" || fail "a FIFO of 16 bytes should have overflowed"
