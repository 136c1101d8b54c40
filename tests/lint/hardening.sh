#!/bin/sh
# SPDX-License-Identifier: MIT
# hardening.sh PROGRAM: it is position independent, relocations are read-only and bound at start, the
# stack is not executable, guarded, and the C library's checked functions are in use.
set -eu

program=$1
rc=0
need() {
    if ! grep -q "$2" "$dump"; then
        echo "$program: $1"
        rc=1
    fi
}

dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
readelf -W -h -l -d --dyn-syms "$program" >"$dump"
need "is not position independent" 'Type: *DYN'
need "has no read-only relocations" GNU_RELRO
need "does not bind its symbols at start" 'NOW'
need "has no stack guard" __stack_chk_fail
need "has no checked functions" '_chk@'
if grep 'GNU_STACK' "$dump" | grep -q 'RWE'; then
    echo "$program: has an executable stack"
    rc=1
fi
echo "lint: hardening $([ $rc -eq 0 ] && echo ok || echo FAILED)"
exit $rc
