#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `flexor fit`: its cycles are those of the hardware's counters, its parameters those of the RTL.
. "$(dirname "$0")/lib.sh"
fit="$work/fit.json"
# A board whose array is that of the RTL's defaults.
jq '.["ulx3s-85"] |= (.core = {} | .core_khz = 48000)' rtl/boards/boards.json >"$work/defaults.json"

# NAME=VALUE of a line of sim/shapes as --set options
settings() {
    sed -n "s/^$1 //p" sim/shapes | tr ' ' '\n' | grep -Ev '^(CLK_KHZ|WATCHDOG)=' |
        sed 's/^/--set /'
}

# cycles_are_predicted SHAPE MODEL: within 1 % in all, 1 % or 60 cycles in each layer
cycles_are_predicted() {
    # shellcheck disable=SC2046 # words
    "$flexor" fit "$2" --board ulx3s-85 --boards "$work/defaults.json" $(settings "$1") --json >"$fit" || [ $? = 1 ]
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
    "$flexor" fit "$model" --board ulx3s-85 --boards "$work/defaults.json" --json >"$fit" || [ $? = 1 ]
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

# needed RESOURCE: of the last prediction
needed() {
    jq --arg name "$1" '.resources[] | select(.name == $name).needed' "$fit"
}

everything_of_the_fpga_is_predicted() {
    # shellcheck disable=SC2046 # words
    "$flexor" fit "$model" --board ulx3s-85 --boards "$work/defaults.json" $(settings k16t16p1) --json >"$fit" ||
        [ $? = 1 ]
    json_is "$fit" '[.resources[].name] == ["LUTs", "flip-flops", "block RAM", "DSP"]'
    json_is "$fit" 'all(.resources[]; .needed > 0)'
    json_is "$fit" '(.resources[0].needed - ([.units[].cells] | add) | fabs) < 1'
    json_is "$fit" '.resources[3].needed == 8'
    json_is "$fit" '.clocks[0].name == "core" and .clocks[0].needed_khz == 48000'
    json_is "$fit" '.clocks[0].predicted_khz > 0 and (.clocks | length) == 1'
    "$flexor" fit "$model" --board ulx3s-85 --boards "$work/defaults.json" --set PIXELS=2 --set PIPE=1 \
        --json >"$fit" || [ $? = 1 ]
    json_is "$fit" '.clocks[1].name == "lanes" and .clocks[1].needed_khz == 96000'
}

# The first knob that is named frees as many cells as is said.
too_small_an_fpga_names_cells_and_knob() {
    local code=0 before knob
    "$flexor" fit "$model" --board icebreaker --set K=16 --set T=16 >"$work/text" || code=$?
    [ $code = 1 ] || fail "exit status $code"
    knob=$(sed -n 's/^logic cells .*too much: \([^,]*\)/\1/p' "$work/text" | cut -d, -f1)
    [ -n "$knob" ] || fail "no knob: $(cat "$work/text")"
    "$flexor" fit "$model" --board icebreaker --set K=16 --set T=16 --json >"$fit" || [ $? = 1 ]
    json_is "$fit" '.fits == false'
    before=$(needed "logic cells")
    "$flexor" fit "$model" --board icebreaker --set K=16 --set T=16 --set "${knob%% *}" --json >"$fit" ||
        [ $? = 1 ]
    [ $((before - $(needed "logic cells") - ${knob##* })) -ge -1 ] || fail "$knob: $before"
    [ $((before - $(needed "logic cells") - ${knob##* })) -le 1 ] || fail "$knob: $before"
}

too_fast_a_clock_is_named() {
    local code=0
    "$flexor" fit "$model" --board ulx3s-85 --set CORE_KHZ=400000 >"$work/text" || code=$?
    [ $code = 1 ] || fail "exit status $code"
    grep -q '^core .*too slow: CORE_KHZ' "$work/text" || fail "$(cat "$work/text")"
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
everything_of_the_fpga_is_predicted
too_small_an_fpga_names_cells_and_knob
too_fast_a_clock_is_named
bad_input_is_refused
cycles_are_predicted k16t16p1 "$model"
cycles_are_predicted k8t8p2 "$model"
cycles_are_predicted k16t16p1 tests/data/resnet20-cifar10-0.8.safetensors
cycles_are_predicted k16t16p1pixels tests/data/resnet20-cifar10-0.8.safetensors
