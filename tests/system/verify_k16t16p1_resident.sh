#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 2,000 test images through the RTL (k16t16p1, weights resident): every logit equals the
# reference, and every activation of the first 20 images.
. "$(dirname "$0")/lib.sh"
"$flexor" verify "$model" --device sim:k16t16p1 --images 2000 --activations 20 \
    --jobs "${FLX_JOBS:-1}" --json >"$work/verify.json"
cat "$work/verify.json"
json_is "$work/verify.json" '.images == 2000 and .logit_mismatches == 0'
json_is "$work/verify.json" '.activation_mismatches == 0'
