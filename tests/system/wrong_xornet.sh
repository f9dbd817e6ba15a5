#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A model of another XOR network is refused by name before anything is loaded.
. "$(dirname "$0")/lib.sh"
"$flexor" train --bits 0.6 --xor two-tap --train-images 500 --epochs 1 \
    --checkpoint "$work/m.ckpt" -o "$work/two-tap.safetensors"
expect_error FLX_ERR_XORNET "$flexor" verify "$work/two-tap.safetensors" --device sim --images 1
