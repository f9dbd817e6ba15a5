#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# valgrind finds no error and no lost block in info, eval and verify.
. "$(dirname "$0")/lib.sh"
export GOMP_SPINCOUNT=0 # also keeps the program from starting itself again
check() {
    valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        --show-leak-kinds=definite "$flexor" "$@" >"$work/out" || fail "valgrind, flexor $*"
}
check info "$model"
check eval "$model" --images 20
check verify "$model" --device sim:k16t16p1 --images 2 --activations 1
