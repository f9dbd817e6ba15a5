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
    exact "$work/model.safetensors" sim:k16t16p1 "$3" "$3" --random
}

check resnet20 26,19,16 2
json_is "$work/verify.json" '[.layers[] | select(.name != "fc")] | ([.[].busy] | add) / ([.[].cycles] | add) | . >= 0.9 and . <= 1'
check two-planes 26,19,16 1
check resnet18-small 26 1
