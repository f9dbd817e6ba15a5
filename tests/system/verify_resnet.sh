#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Residual networks with random weights, whole on the RTL (k16t16p1, weights resident): every
# logit and every activation equals the reference. ResNet-20 with 26, 19 and 16 stored bits in
# its stages; the same with two scaled planes; ResNet-18's layer kinds (7x7 stride 2, padded 3x3
# pool, 1x1 projections). Lanes are busy in 90 % of the cycles of ResNet-20's 3x3 layers.
. "$(dirname "$0")/lib.sh"
gen=${flexor%/*}/tests/gen_resnet

check() { # KIND N_IN IMAGES
    "$gen" "$work/model.safetensors" --kind "$1" --n-in "$2"
    "$flexor" verify "$work/model.safetensors" --device sim:k16t16p1 --random "$3" \
        --activations "$3" --json >"$work/verify.json"
    jq -c '{images, logit_mismatches, activation_mismatches, cycles: ([.layers[].cycles] | add)}' \
        "$work/verify.json"
    json_is "$work/verify.json" ".images == $3 and .logit_mismatches == 0"
    json_is "$work/verify.json" '.activation_mismatches == 0'
}

check resnet20 26,19,16 2
json_is "$work/verify.json" '[.layers[] | select(.name != "fc")] | ([.[].busy] | add) / ([.[].cycles] | add) | . >= 0.9 and . <= 1'
check two-planes 26,19,16 1
check resnet18-small 26 1
