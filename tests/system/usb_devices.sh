#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `flexor devices` lists boards with their serial numbers and says why one cannot be used.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../usb/lib.sh"

devices() { # KIND [OPTION...]: what it lists
    local kind=$1
    shift
    on_board "$kind" "$@" -- "$flexor" devices --json >"$work/devices.json"
    jq -c '.[] | select(.device | startswith("usb"))' "$work/devices.json" | tee "$work/usb.json"
}

devices ft2232h --serial FT123
json_is "$work/usb.json" '.device == "usb:FT123" and .usable and (.detail | test("icebreaker.*K=16 T=16 P=1"))'
devices native --serial "has a blank"
json_is "$work/usb.json" '.device == "usb:1-1" and .usable'
devices native --busy
json_is "$work/usb.json" '(.usable | not) and (.why | test("busy"))'
devices ft2232h --product "a serial console"
json_is "$work/usb.json" '(.usable | not) and (.why | test("not asked"))'
# A board whose link is silent: no rate fits.
devices ft231x --baud 1234567
json_is "$work/usb.json" '(.usable | not) and (.why | test("not a flexor bitstream"))'
# A board with another rate than usual is found out.
devices ft2232h --baud 1000000
json_is "$work/usb.json" '.usable'

# Another program has the interface, or the user may not open the node.
expect_error FLX_ERR_IO on_board native --busy -- "$flexor" verify "$model" --device usb
expect_error FLX_ERR_NOT_FOUND on_board native -- "$flexor" verify "$model" --device usb:NONE
expect_error FLX_ERR_ARG on_board native --boards 2 -- "$flexor" verify "$model" --device usb

# As root everything can be opened, so the test becomes nobody.
as_nobody=()
if [ "$(id -u)" -eq 0 ]; then
    as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    if ! "${as_nobody[@]}" test -x "$PWD/$vboard" 2>/dev/null; then
        echo "nobody cannot reach $PWD: permissions are not tested"
        exit 0
    fi
fi
"${as_nobody[@]}" env TMPDIR=/tmp "$vboard" --kind native --sim "$shape" --no-permission \
    --run "$flexor" devices >"$work/list"
grep -q "no permission.*99-flexor.rules" "$work/list" || fail "$(cat "$work/list")"
