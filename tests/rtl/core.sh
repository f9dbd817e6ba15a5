#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# core: flx_core runs random networks in Icarus, in many shapes, with and without each option,
# and answers what the golden model in tests/rtl/core says: logits, activations after every
# layer, counters.
# Then LeNet-5 in Verilator, whose lanes must be busy in 85 % of the cycles of conv2 and fc1;
# the requantiser alone with extreme values; impossible parameters, which stop elaboration.
# FLX_SEED: first seed, FLX_SEEDS: networks a shape, FLX_SHAPES: a regular expression.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
seeds=${FLX_SEEDS:-2}
work=build/rtl-core
gen=$work/gen_case
bench=tests/rtl/core/tb_core.v
mkdir -p "$work"
"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -o "$gen" tests/rtl/core/*.c

# name, then parameters of tb_core; KIND and NIN_MIN describe the XOR network.
shapes() {
    cat <<'END'
k8t8p1 K=8 T=8 P=1 RQ=4 SCALED=1
k16t16p2 K=16 T=16 P=2 RQ=4 AMEM_WORDS=700 SCALED=1
k4t8p1-narrow K=4 T=8 P=1 RQ=1 LOADER=1 AMEM_WORDS=2048 WMEM_WORDS=4096 NIN_MAX=14
k4t4p1-n16 K=4 T=4 P=1 RQ=4 SCALED=1 N_OUT=16 NIN_MAX=16 NIN_MIN=7 WMEM_WORDS=4096 AMEM_WORDS=2048
k12t20p1-n20 K=12 LOADER=1 T=20 P=1 RQ=2 SCALED=1 N_OUT=20 NIN_MAX=20 NIN_MIN=8
k8t20p2-fixed K=8 T=20 P=2 RQ=1 N_OUT=20 NIN_MAX=12 NIN_MIN=12 KIND=1
k32t8p3 K=32 T=8 P=3 RQ=2 WIN_MAX=64 SCALED=1
k32t8p3-loader K=32 T=8 P=3 RQ=2 WIN_MAX=64 SCALED=1 LOADER=1
k64t8p1 K=64 T=8 P=1 RQ=4 NIN_MAX=20 RES_WORDS=5
k16t16p1-a4 K=16 T=16 P=1 RQ=2 ACT_W=4
k20t24p1 K=20 T=24 P=1 RQ=4 NIN_MAX=22
k16t16p1-pairs K=16 T=16 P=1 RQ=2 LANES=1 SCALED=1
k8t8p3-pairs-a4 K=8 T=8 P=3 RQ=4 LANES=1 ACT_W=4 WMEM_WORDS=512
k16t16p2-rows K=16 T=16 P=2 RQ=2 LANES=2 FAN=4 SCALED=1
k4t8p1-rows K=4 T=8 P=1 RQ=1 LANES=2 SCALED=1 AMEM_WORDS=2048 WMEM_WORDS=4096
k8t16p3-chain K=8 T=16 P=3 RQ=2 LANES=2 FAN=4 SCALED=1 PIPE=1
k8t8p5-chain-a4 K=8 T=8 P=5 RQ=1 LANES=2 FAN=4 ACT_W=4 PIPE=1
k8t8p1-pixels4-rows K=8 T=8 P=1 RQ=2 LANES=2 FAN=4 SKIP=2 SCALED=1 PIPE=1 PIXELS=4
k8t8p1-pixels2-pairs K=8 T=8 P=1 RQ=1 LANES=1 SKIP=2 SCALED=1 PIPE=1 PIXELS=2
k8t8p1-pixels3-plain K=8 T=8 P=1 RQ=2 PIPE=1 PIXELS=3
k16t8p2-pixels2-rows-a4 K=16 T=8 P=2 RQ=4 LANES=2 FAN=4 ACT_W=4 SKIP=2 SCALED=1 PIPE=1 PIXELS=2
k32t16p2-pixels2-rows-a4 K=32 T=16 P=2 RQ=4 LANES=2 FAN=4 ACT_W=4 SKIP=2 SCALED=1 PIPE=1 PIXELS=2
k8t8p2-chain-plain K=8 T=8 P=2 RQ=4 PIPE=1
k32t8p1-rows-a4 K=32 T=8 P=1 RQ=4 LANES=2 FAN=4 ACT_W=4
k8t64p1 K=8 T=64 P=1 RQ=1 SKIP=0 POOL_BITS=0 NIN_MAX=19 PMEM_CH=1024
k8t8p1-small K=8 T=8 P=1 RQ=1 WMEM_WORDS=64 AMEM_WORDS=256 WIN_MAX=8 PROG_LAYERS=2 SKIP=0 WINDOWS=0 POOL_BITS=0
END
}

# get LIST NAME DEFAULT
get() {
    local word
    for word in $1; do
        if [ "${word%%=*}" = "$2" ]; then
            echo "${word#*=}"
            return
        fi
    done
    echo "$3"
}

# The same shape for gen_case, and for a simulator with prefix $2 before NAME=VALUE.
gen_args() {
    local p=$1
    echo "k=$(get "$p" K 8) t=$(get "$p" T 8) p=$(get "$p" P 1) rq=$(get "$p" RQ 4)" \
        "nout=$(get "$p" N_OUT 32) nmin=$(get "$p" NIN_MIN 9) nmax=$(get "$p" NIN_MAX 32)" \
        "kind=$(get "$p" KIND 0) actw=$(get "$p" ACT_W 8) amem=$(get "$p" AMEM_WORDS 1024)" \
        "wmem=$(get "$p" WMEM_WORDS 1024) pmem=$(get "$p" PMEM_CH 256)" \
        "layers=$(get "$p" PROG_LAYERS 16) res=$(get "$p" RES_WORDS 16) win=$(get "$p" WIN_MAX 32)" \
        "skip=$(get "$p" SKIP 1) windows=$(get "$p" WINDOWS 1) scaled=$(get "$p" SCALED 0)" \
        "poolbits=$(get "$p" POOL_BITS 6) lanes=$(get "$p" LANES 0)" \
        "fan=$(get "$p" FAN 0) pixels=$(get "$p" PIXELS 1)"
}
sim_args() {
    local word
    for word in $1; do
        case $word in KIND=* | NIN_MIN=*) ;; *) echo "$2$word" ;; esac
    done
}

includes() { # FOLDER PARAMETERS
    mkdir -p "$1"
    scripts/gen-proto verilog <rtl/flx_proto.txt >"$1/flx_proto.vh"
    # shellcheck disable=SC2046
    "$gen" $(gen_args "$2") net="$1/flx_xornet.vh"
}

run_shape() { # NAME PARAMETERS
    local dir=$work/$1 params=$2 s log
    includes "$dir" "$params"
    # shellcheck disable=SC2046
    iverilog -g2005 -I"$dir" -s tb_core -o "$dir/tb.vvp" $(sim_args "$params" -Ptb_core.) \
        "$bench" rtl/core/*.v rtl/tech/*.v
    # Icarus takes long for these, which Verilator runs too (tests/unit/test_sim.c).
    local n=$seeds
    [[ $1 != *-pixels* && $1 != *-chain* && $1 != k16t16p2-rows && $1 != k8t64p1 || -n ${FLX_SEEDS:-} ]] || n=1
    for ((s = seed; s < seed + n; s++)); do
        # shellcheck disable=SC2046
        "$gen" $(gen_args "$params") seed="$s" out="$dir/stimulus"
        log=$(vvp -n "$dir/tb.vvp" +file="$dir/stimulus" +seed="$s" +gap=$((s % 3 * 15)))
        if [[ $log != *PASS* ]]; then
            echo "$1 seed $s: $log"
            return 1
        fi
    done
    echo "$1: $n networks from seed $seed"
}

# Busy cycles a cycle of layer $2 in the counters of log $1, in tenths of a per cent.
busy() {
    awk -v layer="$2" '$1 == "counter" { c[$2] = $4 }
        END { printf "%d\n", 1000 * c[8 * layer + 1] / c[8 * layer] }' "$1"
}

run_lenet() {
    local params="K=16 T=16 P=1 RQ=4 AMEM_WORDS=2048 WMEM_WORDS=4096 PMEM_CH=1024"
    local dir=$work/lenet layer share
    includes "$dir" "$params"
    # shellcheck disable=SC2046
    verilator --binary --timing -O3 -Wno-fatal --top-module tb_core --Mdir "$dir/obj" \
        -I"$dir" -y rtl/core -y rtl/tech $(sim_args "$params" -G) "$bench" >"$dir/verilator.log" 2>&1
    # shellcheck disable=SC2046
    "$gen" $(gen_args "$params") lenet=1 stream=0 runs=2 seed="$seed" out="$dir/stimulus"
    "$dir/obj/Vtb_core" +file="$dir/stimulus" +seed="$seed" +gap=0 >"$dir/log"
    grep -q PASS "$dir/log" || {
        cat "$dir/log"
        return 1
    }
    for layer in 0 1 2 3; do
        share=$(busy "$dir/log" "$layer")
        echo "LeNet-5 layer $layer: lanes busy $((share / 10)).$((share % 10)) %"
        if [ "$layer" = 1 ] || [ "$layer" = 2 ]; then
            [ "$share" -ge 850 ] || return 1
        fi
    done
}

# The data path with adders of LUTs, and with those of the multiplier blocks of the UP5K.
run_requant() { # K T RQ ACT_W POOL_BITS PICK
    local log cells
    for cells in "" "-DFLX_UP5K -DNO_ICE40_DEFAULT_ASSIGNMENTS ${YOSYS_DATDIR:-/usr/share/yosys}/ice40/cells_sim.v"; do
        # shellcheck disable=SC2086 # a list of words
        iverilog -g2005 -s tb_requant -Ptb_requant.K="$1" -Ptb_requant.T="$2" \
            -Ptb_requant.RQ="$3" -Ptb_requant.ACT_W="$4" -Ptb_requant.POOL_BITS="$5" \
            -Ptb_requant.PICK="$6" -o "$work/requant.vvp" $cells tests/rtl/core/tb_requant.v \
            rtl/core/flx_requant.v rtl/core/flx_clamp.v rtl/core/flx_pool.v rtl/core/flx_step_rings.v \
            rtl/core/flx_ring.v rtl/core/flx_ram.v rtl/core/flx_delay.v rtl/core/flx_resize.v rtl/tech/flx_copy.v rtl/tech/flx_carry_row.v \
            rtl/tech/flx_pick.v rtl/tech/flx_ram_reg.v rtl/tech/flx_ram_piped.v rtl/tech/flx_multiply.v rtl/tech/flx_mac.v
        log=$(vvp -n "$work/requant.vvp" +seed="$seed")
        echo "requantiser${cells:+, cells} K=$1 T=$2 RQ=$3 ACT_W=$4 POOL_BITS=$5 PICK=$6: $log"
        [[ $log == *PASS* ]]
    done
}

refused() { # PARAMETER=VALUE PART-OF-THE-MESSAGE
    local log
    if log=$(iverilog -g2005 -I"$work/k8t8p1" -s flx_core -t null -Pflx_core."$1" \
        rtl/core/*.v rtl/tech/*.v 2>&1) || [[ $log != *flx_error_$2* ]]; then
        echo "flx_core takes $1: $log"
        return 1
    fi
    echo "refused: $1"
}

while read -r name params; do
    [[ $name =~ ${FLX_SHAPES:-.} ]] || continue
    run_shape "$name" "$params"
done < <(shapes)
[ -z "${FLX_SHAPES:-}" ] || exit 0

run_lenet
run_requant 8 8 2 8 6 1
run_requant 4 4 4 8 0 1
run_requant 12 8 1 4 3 0
run_requant 4 16 4 8 6 0
run_requant 16 16 2 8 6 1
run_requant 16 8 2 8 6 0
refused K=6 K_must_be
refused T=12 T_must_be
refused N_OUT=16 N_OUT_differs
refused NIN_MAX=8 NIN_MAX_is
refused RQ=3 RQ_must
refused WMEM_WORDS=1000 WMEM_WORDS_must
refused AMEM_WORDS=100000 AMEM_WORDS_must
refused WIN_MAX=30 WIN_MAX_must
refused ACC_W=8 ACC_W_must
refused SKIP=3 SKIP_must
refused T=64 SKIP_must
refused SCALED=3 WINDOWS_must
refused POOL_BITS=9 POOL_BITS_must
refused LANES=3 LANES_must
refused PIPE=2 PIPE_must
refused PIXELS=2 PIXELS_must
refused LOADER=2 LOADER_and_COUNTERS_must
refused COUNTERS=2 LOADER_and_COUNTERS_must
