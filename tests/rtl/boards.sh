#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boards: Verilator lint, Icarus and Yosys read the top of every board; in Icarus one board with UART and
# one with USB answer a HELLO at their pins; pins agree with the public files that
# constraints/public-pins.tsv cites. No place and route (make bitstream).
set -eu
cd "$(dirname "$0")/../.."

work=build/rtl-boards
mkdir -p "$work"
make -s build/gen/flx_proto.vh build/gen/flx_xornet.vh
scripts/pins-check

failed=0
for board in $(jq -r 'keys[]' rtl/boards/boards.json); do
    dir=$work/$board
    top=$(jq -r --arg b "$board" '.[$b].top' rtl/boards/boards.json)
    family=$(jq -r --arg b "$board" '.[$b].family' rtl/boards/boards.json)
    mkdir -p "$dir"
    scripts/bitstream --header "$board" "$dir/flx_board.vh"
    mapfile -t rtl < <(scripts/bitstream --sources "$board")
    verilator --lint-only -Wall -I"$dir" -Ibuild/gen rtl/lint.vlt tests/rtl/boards/primitives.v \
        "${rtl[@]}" --top-module "$top"
    iverilog -g2005 -Wall -Wno-timescale -t null -I"$dir" -Ibuild/gen -s "$top" "${rtl[@]}" \
        tests/rtl/boards/primitives.v
    yosys -q -p "read_verilog -lib +/$family/cells_sim.v $(
        [ "$family" = ice40 ] || echo +/ecp5/cells_bb.v
    ); read_verilog -DFLX_${family^^} -I$dir -Ibuild/gen ${rtl[*]}; hierarchy -check -top $top"
    echo "$board: read"
    bench=tests/rtl/boards/tb_${top#flx_}.v
    [ -e "$bench" ] || continue
    shape=$(jq -r --arg b "$board" --arg tb "tb_${top#flx_}" \
        '.[$b].core | "-P\($tb).K=\(.K) -P\($tb).T=\(.T)"' rtl/boards/boards.json)
    # shellcheck disable=SC2086 # two options
    iverilog -g2005 -Wall -Wno-timescale -I"$dir" -Ibuild/gen -Itests/rtl/boards $shape \
        -s "tb_${top#flx_}" -o "$dir/bench.vvp" "${rtl[@]}" tests/rtl/boards/primitives.v "$bench"
    log=$(vvp -n "$dir/bench.vvp")
    [[ $log == *PASS* && $log != *FAIL* ]] || failed=1
    echo "$board: HELLO at the pins: $log"
done
exit $failed
