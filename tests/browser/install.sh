#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh: playwright-core into build/browser, as package-lock.json names it; it drives Debian's chromium.
set -eu
cd "$(dirname "$0")/../.."

for program in chromium node npm; do
    command -v $program >/dev/null || { echo "browser: $program is missing ('make deps-test')"; exit 1; }
done
mkdir -p build/browser
if ! cmp -s tests/browser/package-lock.json build/browser/installed.json; then
    cp tests/browser/package.json tests/browser/package-lock.json build/browser/
    (cd build/browser && npm ci --no-audit --no-fund)
    cp tests/browser/package-lock.json build/browser/installed.json
fi
