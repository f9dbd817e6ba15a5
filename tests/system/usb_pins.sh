#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images are exact through the board's own UART and its own USB core, from serial bits and
# D+/D- on: oversampling, stop bits, RTS; NRZI, bit stuffing, CRCs, toggles, descriptors. A
# wrong rate ends in a named error; a board that is configured anew in between goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"
USB_NAME=,timeout=5000 exact ft2232h 2 --pins
USB_NAME=,timeout=5000,flow=none exact ft2232h 2 --pins
USB_NAME=,timeout=5000 exact native 2 --pins
expect_error FLX_ERR_TIMEOUT on_board ft2232h --pins -- "$flexor" verify "$model" \
    --device usb,baud=6000000,timeout=100 --images 1
(USB_NAME=,timeout=5000,replug=20000 exact native 2 --pins --verbose --fault reset=100 \
    --fault first=300 --fault most=1) 2>"$work/err" || fail "$(cat "$work/err")"
grep -q unplugged "$work/err" || fail "the board was not configured anew: $(cat "$work/err")"
