#!/bin/sh
# SPDX-License-Identifier: MIT
# Every lint, one line each; what is wrong stands above that line. Not zero when any failed. The
# compiler's warnings are errors of the build itself.
set -u

cd "$(dirname "$0")/../.." || exit 1
PYTHON=python3
export PYTHONDONTWRITEBYTECODE=1
venv=build/venv
rc=0

lint() {
    "$@" || rc=1
}

say() {
    if [ "$2" -eq 0 ]; then
        echo "lint: $1 ok"
    else
        echo "lint: $1 FAILED"
    fi
    return "$2"
}

sources() {
    find parsers collector web tests -name '*.[ch]' | sort
}

format() {
    sources | xargs clang-format-14 --dry-run -Werror 2>build/format.log
    status=$?
    sed -n 's/^\([^ :]*\):[0-9:]* error: .*/\1: clang-format-14 -i would change it/p' \
        build/format.log | sort -u
    say clang-format $status
}

# uthash's loops are macros that cppcheck must see; the AST of a compound literal in ?: is beyond it.
cppcheck_lint() {
    mkdir -p build/cppcheck
    cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
        --std=c11 -j 2 --cppcheck-build-dir=build/cppcheck -D_GNU_SOURCE -I. -Ibuild/gen \
        --include=/usr/include/uthash.h --suppress=missingIncludeSystem \
        --suppress=internalAstError parsers collector web tests/amisim 2>build/cppcheck.log
    status=$?
    cat build/cppcheck.log
    # What it finds across files leaves its exit status as it is.
    [ ! -s build/cppcheck.log ] || status=1
    say cppcheck $status
}

sizes() {
    if ! "$venv/bin/python" -c 'import lizard' 2>/dev/null; then
        "$PYTHON" -m venv "$venv" && "$venv/bin/pip" -q --disable-pip-version-check install \
            lizard==1.24.3 || { say sizes 1; return 1; }
    fi
    "$venv/bin/python" tests/lint/sizes.py
}

lint "$PYTHON" tests/lint/layers.py
lint "$PYTHON" tests/lint/pages.py
lint "$PYTHON" tests/lint/pbx_writes.py
lint "$PYTHON" tests/lint/banned.py
lint "$PYTHON" tests/lint/headers.py
lint "$PYTHON" tests/kit/fault_table.py --check
lint sizes
lint format
lint cppcheck_lint
lint tests/lint/hardening.sh build/amitap
lint "$venv/bin/python" tests/lint/selftest.py
exit $rc
