#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Four neighbouring outputs of a row at once, in the lanes' own clock (k16t16p1pixels): every logit
# and every activation of LeNet-5 on test images and of ResNet-20 on random ones equals the
# reference, with resident and with streamed weights. Lanes are busy in 90 % of the cycles of
# ResNet-20's coded 3x3 layers.
. "$(dirname "$0")/lib.sh"
shape=sim:k16t16p1pixels

resnet20=tests/data/resnet20-cifar10-0.8.safetensors

exact "$model" "$shape" 60 5 --images
exact "$model" "$shape,stream" 10 5 --images
exact "$resnet20" "$shape,stream" 1 1 --random
exact "$resnet20" "$shape" 2 2 --random
json_is "$work/verify.json" '[.layers[] | select(.name | test("^s"))] | length == 18 and
    ([.[] | .cycles * .lanes_busy] | add) / ([.[].cycles] | add) >= 0.9'
