#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# images.sh IMAGES: bit-exact on each kind of device.
. "$(dirname "$0")/../system/lib.sh"
. "$(dirname "$0")/lib.sh"
exact ft2232h "$1"
exact native "$1"
USB_NAME=,timeout=5000 exact cdc $(($1 / 10)) --baud 4000000
