#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same bad input under ASan and UBSan: still one line and a named status each.
set -eu
cd "$(dirname "$0")/../.."
FLEXOR=build/asan/flexor exec tests/system/bad_input.sh
