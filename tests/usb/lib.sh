# SPDX-License-Identifier: Apache-2.0
# Sourced by the USB tests, after tests/system/lib.sh.
# shellcheck shell=bash disable=SC2154 # flexor, work, model: tests/system/lib.sh
vboard=build/flexor-vboard
shape=${FLX_USB_SHAPE:-k16t16p1}
# Processor time is what the tests need, not patience: these limits only end hangs.
limit=${FLX_USB_LIMIT:-600}

# on_board KIND [OPTION...] -- PROGRAM ARG...: the program with a virtual board plugged in.
on_board() {
    local kind=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    # shellcheck disable=SC2086 # USB_WRAP: words in front of the program
    timeout "$limit" "$vboard" --kind "$kind" --sim "$shape" "${options[@]}" --run ${USB_WRAP:-} "$@"
}

# exact KIND IMAGES [OPTION...]: the unmodified program classifies images bit for bit.
exact() {
    local kind=$1 images=$2
    shift 2
    on_board "$kind" "$@" -- "$flexor" verify "$model" --device "usb${USB_NAME:-}" \
        --images "$images" --json >"$work/usb.json" || fail "$kind $*: $(cat "$work/usb.json")"
    json_is "$work/usb.json" ".images == $images and .logit_mismatches == 0"
    echo "$kind $*: $images images, 0 logits differ"
}
