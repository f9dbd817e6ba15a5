#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `flexor fit`: its cycles are those of the hardware's counters, its parameters those of the RTL.
. "$(dirname "$0")/lib.sh"
fit="$work/fit.json"

# NAME=VALUE of a line of sim/shapes as --set options
settings() {
    sed -n "s/^$1 //p" sim/shapes | tr ' ' '\n' | grep -Ev '^(CLK_KHZ|WATCHDOG)=' |
        sed 's/^/--set /'
}

# cycles_are_predicted SHAPE MODEL: within 1 % in all, 1 % or 60 cycles in each layer
cycles_are_predicted() {
    # shellcheck disable=SC2046 # words
    "$flexor" fit "$2" --board ulx3s-85 $(settings "$1") --json >"$fit" || [ $? = 1 ]
    "$flexor" verify "$2" --device "sim:$1" --random "$(jq .images_per_batch "$fit")" \
        --json >"$work/measured.json"
    jq -e -n --slurpfile p "$fit" --slurpfile m "$work/measured.json" '
        def near(a; b; c): ((a - b) | fabs) <= ([b / 100, c] | max);
        near($p[0].cycles; $m[0].cycles_per_image * $p[0].images_per_batch; 0) and
        ([range($p[0].layers | length)] | all(
            . as $i | near($p[0].layers[$i].cycles; $m[0].layers[$i].cycles; 60) and
                      $p[0].layers[$i].busy == $m[0].layers[$i].busy))' >"$work/near" ||
        fail "$1, $2: $(jq -c '.cycles, .layers' "$fit") against $(cat "$work/measured.json")"
    echo "$1, $(basename "$2"): $(jq .cycles "$fit") cycles predicted, measured" \
        "$(jq .cycles_per_image "$work/measured.json") an image"
}

defaults_are_those_of_the_rtl() {
    local name value
    jq '.["ulx3s-85"].core = {}' rtl/boards/boards.json >"$work/boards.json"
    "$flexor" fit "$model" --board ulx3s-85 --boards "$work/boards.json" --json >"$fit" || [ $? = 1 ]
    for name in $(jq -r '.core | keys[]' "$fit"); do
        value=$(sed -n "s/^ *parameter $name *= \([^,]*\),*$/\1/p" rtl/link/flx_top.v)
        case $value in '`FLX_XOR_NMAX') value=32 ;; esac
        json_is "$fit" ".core.$name == $value"
    done
}

what_does_not_fit_names_its_knob() {
    local code=0
    "$flexor" fit "$model" --board ulx3s-85 --set AMEM_WORDS=512 >"$work/text" || code=$?
    [ $code = 1 ] || fail "exit status $code"
    grep -q 'does not run: .*AMEM_WORDS' "$work/text" || fail "$(cat "$work/text")"
}

bad_input_is_refused() {
    expect_error FLX_ERR_NOT_FOUND "$flexor" fit "$model" --board no-such-board
    expect_error FLX_ERR_ARG "$flexor" fit "$model" --board ulx3s-85 --set Q=1
    expect_error FLX_ERR_ARG "$flexor" fit "$model" --board ulx3s-85 --set K=many
    expect_error FLX_ERR_ARG "$flexor" fit "$model"
    echo '{"ulx3s-85": {"name": 1}}' >"$work/boards.json"
    expect_error FLX_ERR_FORMAT "$flexor" fit "$model" --board ulx3s-85 --boards "$work/boards.json"
    echo '{' >"$work/boards.json"
    expect_error FLX_ERR_FORMAT "$flexor" fit "$model" --board ulx3s-85 --boards "$work/boards.json"
}

defaults_are_those_of_the_rtl
what_does_not_fit_names_its_knob
bad_input_is_refused
cycles_are_predicted k16t16p1 "$model"
cycles_are_predicted k8t8p2 "$model"
cycles_are_predicted k16t16p1 tests/data/resnet20-cifar10-0.8.safetensors
