#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# store: the row cache holds every word of the rows that may be read, with random maps,
# windows and grants. FLX_SEED: first seed.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
work=build/rtl-store
mkdir -p "$work"
iverilog -g2005 -s tb_fill -o "$work/fill.vvp" tests/rtl/store/tb_fill.v rtl/core/flx_act_fill.v
for s in "$seed" $((seed + 1)); do
    log=$(vvp -n "$work/fill.vvp" +seed="$s")
    echo "row cache, seed $s: $log"
    [[ $log == *PASS* ]]
done
