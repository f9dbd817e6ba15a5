#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 50 unplugs at random moments on each kind of device, and every other fault: never a wrong
# result, never a hang; a run ends with exact results or a named error. All faults are
# counted where they are made. FLX_USB_UNPLUGS: another number.
# FLX_SEED: of the moments.
. "$(dirname "$0")/../system/lib.sh"
. "$(dirname "$0")/lib.sh"
seed=${FLX_SEED:-1}
echo "seed $seed"

# survives KIND IMAGES OPTION...: exact, or one of the named errors.
exact_runs=0
named=0
faults=0 # of the kind and fault that is tested
survives() {
    local kind=$1 images=$2 status=0
    shift 2
    on_board "$kind" --verbose --seed "$seed" "$@" -- "$flexor" verify "$model" \
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
    made=$(sed -n 's/^flexor-vboard: \([0-9]*\) faults, .*/\1/p' "$work/err")
    faults=$((faults + made))
    echo "$kind $*: $made faults, status $status $(grep -v ^flexor-vboard "$work/err" | tail -n 1)"
}

unplugs=${FLX_USB_UNPLUGS:-50}
counts=
for kind in native ft2232h; do
    packets=2500
    [ $kind = native ] || packets=400
    # While it opens, while it loads, in mid-inference, several times in one run.
    faults=0
    survives $kind 120 --fault unplug=$((packets / 2)) --fault first=100
    for ((i = 0; i < 4 * unplugs && faults < unplugs; i++)); do
        seed=$((seed + 1))
        survives $kind 8 --fault unplug=$((packets / (2 + 9 * (i % 3)))) --fault most=2
    done
    [ "$faults" -ge "$unplugs" ] || fail "$kind: only $faults unplugs"
    counts+="$kind: $faults unplugs"
    for fault in reset=$((packets / 7)) stall=$((packets / 40)) babble=10 short=4 empty=4 \
        corrupt=$((packets / 20)) corrupt-in=10 lose=$((packets / 16)) repeat=$((packets / 16)); do
        faults=0
        for ((i = 0; i < 10 && faults < 3; i++)); do
            seed=$((seed + 1))
            survives $kind 12 --fault "$fault" --fault most=6
        done
        [ "$faults" -gt 0 ] || fail "$kind: $fault never happened"
        counts+=", $faults ${fault%=*}"
    done
    counts+=$'\n'
done
printf %s "$counts"
echo "$exact_runs runs with exact results, $named with a named error, 0 wrong, 0 hangs"
[ "$exact_runs" -ge 20 ] || fail "too few runs came to an end"
