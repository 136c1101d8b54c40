#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: runs the benches over the recordings in tests/captures.
set -eu

cd "$(dirname "$0")/../.."
build/bench_parse tests/captures/*/ami.raw
