#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the wallboard in a real browser (Debian's chromium, driven by playwright-core), fed by amitap
# run on amisim. Its screenshots are kept in build/screenshots. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."

[ -x build/amitap ] && [ -x build/amisim ] || make --no-print-directory all

tests/browser/install.sh
mkdir -p build/screenshots
NODE_PATH=build/browser/node_modules exec node tests/browser/wallboard.js
