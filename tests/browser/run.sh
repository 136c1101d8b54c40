#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [PART…]: the wallboard in a real browser (Debian's chromium, driven by playwright-core), fed by amitap
# run on amisim; and its clocks in a world of their own. Its screenshots are kept in build/screenshots. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1

make -s --no-print-directory all build/fake_feed || exit 1
tests/browser/install.sh || exit 1
mkdir -p build/screenshots
export NODE_PATH=build/browser/node_modules
log=$(mktemp)
[ $# -gt 0 ] || set -- wallboard hostile clocks
for part; do
  node tests/browser/$part.js | tee -a "$log" | sed '/^[0-9]* passed, [0-9]* failed$/d'
done
awk -v parts=$# '/^[0-9]+ passed, [0-9]+ failed$/ { runs++; ok += $1; bad += $3 }
  END { if (runs < parts) bad++; print ok + 0 " passed, " bad + 0 " failed"; exit bad || !ok }' "$log"
status=$?
rm -f "$log"
exit $status
