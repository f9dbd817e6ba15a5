#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random reset values, gaps and back-pressure on the link change no logit.
. "$(dirname "$0")/lib.sh"
for shape in k16t16p1 k8t8p2 k16t16p1,stream; do
    seed=${FLX_SEED:-$RANDOM}
    echo "sim:$shape seed $seed"
    "$flexor" verify "$model" --device "sim:$shape,seed=$seed,stall=40" --images 20 \
        --activations 2 --json >"$work/verify.json"
    json_is "$work/verify.json" '.images == 20 and .logit_mismatches == 0'
    json_is "$work/verify.json" '.activation_mismatches == 0'
done
