#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every suite of `make test`, one after the other, each with its time and result; a failure does not keep the next from
# running. Needs root, or sudo for the suites that install into a folder of their own (a real Asterisk, a fresh machine).
#
#   tests/run-all.sh [SUITE…]    all of them where none is named
#
# What each one printed is kept in build/test-logs. The last line is "N passed, N failed"; not zero when any failed.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
logs=build/test-logs
mkdir -p "$logs"
mix_seconds=${MIX_SECONDS:-60} # of random calls on the real Asterisk, and of the soak
limit=${SUITE_SECONDS:-$((600 + mix_seconds))} # that a suite may take
read -ra crash_options <<<"${CRASH_OPTIONS:-}" # of tests/crash/run.py
read -ra memory_options <<<"${MEMORY_OPTIONS:-}" # of tests/memory/run.py
read -ra disk_options <<<"${DISK_OPTIONS:-}"   # of tests/crash/disk.py

root=()
if [ "$(id -u)" != 0 ]; then
  echo "run-all: not root: the suites asterisk and fresh use sudo"
  root=(sudo)
  sudo true || { echo "run-all: needs root or sudo"; echo "0 passed, 1 failed"; exit 1; }
fi

suite_build() {
  make -j2 all && make -j2 O=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' build/asan/amitap
}
suite_check() { make -j2 check; }
suite_captures() {
  tests/compare/test_compare.py &&
    tests/compare/compare.py --known tests/compare/known --rename 7 tests/captures/*/ tests/captures-lab/*/ &&
    tests/compare/compare.py --known tests/compare/known --eventfilter examples/manager.conf tests/captures/*/ \
      tests/captures-lab/*/
}
suite_journeys() {
  tests/compare/test_journeys.py &&
    tests/compare/journeys.py --known tests/compare/known tests/captures/*/ tests/captures-lab/*/
}
# What taps with less sight get: an account with read=call,agent, one that joined while calls were up, and one of a PBX
# without timestampevents. Of the lab's late ones are left out those where the truth cannot be told: a Page whose caller
# was gone, an Originate that nobody saw, and what tests/compare/known lists.
narrow=(--raw ami-narrow.raw --unknown cdr.lastapp,cdr.lastdata,cdr.userfield,queue.outcome --at-least 80)
late=(--raw ami-late.raw --late --whole ami.raw --records cdr,call)
suite_partial() {
  local lab
  mapfile -t lab < <(find tests/captures-lab -mindepth 1 -type d |
    grep -vE '/(originate-by-dialplan|page|queue-blind-transfer|queue-to-queue|waiting-callers-taken-away)$' | sort)
  tests/compare/compare.py "${narrow[@]}" --rename 7 --must-match tests/compare/must-match-narrow tests/captures/*/ &&
    tests/compare/compare.py "${narrow[@]}" --records cdr --must-match /dev/null tests/captures-lab/*/ &&
    tests/compare/compare.py "${late[@]}" --rename 7 tests/captures/*/ &&
    tests/compare/compare.py "${late[@]}" --rename 11 "${lab[@]}" &&
    tests/compare/untimed.py tests/captures-lab/*/ &&
    tests/schemas/needs.py
}
suite_split() { tests/compare/compare.py --split 1 --sanitized build/asan/amitap tests/captures/*/; }
suite_record() { PYTHONDONTWRITEBYTECODE=1 tests/record/run.py; }
suite_audit() { PYTHONDONTWRITEBYTECODE=1 tests/audit/run.py --amitap build/asan/amitap; }
suite_tls() { PYTHONDONTWRITEBYTECODE=1 tests/tls/run.py --amitap build/asan/amitap; }
suite_web() { PYTHONDONTWRITEBYTECODE=1 tests/web/run.py --amitap build/asan/amitap; }
suite_loop() { make -s loop-shim && PYTHONDONTWRITEBYTECODE=1 tests/loop/run.py; }
suite_reload() { PYTHONDONTWRITEBYTECODE=1 tests/reload/run.py --amitap build/asan/amitap; }
suite_soak() { make -s loop-shim && PYTHONDONTWRITEBYTECODE=1 tests/loop/run.py --seconds "$mix_seconds" soak; }
suite_metrics() { PYTHONDONTWRITEBYTECODE=1 tests/metrics/run.py --amitap build/asan/amitap; }
suite_fuzz() { tests/fuzz/run.sh 20; }
suite_figures() { PYTHONDONTWRITEBYTECODE=1 tests/figures/run.py --amitap build/asan/amitap; }
suite_explain() { PYTHONDONTWRITEBYTECODE=1 tests/explain/run.py --amitap build/asan/amitap; }
suite_crash() {
  make -s -j2 O=build/crash CRASH_POINTS=1 build/crash/amitap &&
    PYTHONDONTWRITEBYTECODE=1 tests/crash/run.py "${crash_options[@]}"
}
suite_disk() {
  make -s -j2 O=build/crash CRASH_POINTS=1 build/crash/amitap &&
    PYTHONDONTWRITEBYTECODE=1 tests/crash/disk.py "${disk_options[@]}"
}
suite_flood() { PYTHONDONTWRITEBYTECODE=1 tests/flood/run.py; }
suite_privacy() {
  make -s build/kafka_mock && PYTHONDONTWRITEBYTECODE=1 tests/privacy/run.py --amitap build/asan/amitap &&
    PYTHONDONTWRITEBYTECODE=1 tests/privacy/secrets.py --amitap build/asan/amitap
}
suite_memory() {
  make -s -j2 O=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' build/asan/amitap-memory &&
    PYTHONDONTWRITEBYTECODE=1 tests/memory/run.py --every "${memory_options[@]}"
}
suite_verify() { PYTHONDONTWRITEBYTECODE=1 tests/verify/run.py --amitap build/asan/amitap; }
suite_blind() { PYTHONDONTWRITEBYTECODE=1 tests/blind/run.py && PYTHONDONTWRITEBYTECODE=1 tests/blind/two_taps.py; }
suite_faults() { PYTHONDONTWRITEBYTECODE=1 tests/faults/run.py --amitap build/asan/amitap; }
suite_examples() { make -s examples && tests/examples/run.sh; }
suite_schemas() { tests/schemas/run.sh; }
suite_kafka() { tests/kafka/run.sh; }
suite_asterisk() { "${root[@]}" tests/asterisk/lab.sh install && "${root[@]}" tests/asterisk/live.py; }
suite_asterisk_tls() {
  "${root[@]}" tests/asterisk/lab.sh install && "${root[@]}" tests/asterisk/tls.py
}
suite_asterisk_blind() {
  "${root[@]}" tests/asterisk/lab.sh install &&
    "${root[@]}" env PYTHONDONTWRITEBYTECODE=1 tests/asterisk/blind.py
}
suite_systemd() { "${root[@]}" env PYTHONDONTWRITEBYTECODE=1 tests/systemd/run.py; }
suite_systemd_booted() { "${root[@]}" env PYTHONDONTWRITEBYTECODE=1 tests/systemd/booted.py; }
suite_mixer() {
  "${root[@]}" tests/asterisk/lab.sh install &&
    "${root[@]}" tests/asterisk/live.py --mix "$mix_seconds" --instance mixer --keep "$logs/mixer"
}
suite_browser() { tests/browser/run.sh; }
suite_fresh() { "${root[@]}" tests/fresh/fresh.sh; }
suite_lint() { make lint; }

# count LOG STATUS: "PASSED FAILED" of a suite: what its last line says, else its lines "ok …" and "FAIL …", else its
# status alone. A suite that failed without saying where has one failure, and one that checked nothing too.
count() {
  awk -v status="$2" '
    /^ok[ \t]/ { ok++ } /^FAIL[ \t:]/ { bad++ }
    NF { last = $0 }
    END {
      if (match(last, /^[0-9]+ passed, [0-9]+ failed$/)) { split(last, part, " "); ok = part[1]; bad = part[3] }
      else if (ok + bad == 0 && status == 0) ok = 1
      if (bad == 0 && (status != 0 || ok == 0)) bad = 1
      print ok + 0, bad + 0
    }' "$1"
}

# The suites run as this script's child, so that a time limit can end them.
if [ "${1:-}" = --one ]; then
  "suite_$2"
  exit
fi

all=(
  build check
  captures journeys partial split schemas record explain figures verify
  audit tls web metrics privacy fuzz flood faults blind loop reload crash disk memory
  examples kafka asterisk asterisk_tls asterisk_blind mixer browser systemd fresh
  lint
)
[ $# -gt 0 ] || set -- "${all[@]}"
passed=0 failed=0 begin=$SECONDS
for suite; do
  printf '== %s\n' "$suite"
  start=$SECONDS
  timeout -k 10 "$limit" "$0" --one "$suite" </dev/null 2>&1 | tee "$logs/$suite.log" | sed 's/^/   /'
  status=${PIPESTATUS[0]}
  [ "$status" != 124 ] || echo "   no end after $limit s"
  read -r good bad < <(count "$logs/$suite.log" "$status")
  passed=$((passed + good)) failed=$((failed + bad))
  printf '== %s: %s, %d passed, %d failed, %d s\n\n' "$suite" "$([ "$bad" = 0 ] && echo ok || echo FAILED)" \
    "$good" "$bad" $((SECONDS - start))
done
echo "$((SECONDS - begin)) s; logs are in $logs"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
