#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program classifies images through libusb on virtual boards of every kind, bit for
# bit, with resident and with streamed weights; several boards share the images.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"
exact ft2232h 8
exact native 8
exact ft231x 4
USB_NAME=,stream exact native 2
USB_NAME=:all exact native 12 --boards 3
