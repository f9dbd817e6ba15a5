#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 2,000 test images through the RTL (k8t8p2, weights stream): every logit equals the
# reference, and every activation of the first 20 images.
. "$(dirname "$0")/lib.sh"
exact "$model" sim:k8t8p2,stream 2000 20 --images
