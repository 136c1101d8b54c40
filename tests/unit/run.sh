#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh DIR TEST...: runs unit test programs, two at a time, and prints each one's time. What a
# failing one wrote is shown. Not zero when any failed.
set -eu

if [ "${1:-}" = --one ]; then
    dir=$2 test=$3
    name=${test#"$dir"/}
    begin=$(date +%s%N)
    rc=0
    # Check's own 4 s are too few for a sanitized test that writes files on a busy machine.
    CK_VERBOSITY=${CK_VERBOSITY:-normal} CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-30} "$test" >"$test.log" 2>&1 || rc=$?
    ms=$((($(date +%s%N) - begin) / 1000000))
    if [ "$rc" -eq 0 ]; then
        printf 'ok    %-40s %5d ms\n' "$name" "$ms"
    else
        printf 'FAIL  %-40s %5d ms (exit %d)\n%s\n' "$name" "$ms" "$rc" "$(cat "$test.log")"
        exit 1
    fi
    exit 0
fi

dir=$1
shift
[ $# -gt 0 ] || { echo "check: there are no tests"; exit 1; }
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
begin=$(date +%s%N)
rc=0
printf '%s\n' "$@" | xargs -P 2 -n 1 "$0" --one "$dir" || rc=1
printf 'check: %d programs in %d ms: %s\n' $# $((($(date +%s%N) - begin) / 1000000)) \
    "$([ $rc -eq 0 ] && echo all passed || echo FAILED)"
exit $rc
