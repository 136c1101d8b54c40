#!/bin/bash
# SPDX-License-Identifier: MIT
#
# screenshot.sh [FILE [SECONDS]]: the README's picture of the wallboard, as Debian's chromium shows the demo after so
# many seconds (default: tests/demo/wallboard.png, 90). Needs what `make deps-test` installs.
set -u
file=$(realpath -m "${1:-$(dirname "$0")/wallboard.png}")
wait=${2:-90}
cd "$(dirname "$0")/../.." || exit 1

tests/browser/install.sh || exit 1
scratch=$(mktemp -d) || exit 1
demo=
finish() {
  [ -z "$demo" ] || { kill "$demo" && wait "$demo"; } 2>/dev/null
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

DEMO_SECONDS='' TMPDIR=$scratch tests/demo/demo.sh >"$scratch/log" 2>&1 &
demo=$!
sleep "$wait"
address=$(sed -n 's/^demo: wallboard *\([^ ]*\).*/\1/p' "$scratch/log")
[ -n "$address" ] || { cat "$scratch/log" >&2; exit 1; }

# At a moment when calls ring and wait, and nothing is moving in.
NODE_PATH=build/browser/node_modules node - "$address" "$file" <<'END' || exit 1
const { launch } = require('./tests/browser/stage.js');
(async () => {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, reducedMotion: 'reduce' });
  await page.goto(process.argv[2]);
  await page.waitForTimeout(3000);
  await page.waitForFunction(() => document.querySelectorAll('.call.s-ringing').length >= 2 &&
    Number(document.querySelector('#tile-waiting [data-value]').textContent) >= 3, null, { timeout: 120000 });
  await page.waitForTimeout(700);
  await page.screenshot({ path: process.argv[3] });
  await browser.close();
})().catch((error) => { console.error('screenshot: ' + error.message); process.exit(1); });
END
echo "screenshot: $file, $(stat -c %s "$file") bytes"
