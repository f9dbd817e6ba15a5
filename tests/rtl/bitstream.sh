#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scripts/bitstream, with tools that only write what they are told (real ones take minutes): a
# build that misses a clock, or does not know it, fails and leaves no bitstream; with a clock for the
# lanes, so does one that misses that clock or a path between the two; the seed with most slack is
# kept, a board may name the seed to begin with; nothing is placed twice; a seed that is
# never routed is given up; --repeat sees two runs that differ.
set -eu
cd "$(dirname "$0")/../.."
make -s build/gen/flx_proto.vh build/gen/flx_xornet.vh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
cat >"$work/bin/yosys" <<'END'
#!/bin/sh
[ "$1" != -V ] || exec echo "Yosys fake"
echo '{}' >"$BOARDS_DIR/hx8k/design.json"
echo '{"design": {"num_cells_by_type": {"SB_LUT4": 1}}}' >"$BOARDS_DIR/hx8k/stat.json"
END
# The file SEED: the core's clock in MHz and, of a board with a clock for its lanes, also that clock, and
# the delays in ns from clk to clk_lanes and back, "-" for none. Counts its runs.
cat >"$work/bin/nextpnr-ice40" <<'END'
#!/bin/sh
[ "$1" != --version ] || exec echo "nextpnr (Version fake)"
while [ $# -gt 1 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --report) report=$2 ;;
    --asc) asc=$2 ;;
    esac
    shift
done
echo "$seed" >>"$FAKE/runs"
[ -e "$FAKE/$seed" ] || sleep 1000 # a seed that is never routed
read -r core lanes there back <"$FAKE/$seed"
read -r core_needed lanes_needed <"$FAKE/needed"
path() { [ "$3" = - ] || echo "{\"from\": \"posedge $1\", \"to\": \"posedge $2\", \"path\": [{\"delay\": 0.5}, {\"delay\": $3}]},"; }
{
    echo "{\"fmax\": {\"clk\": {\"achieved\": $core, \"constraint\": $core_needed}"
    [ -z "$lanes" ] || echo ", \"\$glbnet\$clk_lanes\": {\"achieved\": $lanes, \"constraint\": $lanes_needed}"
    echo '}, "critical_paths": ['
    [ -z "$lanes" ] || path clk '$glbnet$clk_lanes' "$there"
    [ -z "$lanes" ] || path '$glbnet$clk_lanes' clk "$back"
    echo '{"from": "posedge clk", "to": "<async>", "path": [{"delay": 1000}]}],'
    echo '"utilization": {"ICESTORM_LC": {"used": 7, "available": 9}}}'
} >"$report"
cat "$FAKE/text" >"$asc"
END
cat >"$work/bin/icepack" <<'END'
#!/bin/sh
cp "$1" "$2"
END
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH" BOARDS_DIR="$work/boards" FAKE="$work"
bin=$work/boards/hx8k/hx8k.bin
needed=$(jq '.hx8k.core_khz / 1000' rtl/boards/boards.json)
[ "$(jq .hx8k.core_khz rtl/boards/boards.json)" = "$(jq .hx8k.io_khz rtl/boards/boards.json)" ]
echo "$needed" >"$work/needed"
echo text >"$work/text"
echo "$((needed + 1))" >"$work/1"
echo "$((needed - 1))" >"$work/2"
echo "$((needed + 9))" >"$work/3"

fails() { # TEXT COMMAND...
    local text=$1 log
    shift
    if log=$("$@" 2>&1) || [[ $log != *$text* ]]; then
        echo "FAILED: no '$text' from $*: $log"
        exit 1
    fi
    echo "refused: $text"
}
is() { # WHAT CONDITION...
    local what=$1
    shift
    if ! "$@" >"$work/log" 2>&1; then
        echo "FAILED: $what: $(cat "$work/log")"
        exit 1
    fi
    echo "$what"
}

fails "misses its clocks" scripts/bitstream hx8k 2
is "no bitstream of a build that misses its clock" [ ! -e "$bin" ]
is "a build that meets its clock has one" scripts/bitstream hx8k 1
is "the bitstream is there" [ -s "$bin" ]
jq '.hx8k.pll.DIVF = 91 | .hx8k.pll.DIVQ = 4' rtl/boards/boards.json >"$work/boards.json"
BOARDS=$work/boards.json fails "1104 MHz; it can do 533 to 1066" scripts/bitstream hx8k
jq '.hx8k.seed = 3' rtl/boards/boards.json >"$work/boards.json"
log=$(BOARDS=$work/boards.json scripts/bitstream hx8k)
is "a board's own seed is what is placed when none is named, with the same netlist" \
    [ "${log##*hx8k: seed 3,*}" = "" ]
log=$(scripts/bitstream hx8k 1 2 3)
is "the seed with most slack is kept" [ "${log##*hx8k: seed 3,*}" = "" ]
is "every seed was placed once" [ "$(sort "$work/runs" | tr '\n' ' ')" = "1 2 3 " ]
is "result.json has all seeds" jq -e '[.seeds[].seed] == [1, 2, 3]' "$work/boards/hx8k/result.json"
PNR_TIMEOUT=0.1s fails "seed 99: not routed in 0.1s, given up" scripts/bitstream hx8k 99
is "a seed that is not routed does not count" scripts/bitstream hx8k 1
is "a seed that gives the same text is reproducible" scripts/bitstream --repeat hx8k 1
echo other >"$work/text"
fails "two runs differ" scripts/bitstream --repeat hx8k 1
echo 12 >"$work/needed"
echo 100 >"$work/4"
fails "misses its clocks" scripts/bitstream hx8k 4 # the needed clock is not the board's

# The lanes at 4 x 40 MHz: 6.25 ns a cycle, allowed from clk, and 25 ns back; the fake adds 0.5 ns.
jq '.hx8k |= (.core_khz = 40000 | .io_khz = 40000 | .core.PIXELS = 4)' rtl/boards/boards.json >"$work/boards.json"
export BOARDS="$work/boards.json"
echo 40 160 >"$work/needed"
echo 41 161 5.5 24 >"$work/5"
echo 90 159 5.5 24 >"$work/6"
echo 90 200 6 24 >"$work/7"
echo 90 200 5.5 25 >"$work/8"
echo 90 200 - 24 >"$work/9"
echo 39 200 5.5 24 >"$work/10"
is "a board with a clock for its lanes" scripts/bitstream hx8k 5
is "its bitstream is there" [ -s "$bin" ]
is "result.json has needs and paths" jq -e '.seeds[] | select(.seed == 5) | .slack == 1.006
    and .clocks.clk_lanes == {"achieved": 161, "constraint": 160, "needed": 160} and .clocks.clk.needed == 40
    and .crossings == [{"from": "clk", "to": "clk_lanes", "allowed_ns": 6.25, "ns": 6},
                       {"from": "clk_lanes", "to": "clk", "allowed_ns": 25, "ns": 24.5}]' "$work/boards/hx8k/result.json"
for case in "6 the lanes' clock" "7 a path to the lanes" "8 a path from the lanes" \
    "9 a path that is not reported" "10 the core's clock"; do
    fails "misses its clocks" scripts/bitstream hx8k "${case%% *}"
    is "no bitstream of a build that misses ${case#* }" [ ! -e "$bin" ]
done
echo 40 80 >"$work/needed"
echo 90 200 5.5 24 >"$work/11"
fails "misses its clocks" scripts/bitstream hx8k 11 # nextpnr was asked for another clock
