#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped 0.6-bit LeNet-5 classifies all 10,000 Fashion-MNIST test images as
# docs/results.md claims (at least 90.8 %), at a nominal rate below 0.6 bit.
. "$(dirname "$0")/lib.sh"
"$flexor" eval "$model" --json >"$work/eval.json"
"$flexor" info "$model" --json >"$work/info.json"
cat "$work/eval.json" "$work/info.json"
json_is "$work/eval.json" '.images == 10000 and .accuracy >= 0.908'
json_is "$work/info.json" '.bits_per_weight > 0.5 and .bits_per_weight < 0.6'
json_is "$work/info.json" '.bits_per_weight_stored > .bits_per_weight and .bits_per_weight_stored < 0.75'
