#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The iCE40 boards' own arrays and memories (sim:icebreaker, sim:hx8k) run the small network that is shipped for them:
# 89.8 % of the test images are right at 0.5 bit a weight, and every logit and every activation equals the
# reference, weights streamed. What has no room there is refused with the parameter that would help.
. "$(dirname "$0")/lib.sh"
small=tests/data/lenet-small-fashion-0.5.safetensors

for board in icebreaker hx8k; do
    "$flexor" fit "$small" --board "$board" --json >"$work/fit.json"
    json_is "$work/fit.json" '.fits and .images_per_second > 200'
    exact "$small" "sim:$board" 100 10 --images
    json_is "$work/verify.json" .streamed
    expect_error FLX_ERR_CAPACITY "$flexor" verify "$model" --device "sim:$board" --images 1
done

"$flexor" eval "$small" --json >"$work/eval.json"
"$flexor" info "$small" --json >"$work/info.json"
json_is "$work/eval.json" '.images == 10000 and .accuracy >= 0.898'
json_is "$work/info.json" '.bits_per_weight == 0.5'

# Shapes that are simulated: of a board, by the longest name that fits, and none else.
[ "$(scripts/shape ulx3s-85-4bit-trace)" = "$(scripts/shape ulx3s-85-4bit)" ] || fail "suffix of a board's name"
[ "$(scripts/shape ulx3s-85-4bit)" != "$(scripts/shape ulx3s-85)" ] || fail "two boards have one shape"
if scripts/shape nonesuch >"$work/shape" 2>&1 || ! grep -q 'no shape for nonesuch' "$work/shape"; then
    fail "a shape that is not there: $(cat "$work/shape")"
fi
