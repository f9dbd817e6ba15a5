#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Four neighbouring outputs of a row at once, in the lanes' own clock (k16t16p1pixels): every logit
# and every activation of LeNet-5 on test images and of ResNet-20 on random ones equals the
# reference, with resident and with streamed weights. Lanes are busy in 90 % of the cycles of
# ResNet-20's coded 3x3 layers.
. "$(dirname "$0")/lib.sh"
shape=sim:k16t16p1pixels

check() { # MODEL DEVICE IMAGES ACTIVATIONS IMAGE-OPTION...
    local path=$1 device=$2 images=$3 activations=$4
    shift 4
    "$flexor" verify "$path" --device "$device" "$@" "$images" --activations "$activations" \
        --json >"$work/verify.json"
    jq -c '{images, logit_mismatches, activation_mismatches, cycles: ([.layers[].cycles] | add)}' \
        "$work/verify.json"
    json_is "$work/verify.json" ".images == $images and .logit_mismatches == 0"
    json_is "$work/verify.json" '.activation_mismatches == 0'
}

resnet20=tests/data/resnet20-cifar10-0.8.safetensors

check "$model" "$shape" 60 5 --images
check "$model" "$shape,stream" 10 5 --images
check "$resnet20" "$shape,stream" 1 1 --random
check "$resnet20" "$shape" 2 2 --random
json_is "$work/verify.json" '[.layers[] | select(.name | test("^s"))] | length == 18 and
    ([.[] | .cycles * .lanes_busy] | add) / ([.[].cycles] | add) >= 0.9'
