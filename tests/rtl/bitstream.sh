#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scripts/bitstream, with tools that only write what they are told (real ones take minutes): a
# build that misses a clock, or does not know it, fails and leaves no bitstream; the seed with most
# slack is kept; nothing is placed twice; --repeat sees two runs that differ.
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
# Achieved clocks of a seed: the file SEED, in MHz: core and, unless empty, UART. Counts its runs.
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
read -r core <"$FAKE/$seed"
echo "{\"fmax\": {\"clk\": {\"achieved\": $core, \"constraint\": $(cat "$FAKE/needed")}}," \
    "\"utilization\": {\"ICESTORM_LC\": {\"used\": 7, \"available\": 9}}}" >"$report"
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
log=$(scripts/bitstream hx8k 1 2 3)
is "the seed with most slack is kept" [ "${log##*hx8k: seed 3,*}" = "" ]
is "every seed was placed once" [ "$(sort "$work/runs" | tr '\n' ' ')" = "1 2 3 " ]
is "result.json has all seeds" jq -e '[.seeds[].seed] == [1, 2, 3]' "$work/boards/hx8k/result.json"
is "a seed that gives the same text is reproducible" scripts/bitstream --repeat hx8k 1
echo other >"$work/text"
fails "two runs differ" scripts/bitstream --repeat hx8k 1
echo 12 >"$work/needed"
echo 100 >"$work/4"
fails "misses its clocks" scripts/bitstream hx8k 4 # the needed clock is not the board's
