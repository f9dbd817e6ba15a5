#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usb: the USB device core (rtl/usb), Verilated, against a host at the level of the wires
# that is written from the specification. Icarus and Yosys read all files too.
# FLX_SEED: first seed. FLX_ROUNDS: further seeds of the tests named random. FLX_SCENARIO: a
# regular expression of names.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
rounds=${FLX_ROUNDS:-3}
work=build/rtl-usb
top=flx_usb_device
mkdir -p "$work"
scripts/gen-proto verilog <rtl/flx_proto.txt >"$work/flx_proto.vh"
rtl=(rtl/core/flx_ram.v rtl/link/flx_async_fifo.v rtl/link/flx_link_reset.v rtl/usb/*.v)

verilator --lint-only -Wall -I"$work" rtl/lint.vlt "${rtl[@]}" --top-module $top
iverilog -g2005 -Wall -Wno-timescale -t null -I"$work" -s $top "${rtl[@]}"
yosys -q -p "read_verilog -I$work ${rtl[*]}; hierarchy -check -top $top"

verilator --cc --exe --build -j 2 -O3 --x-assign unique --x-initial unique -I"$work" \
    --Mdir "$work/obj" --top-module $top -GPRODUCT='"flexor test board"' \
    -CFLAGS "-std=c++17 -O2 -Wall -Wextra -Werror" -o usb_test rtl/lint.vlt "${rtl[@]}" \
    "$PWD"/tests/rtl/usb/*.cpp >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log"
    exit 1
}

"$work/obj/usb_test" "$seed" "${FLX_SCENARIO:-.}"
for ((i = 1; i < rounds; i++)); do
    [[ random =~ ${FLX_SCENARIO:-.} ]] || continue
    "$work/obj/usb_test" $((seed + i)) '^random'
done
