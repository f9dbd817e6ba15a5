# SPDX-License-Identifier: Apache-2.0
# Sourced by the system tests: paths and small assertions.
# shellcheck shell=bash
set -eu

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck disable=SC2034 # used by the tests
flexor=${FLEXOR:-build/flexor}
# shellcheck disable=SC2034
model=tests/data/lenet5-fashion-0.6.safetensors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect_error STATUS_NAME COMMAND...: it fails, says one line on stderr, names the status.
expect_error() {
    local name=$1 status=0
    shift
    "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    [ "$status" -ne 0 ] || fail "succeeded, expected $name: $*"
    [ "$status" -lt 126 ] || fail "died with status $status: $*: $(cat "$work/stderr")"
    [ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "more than one line: $*: $(cat "$work/stderr")"
    grep -q "$name" "$work/stderr" || fail "expected $name: $*: $(cat "$work/stderr")"
    cat "$work/stderr"
}

# json_is FILE FILTER: the jq filter is true.
json_is() {
    jq -e "$2" "$1" >/dev/null || fail "$2 does not hold in $(cat "$1")"
}

# exact MODEL DEVICE IMAGES ACTIVATIONS IMAGE-OPTION...: every logit of so many images equals the reference, and every
# activation of the first ones. The report stays in $work/verify.json. IMAGE-OPTION... (--images, or --random, or
# --data D --images) takes the number.
exact() {
    local path=$1 device=$2 images=$3 activations=$4
    shift 4
    "$flexor" verify "$path" --device "$device" "$@" "$images" --activations "$activations" --json >"$work/verify.json"
    jq -c '{device, images, activation_images, logit_mismatches, activation_mismatches, cycles_per_image, lanes_busy}' \
        "$work/verify.json"
    json_is "$work/verify.json" ".images == $images and .activation_images == $activations"
    json_is "$work/verify.json" '.logit_mismatches == 0 and .activation_mismatches == 0'
}
