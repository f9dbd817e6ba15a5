#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same under ASan and UBSan, TSan and valgrind, with and without an unplug.
. "$(dirname "$0")/../system/lib.sh"
. "$(dirname "$0")/lib.sh"
export GOMP_SPINCOUNT=0 # also keeps the program from starting itself again
export ASAN_OPTIONS=verify_asan_link_order=0
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1"
# libgomp is not instrumented, so its threads would look like races: on one processor the
# reference starts none. Those of usb:all are our own.
one_cpu="taskset -c $(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')"
for build in asan tsan; do
    flexor=build/$build/flexor
    [ $build = asan ] || USB_WRAP=$one_cpu
    USB_NAME=,timeout=5000,baud=4000000 exact cdc 2 --baud 4000000
    USB_WRAP=
done
for kind in native ft2232h; do
    for build in asan tsan; do
        [ -x build/$build/flexor ] || fail "build/$build/flexor is not built"
        flexor=build/$build/flexor
        USB_WRAP=
        [ $build = asan ] || USB_WRAP=$one_cpu
        USB_NAME=,timeout=3000 exact $kind 4
        USB_NAME=,timeout=3000 exact $kind 6 --fault unplug=100 --fault first=400 --fault most=1
        USB_NAME=:all,timeout=3000 exact $kind 6 --boards 2
    done
    USB_WRAP=
    on_board $kind -- valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite \
        --show-leak-kinds=definite --suppressions=tests/usb/valgrind.supp build/flexor verify "$model" \
        --device usb,timeout=5000 --images 2 --json >"$work/usb.json" || fail "valgrind, $kind"
    json_is "$work/usb.json" '.logit_mismatches == 0'
    echo "$kind: valgrind finds nothing"
done
