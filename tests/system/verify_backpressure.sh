#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random reset values, gaps and back-pressure on the link change no logit.
. "$(dirname "$0")/lib.sh"
for shape in k16t16p1 k8t8p2 k16t16p1,stream; do
    seed=${FLX_SEED:-$RANDOM}
    echo "sim:$shape seed $seed"
    exact "$model" "sim:$shape,seed=$seed,stall=40" 20 2 --images
done
