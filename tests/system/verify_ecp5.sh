#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The ULX3S' own arrays and memories. With 8-bit activations (sim:ulx3s-85, an image in each of six engines): every logit
# of ResNet-20 and every logit and activation of LeNet-5 equals the reference; ResNet-20's coded 3x3 layers and
# LeNet-5's second convolution keep 90 % of the lanes busy, each network as a whole 80 %. With 4-bit activations
# (sim:ulx3s-85-4bit): the same equality for a LeNet-5 of 4-bit activations, 90.3 % of whose test images are
# right, and for a ResNet-20; every command reduces images to their upper four bits. With FLX_DATA=DIR
# (DIR/cifar10: the binary version) that ResNet-20 is as accurate as docs/networks.md says.
. "$(dirname "$0")/lib.sh"
four=tests/data/lenet5-fashion-0.6-a4.safetensors
resnet4=tests/data/resnet20-cifar10-0.8-a4.safetensors

exact tests/data/resnet20-cifar10-0.8.safetensors sim:ulx3s-85 6 0 --random
json_is "$work/verify.json" '[.layers[] | select(.name | test("^s"))] | length == 18 and
    ([.[] | .cycles * .lanes_busy] | add) / ([.[].cycles] | add) >= 0.9'
json_is "$work/verify.json" '.lanes_busy >= 0.8'
exact "$model" sim:ulx3s-85 12 6 --images
json_is "$work/verify.json" '.lanes_busy >= 0.8 and (.layers[] | select(.name == "conv2").lanes_busy) >= 0.9'

exact "$four" sim:ulx3s-85-4bit 14 7 --images
exact "$resnet4" sim:ulx3s-85-4bit 7 0 --random
if [ -d "${FLX_DATA:-}/cifar10" ]; then
    "$flexor" eval "$resnet4" --data "cifar10:$FLX_DATA/cifar10" --json >"$work/eval.json"
    json_is "$work/eval.json" '.images == 10000 and .accuracy >= 0.854'
else
    echo "SKIPPED: accuracy of ResNet-20 with 4-bit activations (FLX_DATA names no folder with cifar10)"
fi
"$flexor" eval "$four" --json >"$work/eval.json"
json_is "$work/eval.json" '.images == 10000 and .accuracy >= 0.903'
"$flexor" report -o "$work/page.html" --data fashion-mnist --images 1000 "$model" "$four"
expect_error FLX_ERR_UNSUPPORTED "$flexor" verify "$four" --device sim:ulx3s-85 --images 1
