#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# uart: the UART (rtl/link/flx_uart.v) in Icarus against lines made in picoseconds, at 4 cycles a
# bit, at a fractional rate, and with both orders of clocks; Verilator lint, and Yosys:
# at most 350 LUT4 on iCE40. FLX_SEED: first seed. FLX_ROUNDS: seeds.
set -eu
cd "$(dirname "$0")/../.."

seed=${FLX_SEED:-1}
rounds=${FLX_ROUNDS:-2}
work=build/rtl-uart
mkdir -p "$work"
rtl=(rtl/link/flx_uart.v rtl/link/flx_uart_rx.v rtl/link/flx_uart_tx.v rtl/link/flx_async_fifo.v
    rtl/link/flx_link_reset.v)

yosys -q -p "read_verilog ${rtl[*]}; synth_ice40 -top flx_uart; tee -q -o $work/stat stat"
luts=$(awk '$1 == "SB_LUT4" { print $2 }' "$work/stat")
echo "flx_uart: $luts LUT4"
[ "$luts" -le 350 ]

failed=0
play() { # NAME CLK_KHZ BAUD SYS_PS
    local log i
    verilator --lint-only -Wall -GCLK_KHZ="$2" -GBAUD="$3" rtl/lint.vlt "${rtl[@]}" \
        --top-module flx_uart
    iverilog -g2005 -Wall -Wno-timescale -Ptb_uart.CLK_KHZ="$2" -Ptb_uart.BAUD="$3" \
        -Ptb_uart.SYS_PS="$4" -s tb_uart -o "$work/$1.vvp" "${rtl[@]}" tests/rtl/uart/tb_uart.v
    for ((i = 0; i < rounds; i++)); do
        log=$(vvp -n "$work/$1.vvp" +seed=$((seed + i)))
        [[ $log == *PASS* && $log != *FAIL* ]] || failed=1
        echo "$1 (seed $((seed + i))): $log"
    done
}
play 48mhz-12mbaud-slow-core 48000 12000000 41666
play 60mhz-12mbaud-fast-core 60000 12000000 9970
play 25mhz-3mbaud-fraction 25000 3000000 40000
play 50mhz-12mbaud-fraction 50000 12000000 20000
exit $failed
