#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C during training leaves a checkpoint that resumes to the very model of an
# uninterrupted run; a kill at any moment leaves no half-written file.
. "$(dirname "$0")/lib.sh"
train() { "$flexor" train --bits 0.6 --train-images 6000 --epochs 2 --seed 5 --threads 1 "$@"; }

train --checkpoint "$work/whole.ckpt" -o "$work/whole.safetensors"

status=0
train --checkpoint "$work/part.ckpt" -o "$work/part.safetensors" &
pid=$!
while [ ! -e "$work/part.ckpt" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
kill -INT "$pid" 2>/dev/null || true
wait "$pid" || status=$?
echo "interrupted run ended with status $status"
if [ "$status" -ne 0 ]; then
    [ "$status" -eq 130 ] || fail "status $status, expected 130"
    [ ! -e "$work/part.safetensors" ] || fail "an interrupted run wrote a model"
    "$flexor" train --resume "$work/part.ckpt" -o "$work/part.safetensors"
fi
cmp "$work/whole.safetensors" "$work/part.safetensors"

for delay in 0.2 0.6 1.0 1.4; do
    mkdir "$work/kill"
    train --checkpoint "$work/kill/k.ckpt" -o "$work/kill/k.safetensors" >/dev/null 2>&1 &
    pid=$!
    sleep "$delay"
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    if [ -e "$work/kill/k.ckpt" ]; then
        "$flexor" pack "$work/kill/k.ckpt" -o "$work/kill/packed.safetensors"
        "$flexor" info "$work/kill/packed.safetensors" >/dev/null
    fi
    rm -rf "$work/kill"
done
