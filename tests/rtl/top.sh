#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# top: flx_top in Icarus answers, byte for byte, what the host expects: description, a
# damaged frame, a random model, logits of two runs; resident and streamed weights,
# three shapes, one with a second clock. Then the netlist that yosys makes of the smallest shape for iCE40 does the same.
# FLX_SEED: first seed. `top.sh --time` instead prints how many cycles of the shape
# k16t16p1 Icarus simulates in a second.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
work=build/rtl-top
gen=$work/gen_session
mkdir -p "$work"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fopenmp -Ihost/include -Ibuild/gen \
    -Ihost/lib -Itests/unit -o "$gen" tests/rtl/top/gen_session.c build/libflexor.a \
    -ldnnl -ljansson -lz -ldl -lm -lpthread

# shellcheck disable=SC2034 # both are reached through ${!shape}
small="K=8 T=8 P=1 RQ=1 AMEM_WORDS=256 WMEM_WORDS=256 PMEM_CH=64 PROG_LAYERS=4 WIN_MAX=16 NIN_MAX=20 MAX_PAYLOAD=512"
# shellcheck disable=SC2034
large="K=16 T=16 P=2 RQ=4 AMEM_WORDS=1024 WMEM_WORDS=512 PMEM_CH=256 PROG_LAYERS=8"
# shellcheck disable=SC2034
pixels="K=8 T=8 P=1 PIXELS=4 PIPE=1 RQ=4 AMEM_WORDS=1024 WMEM_WORDS=512 PMEM_CH=256 PROG_LAYERS=8"

play() { # NAME COMMAND PARAMETERS STREAM SEED
    # shellcheck disable=SC2086
    "$gen" $3 stream="$4" seed="$5" out="$work/$1"
    # shellcheck disable=SC2086 # a command and its option
    log=$($2 +file="$work/$1" +seed="$5" +gap=$(($5 % 3 * 20)))
    echo "$1 seed $5: $log"
    [[ $log == *PASS* ]]
}

elaborate() { # NAME PARAMETERS
    # shellcheck disable=SC2086 # a list of words
    iverilog -g2005 -Ibuild/gen -s tb_session -o "$work/$1.vvp" \
        -DTOP_PIXELS="$(echo "PIXELS=1 $2" | sed 's/.*PIXELS=\([0-9]*\).*/\1/')" \
        -DTOP_PARAMETERS="$(printf '.%s,' $2 | sed 's/=\([0-9]*\)/(\1)/g; s/,$//')" \
        tests/rtl/top/tb_session.v rtl/core/*.v rtl/link/*.v rtl/tech/*.v
}

if [ "${1:-}" = --time ]; then
    params=$(sed -n 's/^k16t16p1 //p' sim/shapes)
    elaborate time "$params"
    begin=$(date +%s%N)
    result=$(play time "vvp -n $work/time.vvp" "$params" 0 3) || {
        echo "$result"
        exit 1
    }
    end=$(date +%s%N)
    echo "$result"
    echo "$result" | sed 's/.*, \([0-9]*\) cycles.*/\1/' |
        awk -v ns=$((end - begin)) '{ printf "cycles_per_second %.0f\n", $1 * 1e9 / ns }'
    exit
fi

for shape in small large pixels; do
    params=${!shape}
    elaborate "$shape" "$params"
    for i in $([ "$shape" = pixels ] && echo 0 || echo 0 1 2); do
        play "$shape" "vvp -n $work/$shape.vvp" "$params" 0 $((seed + i))
        play "$shape-stream" "vvp -n $work/$shape.vvp" "$params" 1 $((seed + i))
    done
done

# shellcheck disable=SC2086 # a list of words
chparam=$(printf ' -set %s' $small | sed 's/=/ /g')
yosys -q -l "$work/yosys.log" -p "read_verilog -Ibuild/gen rtl/core/*.v rtl/tech/*.v rtl/link/*.v" \
    -p "chparam$chparam flx_top" -p "synth_ice40 -top flx_top" \
    -p "write_verilog -noattr $work/netlist.v" >/dev/null
# Cells by the thousand: Verilator, since Icarus takes ten minutes for one session.
verilator --binary --timing -O3 -Wno-fatal -Wno-lint -DNETLIST -DNO_ICE40_DEFAULT_ASSIGNMENTS \
    --top-module tb_session --Mdir "$work/obj" tests/rtl/top/tb_session.v "$work/netlist.v" \
    "${YOSYS_DATDIR:-/usr/share/yosys}/ice40/cells_sim.v" >"$work/verilator.log" 2>&1 || {
    tail -n 20 "$work/verilator.log"
    exit 1
}
for stream in 0 1; do
    play netlist "$work/obj/Vtb_session" "$small" "$stream" "$seed"
done
