#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scripts/ppa, with results of place and route that nobody placed: an object a board with the clocks of its
# lanes and of its core, speeds out of these, and "missed" where no seed met them; the table as Markdown.
# The networks' cycles are `flexor fit`'s. docs stay as they are.
set -eu
cd "$(dirname "$0")/../.."
make -s host build/gen/flx_proto.vh build/gen/flx_xornet.vh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# board NAME CORE SEEDS: a result of ulx3s-85 with these parameters at 40 MHz and these seeds
board() {
    mkdir -p "$work/boards/$1"
    jq --arg name "$1" --argjson core "$2" --argjson seeds "$3" '
        {board: $name, tools: ["fake 1"], entry: (.["ulx3s-85"] | .core_khz = 40000
            | .core = {K: 16, T: 16, NIN_MAX: 32, RQ: 4, AMEM_WORDS: 16384, WMEM_WORDS: 4096, PMEM_CH: 2048,
                       PROG_LAYERS: 32, RES_WORDS: 64, WIN_MAX: 64, SCALED: 1} + $core),
         mapped: {LUT4: 5000, TRELLIS_FF: 3000, CCU2C: 100},
         seeds: [$seeds[] | . + {cells: {TRELLIS_COMB: 10000, DP16KD: 90, MULT18X18D: 2}}]}' \
        rtl/boards/boards.json >"$work/boards/$1/result.json"
}
seed() { # NUMBER CORE LANES SLACK: LANES "-": the lanes have no clock of their own
    jq -n --argjson seed "$1" --argjson core "$2" --arg lanes "$3" --argjson slack "$4" '
        {seed: $seed, slack: $slack, nets: {clk_io: "clk", clk: "clk"}, clocks: {clk: {achieved: $core}}}
        | if $lanes == "-" then . else .nets.clk_lanes = "clk_lanes"
            | .clocks.clk_lanes.achieved = ($lanes | tonumber) end'
}
seeds() { jq -s . ; }

board plain '{}' "$({ seed 1 50 - 1.25; seed 2 39 - 0.97; seed 3 45 - 1.12; } | seeds)"
board four '{"PIXELS": 4, "PIPE": 1, "LANES": 2, "FAN": 4, "ACT_W": 4}' "$({ seed 1 60 150 0.93; } | seeds)"
docs=$(cat README.md docs/results.md docs/results-ppa.md | cksum)
SIM=0 BOARDS_DIR="$work/boards" OUT="$work/table.md" scripts/ppa >/dev/null

is() { # BOARD CONDITION
    jq -e --arg board "$1" ".[] | select(.board == \$board) | $2" "$work/table.json" >/dev/null || {
        echo "FAILED: $1: $2: $(jq -c . "$work/table.json")"
        exit 1
    }
    echo "$1: $2"
}
is plain '.device == "ecp5-85k" and .array == "16×16×1" and .lanes == 256 and .luts == 10000'
is plain '[.fmax_min_mhz, .fmax_mhz, .fmax_max_mhz, .seeds, .seeds_met] == [39, 45, 50, 3, 2]'
is plain '.clock_mhz == 40 and .core_clock_mhz == 40 and .core_fmax_mhz == 45 and .timing_met'
is plain '.gmacs_peak == 10.24 and .gops_per_klut == 2.05 and .activation_bits == 8'
is plain '.lenet5.bits_per_weight == 0.594 and .lenet5.images_s == (40e6 / .lenet5.cycles | round)'
is plain '.resnet20.bits_per_weight == 0.83 and .resnet20.busy > 0.9 and (.resnet20.streamed | not)'
is plain '.decryptor_luts > 0 and .decryptor_share == (.decryptor_luts / 10 | round / 1000)'
is four '.pixels == 4 and .clock_mhz == 160 and .fmax_mhz == 150 and .core_clock_mhz == 40 and .core_fmax_mhz == 60'
is four '(.timing_met | not) and .seeds_met == 0'
is four '.lanes == 256 and .gmacs_peak == 40.96 and .gops_per_klut == 8.19 and .activation_bits == 4'
is four '.resnet20.cycles > 40000 and .resnet20.images_s == (40e6 / .resnet20.cycles | round)'
grep -q '^| four | ecp5-85k | 16×16×1 | 4 | 4 | 10000 .* 160 (\*\*missed\*\*) |' "$work/table.md" || {
    echo "FAILED: no row of the board that missed its clocks: $(cat "$work/table.md")"
    exit 1
}
[ "$docs" = "$(cat README.md docs/results.md docs/results-ppa.md | cksum)" ] || {
    echo "FAILED: docs were written"
    exit 1
}
echo "the table has a row for each board, docs are as they were"
