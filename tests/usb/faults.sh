#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 50 unplugs at random moments, and every other fault, on both kinds of device: never a
# wrong result, never a hang; a run ends with exact results or a named error.
# FLX_SEED: of the moments.
. "$(dirname "$0")/../system/lib.sh"
. "$(dirname "$0")/lib.sh"
seed=${FLX_SEED:-1}
echo "seed $seed"

# survives KIND IMAGES OPTION...: exact, or one of the named errors.
exact_runs=0
named=0
survives() {
    local kind=$1 images=$2 status=0
    shift 2
    on_board "$kind" --seed "$seed" "$@" -- "$flexor" verify "$model" \
        --device usb,replug=5000 --images "$images" --json >"$work/out" 2>"$work/err" || status=$?
    [ "$status" -ne 124 ] || fail "hangs: $kind $*"
    if [ "$status" -eq 0 ]; then
        json_is "$work/out" ".images == $images and .logit_mismatches == 0"
        exact_runs=$((exact_runs + 1))
    else
        grep -qE '\[FLX_ERR_(UNPLUGGED|IO|LINK|TIMEOUT|DEVICE)\]$' "$work/err" ||
            fail "$kind $*: status $status: $(cat "$work/out" "$work/err")"
        ! grep -q MISMATCH "$work/err" || fail "wrong result: $kind $*"
        named=$((named + 1))
    fi
    echo "$kind $*: status $status $(tail -n 1 "$work/err")"
}

unplugs=${FLX_USB_UNPLUGS:-50}
for kind in native ft2232h; do
    packets=2500
    [ $kind = native ] || packets=400
    # In one long run each unplug is survived; in short ones it may hit the opening.
    survives $kind 120 --fault unplug=$packets --fault first=100 --fault most=$((unplugs / 2 - 10))
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        seed=$((seed + 1))
        survives $kind 4 --fault unplug=$((packets / 20)) --fault most=1
    done
done
for kind in native ft2232h; do
    for fault in reset=400 stall=60 babble=60 short=4 empty=4 corrupt=120 lose=150 repeat=150; do
        seed=$((seed + 1))
        survives $kind 12 --fault $fault --fault most=6
    done
done
echo "$exact_runs runs with exact results, $named with a named error, 0 wrong, 0 hangs"
[ "$exact_runs" -ge 20 ] || fail "too few runs came to an end"
