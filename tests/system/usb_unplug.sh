#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A board that is pulled out gives a named error; one that comes back goes on; the images
# of a lost board go to the others. No result is wrong.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"
expect_error FLX_ERR_UNPLUGGED on_board native --replug -1 --fault unplug=100 --fault first=200 \
    -- "$flexor" verify "$model" --device usb --images 40
exact native 20 --fault unplug=300 --fault most=3
exact ft2232h 20 --fault unplug=60 --fault first=100 --fault most=3
USB_NAME=:all exact native 40 --boards 3 --replug -1 --fault unplug=400 --fault most=2
