#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# verify is not blind: a device that runs other weights than the reference is reported
# with layer, position and both values, and a failing exit status.
. "$(dirname "$0")/lib.sh"
"$flexor" train --bits 0.6 --train-images 500 --epochs 1 \
    --checkpoint "$work/other.ckpt" -o "$work/other.safetensors"
status=0
"$flexor" verify "$work/other.safetensors" --reference "$model" --device sim:k16t16p1 \
    --images 2 --activations 2 --json >"$work/verify.json" 2>"$work/stderr" || status=$?
cat "$work/verify.json" "$work/stderr"
[ "$status" -eq 1 ] || fail "exit status $status, expected 1"
grep -q FLX_ERR_MISMATCH "$work/stderr" || fail "no named error"
json_is "$work/verify.json" '.activation_mismatches > 0 and .logit_mismatches > 0'
