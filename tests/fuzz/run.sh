#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Fuzzes each target for so many seconds, from seeds made of the recordings and the unit tests' cases, after every input
# that once failed. An input that fails now is kept in tests/fuzz/found/TARGET; its case goes there with the repair.
#
#   tests/fuzz/run.sh [SECONDS [TARGET…]]      20 seconds and all targets unless named
#
# FUZZ_ENGINE=afl fuzzes by AFL++ instead of libFuzzer.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-20}
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- frame tap config scrub request
out=build/fuzz
failed=0 passed=0

# A fuzzer's first byte is a parameter of its own (how it is cut, where it is restarted).
seed_streams() {
  mkdir -p "$1"
  for file in tests/unit/facts/case/*/input; do
    { printf '\005'; sed '/^#/d' "$file"; } >"$1/case-$(basename "$(dirname "$file")")"
  done
  for file in tests/captures/*/ami.raw tests/captures/*/ami-late.raw; do
    { printf '\100'; head -c 30000 "$file"; } >"$1/$(basename "$(dirname "$file")")-$(basename "$file")"
  done
}

hex=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
seed_requests() {
  mkdir -p "$1"
  printf 'GET /api/v1/stream HTTP/1.1\nHost: localhost:8088\nCookie: theme=dark; amitap-8088=s%s\nLast-Event-ID: boot-7\n' "$hex" >"$1/stream"
  printf 'GET / HTTP/1.0\nAuthorization: Bearer %s\nX-Forwarded-For: 10.0.0.1, [2001:db8::1]:80\n' "$hex" >"$1/token"
  printf 'POST /login HTTP/1.1\nHost: wallboard.example.com\nOrigin: https://wallboard.example.com\nSec-Fetch-Site: same-origin\n'\
'Content-Type: application/x-www-form-urlencoded\nContent-Length: 30\n\nname=an%%6ea+x&password=y' >"$1/login"
  printf 'POST /logout HTTP/1.1\nHost: [::1]:8088\nContent-Length: 0\nTransfer-Encoding: chunked\n' >"$1/logout"
}

seeds() {
  rm -rf "$out/seeds/$1"
  case $1 in
    config) mkdir -p "$out/seeds/config"
            for file in tests/unit/config/case/*/input.conf; do cp "$file" "$out/seeds/config/$(basename "$(dirname "$file")")"; done ;;
    request) seed_requests "$out/seeds/request" ;;
    *) seed_streams "$out/seeds/$1" ;;
  esac
}

words() {
  {
    sed -n 's/^AMI_EVENT([^,]*, "\([^"]*\)".*/"Event: \1\\x0a"/p' schemas/ami_events.def
    sed -n 's/^AMI_HEADER([^,]*, "\([^"]*\)".*/"\1: "/p' schemas/ami_headers.def
    printf '"%s"\n' Host: Cookie: Authorization: Origin: Sec-Fetch-Site: Content-Length: Last-Event-ID: X-Forwarded-For: "Bearer $hex"
    sed -n 's/^CONFIG_KEY([^,]*, [^,]*, "\([^"]*\)".*/"\1 = "/p' schemas/config.def
  } >"$out/words"
}

by_libfuzzer() {
  mkdir -p "$out/corpus/$1"
  "$out/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=40000 -print_final_stats=1 -dict="$out/words" \
    -artifact_prefix="tests/fuzz/found/$1/" "$out/corpus/$1" "$out/seeds/$1" >"$out/$1.log" 2>&1
}

by_afl() {
  rm -rf "$out/afl/$1"
  mkdir -p "$out/afl"
  AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_AUTORESUME=1 \
    afl-fuzz -V "$seconds" -t 10000 -m none -i "$out/seeds/$1" -o "$out/afl/$1" -- "$out/afl-$1" >"$out/$1.log" 2>&1 || return 1
  for crash in "$out/afl/$1"/default/crashes/id* "$out/afl/$1"/default/hangs/id*; do
    [ ! -e "$crash" ] || { cp "$crash" "tests/fuzz/found/$1/afl-$(basename "$crash" | md5sum | cut -c1-8)"; return 1; }
  done
}

engine=${FUZZ_ENGINE:-libfuzzer}
if [ "$engine" = afl ]; then
  make -s afl-fuzzers
else
  make -s fuzzers
fi
words
for target; do
  mkdir -p "tests/fuzz/found/$target"
  seeds "$target"
  status=0
  if [ "$engine" = libfuzzer ]; then
    find "tests/fuzz/found/$target" -type f -exec "$out/$target" {} + >"$out/$target.log" 2>&1 || status=$?
  fi
  [ "$status" != 0 ] || "by_$engine" "$target" || status=$?
  runs=$(cat "$out/$target.log" "$out/afl/$target/default/fuzzer_stats" 2>/dev/null |
    sed -n 's/^stat::number_of_executed_units: *//p; s/^execs_done *: *//p' | tail -1)
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    echo "ok fuzz $target: ${runs:-?} inputs in $seconds s by $engine"
  else
    failed=$((failed + 1))
    echo "FAIL fuzz $target (exit $status):"
    grep -aE "ERROR|SUMMARY|Assertion|runtime error|Test unit written|#[0-9] " "$out/$target.log" | head -20
  fi
  rmdir --ignore-fail-on-non-empty "tests/fuzz/found/$target"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
