#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Maps and weights in one memory behind a cache of rows (up5k16, the memories and lanes of an
# iCE40UP5K): every logit and every activation of ResNet-20 equals the reference, with weights
# of at most 0.8 bit resident and streamed, and lanes are busy in 88 % of the cycles of its 3x3 layers.
. "$(dirname "$0")/lib.sh"
gen=${flexor%/*}/tests/gen_resnet

"$gen" "$work/resnet20.safetensors" --kind resnet20 --n-in 25
"$flexor" info "$work/resnet20.safetensors" --json >"$work/info.json"
json_is "$work/info.json" '.bits_per_weight <= 0.8'
exact tests/data/resnet20-cifar10-0.8.safetensors sim:up5k16 2 2 --random
exact "$work/resnet20.safetensors" sim:up5k16 10 10 --random
json_is "$work/verify.json" '[.layers[] | select(.name != "fc")] | ([.[].busy] | add) / ([.[].cycles] | add) | . >= 0.88 and . <= 1'
exact "$work/resnet20.safetensors" sim:up5k16,stream 1 1 --random
