#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A controller that offers a CDC-ACM UART (DAPLink) is a board too: images are exact, its rate
# is found, its bytes never overflow the board's FIFO, and faults end as they do elsewhere. It
# may belong to anything, so it is not asked who it is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"
(USB_NAME=,timeout=5000 exact cdc 20 --baud 4000000) 2>"$work/err" || fail "$(cat "$work/err")"
! grep -q overflows "$work/err" || fail "bytes were lost"
USB_NAME=:VB7,timeout=5000,baud=4000000,stream exact cdc 1 --baud 4000000 --serial VB7
USB_NAME=,timeout=5000,baud=12000000 exact cdc 2 --pins
USB_NAME=,timeout=5000,baud=4000000 exact cdc 4 --baud 4000000 --fault unplug=300 --fault most=1
USB_NAME=,timeout=5000,baud=4000000 exact cdc 4 --baud 4000000 --fault stall=100 --fault most=3

on_board cdc -- "$flexor" devices --json >"$work/devices.json"
jq -c '.[] | select(.device | startswith("usb"))' "$work/devices.json" >"$work/usb.json"
json_is "$work/usb.json" '(.usable | not) and (.why | test("not asked")) and (.detail | test("DAPLink"))'
expect_error FLX_ERR_IO on_board cdc --busy -- "$flexor" verify "$model" --device usb
expect_error FLX_ERR_TIMEOUT on_board cdc -- "$flexor" verify "$model" --device usb,baud=500000,timeout=100
