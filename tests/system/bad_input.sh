#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input gets one line, a named status and a non-zero exit; FLEXOR selects the
# (sanitized) program under test.
. "$(dirname "$0")/lib.sh"

expect_error FLX_ERR_NOT_FOUND "$flexor" info "$work/none.safetensors"
: >"$work/empty.safetensors"
expect_error FLX_ERR_TRUNCATED "$flexor" info "$work/empty.safetensors"
size=$(stat -c %s "$model")
for keep in 4 100 $((size / 2)) $((size - 1)); do
    head -c "$keep" "$model" >"$work/cut.safetensors"
    expect_error FLX_ERR_TRUNCATED "$flexor" info "$work/cut.safetensors"
done
cp "$model" "$work/flip.safetensors"
printf '\125' | dd of="$work/flip.safetensors" bs=1 seek=$((size - 2000)) conv=notrunc status=none
expect_error FLX_ERR_CRC "$flexor" eval "$work/flip.safetensors"
sed 's/"version":"1"/"version":"9"/' "$model" >"$work/version.safetensors"
expect_error FLX_ERR_VERSION "$flexor" info "$work/version.safetensors"
head -c 4096 /dev/urandom >"$work/noise.safetensors"
expect_error FLX_ERR_ "$flexor" verify "$work/noise.safetensors" --device sim

expect_error FLX_ERR_NOT_FOUND "$flexor" eval "$model" --data "mnist:$work/nowhere"
mkdir "$work/idx"
head -c 1000 /dev/zero >"$work/idx/t10k-images-idx3-ubyte"
head -c 1000 /dev/zero >"$work/idx/t10k-labels-idx1-ubyte"
expect_error FLX_ERR_FORMAT "$flexor" eval "$model" --data "idx:$work/idx"
expect_error FLX_ERR_ "$flexor" eval "$model" --data nosuchset

expect_error FLX_ERR_ARG "$flexor" train --bits 0
expect_error FLX_ERR_ARG "$flexor" train --bits 1.5
expect_error FLX_ERR_ARG "$flexor" train --nin 33 --nout 32
expect_error FLX_ERR_ARG "$flexor" train --epochs -3
expect_error FLX_ERR_ARG "$flexor" train --nonsense
expect_error FLX_ERR_ARG "$flexor" frobnicate
expect_error FLX_ERR_ "$flexor" verify "$model" --device sim:k3t3p0
expect_error FLX_ERR_ARG "$flexor" verify "$model" --device teapot
