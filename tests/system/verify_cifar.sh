#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped 0.8-bit ResNet-20 runs whole on the RTL (k16t16p1): every logit and every
# activation of 20 images equals the reference. With FLX_DATA=DIR (DIR/cifar10: the binary
# version) on test images, and the integer network classifies all 10,000 as
# docs/results-cifar10.md claims; else on random images.
. "$(dirname "$0")/lib.sh"
cifar=tests/data/resnet20-cifar10-0.8.safetensors

"$flexor" info "$cifar" --json >"$work/info.json"
json_is "$work/info.json" '.bits_per_weight < 0.84'
images=(--random)
if [ -d "${FLX_DATA:-}/cifar10" ]; then
    images=(--data "cifar10:$FLX_DATA/cifar10" --images)
    "$flexor" eval "$cifar" --data "cifar10:$FLX_DATA/cifar10" --json | tee "$work/eval.json"
    json_is "$work/eval.json" '.images == 10000 and .accuracy >= 0.894'
else
    echo "SKIPPED: accuracy and real images (FLX_DATA names no folder with cifar10)"
fi
exact "$cifar" sim:k16t16p1 20 20 "${images[@]}"
