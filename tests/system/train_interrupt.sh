#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C during training leaves a checkpoint; a run that was interrupted at 20 random moments,
# by Ctrl-C or by a kill, gives the very model of an uninterrupted one; a kill at any moment
# leaves no half-written file.
. "$(dirname "$0")/lib.sh"
set -m # a process group for each background job, which does not ignore SIGINT
train() { "$flexor" train --bits 0.6 --train-images 10000 --epochs 3 --seed 5 --threads 1 "$@"; }

train --checkpoint "$work/whole.ckpt" -o "$work/whole.safetensors"

status=0
train --checkpoint "$work/part.ckpt" -o "$work/part.safetensors" &
pid=$!
while [ ! -e "$work/part.ckpt" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
kill -INT -- "-$pid" 2>/dev/null || true
wait "$pid" || status=$?
[ "$status" -eq 130 ] || fail "an interrupted run ended with status $status, expected 130"
[ ! -e "$work/part.safetensors" ] || fail "an interrupted run wrote a model"
"$flexor" train --resume "$work/part.ckpt" -o "$work/part.safetensors"
cmp "$work/whole.safetensors" "$work/part.safetensors"

# A sitting that ends by itself before it is interrupted begins the run anew.
RANDOM=${SEED:=$RANDOM}
echo "20 random moments, SEED=$SEED"
long() { train --epochs 8 "$@"; }
long --checkpoint "$work/whole.ckpt" -o "$work/whole.safetensors" >/dev/null
rm "$work/part."*
interruptions=0
until [ "$interruptions" -eq 20 ]; do
    status=0
    if [ -e "$work/part.ckpt" ]; then
        "$flexor" train --resume "$work/part.ckpt" -o "$work/part.safetensors" >/dev/null 2>&1 &
    else
        long --checkpoint "$work/part.ckpt" -o "$work/part.safetensors" >/dev/null 2>&1 &
    fi
    pid=$!
    sleep "0.$((100 + RANDOM % 500))"
    kill "-$([ $((interruptions % 4)) -eq 3 ] && echo KILL || echo INT)" -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || status=$?
    case $status in
    0) rm "$work/part."* ;;
    130 | 137) interruptions=$((interruptions + 1)) ;;
    *) fail "an interrupted run ended with status $status" ;;
    esac
done
[ -e "$work/part.ckpt" ] || fail "20 interrupted sittings left no checkpoint"
"$flexor" train --resume "$work/part.ckpt" -o "$work/part.safetensors"
cmp "$work/whole.safetensors" "$work/part.safetensors"

# Killed while it writes a checkpoint every few tenths of a second.
for delay in 0 0.05 0.1 0.15 0.2 0.25 0.3 0.35; do
    mkdir "$work/kill"
    "$flexor" train --bits 0.6 --train-images 300 --epochs 1000 --threads 1 \
        --checkpoint "$work/kill/k.ckpt" -o "$work/kill/k.safetensors" >/dev/null 2>&1 &
    pid=$!
    for _ in $(seq 600); do
        [ ! -e "$work/kill/k.ckpt" ] || break
        sleep 0.05
    done
    sleep "$delay"
    kill -KILL -- "-$pid"
    wait "$pid" 2>/dev/null || true
    "$flexor" pack "$work/kill/k.ckpt" -o "$work/kill/packed.safetensors"
    "$flexor" info "$work/kill/packed.safetensors" >/dev/null
    [ ! -e "$work/kill/k.safetensors" ] || fail "a killed run left a model"
    rm -rf "$work/kill"
done
