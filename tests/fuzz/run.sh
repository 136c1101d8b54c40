#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Fuzzes each target for so many seconds, from seeds made of the recordings and the unit tests' cases, after every input
# that once failed. An input that fails now is kept in tests/fuzz/found/TARGET; its case goes there with the repair.
#
#   tests/fuzz/run.sh [SECONDS [TARGET…]]      20 seconds and all targets unless named
#
# Each target is fuzzed by libFuzzer and by AFL++; FUZZ_ENGINE names one of them (libfuzzer, afl). As many run at once as
# there are processors.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-20}
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- frame tap config scrub request files
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

seed_files() {
  mkdir -p "$1"
  { printf '\001'; printf 'anna:scrypt:15:8:3:%s:%s\n# a machine\ngrafana:token:all:%s\nlobby:kiosk:1795219459:%s\n' "${hex:32}" $hex $hex $hex; } >"$1/users"
  for file in tests/captures/*/cdr.csv tests/captures/*/cel.csv; do
    { printf '\000'; head -c 4000 "$file"; } >"$1/$(basename "$(dirname "$file")")-$(basename "$file")"
  done
}

seeds() {
  rm -rf "$out/seeds/$1"
  case $1 in
    config) mkdir -p "$out/seeds/config"
            for file in tests/unit/config/case/*/input.conf; do cp "$file" "$out/seeds/config/$(basename "$(dirname "$file")")"; done ;;
    request) seed_requests "$out/seeds/request" ;;
    files) seed_files "$out/seeds/files" ;;
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

# Functions that the seeds alone must come to, or the fuzzer works beside the point.
must_reach() {
  case $1 in
    request) echo request_judge request_cookie request_bearer request_field address_forwarded event_id_read ;;
    files) echo users_file_parse csv_read ;;
    config) echo config_load config_check_rules ;;
    tap) echo tap_event tap_restore agent_update visit_free ;;
    *) ;;
  esac
}

check_reach() {
  local function covered
  covered=$("$out/$1" -runs=0 -max_len=40000 -print_coverage=1 "$out/seeds/$1" 2>&1 |
    sed -n 's|^COVERED_FUNC: hits: [1-9][0-9]* edges: [0-9/]* \([a-z_0-9]*\) .*|\1|p')
  for function in $(must_reach "$1"); do
    grep -qx "$function" <<<"$covered" || { echo "ERROR: no seed of $1 reaches $function"; return 1; }
  done
}

by_libfuzzer() {
  find "tests/fuzz/found/$1" -type f -exec "$out/$1" {} + || return
  check_reach "$1" || return
  mkdir -p "$out/corpus/$1"
  "$out/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=40000 -print_final_stats=1 -dict="$out/words" \
    -artifact_prefix="tests/fuzz/found/$1/" "$out/corpus/$1" "$out/seeds/$1"
}

by_afl() {
  rm -rf "$out/afl/$1"
  mkdir -p "$out/afl"
  AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_AUTORESUME=1 AFL_NO_AFFINITY=1 \
    afl-fuzz -V "$seconds" -t 10000 -m none -i "$out/seeds/$1" -o "$out/afl/$1" -- "$out/afl-$1" || return 1
  cat "$out/afl/$1/default/fuzzer_stats"
  for crash in "$out/afl/$1"/default/crashes/id* "$out/afl/$1"/default/hangs/id*; do
    [ ! -e "$crash" ] || { cp "$crash" "tests/fuzz/found/$1/afl-$(basename "$crash" | md5sum | cut -c1-8)"; return 1; }
  done
}

# Fuzzes one target by one engine; says what came of it in one write.
fuzz() {
  local engine=$1 target=$2 log="$out/$1-$2.log" status=0 runs
  "by_$engine" "$target" >"$log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^execs_done *: *//p' "$log" | tail -1)
  if [ "$status" = 0 ]; then
    echo "ok fuzz $target: ${runs:-?} inputs in $seconds s by $engine"
  else
    echo "FAIL fuzz $target by $engine (exit $status):
$(grep -aE "ERROR|SUMMARY|Assertion|runtime error|Test unit written|#[0-9] " "$log" | head -20)"
  fi
  return "$status"
}

engines=${FUZZ_ENGINE:-libfuzzer afl}
goals=fuzzers
[[ $engines != *afl* ]] || goals="fuzzers afl-fuzzers"
# shellcheck disable=SC2086
make -s -j2 $goals
words
at_once=$(nproc) running=0
finish() {
  if wait -n; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  running=$((running - 1))
}
for target; do
  mkdir -p "tests/fuzz/found/$target"
  seeds "$target"
  for engine in $engines; do
    [ "$running" -lt "$at_once" ] || finish
    fuzz "$engine" "$target" &
    running=$((running + 1))
  done
done
while [ "$running" -gt 0 ]; do finish; done
for target; do rmdir --ignore-fail-on-non-empty "tests/fuzz/found/$target"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
