#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# link: every scenario of tests/rtl/link in Icarus, over flx_top with a stand-in
# for the core, in four shapes, with random gaps and back-pressure on both sides; random
# damaged frames with several seeds. FLX_SEED: first seed. FLX_ROUNDS: seeds of the random
# frames in every shape. FLX_SCENARIO: a regular expression of names.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
rounds=${FLX_ROUNDS:-3}
work=build/rtl-link
mkdir -p "$work"
scripts/gen-proto c <rtl/flx_proto.txt >"$work/flx_proto.h"
scripts/gen-proto verilog <rtl/flx_proto.txt >"$work/flx_proto.vh"
# A network that nobody else has: the link only reports it.
cat >"$work/flx_xornet.vh" <<'END'
`define FLX_XOR_KIND 0
`define FLX_XOR_NOUT 32
`define FLX_XOR_NMIN 13
`define FLX_XOR_NMAX 32
`define FLX_XOR_HASH 32'hC0FFEE42
END
gen=$work/gen_link
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -I"$work" -o "$gen" \
    tests/rtl/link/*.c -lz

failed=0
play() { # SHAPE SCENARIO SEED STALL
    local log
    "$gen" "$work" "$1" "$2" "$3"
    log=$(vvp -n "$work/$1.vvp" +dir="$work" +seed="$3" +stall="$4")
    [[ $log == *PASS* && $log != *FAIL* ]] || failed=1
    echo "$1 $2 (stall $4 %): $log"
}

for shape in $("$gen" --shapes); do
    # shellcheck disable=SC2046 # a list of options
    iverilog -g2005 -Wall -Wno-timescale -I"$work" $("$gen" --params "$shape") -s tb_link \
        -o "$work/$shape.vvp" rtl/link/*.v tests/rtl/link/*.v
    for scenario in $("$gen" --list); do
        [[ $scenario =~ ${FLX_SCENARIO:-.} ]] || continue
        play "$shape" "$scenario" "$seed" $((seed % 3 * 25))
    done
    for ((i = 1; i < rounds; i++)); do
        [[ random_frames =~ ${FLX_SCENARIO:-.} ]] || continue
        play "$shape" random_frames $((seed + i)) $(((seed + i) % 3 * 25))
    done
done
exit $failed
