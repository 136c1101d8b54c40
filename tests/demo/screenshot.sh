#!/bin/bash
# SPDX-License-Identifier: MIT
#
# screenshot.sh [FILE [SECONDS]]: the README's picture of the wallboard, as Debian's chromium shows the demo after so
# many seconds (default: tests/demo/wallboard.png, 100).
set -u
file=$(realpath -m "${1:-$(dirname "$0")/wallboard.png}")
wait=${2:-100}
cd "$(dirname "$0")/../.." || exit 1

command -v chromium >/dev/null || { echo "screenshot: chromium is missing: apt-get install chromium" >&2; exit 1; }
scratch=$(mktemp -d) || exit 1
demo=
finish() {
  [ -z "$demo" ] || { kill "$demo" && wait "$demo"; } 2>/dev/null
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM

DEMO_SECONDS='' TMPDIR=$scratch tests/demo/demo.sh >"$scratch/log" 2>&1 &
demo=$!
sleep "$wait"
address=$(sed -n 's/^demo: wallboard *\([^ ]*\).*/\1/p' "$scratch/log")
[ -n "$address" ] || { cat "$scratch/log" >&2; exit 1; }

sandbox=()
[ "$(id -u)" != 0 ] || sandbox=(--no-sandbox)
# The page's stream never ends loading: the picture is taken when its time is over.
timeout 120 chromium --headless "${sandbox[@]}" --disable-gpu --disable-quic --no-first-run --disable-sync \
  --disable-background-networking --disable-component-update --user-data-dir="$scratch/chromium" --hide-scrollbars \
  --window-size=1920,1080 --timeout=8000 --screenshot="$scratch/page.png" "$address" >"$scratch/chromium.log" 2>&1
[ -s "$scratch/page.png" ] || { echo "screenshot: chromium made none" >&2; cat "$scratch/chromium.log" >&2; exit 1; }
cp "$scratch/page.png" "$file"
echo "screenshot: $file, $(stat -c %s "$file") bytes"
