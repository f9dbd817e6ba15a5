#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Streamed weights reach, in steady state, 95 % of a 12 Mbaud UART, 90 % of full-speed bulk
# and 85 % of a 40 MB/s FIFO, with at most one round trip a batch (clock cycles of the
# simulation, not time).
. "$(dirname "$0")/lib.sh"
"$flexor" bench-link "$model" --json >"$work/link.json"
cat "$work/link.json"
for limit in uart12:0.95 fs:0.90 fifo40:0.85; do
    json_is "$work/link.json" \
        ".[] | select(.link == \"${limit%:*}\") | .weights >= ${limit#*:} and .waits_per_batch <= 1"
done
