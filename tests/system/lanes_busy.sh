#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The hardware's counters: lanes busy in at least 85 % of the cycles of LeNet-5's second
# convolution and first fully connected layer.
. "$(dirname "$0")/lib.sh"
"$flexor" verify "$model" --device sim:k16t16p1 --images 8 --json >"$work/verify.json"
cat "$work/verify.json"
json_is "$work/verify.json" '[.layers[] | select(.name == "conv2" or .name == "fc1")] | length == 2 and all(.lanes_busy >= 0.85 and .lanes_busy <= 1)'
