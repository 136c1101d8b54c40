#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh: the wallboard in a real browser (Debian's chromium, driven by playwright-core), fed by amitap
# run on amisim. Its screenshots are kept in build/screenshots. The last line is "N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."

for program in chromium node npm; do
    command -v $program >/dev/null || { echo "browser: $program is missing ('make deps-test')"; exit 1; }
done
[ -x build/amitap ] && [ -x build/amisim ] || make --no-print-directory all

mkdir -p build/browser build/screenshots
if ! cmp -s tests/browser/package-lock.json build/browser/installed.json; then
    cp tests/browser/package.json tests/browser/package-lock.json build/browser/
    (cd build/browser && npm ci --no-audit --no-fund)
    cp tests/browser/package-lock.json build/browser/installed.json
fi
NODE_PATH=build/browser/node_modules exec node tests/browser/wallboard.js
