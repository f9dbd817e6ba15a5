#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A link reset that meets a packet whose ACK was lost costs no packet, since the host clears
# both endpoints after it (docs/usb-core.md).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"
exact native 2 2>"$work/err"
! grep -q "toggles differ" "$work/err" || fail "$(cat "$work/err")"
